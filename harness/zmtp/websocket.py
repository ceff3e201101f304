"""WebSocket as ZWS needs it: the two heads of the opening handshake, frames, and what they say.

Source: RFC 6455 of the IETF, sections 1.3, 4 and 5. Nothing here is strict: raw ends and traces live on it.
"""

import base64
import hashlib
import os
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RESERVED_BITS, OPCODE_BITS = 0x80, 0x70, 0x0F
MASKED, SIZE_BITS = 0x80, 0x7F
MASK_OCTETS = 4
HEAD_END = b"\r\n\r\n"
_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Headers = tuple[tuple[str, str], ...]


def new_key() -> str:
    """A Sec-WebSocket-Key: 16 random octets."""
    return base64.b64encode(os.urandom(16)).decode()


def accept_of(key: str) -> str:
    """The Sec-WebSocket-Accept that answers a key."""
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + _ACCEPT_SUFFIX).digest()).decode()


class WebSocketThing:
    """What goes over a WebSocket connection beside the frames of ZeroMQ."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Head(WebSocketThing):
    """The first lines of an HTTP message: the start line, and its headers in order."""

    line: str
    headers: Headers = ()

    def values(self, name: str) -> list[str]:
        """The comma-separated values of all headers of this name; upper and lower case are the same."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return [each.strip() for value in found for each in value.split(",") if each.strip()]

    def value(self, name: str) -> str | None:
        """The first header of this name, whole."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def protocols(self) -> list[str]:
        """The protocols that Sec-WebSocket-Protocol names."""
        return self.values("Sec-WebSocket-Protocol")

    def __str__(self) -> str:
        return f"{self.line} {','.join(self.protocols)}".rstrip()

    def serialize(self) -> bytes:
        """The lines, and the empty one behind them."""
        lines = [self.line, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Upgrade(Head):
    """A client's request."""

    @property
    def target(self) -> str:
        """The path that is asked for."""
        return (*self.line.split(" "), "", "")[1]


@dataclass(frozen=True, slots=True)
class Answer(Head):
    """A server's answer."""

    @property
    def status(self) -> int:
        """Its status code, 0 where there is none."""
        code = (*self.line.split(" "), "", "")[1]
        return int(code) if code.isascii() and code.isdecimal() else 0


def parse_head(octets: bytes, *, request: bool) -> Upgrade | Answer:
    """The head in octets that end with the empty line."""
    first, *rest = octets.removesuffix(HEAD_END).decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in rest]
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    return Upgrade(first, headers) if request else Answer(first, headers)


def upgrade(host: str, protocols: tuple[str, ...], target: str = "/") -> Upgrade:
    """A client's request, with a key of its own."""
    headers = (
        ("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", new_key()),
        ("Sec-WebSocket-Protocol", ", ".join(protocols)), ("Sec-WebSocket-Version", "13"),
    )  # fmt: skip
    return Upgrade(f"GET {target} HTTP/1.1", headers)


def switching(key: str, protocol: str) -> Answer:
    """A server's answer that takes a client in."""
    headers = (
        ("Upgrade", "websocket"), ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_of(key)), ("Sec-WebSocket-Protocol", protocol),
    )  # fmt: skip
    return Answer("HTTP/1.1 101 Switching Protocols", headers)


@dataclass(frozen=True, slots=True)
class WebSocketFrame:
    """One frame: its payload as it is without mask. `masked` says whether it went under one.

    `offset` and `payload_at` are where the frame, and its payload, begin in the stream.
    """

    opcode: int
    payload: bytes = b""
    fin: bool = True
    masked: bool = False
    reserved: int = 0
    offset: int = 0
    payload_at: int = 0

    def serialize(self, *, masked: bool) -> bytes:
        """The octets, under a new mask or none."""
        size = len(self.payload)
        first = (FIN if self.fin else 0) | self.reserved | self.opcode
        mark = MASKED if masked else 0
        if size < 126:
            head = bytes([first, mark | size])
        elif size < 1 << 16:
            head = bytes([first, mark | 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([first, mark | 127]) + size.to_bytes(8, "big")
        if not masked:
            return head + self.payload
        mask = os.urandom(MASK_OCTETS)
        return head + mask + apply_mask(self.payload, mask)


def apply_mask(octets: bytes, mask: bytes) -> bytes:
    """Put a mask over octets, or take it off."""
    size = len(octets)
    over = (mask * (size // MASK_OCTETS + 1))[:size]
    return (int.from_bytes(octets, "big") ^ int.from_bytes(over, "big")).to_bytes(size, "big")


@dataclass(frozen=True, slots=True)
class Closing(WebSocketThing):
    """A Close frame: its status code, None where it has none, and its reason."""

    code: int | None = None
    reason: bytes = b""

    def __str__(self) -> str:
        return "WebSocket close" if self.code is None else f"WebSocket close {self.code}"

    def frame(self) -> WebSocketFrame:
        """The frame that says so."""
        return WebSocketFrame(CLOSE, b"" if self.code is None else self.code.to_bytes(2, "big") + self.reason)


@dataclass(frozen=True, slots=True)
class WebSocketPing(WebSocketThing):
    """A Ping frame."""

    data: bytes = b""

    def __str__(self) -> str:
        return f"WebSocket ping {self.data!r}"


@dataclass(frozen=True, slots=True)
class WebSocketPong(WebSocketThing):
    """A Pong frame."""

    data: bytes = b""

    def __str__(self) -> str:
        return f"WebSocket pong {self.data!r}"


@dataclass(frozen=True, slots=True)
class TextMessage(WebSocketThing):
    """A whole message with the opcode of text."""

    data: bytes = b""

    def __str__(self) -> str:
        return f"text message {self.data!r}"


CLASS_WORDS: dict[type, str] = {
    Upgrade: "a request to upgrade to WebSocket",
    Answer: "an answer to the request to upgrade",
    Closing: "WebSocket close",
    TextMessage: "text message",
}


def control_of(frame: WebSocketFrame) -> WebSocketThing | None:
    """What a control frame says, None for one that is of no known kind."""
    payload = frame.payload
    match frame.opcode:
        case 0x8:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else None
            return Closing(code, payload[2:])
        case 0x9:
            return WebSocketPing(payload)
        case 0xA:
            return WebSocketPong(payload)
    return None
