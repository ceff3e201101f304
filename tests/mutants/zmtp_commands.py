"""Mutants for commands in traffic: shown to the application, misread, or sent in another form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness.zmtp.commands as commands_module
from harness.zmtp import (
    AnyCommand,
    Cancel,
    Command,
    Connection,
    Decoder,
    Frame,
    Message,
    Ping,
    Received,
    Subscribe,
    Undecodable,
)
from harness.zmtp.grammar import SHORT_MAX_OCTETS
from peers.reference.engine import Link
from peers.reference.heartbeat import Heartbeat
from peers.reference.pipe import Pipe
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


def _delivers(is_shown: Callable[[AnyCommand], bool]) -> None:
    """Give the bodies of some commands to sockets that have no use for them."""

    @patch(Pipe, "command")
    def command(original: Original, self: Pipe, link: Link, came: AnyCommand) -> None:
        if is_shown(came) and self.socket.type in ("DEALER", "PAIR", "PULL"):
            self.socket.take_message(self, (came.to_command().body(),))
        else:
            original(self, link, came)


@mutant("zmtp/commands/unknown-command-is-not-delivered")
def delivers_unknown_commands() -> None:
    """Takes a command that it does not know for a message."""
    _delivers(lambda command: isinstance(command, Command))


@mutant("zmtp/commands/useless-command-is-not-delivered")
def delivers_subscriptions_to_everybody() -> None:
    """Gives SUBSCRIBE and CANCEL to every application, not to that of an XPUB alone."""
    _delivers(lambda command: isinstance(command, Subscribe | Cancel))


@mutant(
    "zmtp/commands/between-messages",
    breaks=[
        "28/*",
        "29/sub/deliver",
        "29/xpub/deliver",
        "30/pull/*",
        "31/pair/keep-unconnected",
        "libzmq-4/conflate/receives-the-last",
    ],
)
def forgets_messages_at_a_ping() -> None:
    """Throws away what the application has not taken yet when PING comes."""

    @patch(Heartbeat, "on_ping")
    def on_ping(original: Original, self: Heartbeat, ping: Ping) -> None:
        owner = self.link.owner
        assert isinstance(owner, Pipe)
        owner.incoming.clear()
        original(self, ping)


def _takes_for_a_message(clause: str) -> None:
    """Read a command frame that breaks this rule as if it were a message frame."""

    @patch(Decoder, "_take_command")
    def take(original: Original, self: Decoder, frame: Frame, end: int) -> Any:
        received = original(self, frame, end)
        value = received.value
        if not isinstance(value, Undecodable) or value.reason.clause != clause:
            return received
        return received._replace(value=Message(frame.body), faults=())


@mutant("zmtp/commands/command-without-a-whole-name")
def delivers_nameless_commands() -> None:
    """Takes a command without a whole name for a message."""
    _takes_for_a_message("37/abnf/command-name")


@mutant("zmtp/commands/command-name-not-of-letters")
def delivers_misnamed_commands() -> None:
    """Takes a command whose name is not of letters for a message."""
    _takes_for_a_message("37/abnf/command-name-char")


@mutant("zmtp/commands/accepts-the-long-form")
def ignores_long_subscriptions() -> None:
    """Does not act on a SUBSCRIBE to everything that has a size of eight octets."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        return [one for one in original(self, octets) if not is_odd(one)]

    def is_odd(one: Received) -> bool:
        return one.value == Subscribe(b"") and one.frames[0].long


def _serializes_subscribe(change: Callable[[bytes], bytes]) -> None:
    @patch(Subscribe, "serialize")
    def serialize(original: Original, self: Subscribe, version: int = 3) -> bytes:
        return change(self.to_command().body())


@mutant("zmtp/commands/short-body-in-short-form")
def sends_small_commands_in_the_long_form() -> None:
    """Sends SUBSCRIBE with a size of eight octets always."""
    _serializes_subscribe(lambda body: Frame.of(body, command=True, long=True).serialize())


@mutant("zmtp/commands/long-body-in-long-form")
def cuts_commands_to_the_short_form() -> None:
    """Sends no more of a SUBSCRIBE than a size of one octet can tell."""
    _serializes_subscribe(lambda body: Frame.of(body[:SHORT_MAX_OCTETS], command=True).serialize())


@mutant("zmtp/commands/data-up-to-the-end-of-the-frame", breaks=["37/pubsub/abnf-subscription"])
def ends_data_at_a_null() -> None:
    """Takes a null octet for the end of what is subscribed to."""
    parsers = dict(commands_module._PARSERS)
    parsers[b"SUBSCRIBE"] = lambda data, at: Subscribe(data.partition(b"\0")[0])
    setattr(commands_module, "_PARSERS", parsers)  # noqa: B010
