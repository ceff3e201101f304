"""A lenient reader of one direction of a connection, for traces and scripted partners.

It judges nothing away: what can be read is read, each thing with its place in the stream and the
rules that it breaks. Where reading on makes no sense it says so once, and reads no more.

The mechanism that the sender announces in its greeting says how its commands are read.
Under CURVE a MESSAGE may come in a message frame, too, which is what libzmq sends.
Sources: RFC 37, "Formal Grammar", "Backwards Interoperability"; RFC 24 and 26; RFC 15 and 13 for older ones.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from .commands import AnyCommand, command_faults, parse_command
from .curve import CURVE, CurveMessage
from .errors import RemoteProtocolError
from .frames import Frame, FrameParser
from .grammar import COMMAND, GREETING_OCTETS, LONG, MORE, SIGNATURE_OCTETS, VERSION_OFFSET
from .greeting import Greeting, LegacyGreeting, parse_legacy_socket_type
from .messages import Message
from .websocket import WebSocketThing

BOXED = bytes([len(CurveMessage.NAME)]) + CurveMessage.NAME


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Octets that no grammar fits: `reason` is the rule that stopped the reading."""

    reason: RemoteProtocolError


Value = Greeting | LegacyGreeting | AnyCommand | Message | Undecodable | WebSocketThing


class Received(NamedTuple):
    """One thing that came in: its value, the octets [start, end) of the stream, and its faults.

    `frames` are the frames that carried it (none for a greeting). What stops the reading has the
    one octet where the trouble begins.
    """

    value: Value
    start: int
    end: int
    faults: tuple[RemoteProtocolError, ...] = ()
    frames: tuple[Frame, ...] = ()


