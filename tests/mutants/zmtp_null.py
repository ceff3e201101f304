"""Mutants for the NULL handshake: what each sends or takes that it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness.zmtp.connection as connection_module
import harness.zmtp.metadata as metadata_module
from harness.zmtp import Command, Connection, Greeting, Message, RemoteProtocolError
from harness.zmtp.commands import parse_command
from harness.zmtp.connection import TOLERATED
from harness.zmtp.frames import Frame
from harness.zmtp.state import State
from peers.reference.adapter import Adapter
from peers.reference.engine import Link
from tests.mutants.registry import mutant, patch, speaks_null

Original = Callable[..., Any]


@mutant("zmtp/null/ready-in-both-roles", breaks=["37/*"])
def keeps_its_ready_to_itself() -> None:
    """Sends no READY at all."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Greeting) -> Any:
        events = original(self, greeting)
        if speaks_null(self):
            del self._out[-len(self._ready().serialize()) :]
        return events


def _delay_ready(is_patient: Callable[[Link], bool]) -> None:
    @patch(Link, "start")
    def start(original: Original, self: Link) -> None:
        self.codec.__dict__["patient"] = is_patient(self)
        original(self)

    @patch(Connection, "_take_greeting")
    def take_greeting(original: Original, self: Connection, greeting: Greeting) -> Any:
        events = original(self, greeting)
        if self.__dict__["patient"] and speaks_null(self):
            del self._out[-len(self._ready().serialize()) :]
        return events

    @patch(Connection, "_take_ready")
    def take_ready(original: Original, self: Connection, *args: Any) -> Any:
        if self.__dict__["patient"] and self.state is State.HANDSHAKE:
            self._out += self._ready().serialize()
        return original(self, *args)


@mutant("zmtp/null/dialer-sends-ready-unasked", breaks=["libzmq-4/linger/kept"])
def dialer_waits_for_ready() -> None:
    """As a dialer, sends READY only after the listener's."""
    _delay_ready(lambda link: bool(getattr(link.owner, "dialled")))  # noqa: B009


@mutant("zmtp/null/listener-sends-ready-unasked")
def listener_waits_for_ready() -> None:
    """As a listener, sends READY only after the dialer's (which 3.1 allows)."""
    _delay_ready(lambda link: not getattr(link.owner, "dialled"))  # noqa: B009


@mutant("zmtp/null/ready-follows-the-grammar", breaks=["24/abnf/ready"])
def sends_a_property_with_a_space_in_its_name() -> None:
    """Adds a property to READY whose name has a space."""

    odd = metadata_module.serialize_properties([(b"X-Name", b"value")]).replace(b"X-Name", b"X Name")

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Command:
        command: Command = original(self).to_command()
        return Command(command.name, command.data + odd)


@mutant(
    "zmtp/null/ready-in-pieces",
    breaks=["24/abnf/plain", "26/initiate/client-sends", "26/welcome/server-sends", "37/abnf/zmtp"],
)
def drops_partners_that_send_in_pieces() -> None:
    """Closes when READY's first segment does not bring all of it."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if self.codec.state is State.HANDSHAKE and self.codec.decoder.pending:
            self.close("a part of READY")


@mutant("zmtp/null/ready-in-long-form", breaks=["24/body/shared-grammar"])
def refuses_long_commands() -> None:
    """Refuses a command that has the long size without need."""
    tolerated = TOLERATED - {"37/auth/command-short"}
    setattr(connection_module, "TOLERATED", tolerated)  # noqa: B010


def sends_early(may: Callable[[Link], bool]) -> None:
    """Let the links that `may` send what waits while they shake hands."""

    @patch(Link, "gather")
    def gather(original: Original, self: Link) -> Any:
        octets = original(self)
        if self.codec.state is not State.HANDSHAKE or not may(self):
            return octets
        item = self.owner.next_outgoing()
        return octets + (item.serialize() if item is not None else b"")


@mutant(
    "zmtp/null/sends-no-message-before-both-ready",
    breaks=["24/flow/*", "26/message/*", "libzmq-4/linger/zero-discards"],
)
def sends_messages_before_ready() -> None:
    """Sends queued messages as soon as it is connected."""
    sends_early(lambda link: link.socket_type == "PUSH")
    flushes_while_shaking_hands()


def flushes_while_shaking_hands() -> None:
    """Let a send of the application go to the links that shake hands, too."""

    @patch(Adapter, "try_to_send")
    def send(original: Original, self: Adapter, *args: Any, **kwargs: Any) -> Any:
        outcome = original(self, *args, **kwargs)
        for socket in self.sockets.values():
            for pipe in list(socket.handshaking):
                if pipe.link is not None:
                    pipe.link.flush()
        return outcome


@mutant("zmtp/null/sends-no-subscription-before-both-ready", breaks=["37/abnf/connection"])
def subscribes_before_ready() -> None:
    """Sends SUBSCRIBE right behind its own READY, without waiting for the partner's."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Greeting) -> Any:
        events = original(self, greeting)
        if self.config.socket_type == "SUB" and speaks_null(self):
            self._out += Command(b"SUBSCRIBE", b"early").serialize()
        return events


