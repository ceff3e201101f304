"""Mutants for the client of PLAIN: what each says, or takes from a server, that it must not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import harness.zmtp.plain as plain_module
from harness.zmtp import Command, Connection, Error, Hello, Initiate, Message, Ready, State, Welcome
from harness.zmtp.handshake import TURNS, PlainHandshake, Turn
from peers.reference.engine import Link
from tests.mutants.plain_server import sends_messages_early
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("plain/client/logs-in")
def never_initiates() -> None:
    """Says nothing when it is welcome."""

    @patch(Connection, "_take_plain")
    def take(original: Original, self: Connection, plain: Any, value: Any, offset: int) -> Any:
        events = original(self, plain, value, offset)
        if isinstance(value, Welcome):
            self._out.clear()
        return events


@mutant("plain/client/says-that-it-is-the-client", "curve/client/says-that-it-is-the-client")
def is_a_server_in_name() -> None:
    """Greets with as-server 01 as a client too."""

    @patch(Connection, "_own_greeting")
    def own_greeting(original: Original, self: Connection) -> bytes:
        octets: bytes = original(self)
        return octets[:32] + b"\1" + octets[33:] if self.config.mechanism != "NULL" else octets


@mutant("plain/client/commands-follow-the-grammar", breaks=["24/flow/client-hello"])
def says_more_than_hello() -> None:
    """Sends HELLO with an octet behind the password."""

    @patch(Hello, "to_command")
    def to_command(original: Original, self: Hello) -> Command:
        command: Command = original(self)
        return Command(command.name, command.data + b"\0")


@mutant("plain/client/unusual-credentials")
def is_never_nameless() -> None:
    """Calls itself anonymous where it has no username."""

    @patch(PlainHandshake, "begin")
    def begin(original: Original, self: PlainHandshake, *args: Any) -> bytes:
        octets: bytes = original(self, *args)
        if self.hello is None or self.hello.username:
            return octets
        return replace(self.hello, username=b"anonymous").serialize()


@mutant("plain/client/waits-for-welcome")
def initiates_at_once() -> None:
    """Sends INITIATE right behind HELLO."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, *args: Any) -> Any:
        events = original(self, *args)
        if self._plain is not None and self._plain.hello is not None:
            self._out += self._introduction(Initiate).serialize()
        return events


@mutant("plain/client/sends-no-message-before-ready")
def sends_messages_before_the_servers_ready() -> None:
    """As a client of PLAIN, sends queued messages before READY has come."""
    sends_messages_early(as_server=False)


@mutant(
    "plain/client/message-right-behind-ready",
    breaks=["24/body/shared-grammar", "24/flow/order-enforced", "37/errors/close-is-temporary"],
)
def loses_what_comes_behind_a_servers_ready() -> None:
    """Throws away messages of the segment that a server's READY came in."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        received = original(self, octets)
        if self._plain is not None and self.state is State.HANDSHAKE:
            return [one for one in received if not isinstance(one.value, Message)]
        return received


@mutant("plain/client/welcome-comes-first")
def needs_no_welcome() -> None:
    """Takes READY where WELCOME is awaited."""
    TURNS[Turn.WELCOME, Ready] = Turn.TRAFFIC


@mutant("plain/client/ready-comes-second")
def is_welcome_again() -> None:
    """Takes WELCOME twice, and says INITIATE twice."""
    TURNS[Turn.READY, Welcome] = Turn.READY


@mutant("plain/client/meets-another-client")
def lets_other_clients_in() -> None:
    """Welcomes whoever says HELLO, though it is a client itself."""
    TURNS[Turn.WELCOME, Hello] = Turn.INITIATE

    @patch(PlainHandshake, "admits")
    def admits(original: Original, self: PlainHandshake, hello: Hello) -> Any:
        return self.hello is not None or original(self, hello)


@mutant("plain/client/welcome-with-data-is-refused")
def takes_any_welcome() -> None:
    """Passes over what stands behind WELCOME."""
    plain_module.PLAIN_PARSERS[b"WELCOME"] = lambda data, at: Welcome()


@mutant("plain/client/error-ends-the-handshake")
def does_not_hear_error() -> None:
    """Goes on waiting when a server says ERROR."""

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if self._plain is not None and isinstance(command, Error):
            return []
        return original(self, command, offset)


@mutant("plain/client/stays-away-once-refused", "curve/client/stays-away-once-refused")
def insists_with_the_same_password() -> None:
    """Dials again after ERROR, with the same credentials."""

    @patch(Link, "on_error")
    def on_error(original: Original, self: Link, error: Error) -> None:
        self.close("ERROR")
