"""Mutants for what holds in every trace: octets that no correct peer sends, one kind each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness.zmtp.connection as connection_module
from harness.zmtp import Connection, Frame, Greeting, Message, Ping, Pong, Subscribe, malformed
from harness.zmtp.grammar import LONG, MORE
from peers.reference.base import Socket
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from peers.reference.pipeline import Pull
from tests.mutants.registry import mutant, patch, speaks_null
from tests.mutants.zmtp_greeting import greets

Original = Callable[..., Any]
PROPERTY = malformed.property_octets


@mutant("zmtp/trace/signature", "zmtp/greeting/own-signature", breaks=["37/*"])
def ends_its_signature_wrongly() -> None:
    """Sends 7D as the tenth octet."""
    greets(9, b"\x7d")


@mutant("zmtp/trace/version", breaks=["37/abnf/greeting"])
def announces_version_2() -> None:
    """Sends a greeting of ZMTP 3 with the major version 2 with PULL."""
    greets(10, b"\x02", only="PULL")


@mutant("zmtp/trace/mechanism-name", breaks=["37/abnf/mechanism-char", "37/auth/*"])
def writes_its_mechanism_small() -> None:
    """Calls its mechanism "null"."""
    greets(12, b"null")


@mutant("zmtp/trace/as-server", breaks=["37/null/as-server-zero"])
def is_server_number_2() -> None:
    """Sends 2 as as-server."""
    greets(32, b"\x02")


@mutant("zmtp/trace/as-server-under-null", "zmtp/greeting/own-as-server")
def is_server_under_null() -> None:
    """Sends 1 as as-server."""
    greets(32, b"\x01")


@mutant("zmtp/trace/filler")
def fills_its_greeting_up() -> None:
    """Sends a filler that is not zero."""
    greets(63, b"\x01")


def _around_ready(before: bytes, behind: bytes) -> None:
    """Send these octets in front of READY and right behind it."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Any) -> Any:
        at = len(self._out)
        events = original(self, greeting)
        if speaks_null(self):
            self._out[at:at] = before
            self._out += behind
        return events


@mutant(
    "zmtp/trace/handshake",
    breaks=["23/null/ready-before-receive", "30/pull/receive-only", "37/*"],
)
def begins_with_a_message() -> None:
    """Sends a message before READY."""
    _around_ready(Message(b"early").serialize(), b"")


@mutant("zmtp/trace/one-ready", breaks=["37/heartbeat/any-traffic"])
def sends_ready_twice() -> None:
    """Sends a second READY behind its first."""
    _around_ready(b"", malformed.ready(PROPERTY(b"Socket-Type", b"PULL")))


@mutant(
    "zmtp/trace/no-early-traffic",
    breaks=[
        "29/sub/receive-only",
        "30/pull/receive-only",
        "37/errors/error-fatal",
        "37/errors/other-errors-close",
        "37/framing/*",
        "37/heartbeat/any-traffic",
        "37/sockets/bind-and-connect",
        "37/version/cannot-downgrade-close",
    ],
)
def sends_a_message_behind_its_ready() -> None:
    """Sends a message before the partner's READY has come."""
    _around_ready(b"", Message(b"early").serialize())


class _Octets:
    """Octets in the place of a value that would be serialized."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def serialize(self, version: int = 3) -> bytes:
        """Themselves."""
        return self.octets


def _adds_to_ready(octets: bytes) -> None:
    """Send READY with the socket type and these octets behind it."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Any:
        if not speaks_null(self):
            return original(self)
        return _Octets(malformed.ready(PROPERTY(b"Socket-Type", self.config.socket_type.encode()), octets))


@mutant("zmtp/trace/socket-type-sent", breaks=["37/identity/*"])
def keeps_its_socket_type_to_itself() -> None:
    """Sends READY without properties."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Any:
        return _Octets(malformed.ready())


@mutant("zmtp/trace/socket-type-known", breaks=["23/null/ready-before-receive", "24/abnf/ready", "37/*"])
def has_a_socket_type_of_its_own() -> None:
    """Sends READY with a socket type that nobody knows."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Any:
        return _Octets(malformed.ready(PROPERTY(b"Socket-Type", b"FOO")))


