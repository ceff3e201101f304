"""ZMTP over WebSocket (ZWS 2.0): frames of ZeroMQ as WebSocket messages, and a lenient reader of them.

Sources: RFC 45, "Framing", "No Mechanism", "Mechanisms"; RFC 6455 of the IETF.
"""

from collections.abc import Iterator

from .commands import AnyCommand, command_faults, parse_command
from .decoder import Decoder, Received, Undecodable, Value
from .errors import RemoteProtocolError
from .frames import Frame
from .grammar import COMMAND, MORE
from .messages import Message
from .plain import PLAIN
from .websocket import (
    BINARY,
    CONTINUATION,
    FIN,
    HEAD_END,
    MASK_OCTETS,
    MASKED,
    OPCODE_BITS,
    RESERVED_BITS,
    SIZE_BITS,
    TEXT,
    TextMessage,
    WebSocketFrame,
    WebSocketThing,
    apply_mask,
    control_of,
    parse_head,
)

LABEL = "websocket"
RULE = "45/handshake/rfc6455"
NO_MECHANISM, NULL_PROTOCOL, PLAIN_PROTOCOL = "ZWS2.0", "ZWS2.0/NULL", "ZWS2.0/PLAIN"
ZWS_LAST, ZWS_MORE, ZWS_COMMAND = b"\x00", b"\x01", b"\x02"
_AS_FLAGS = {0: 0, 1: MORE, 2: COMMAND}
_HEAD_MAX_OCTETS = 65_536
_SHORT_HEADER_OCTETS = 2


def bodies_of(value: Message | AnyCommand) -> list[bytes]:
    """The payloads of the WebSocket messages that carry a message or a command, flags octet included."""
    if isinstance(value, Message):
        *first, last = value.parts
        return [*(ZWS_MORE + part for part in first), ZWS_LAST + last]
    return [ZWS_COMMAND + value.to_command().body()]


def serialize(value: Message | AnyCommand, *, masked: bool) -> bytes:
    """The octets of a message or a command, each frame as one WebSocket message."""
    return b"".join(WebSocketFrame(BINARY, body).serialize(masked=masked) for body in bodies_of(value))


