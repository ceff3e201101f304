"""Commands: READY, ERROR, SUBSCRIBE, CANCEL, PING, PONG, and any other by name.

Sources: RFC 37, "Formal Grammar" (command), "NULL Mechanism", "Publish-Subscribe over ZMTP 3.0",
"Connection Heartbeating".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import LocalProtocolError, RemoteProtocolError
from .frames import Frame
from .grammar import COMMAND_NAME, ERROR_REASON, IDENTITY_MAX_OCTETS, PING_CONTEXT_MAX_OCTETS, TTL_MAX_DS
from .metadata import Property, parse_properties, property_faults, serialize_properties


class Typed(ABC):
    """What all commands share: they become a name and data, and octets."""

    __slots__ = ()

    @abstractmethod
    def to_command(self) -> "Command":
        """This command as name and data. Raises LocalProtocolError for a value outside the grammar."""

    def serialize(self, version: int = 3) -> bytes:
        """The octets of the command's one frame; `version` is there for symmetry with messages."""
        command = self.to_command()
        return Frame.of(command.body(), command=True).serialize(version)


@dataclass(frozen=True, slots=True)
class Command(Typed):
    """Any command: its name of 1 to 255 letters, and its data."""

    name: bytes
    data: bytes = b""

    def to_command(self) -> "Command":
        """Itself."""
        return self

    def body(self) -> bytes:
        """Name size, name, data. Raises LocalProtocolError for a name that is not letters."""
        if not COMMAND_NAME.fullmatch(self.name):
            raise LocalProtocolError(
                "37/abnf/command-name", f"command name {self.name!r} is not 1 to 255 letters"
            )
        return b"%c%b%b" % (len(self.name), self.name, self.data)


@dataclass(frozen=True, slots=True, init=False)
class Ready(Typed):
    """READY with its properties in order, as (name, value)."""

    properties: tuple[Property, ...]

    def __init__(
        self,
        socket_type: str | None = None,
        identity: bytes | None = None,
        properties: tuple[Property, ...] = (),
    ) -> None:
        head: list[Property] = []
        if socket_type is not None:
            head.append((b"Socket-Type", socket_type.encode("latin-1")))
        if identity is not None:
            head.append((b"Identity", identity))
        object.__setattr__(self, "properties", (*head, *properties))

    def get(self, name: bytes) -> bytes | None:
        """The value of the first property with this name; upper and lower case are the same."""
        return next((value for key, value in self.properties if key.lower() == name.lower()), None)

    @property
    def socket_type(self) -> str | None:
        """The Socket-Type property, one character an octet."""
        value = self.get(b"Socket-Type")
        return None if value is None else value.decode("latin-1")

    @property
    def identity(self) -> bytes | None:
        """The Identity property."""
        return self.get(b"Identity")

    def to_command(self) -> Command:
        """READY as name and data (RFC 37, NULL Mechanism)."""
        if len(self.identity or b"") > IDENTITY_MAX_OCTETS:
            raise LocalProtocolError("37/identity/abnf-identity", "identity of more than 255 octets")
        return Command(b"READY", serialize_properties(self.properties))


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


AnyCommand = Command | Ready | Error | Subscribe | Cancel | Ping | Pong


def _check_context(context: bytes) -> None:
    if len(context) > PING_CONTEXT_MAX_OCTETS:
        raise LocalProtocolError("37/heartbeat/context-max", f"context of {len(context)} octets, at most 16")


def parse_command(frame: Frame) -> AnyCommand:
    """The command in a frame's body; one with a name of its own meaning gets its own type.

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
    return Command(name, data) if parse is None else parse(data, at + end)


def command_faults(command: AnyCommand, frame: Frame) -> Iterator[RemoteProtocolError]:
    """What a command that could be read breaks nevertheless, by what its fields hold."""
    at = frame.offset + frame.header_octets
    if isinstance(command, Ready):
        yield from property_faults(command.properties, at + len(b"\5READY"))
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
    b"PING": _parse_ping,
    b"PONG": _parse_pong,
}