@mutant("zmtp/trace/identity-size", breaks=["37/identity/identity-announce"])
def has_a_long_identity() -> None:
    """Sends an identity of 256 octets."""
    _adds_to_ready(PROPERTY(b"Identity", b"i" * 256))


@mutant("zmtp/trace/identity-first-octet", breaks=["37/identity/abnf-identity"])
def has_an_identity_that_begins_with_zero() -> None:
    """Sends an identity that only implementations may use among themselves."""
    _adds_to_ready(PROPERTY(b"Identity", b"\0own"))


@mutant("zmtp/trace/resource", breaks=["37/identity/abnf-identity"])
def asks_for_a_nameless_resource() -> None:
    """Sends a resource with nothing between two slashes."""
    _adds_to_ready(PROPERTY(b"Resource", b"system//test"))


@mutant("zmtp/trace/property-name-length", breaks=["23/null/ready-before-receive", "37/*"])
def sends_a_nameless_property() -> None:
    """Sends a property whose name has no octets."""
    _adds_to_ready(PROPERTY(b"", b"value"))


@mutant("zmtp/trace/property-name-characters", breaks=["37/identity/abnf-identity"])
def sends_a_property_name_with_a_space() -> None:
    """Sends a property whose name has a space in it."""
    _adds_to_ready(PROPERTY(b"X Name", b"value"))


@mutant("zmtp/trace/property-whole", breaks=["23/null/ready-before-receive", "37/*"])
def sends_a_cut_property() -> None:
    """Sends a property whose name leads beyond READY."""
    _adds_to_ready(b"\xc8X-Short")


@mutant("zmtp/trace/property-value-whole", breaks=["23/null/ready-before-receive", "37/*"])
def sends_a_cut_value() -> None:
    """Sends a property whose value leads beyond READY."""
    _adds_to_ready(PROPERTY(b"X-Short", b"value", value_size=400))


@mutant("zmtp/trace/property-value-size", breaks=["23/null/ready-before-receive", "37/*"])
def claims_an_enormous_value() -> None:
    """Sends a property whose value claims 2^31 octets."""
    _adds_to_ready(PROPERTY(b"X-Huge", b"value", value_size=1 << 31))


def _serializes_frames(change: Callable[[Frame], bytes | None]) -> None:
    """Write frames of ZMTP 3.x as `change` says, where it says something."""

    @patch(Frame, "serialize")
    def serialize(original: Original, self: Frame, version: int = 3) -> bytes:
        changed = change(self) if version == 3 else None
        return bytes(original(self, version)) if changed is None else changed


@mutant("zmtp/trace/reserved-flags")
def sets_a_reserved_flag() -> None:
    """Sets bit 3 in message frames."""
    _serializes_frames(lambda frame: None if frame.command else malformed.frame(frame.flags | 8, frame.body))


@mutant("zmtp/trace/command-without-more", breaks=["24/abnf/*"])
def sets_more_on_commands() -> None:
    """Sets MORE in command frames."""
    _serializes_frames(
        lambda frame: malformed.frame(frame.flags | MORE, frame.body) if frame.command else None
    )


@mutant("zmtp/trace/command-in-short-form", breaks=["24/abnf/*"])
def writes_all_commands_long() -> None:
    """Gives every command a size of eight octets."""
    _serializes_frames(lambda frame: malformed.long_command(frame.body) if frame.command else None)


@mutant("zmtp/trace/frame-size")
def sets_the_highest_bit_of_sizes() -> None:
    """Sends messages with a size of 2^63 and more."""
    _serializes_frames(
        lambda frame: (
            None
            if frame.command
            else malformed.frame(frame.flags | LONG, frame.body, len(frame.body) | 1 << 63)
        )
    )


@mutant("zmtp/trace/command-between-frames")
def pings_within_messages() -> None:
    """Sends PING between the frames of a message."""

    @patch(Message, "serialize")
    def serialize(original: Original, self: Message, version: int = 3, **kwargs: Any) -> bytes:
        first, *rest = [frame.serialize(version) for frame in self.frames(**kwargs)]
        if version < 3 or not rest:
            return bytes(original(self, version, **kwargs))
        return first + Ping().serialize() + b"".join(rest)