@mutant(
    "zmtp/null/message-right-behind-ready",
    "zmtp/null/early-message-of-3-0",
    breaks=["37/abnf/connection"],
)
def loses_what_comes_behind_ready() -> None:
    """Throws away the rest of the segment that READY came in."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        received = original(self, octets)
        if self.config.mechanism == "NULL" and self.state is not State.TRAFFIC:
            return [one for one in received if not isinstance(one.value, Message)]
        return received


@mutant("zmtp/null/traffic-before-ready-is-not-delivered", breaks=["24/flow/order-enforced"])
def delivers_before_ready() -> None:
    """Takes messages and commands before READY as if the handshake were over."""

    @patch(Connection, "_handle")
    def handle(original: Original, self: Connection, received: Any) -> Any:
        if self.state is State.HANDSHAKE and isinstance(received.value, Message):
            self.__dict__.setdefault("early", []).append(received.value)
            return []
        events = original(self, received)
        return [*events, *self.__dict__.pop("early", [])] if self.state is State.TRAFFIC else events


@mutant("zmtp/null/ready-without-command-flag")
def delivers_ready_as_message() -> None:
    """Ends the handshake at a READY without COMMAND, and delivers it too."""

    @patch(Connection, "_handle")
    def handle(original: Original, self: Connection, received: Any) -> Any:
        value = received.value
        if not isinstance(value, Message) or value.parts[0][:6] != b"\5READY":
            return original(self, received)
        frame = Frame.of(value.parts[0], command=True)
        ready = parse_command(frame)
        return [*original(self, received._replace(value=ready)), value]


@mutant("zmtp/null/repeated-ready-is-not-delivered")
def delivers_repeated_ready() -> None:
    """Gives a READY in traffic to the application."""

    @patch(Connection, "_take_ready")
    def take(original: Original, self: Connection, ready: Any, offset: int) -> Any:
        again = self.state is State.TRAFFIC
        events = original(self, ready, offset)
        return [Message(ready.to_command().body())] if again else events


def _parses_metadata_up_to(clauses: set[str]) -> None:
    @patch(metadata_module, "parse_properties")
    def parse(original: Original, octets: bytes, offset: int = 0) -> Any:
        for end in range(len(octets), -1, -1):
            try:
                return original(octets[:end], offset)
            except RemoteProtocolError as error:
                if error.clause not in clauses:
                    raise
        return ()

    import harness.zmtp.commands as commands_module

    setattr(commands_module, "parse_properties", metadata_module.parse_properties)  # noqa: B010


@mutant("zmtp/null/malformed-ready-is-refused")
def takes_a_malformed_ready() -> None:
    """Takes the properties of READY up to the first that is cut or runs over, and goes on."""
    _parses_metadata_up_to({"37/null/abnf-property", "37/null/abnf-value"})


@mutant("zmtp/null/value-size-has-a-limit")
def takes_any_value_size() -> None:
    """Passes over a property whose value claims more than 2^31-1 octets."""
    _parses_metadata_up_to({"37/null/value-range", "37/null/abnf-property"})


@mutant("zmtp/null/empty-property-name")
def takes_nameless_properties() -> None:
    """Passes over a property without a name."""
    _parses_metadata_up_to({"37/null/name-length", "37/null/abnf-property"})
