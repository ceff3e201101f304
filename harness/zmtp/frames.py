"""Frames of every ZMTP version, and the parser that cuts a stream of octets into them.

Sources: RFC 37 and 23, "Framing"; RFC 15, "Framing"; RFC 13, "The Framing Layer".
"""

from typing import NamedTuple

from .errors import LocalProtocolError, RemoteProtocolError
from .grammar import COMMAND, LONG, LONG_MAX_OCTETS, MORE, RESERVED, SHORT_MAX_OCTETS

_V1_LONG = 0xFF
_V1_SHORT_MAX_OCTETS = 253
CLIPPED_OCTETS = 64

# Flags that a receiver may have to complain about: those of commands, and the reserved ones.
_SUSPECT = RESERVED | COMMAND


class Frame(NamedTuple):
    """One frame: its flags octet as in ZMTP 3.x (MORE, LONG, COMMAND), its body, where it began.

    `offset` counts octets from the start of its direction of the connection; it is 0 for a frame
    that was built and not received.
    """

    flags: int
    body: bytes
    offset: int = 0

    @classmethod
    def of(
        cls, body: bytes, *, more: bool = False, command: bool = False, long: bool | None = None
    ) -> "Frame":
        """A legal frame. `long` None takes the short form where the size allows (up to 255 octets).

        Raises LocalProtocolError for a command with MORE, or a short frame that is too large.
        """
        if command and more:
            raise LocalProtocolError("37/framing/command-no-more", "a command frame cannot have MORE")
        if long is None:
            long = len(body) > SHORT_MAX_OCTETS
        if not long and len(body) > SHORT_MAX_OCTETS:
            raise LocalProtocolError("37/framing/size-ranges", f"{len(body)} octets do not fit a short frame")
        return cls((MORE if more else 0) | (LONG if long else 0) | (COMMAND if command else 0), body)

    @property
    def more(self) -> bool:
        """Whether another frame of the same message follows."""
        return bool(self.flags & MORE)

    @property
    def long(self) -> bool:
        """Whether the size field has 8 octets."""
        return bool(self.flags & LONG)

    @property
    def command(self) -> bool:
        """Whether this is a command frame (ZMTP 3.x only)."""
        return bool(self.flags & COMMAND)

    @property
    def header_octets(self) -> int:
        """How many octets of ZMTP 2.0 and 3.x come before the body."""
        return 9 if self.flags & LONG else 2

    def serialize(self, version: int = 3) -> bytes:
        """The octets of this frame. `version` is 1 for ZMTP 1.0, 2 for 2.0 and 3 for 3.x framing."""
        size = len(self.body)
        if version == 1:
            return _serialize_v1(self)
        if self.flags & LONG:
            return b"%c%b%b" % (self.flags, size.to_bytes(8, "big"), self.body)
        return b"%c%c%b" % (self.flags, size, self.body)

    def faults(self, version: int = 3) -> list[RemoteProtocolError]:
        """What a received ZMTP 3.x or 2.0 frame breaks by its own header (RFC 37 and 15, Framing).

        The flags of ZMTP 1.0 are not judged: their reserved bits do not survive the parser.
        """
        if not self.flags & _SUSPECT or version == 1:
            return []
        if version == 2:
            return [self._fault("15/framing/reserved-zero", "a reserved bit is set")]
        found = []
        if self.flags & RESERVED:
            found.append(self._fault("37/framing/reserved-zero", "a reserved bit is set"))
        if self.command and self.more:
            found.append(self._fault("37/framing/command-no-more", "a command with MORE"))
        if self.command and self.long and len(self.body) <= SHORT_MAX_OCTETS:
            found.append(self._fault("37/auth/command-short", "a small command in the long form"))
        return found

    def _fault(self, clause: str, message: str) -> RemoteProtocolError:
        return RemoteProtocolError(clause, f"flags {self.flags:02X}: {message}", self.offset)


def _serialize_v1(frame: Frame) -> bytes:
    size = len(frame.body) + 1
    flag = frame.flags & MORE
    if size <= _V1_SHORT_MAX_OCTETS + 1 and not frame.flags & LONG:
        return b"%c%c%b" % (size, flag, frame.body)
    return b"\xff%b%c%b" % (size.to_bytes(8, "big"), flag, frame.body)


