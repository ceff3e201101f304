"""Mutants for the server of PLAIN: whom each lets in, or in which order, that it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness.zmtp.connection as connection_module
import harness.zmtp.decoder as decoder_module
import harness.zmtp.plain as plain_module
from harness.zmtp import Command, Connection, Hello, Initiate, Message, Ready, State, Welcome
from harness.zmtp.commands import parse_command
from harness.zmtp.connection import TOLERATED
from harness.zmtp.frames import Frame
from harness.zmtp.handshake import TURNS, PlainHandshake, Turn
from peers.reference.engine import Link
from tests.mutants.registry import mutant, patch
from tests.mutants.zmtp_null import flushes_while_shaking_hands, sends_early

Original = Callable[..., Any]


def is_plain(link: Link) -> bool:
    """Whether a link of the reference speaks PLAIN."""
    return link.options.mechanism == "PLAIN"


@mutant(
    "plain/server/lets-in-good-credentials",
    "interop/plain/good-credentials",
    breaks=["27/arch/server-connects"],
)
def lets_nobody_in() -> None:
    """As a server of PLAIN, refuses everybody."""

    @patch(PlainHandshake, "admits")
    def admits(original: Original, self: PlainHandshake, hello: Hello) -> bool:
        return False


@mutant("plain/server/says-that-it-is-the-server", "curve/server/says-that-it-is-the-server")
def hides_that_it_is_the_server() -> None:
    """Greets with as-server 00 as a server too."""

    @patch(Connection, "_own_greeting")
    def own_greeting(original: Original, self: Connection) -> bytes:
        octets: bytes = original(self)
        return octets[:32] + b"\0" + octets[33:]


@mutant("plain/server/waits-for-hello", breaks=["24/flow/server-ready", "27/message/status-200"])
def welcomes_before_hello() -> None:
    """Sends WELCOME right behind its greeting."""

    @patch(PlainHandshake, "begin")
    def begin(original: Original, self: PlainHandshake, *args: Any) -> bytes:
        octets: bytes = original(self, *args)
        return octets if self.hello is not None else Welcome().serialize()


def sends_messages_early(as_server: bool) -> None:
    """Let a PUSH with PLAIN send as soon as its partner has spoken in the handshake."""

    def may(link: Link) -> bool:
        return link.socket_type == "PUSH" and is_plain(link) and link.options.plain_server is as_server

    sends_early(may)
    flushes_while_shaking_hands()


@mutant("plain/server/sends-no-message-before-ready")
def sends_messages_before_its_own_ready() -> None:
    """As a server of PLAIN, sends queued messages before READY."""
    sends_messages_early(as_server=True)


@mutant(
    "plain/server/commands-follow-the-grammar", breaks=["24/flow/server-welcome", "27/message/status-200"]
)
def welcomes_with_data() -> None:
    """Sends WELCOME with an octet behind its name."""

    @patch(Welcome, "to_command")
    def to_command(original: Original, self: Welcome) -> Command:
        return Command(b"WELCOME", b"\0")


@mutant("plain/server/handshake-in-pieces", "plain/client/handshake-in-pieces")
def wants_commands_of_plain_at_once() -> None:
    """Closes when the first segment of a command of PLAIN does not bring all of it."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if is_plain(self) and self.codec.state is State.HANDSHAKE and self.codec.decoder.pending:
            self.close("a part of a command")


@mutant("plain/server/commands-in-long-form")
def refuses_long_hellos() -> None:
    """Refuses HELLO and other commands that have the long size without need."""
    setattr(connection_module, "TOLERATED", TOLERATED - {"37/auth/command-short"})  # noqa: B010


@mutant("plain/server/unusual-credentials", breaks=["27/arch/server-connects"])
def knows_no_empty_credentials() -> None:
    """Refuses whoever has no username or no password, though that is what it was told to let in."""

    @patch(PlainHandshake, "admits")
    def admits(original: Original, self: PlainHandshake, hello: Hello) -> Any:
        return bool(hello.username and hello.password) and original(self, hello)


@mutant("plain/server/refuses-wrong-credentials", "interop/plain/wrong-password")
def looks_at_usernames_only() -> None:
    """Lets in whoever names a user, whatever the password."""

    @patch(PlainHandshake, "admits")
    def admits(original: Original, self: PlainHandshake, hello: Hello) -> Any:
        return original(self, hello) or hello.username == b"admin"


@mutant("plain/server/refuses-wrong-credentials")
def compares_the_beginning() -> None:
    """Takes a password for good that goes on behind the right one, or ends at a null."""

    @patch(PlainHandshake, "admits")
    def admits(original: Original, self: PlainHandshake, hello: Hello) -> Any:
        return original(self, Hello(hello.username.split(b"\0")[0], hello.password[:6]))


@mutant("plain/server/error-follows-the-grammar")
def runs_the_length_into_the_name() -> None:
    """Refuses credentials with an ERROR whose length octet and first letter have become one."""

    @patch(Connection, "_admit")
    def admit(original: Original, self: Connection, *args: Any) -> Any:
        try:
            return original(self, *args)
        finally:
            if self.failed:
                self._out[:] = Frame.of(b"^RROR\x03400", command=True).serialize()


@mutant("plain/server/malformed-hello-is-refused", breaks=["27/plain/plain-credentials"])
def fills_up_a_hello() -> None:
    """Takes what of HELLO's fields is there, and passes over the rest."""

    def lenient(data: bytes, at: int) -> Hello:
        size = data[0] if data else 0
        rest = data[1 + size :]
        password = rest[1:][: rest[0]] if rest else b"secret"
        return Hello(data[1 : 1 + size][:5] or b"admin", password[:6])

    plain_module.PLAIN_PARSERS[b"HELLO"] = lenient


@mutant("plain/server/padded-hello")
def takes_a_padded_hello() -> None:
    """Takes a HELLO whose name is padded to 8 characters."""

    @patch(decoder_module, "parse_command")
    def parse(original: Original, frame: Frame, mechanism: str) -> Any:
        if mechanism == "PLAIN" and frame.body.startswith(b"HELLO   "):
            return parse_command(Frame.of(b"\5HELLO" + frame.body[8:], command=True), mechanism)
        return original(frame, mechanism)


@mutant("plain/server/hello-comes-first")
def forgoes_hello() -> None:
    """Lets in a client that begins with INITIATE."""
    TURNS[Turn.HELLO, Initiate] = Turn.TRAFFIC


@mutant("plain/server/early-traffic-is-not-delivered", "plain/client/early-traffic-is-not-delivered")
def delivers_in_the_handshake() -> None:
    """Delivers messages that come in the handshake of PLAIN."""

    @patch(Connection, "_take_plain")
    def take(original: Original, self: Connection, plain: Any, value: Any, offset: int) -> Any:
        if isinstance(value, Message):
            return [value]
        return original(self, plain, value, offset)


@mutant("plain/server/initiate-comes-second")
def welcomes_twice() -> None:
    """Answers a second HELLO with a second WELCOME."""
    TURNS[Turn.INITIATE, Hello] = Turn.INITIATE


@mutant("plain/server/initiate-comes-second")
def takes_ready_for_initiate() -> None:
    """Takes READY from a client where INITIATE is awaited."""
    TURNS[Turn.INITIATE, Ready] = Turn.TRAFFIC