class ZwsDecoder(Decoder):
    """Octets of one direction in, located values out: first a head of HTTP, then what the frames carry.

    `masked` says that this is the client's direction. What a WebSocket fragments is put together first.
    """

    def __init__(self, *, masked: bool) -> None:
        super().__init__()
        self._masked = masked
        self._data = bytearray()
        self._at = 0
        self._begun = False
        self._fragments: list[WebSocketFrame] = []
        self._fragment_faults: list[RemoteProtocolError] = []
        self._more: list[Frame] = []
        self._message_start = 0

    @property
    def pending(self) -> bytes:
        """Octets received that are not yet part of a whole frame."""
        return bytes(self._data)

    @property
    def open_message(self) -> tuple[Frame, ...]:
        """Frames with more to come whose message has not ended yet."""
        return tuple(self._more)

    def feed(self, octets: bytes) -> list[Received]:
        """What became complete with these octets. Never raises for what they hold."""
        self.total_octets += len(octets)
        if self._stopped:
            return []
        self._data += octets
        out: list[Received] = []
        try:
            if not self._begun:
                out.extend(self._read_head())
            if self._begun:
                for frame, end in self._frames():
                    out.extend(self._take(frame, end))
        except RemoteProtocolError as error:
            self._stopped = True
            start = error.offset or 0
            out.append(Received(Undecodable(error), start, start + 1, (error,)))
        return out

    def _read_head(self) -> Iterator[Received]:
        end = self._data.find(HEAD_END)
        if end < 0:
            if len(self._data) > _HEAD_MAX_OCTETS:
                raise RemoteProtocolError(RULE, "a head without an end", 0)
            return
        end += len(HEAD_END)
        head = parse_head(bytes(self._data[:end]), request=self._masked)
        if "HTTP/" not in head.line:
            raise RemoteProtocolError(RULE, "no head of HTTP", 0)
        self._consume(end)
        self._begun = True
        yield Received(head, 0, end)

    def _consume(self, octets: int) -> None:
        del self._data[:octets]
        self._at += octets

    def _frames(self) -> Iterator[tuple[WebSocketFrame, int]]:
        """Whole frames, and where each ends."""
        while (frame := self._frame()) is not None:
            yield frame, self._at

    def _frame(self) -> WebSocketFrame | None:
        data = self._data
        if len(data) < 2:
            return None
        size, at = data[1] & SIZE_BITS, 2
        if size > 125:
            at = 4 if size == 126 else 10
            if len(data) < at:
                return None
            size = int.from_bytes(data[2:at], "big")
        masked = bool(data[1] & MASKED)
        begin = at + (MASK_OCTETS if masked else 0)
        if len(data) < begin + size:
            return None
        payload = bytes(data[begin : begin + size])
        if masked:
            payload = apply_mask(payload, bytes(data[at:begin]))
        fin, reserved = bool(data[0] & FIN), data[0] & RESERVED_BITS
        opcode = data[0] & OPCODE_BITS
        frame = WebSocketFrame(opcode, payload, fin, masked, reserved, self._at, self._at + begin)
        self._consume(begin + size)
        return frame

    def _take(self, frame: WebSocketFrame, end: int) -> Iterator[Received]:
        faults = list(self._form_faults(frame))
        control = control_of(frame)
        if control is not None:
            yield Received(control, frame.offset, end, tuple(faults))
            return
        if frame.opcode not in (CONTINUATION, TEXT, BINARY):
            raise RemoteProtocolError(RULE, f"opcode {frame.opcode:X}", frame.offset)
        if bool(self._fragments) is not (frame.opcode == CONTINUATION):
            faults.append(RemoteProtocolError(RULE, "a fragment out of place", frame.offset))
        self._fragments.append(frame)
        self._fragment_faults += faults
        if frame.fin:
            fragments, self._fragments = self._fragments, []
            faults, self._fragment_faults = self._fragment_faults, []
            received = self._take_whole(fragments, end)
            if received is not None:
                yield received._replace(faults=(*faults, *received.faults))

    def _form_faults(self, frame: WebSocketFrame) -> Iterator[RemoteProtocolError]:
        if frame.masked is not self._masked:
            fault = "a frame under a mask" if frame.masked else "a frame without mask"
            yield RemoteProtocolError(RULE, fault, frame.offset)
        if frame.reserved:
            yield RemoteProtocolError(RULE, "a reserved bit is set", frame.offset)

    def _take_whole(self, fragments: list[WebSocketFrame], end: int) -> Received | None:
        """A whole WebSocket message: a frame of ZeroMQ, where it has the opcode for that."""
        first, payload = fragments[0], b"".join(each.payload for each in fragments)
        if first.opcode == TEXT:
            error = RemoteProtocolError("45/impl/binary-opcode", "a text message", first.offset)
            return Received(TextMessage(payload), first.offset, end, (error,))
        if not payload or payload[0] not in _AS_FLAGS:
            clause = "45/framing/flags" if payload else "45/framing/one-to-one"
            error = RemoteProtocolError(clause, f"flags {payload[:1].hex() or 'missing'}", first.offset)
            return Received(Undecodable(error), first.offset, end, (error,))
        # Where a frame of ZMTP with a short header would begin: so places in commands are right.
        at = first.payload_at + 1 - _SHORT_HEADER_OCTETS
        frame = Frame(_AS_FLAGS[payload[0]], payload[1:], at)
        if frame.command:
            return self._take_command_at(frame, first.offset, end)
        if not self._more:
            self._message_start = first.offset
        self._more.append(frame)
        if frame.more:
            return None
        frames, self._more = tuple(self._more), []
        return Received(Message(*[each.body for each in frames]), self._message_start, end, (), frames)

    def _take_command_at(self, frame: Frame, start: int, end: int) -> Received:
        value: Value
        faults: list[RemoteProtocolError] = []
        if self._more:
            faults.append(RemoteProtocolError("45/mech/abnf-message", "command inside a message", start))
        try:
            command = parse_command(frame, PLAIN)
            value = command
            faults.extend(command_faults(command, frame))
        except RemoteProtocolError as error:
            value = Undecodable(error)
            faults.append(error)
        return Received(value, start, end, tuple(faults), (frame,))


__all__ = [
    "LABEL", "NO_MECHANISM", "NULL_PROTOCOL", "PLAIN_PROTOCOL", "WebSocketThing", "ZwsDecoder",
    "bodies_of", "serialize",
]  # fmt: skip