class FrameParser:
    """Octets in (`extend`), frames out one at a time (`read`), for one direction of a connection.

    `version` is 1 (ZMTP 1.0), 2 (2.0) or 3 (3.x); `offset` is where the first octet stands in the
    stream; `max_octets` is the largest body accepted (None: the grammar's own limit). It holds no
    more than it was given, whatever a size field announces, and raises only RemoteProtocolError.
    Of a body longer than `clip_octets`, unless it is a command, only the first `CLIPPED_OCTETS` are kept.

    ZMTP 1.0 frames of length zero are passed over; `discarded` is the offset of the first of them.
    """

    def __init__(
        self,
        version: int = 3,
        offset: int = 0,
        max_octets: int | None = None,
        clip_octets: int | None = None,
    ) -> None:
        self.version = version
        self.clip_octets = LONG_MAX_OCTETS if clip_octets is None else clip_octets
        self.max_octets = LONG_MAX_OCTETS if max_octets is None else max_octets
        self.discarded: int | None = None
        # Octets before `_at` are read. Bytes while what is left over is small, so that a body is one
        # slice; a bytearray while a large frame grows, so that growing costs no copy of the whole.
        self._data: bytes | bytearray = b""
        self._at = 0
        self._base = offset
        self._clipped: Frame | None = None
        self._to_pass = 0

    @property
    def held_octets(self) -> int:
        """How many octets of the frame that is not complete yet are here."""
        return len(self._data) - self._at

    @property
    def pending(self) -> bytes:
        """The octets of the frame that is not complete yet."""
        return bytes(self._data[self._at :])

    @property
    def offset(self) -> int:
        """Where the next frame begins in the stream."""
        return self._base + self._at

    def extend(self, octets: bytes) -> None:
        """Take octets without looking at them; `read` looks."""
        if self._to_pass:
            octets = self._pass(octets)
        data, at = self._data, self._at
        if len(data) - at <= len(octets):
            self._data = bytes(data[at:]) + octets
        else:
            if isinstance(data, bytes):
                data = self._data = bytearray(data)
            del data[:at]
            data += octets
        self._base += at
        self._at = 0

    def read(self) -> Frame | None:
        """The next complete frame, or None. Raises RemoteProtocolError at an impossible size."""
        if self._clipped is not None:
            return self._read_clipped()
        header = self._header_v1() if self.version == 1 else self._header()
        if header is None:
            return None
        flags, start, size = header
        if size > self.max_octets:
            raise self._too_large(size)
        data, end = self._data, start + size
        if size > self.clip_octets and not flags & COMMAND:
            return self._clip(flags, start, size)
        if end > len(data):
            return None
        body = data[start:end]
        frame = Frame(flags, body if isinstance(body, bytes) else bytes(body), self._base + self._at)
        self._at = end
        return frame

    def _clip(self, flags: int, start: int, size: int) -> Frame | None:
        """Keep the first octets of a large body, and pass over the rest as it comes."""
        kept = start + CLIPPED_OCTETS
        if len(self._data) < kept:
            return None
        frame = Frame(flags, bytes(self._data[start:kept]), self.offset)
        passed = len(self._data) - start
        if size <= passed:
            self._at = start + size
            return frame
        self._clipped, self._to_pass = frame, size - passed
        self._data, self._at, self._base = b"", 0, self._base + start + passed
        return None

    def _pass(self, octets: bytes) -> bytes:
        """What is left of these octets behind a clipped body; a frame's place counts those passed over."""
        passed = min(self._to_pass, len(octets))
        self._to_pass -= passed
        self._base += passed
        return octets[passed:]

    def _read_clipped(self) -> Frame | None:
        if self._to_pass:
            return None
        frame, self._clipped = self._clipped, None
        return frame

    def _header(self) -> tuple[int, int, int] | None:
        """Flags, where the body begins in the data, its size; None while octets are missing."""
        data, at = self._data, self._at
        left = len(data) - at
        if left < 2:
            return None
        flags = data[at]
        if not flags & LONG:
            return flags, at + 2, data[at + 1]
        if left < 9:
            return None
        return flags, at + 9, int.from_bytes(data[at + 1 : at + 9], "big")

    def _header_v1(self) -> tuple[int, int, int] | None:
        self._discard_empty()
        data, at = self._data, self._at
        left = len(data) - at
        if left < 2:
            return None
        if data[at] != _V1_LONG:
            return data[at + 1] & MORE, at + 2, data[at] - 1
        if left < 10:
            return None
        size = int.from_bytes(data[at + 1 : at + 9], "big")
        if size == 0:
            raise RemoteProtocolError(
                "13/framing/length-includes-flags", "long frame of length zero", self.offset
            )
        return data[at + 9] & MORE | LONG, at + 10, size - 1

    def _discard_empty(self) -> None:
        """Pass over frames of length zero (RFC 13, Framing Layer: to be discarded silently)."""
        data = self._data
        if self._at < len(data) and data[self._at] == 0:
            self.discarded = self.offset if self.discarded is None else self.discarded
            while self._at < len(data) and data[self._at] == 0:
                self._at += 1

    def _too_large(self, size: int) -> RemoteProtocolError:
        clause = "13/framing/oversize-reject" if self.version == 1 else "37/framing/size-ranges"
        return RemoteProtocolError(clause, f"frame of {size} octets, at most {self.max_octets}", self.offset)
