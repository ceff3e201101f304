"""A lenient reader of one direction of a connection, for traces and scripted partners.

It judges nothing away: what can be read is read, each thing with its place in the stream and the
rules that it breaks. Where reading on makes no sense it says so once and keeps the octets.

Sources: RFC 37, "Formal Grammar", "Backwards Interoperability"; RFC 15 and 13 for older framing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .commands import AnyCommand, parse_command
from .errors import RemoteProtocolError
from .frames import Frame, FrameParser
from .grammar import GREETING_OCTETS, SIGNATURE_OCTETS, VERSION_OFFSET
from .greeting import Greeting, LegacyGreeting, parse_legacy_socket_type
from .messages import Message


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Octets that no grammar fits: `reason` is the rule that stopped the reading."""

    reason: RemoteProtocolError


Value = Greeting | LegacyGreeting | AnyCommand | Message | Undecodable


@dataclass(frozen=True, slots=True)
class Received:
    """One thing that came in: its value, the octets [start, end) of the stream, and its faults.

    `frames` are the frames that carried it (none for a greeting).
    """

    value: Value
    start: int
    end: int
    faults: tuple[RemoteProtocolError, ...] = ()
    frames: tuple[Frame, ...] = ()


class Decoder:
    """Octets of one direction in, located values out.

    `partner_major` is the version octet that the other direction announced: 3 or more, 1 for
    ZMTP 2.0, 0 for a versioned ZMTP 1.0, None for an unversioned one. It may be set until the
    first octets arrive. It decides how a sender that announces 3 goes on after its signature.
    `max_octets` is the largest frame body accepted (None: the grammar's own limit).
    """

    def __init__(self, partner_major: int | None = 3, max_octets: int | None = None) -> None:
        self.partner_major = partner_major
        self.max_octets = max_octets
        self.version: int | None = None
        self._head = bytearray()
        self._parser: FrameParser | None = None
        self._message: list[Frame] = []
        self._stopped = False
        self._identity_of: LegacyGreeting | None = None
        self.total_octets = 0

    @property
    def pending(self) -> bytes:
        """Octets received that are not yet part of a value (frames of an unfinished message apart)."""
        return bytes(self._head) if self._parser is None else self._parser.pending

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
            start = error.offset if error.offset is not None else self.total_octets
            out.append(Received(Undecodable(error), start, self.total_octets, (error,)))
        return out

    def _read_greeting(self, out: list[Received]) -> None:
        head = self._head
        if not head:
            return
        if head[0] != 0xFF:
            self._begin_frames(1, 0)
            self._read_identity(out, LegacyGreeting(revision=None))
            return
        if len(head) < SIGNATURE_OCTETS:
            return
        if not head[9] & 1 or self.partner_major is None:
            self._begin_frames(1, 0)
            self._read_identity(out, LegacyGreeting(revision=None))
            return
        if len(head) <= VERSION_OFFSET:
            return
        if head[VERSION_OFFSET] < 3 or self.partner_major < 3:
            self._read_legacy_greeting(out)
        elif len(head) >= GREETING_OCTETS:
            self._read_current_greeting(out)

    def _read_current_greeting(self, out: list[Received]) -> None:
        greeting = Greeting.parse(bytes(self._head[:GREETING_OCTETS]))
        out.append(Received(greeting, 0, GREETING_OCTETS, tuple(greeting.faults())))
        self._begin_frames(3, GREETING_OCTETS)

    def _read_legacy_greeting(self, out: list[Received]) -> None:
        head = self._head
        if len(head) < VERSION_OFFSET + 2:
            return
        socket_type = parse_legacy_socket_type(head[VERSION_OFFSET + 1], VERSION_OFFSET + 1)
        greeting = LegacyGreeting(head[VERSION_OFFSET], socket_type, padding=bytes(head[1:9]))
        self._begin_frames(2, VERSION_OFFSET + 2)
        self._read_identity(out, greeting)

    def _begin_frames(self, version: int, offset: int) -> None:
        self.version = version
        self._parser = FrameParser(version, offset, self.max_octets)
        self._parser.extend(bytes(self._head[offset:]))
        self._head.clear()

    def _read_identity(self, out: list[Received], greeting: LegacyGreeting) -> None:
        assert self._parser is not None
        frame = self._parser.read()
        if frame is None:
            self._identity_of = greeting
            return
        self._identity_of = None
        whole = LegacyGreeting(greeting.revision, greeting.socket_type, frame.body, greeting.padding)
        out.append(Received(whole, 0, self._parser.offset, frames=(frame,)))

    def _read_frames(self, parser: FrameParser, out: list[Received]) -> None:
        if self._identity_of is not None:
            self._read_identity(out, self._identity_of)
            if self._identity_of is not None:
                return
        while (frame := parser.read()) is not None:
            out.extend(self._take(frame, parser.offset))

    def _take(self, frame: Frame, end: int) -> Iterator[Received]:
        faults = frame.faults() if self.version == 3 else []
        if frame.command and self.version == 3:
            yield self._take_command(frame, end, faults)
            return
        self._message.append(frame)
        if frame.more:
            return
        frames, self._message = tuple(self._message), []
        flagged = tuple(fault for part in frames for fault in part.faults()) if self.version == 3 else ()
        yield Received(Message(*(part.body for part in frames)), frames[0].offset, end, flagged, frames)

    def _take_command(self, frame: Frame, end: int, faults: list[RemoteProtocolError]) -> Received:
        if self._message:
            faults.append(
                RemoteProtocolError(
                    "37/abnf/command-not-inside-message", "command inside a message", frame.offset
                )
            )
        try:
            value: Value = parse_command(frame)
        except RemoteProtocolError as error:
            value = Undecodable(error)
            faults.append(error)
        return Received(value, frame.offset, end, tuple(faults), (frame,))
