"""Commands: READY, ERROR, SUBSCRIBE, CANCEL, JOIN, LEAVE, PING, PONG, those of PLAIN and CURVE, and
any other by name.

Sources: RFC 37, "Formal Grammar" (command), "NULL Mechanism", "Publish-Subscribe over ZMTP 3.0",
"Radio-Dish", "Connection Heartbeating"; RFC 24; RFC 26.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .curve import (
    CURVE,
    CURVE_PARSERS,
    CurveHello,
    CurveInitiate,
    CurveMessage,
    CurveReady,
    CurveWelcome,
    curve_hello_faults,
)
from .errors import LocalProtocolError, RemoteProtocolError
from .frames import Frame
from .grammar import COMMAND_NAME, ERROR_REASON, GROUP, PING_CONTEXT_MAX_OCTETS, TTL_MAX_DS
from .metadata import parse_properties, property_faults
from .plain import PLAIN, PLAIN_PARSERS, Hello, Initiate, Welcome, hello_faults
from .typed import Command, Introduction, Typed


class Ready(Introduction):
    """READY with its properties in order, as (name, value)."""

    __slots__ = ()
    NAME = b"READY"


@dataclass(frozen=True, slots=True)
class Error(Typed):
    """ERROR with its reason of 0 to 255 octets (RFC 37, NULL Mechanism)."""

    reason: bytes = b""

    def to_command(self) -> Command:
        """ERROR as name and data."""
        if not ERROR_REASON.fullmatch(self.reason):
            raise LocalProtocolError(
                "37/null/abnf-error-reason", "reason is not up to 255 visible characters"
            )
        return Command(b"ERROR", b"%c%b" % (len(self.reason), self.reason))


@dataclass(frozen=True, slots=True)
class Subscribe(Typed):
    """SUBSCRIBE to every message that starts with `prefix`."""

    prefix: bytes = b""

    def to_command(self) -> Command:
        """SUBSCRIBE as name and data."""
        return Command(b"SUBSCRIBE", self.prefix)


@dataclass(frozen=True, slots=True)
class Cancel(Typed):
    """CANCEL one subscription for `prefix`."""

    prefix: bytes = b""

    def to_command(self) -> Command:
        """CANCEL as name and data."""
        return Command(b"CANCEL", self.prefix)


@dataclass(frozen=True, slots=True)
class Join(Typed):
    """JOIN a group of 0 to 255 octets, none of them zero."""

    group: bytes = b""

    def to_command(self) -> Command:
        """JOIN as name and data."""
        _check_group(self.group)
        return Command(b"JOIN", self.group)


@dataclass(frozen=True, slots=True)
class Leave(Typed):
    """LEAVE a group."""

    group: bytes = b""

    def to_command(self) -> Command:
        """LEAVE as name and data."""
        _check_group(self.group)
        return Command(b"LEAVE", self.group)


@dataclass(frozen=True, slots=True)
class Ping(Typed):
    """PING: time to live in tenths of a second (0 for none), context of 0 to 16 octets."""

    ttl_ds: int = 0
    context: bytes = b""

    def to_command(self) -> Command:
        """PING as name and data."""
        if not 0 <= self.ttl_ds <= TTL_MAX_DS:
            raise LocalProtocolError(
                "37/heartbeat/abnf-ping-ttl", f"ttl {self.ttl_ds} does not fit two octets"
            )
        _check_context(self.context)
        return Command(b"PING", self.ttl_ds.to_bytes(2, "big") + self.context)


@dataclass(frozen=True, slots=True)
class Pong(Typed):
    """PONG: the context of the PING that it answers."""

    context: bytes = b""

    def to_command(self) -> Command:
        """PONG as name and data."""
        _check_context(self.context)
        return Command(b"PONG", self.context)


CurveCommand = CurveHello | CurveWelcome | CurveInitiate | CurveReady | CurveMessage
Secure = Hello | Welcome | Initiate | CurveCommand
InTraffic = Subscribe | Cancel | Join | Leave | Ping | Pong | Error | Command | Secure
AnyCommand = InTraffic | Ready


def _check_group(group: bytes) -> None:
    if not GROUP.fullmatch(group):
        raise LocalProtocolError("37/radiodish/abnf-group", "group is not 0 to 255 octets other than zero")


def _check_context(context: bytes) -> None:
    if len(context) > PING_CONTEXT_MAX_OCTETS:
        raise LocalProtocolError("37/heartbeat/context-max", f"context of {len(context)} octets, at most 16")


def parse_command(frame: Frame, mechanism: str = "NULL") -> AnyCommand:
    """The command in a frame's body; one whose name means something under `mechanism` gets its own type.

    Raises RemoteProtocolError with the offset in the stream where the body leaves the grammar.
    """
    body, at = frame.body, frame.offset + frame.header_octets
    if not body or not body[0]:
        raise RemoteProtocolError("37/abnf/command-name", "command without a name", at)
    end = 1 + body[0]
    if end > len(body):
        raise RemoteProtocolError("37/abnf/command-name", "command name leads beyond the frame", at)
    name, data = body[1:end], body[end:]
    if not COMMAND_NAME.fullmatch(name):
        raise RemoteProtocolError(
            "37/abnf/command-name-char", f"command name {name!r} is not letters", at + 1
        )
    parse = _PARSERS.get(name)
    if mechanism == CURVE:
        parse = CURVE_PARSERS.get(name, parse)
    elif parse is None and mechanism == PLAIN:
        parse = PLAIN_PARSERS.get(name)
    return Command(name, data) if parse is None else parse(data, at + end)


def command_faults(command: AnyCommand, frame: Frame) -> Iterator[RemoteProtocolError]:
    """What a command that could be read breaks nevertheless, by what its fields hold."""
    at = frame.offset + frame.header_octets
    if isinstance(command, Introduction):
        yield from property_faults(command.properties, at + 1 + len(command.NAME))
    elif isinstance(command, Hello):
        yield from hello_faults(command, at + len(b"\5HELLO"))
    elif isinstance(command, CurveHello):
        yield from curve_hello_faults(command, at + len(b"\5HELLO"))
    elif isinstance(command, Join | Leave) and not GROUP.fullmatch(command.group):
        at += len(b"\4JOIN") if isinstance(command, Join) else len(b"\5LEAVE")
        yield RemoteProtocolError("37/radiodish/abnf-group", "group is not 0 to 255 octets but zero", at)
    elif isinstance(command, Error) and not ERROR_REASON.fullmatch(command.reason):
        yield RemoteProtocolError(
            "37/null/abnf-error-reason", "reason is not visible characters only", at + len(b"\5ERROR") + 1
        )


def _parse_ready(data: bytes, at: int) -> Ready:
    return Ready(properties=parse_properties(data, at))


def _parse_error(data: bytes, at: int) -> Error:
    if not data or 1 + data[0] > len(data):
        raise RemoteProtocolError("37/null/abnf-error", "error reason leads beyond the command", at)
    if 1 + data[0] < len(data):
        raise RemoteProtocolError("37/null/abnf-error", "octets after the error reason", at + 1 + data[0])
    return Error(data[1:])


def _parse_ping(data: bytes, at: int) -> Ping:
    if len(data) < 2:
        raise RemoteProtocolError("37/heartbeat/abnf-ping-ttl", "PING without a whole ttl", at)
    _check_received_context(data[2:], at + 2)
    return Ping(int.from_bytes(data[:2], "big"), data[2:])


def _parse_pong(data: bytes, at: int) -> Pong:
    _check_received_context(data, at)
    return Pong(data)


def _check_received_context(context: bytes, at: int) -> None:
    if len(context) > PING_CONTEXT_MAX_OCTETS:
        raise RemoteProtocolError(
            "37/heartbeat/context-max", f"context of {len(context)} octets, at most 16", at
        )


_PARSERS: dict[bytes, Callable[[bytes, int], AnyCommand]] = {
    b"READY": _parse_ready,
    b"ERROR": _parse_error,
    b"SUBSCRIBE": lambda data, at: Subscribe(data),
    b"CANCEL": lambda data, at: Cancel(data),
    b"JOIN": lambda data, at: Join(data),
    b"LEAVE": lambda data, at: Leave(data),
    b"PING": _parse_ping,
    b"PONG": _parse_pong,
}