class Decoder:
    """Octets of one direction in, located values out.

    `partner_major` is the version octet that the other direction announced: 3 or more, 1 or 2 for
    ZMTP 2.0, None for ZMTP 1.0, which announces nothing. It may be set until the
    first octets arrive. It decides how a sender that announces 3 goes on after its signature.
    `max_octets` is the largest frame body accepted (None: the grammar's own limit), `clip_octets` the
    largest body of a message's frame that is kept whole (None: all are; see FrameParser).
    """

    def __init__(
        self,
        partner_major: int | None = 3,
        max_octets: int | None = None,
        clip_octets: int | None = None,
    ) -> None:
        self.partner_major = partner_major
        self.max_octets = max_octets
        self.clip_octets = clip_octets
        self.version: int | None = None
        self._mechanism = "NULL"
        self._head = bytearray()
        self._parser: FrameParser | None = None
        self._message: list[Frame] = []
        self._stopped = False
        self._identity_of: LegacyGreeting | None = None
        self._told_of_discarded = False
        self.total_octets = 0

    @property
    def pending(self) -> bytes:
        """Octets received that are not yet part of a value (frames of an unfinished message apart)."""
        return bytes(self._head) if self._parser is None else self._parser.pending

    @property
    def held_octets(self) -> int:
        """How many octets are held of a frame that is not complete yet."""
        return len(self._head) if self._parser is None else self._parser.held_octets

    @property
    def open_frames(self) -> int:
        """How many frames of an unfinished message are held."""
        return len(self._message)

    @property
    def open_message(self) -> tuple[Frame, ...]:
        """Frames with MORE whose message has not ended yet."""
        return tuple(self._message)

    @property
    def stopped(self) -> bool:
        """Whether nothing more can be read."""
        return self._stopped

    def feed(self, octets: bytes) -> list[Received]:
        """What became complete with these octets. Never raises for what they hold."""
        self.total_octets += len(octets)
        if self._stopped:
            return []
        out: list[Received] = []
        try:
            if self._parser is None:
                self._head += octets
                self._read_greeting(out)
            else:
                self._parser.extend(octets)
            if self._parser is not None:
                self._read_frames(self._parser, out)
        except RemoteProtocolError as error:
            self._stopped = True
            out.append(_undecodable(error))
        return out

    def _read_greeting(self, out: list[Received]) -> None:
        head = self._head
        if not head:
            return
        if head[0] != 0xFF:
            self._begin_frames(1, 0, LegacyGreeting(revision=None))
            return
        if len(head) < SIGNATURE_OCTETS:
            return
        if not head[9] & 1:
            self._begin_frames(1, 0, LegacyGreeting(revision=None))
            return
        if self.partner_major is None:
            self._begin_frames(1, 0, LegacyGreeting(revision=0, padding=bytes(head[1:9])))
            return
        if len(head) <= VERSION_OFFSET:
            return
        if head[VERSION_OFFSET] < 3 or self.partner_major < 3:
            self._read_legacy_greeting(out)
        elif len(head) >= GREETING_OCTETS:
            self._read_current_greeting(out)

    def _read_current_greeting(self, out: list[Received]) -> None:
        greeting = Greeting.parse(bytes(self._head[:GREETING_OCTETS]))
        self._mechanism = greeting.mechanism
        out.append(Received(greeting, 0, GREETING_OCTETS, tuple(greeting.faults())))
        self._begin_frames(3, GREETING_OCTETS)

    def _read_legacy_greeting(self, out: list[Received]) -> None:
        head = self._head
        if len(head) < VERSION_OFFSET + 2:
            return
        socket_type = parse_legacy_socket_type(head[VERSION_OFFSET + 1], VERSION_OFFSET + 1)
        greeting = LegacyGreeting(head[VERSION_OFFSET], socket_type, padding=bytes(head[1:9]))
        self._begin_frames(2, VERSION_OFFSET + 2, greeting)

    def _begin_frames(self, version: int, offset: int, greeting: LegacyGreeting | None = None) -> None:
        """Go over to frames; the first of them completes an old greeting."""
        self.version = version
        self._identity_of = greeting
        self._parser = FrameParser(version, offset, self.max_octets, self.clip_octets)
        self._parser.extend(bytes(self._head[offset:]))
        self._head.clear()

    def _read_identity(self, parser: FrameParser, out: list[Received], greeting: LegacyGreeting) -> None:
        frame = self._read_frame(parser, out)
        if frame is None:
            return
        self._identity_of = None
        whole = LegacyGreeting(greeting.revision, greeting.socket_type, frame.body, greeting.padding)
        faults = list(whole.faults())
        if parser.version == 2 and frame.flags:
            faults.append(
                RemoteProtocolError(
                    "15/grammar/abnf-identity", "identity is not one short final frame", frame.offset
                )
            )
        out.append(Received(whole, 0, parser.offset, tuple(faults), (frame,)))

    def _read_frames(self, parser: FrameParser, out: list[Received]) -> None:
        if self._identity_of is not None:
            self._read_identity(parser, out, self._identity_of)
            if self._identity_of is not None:
                return
        version = parser.version
        read = partial(self._read_frame, parser, out) if version == 1 else parser.read
        while (frame := read()) is not None:
            flags = frame.flags
            if version == 3 and (flags & COMMAND or self._is_boxed(frame)):
                out.append(self._take_command(frame, parser.offset))
            elif flags & MORE:
                self._message.append(frame)
            elif self._message or flags & ~LONG:
                out.append(self._take_last(frame, parser))
            else:
                out.append(Received(Message(frame.body), frame.offset, parser.offset, (), (frame,)))

    def _is_boxed(self, frame: Frame) -> bool:
        """Whether a message frame is a MESSAGE of CURVE."""
        if self._mechanism != CURVE or self._message or frame.flags & MORE:
            return False
        return frame.body.startswith(BOXED)

    def _read_frame(self, parser: FrameParser, out: list[Received]) -> Frame | None:
        """The next frame; in ZMTP 1.0 the first one of length zero is reported on the way."""
        if self._told_of_discarded:
            return parser.read()
        try:
            return parser.read()
        finally:
            if parser.discarded is not None:
                self._told_of_discarded = True
                empty = RemoteProtocolError(
                    "13/framing/len-min-one", "frame of length zero", parser.discarded
                )
                out.append(_undecodable(empty))

    def _take_last(self, frame: Frame, parser: FrameParser) -> Received:
        """The message that ends with this frame."""
        frames = (*self._message, frame)
        self._message.clear()
        faults = tuple(fault for part in frames for fault in part.faults(parser.version))
        message = Message(*[part.body for part in frames])
        return Received(message, frames[0].offset, parser.offset, faults, frames)

    def _take_command(self, frame: Frame, end: int) -> Received:
        faults = frame.faults()
        if self._message:
            faults.append(
                RemoteProtocolError(
                    "37/abnf/command-not-inside-message", "command inside a message", frame.offset
                )
            )
        try:
            command = parse_command(frame, self._mechanism)
            value: Value = command
            faults.extend(command_faults(command, frame))
        except RemoteProtocolError as error:
            value = Undecodable(error)
            faults.append(error)
        return Received(value, frame.offset, end, tuple(faults), (frame,))


def _undecodable(error: RemoteProtocolError) -> Received:
    start = error.offset or 0
    return Received(Undecodable(error), start, start + 1, (error,))