def _says_hello(octets: bytes) -> None:
    """Send these octets when the handshake is done."""

    @patch(Socket, "attach")
    def attach(original: Original, self: Socket, pipe: Pipe) -> None:
        # What asks about clients (ZAP) has no connection.
        if isinstance(pipe.link, Link) and speaks_null(pipe.link.codec):
            pipe.link.codec._out += octets
        original(self, pipe)


@mutant("zmtp/trace/command-name", breaks=["37/heartbeat/any-traffic"])
def sends_a_nameless_command() -> None:
    """Sends a command frame without octets behind the handshake."""
    _says_hello(malformed.command_empty())


@mutant("zmtp/trace/command-name-letters", breaks=["37/heartbeat/any-traffic"])
def sends_a_command_name_with_a_space() -> None:
    """Sends a command whose name has a space in it behind the handshake."""
    _says_hello(malformed.command_named(b"WELL COME"))


def _fails_with(octets: bytes) -> None:
    """Send these octets in the place of ERROR."""

    @patch(Connection, "fail")
    def fail(original: Original, self: Connection, reason: bytes) -> None:
        at = len(self._out)
        original(self, reason)
        self._out[at:] = octets


@mutant("zmtp/trace/error-whole", breaks=["26/abnf/error", "37/sockettype/matrix-req"])
def cuts_its_error_reason() -> None:
    """Sends ERROR with a reason that leads beyond the command."""
    _fails_with(malformed.error_reason_overrun())


@mutant("zmtp/trace/error-reason-visible")
def explains_itself_in_sentences() -> None:
    """Sends ERROR with a reason that has spaces in it."""
    _fails_with(malformed.command_named(b"ERROR", b"\x08bad type"))


def _pings_with(octets: bytes) -> None:
    @patch(Ping, "serialize")
    def serialize(original: Original, self: Ping, version: int = 3) -> bytes:
        return octets


@mutant("zmtp/trace/ping-ttl-whole", breaks=["37/heartbeat/*"])
def sends_ping_with_half_a_ttl() -> None:
    """Sends PING with a ttl of one octet."""
    _pings_with(malformed.ping_cut())


@mutant("zmtp/trace/heartbeat-context-size", breaks=["37/heartbeat/*"])
def sends_ping_with_a_long_context() -> None:
    """Sends PING with a context of 17 octets."""
    _pings_with(malformed.ping_context(b"seventeen octets!"))


@mutant("zmtp/trace/pongs")
def answers_with_a_context_of_its_own() -> None:
    """Puts something else into PONG than PING brought."""
    setattr(connection_module, "Pong", lambda context: Pong(b"own"))  # noqa: B010


@mutant(
    "zmtp/trace/subscribers-subscribe",
    breaks=["30/pull/*", "37/heartbeat/any-traffic", "libzmq-4/conflate/receives-the-last"],
)
def pulls_by_subscription() -> None:
    """Sends SUBSCRIBE with PULL."""

    @patch(Pull, "greet")
    def greet(original: Original, self: Pull, pipe: Pipe) -> None:
        pipe.put_command(Subscribe(b""))


@mutant("zmtp/trace/command-form", breaks=["23/pubsub/subscribe-sent"])
def sends_subscribe_to_partners_of_3_0() -> None:
    """Sends subscriptions as commands whatever the partner speaks."""

    @patch(Connection, "_translate")
    def translate(original: Original, self: Connection, value: Any) -> Any:
        return value if isinstance(self.partner, Greeting) else original(self, value)


@mutant("zmtp/trace/receivers-send-nothing", breaks=["26/hello/*", "26/message/*", "37/*"])
def greets_with_a_message_from_pull() -> None:
    """Sends a message with PULL."""

    @patch(Pull, "greet")
    def greet(original: Original, self: Pull, pipe: Pipe) -> None:
        pipe.put((b"hello",))
