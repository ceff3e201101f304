"""Frames of every ZMTP version, and the parser that cuts a stream of octets into them.

Sources: RFC 37 and 23, "Framing"; RFC 15, "Framing"; RFC 13, "The Framing Layer".
"""

from typing import NamedTuple

from .errors import LocalProtocolError, RemoteProtocolError
from .grammar import COMMAND, LONG, LONG_MAX_OCTETS, MORE, RESERVED, SHORT_MAX_OCTETS

_V1_LONG = 0xFF
_V1_SHORT_MAX_OCTETS = 253


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

    def faults(self) -> list[RemoteProtocolError]:
        """What a received ZMTP 3.x frame breaks by its own flags (RFC 37, Framing)."""
        found = []
        if self.flags & RESERVED:
            found.append(
                RemoteProtocolError(
                    "37/framing/reserved-zero", f"flags {self.flags:02X} set a reserved bit", self.offset
                )
            )
        if self.flags & COMMAND and self.flags & MORE:
            found.append(
                RemoteProtocolError(
                    "37/framing/command-no-more", f"flags {self.flags:02X}: a command with MORE", self.offset
                )
            )
        return found


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
    """

    def __init__(self, version: int = 3, offset: int = 0, max_octets: int | None = None) -> None:
        self.version = version
        self.max_octets = LONG_MAX_OCTETS if max_octets is None else max_octets
        self._data = bytearray()
        self._offset = offset

    @property
    def pending(self) -> bytes:
        """The octets of the frame that is not complete yet."""
        return bytes(self._data)

    @property
    def offset(self) -> int:
        """Where the next frame begins in the stream."""
        return self._offset

    def extend(self, octets: bytes) -> None:
        """Take octets without looking at them; `read` looks."""
        self._data += octets

    def read(self) -> Frame | None:
        """The next complete frame, or None. Raises RemoteProtocolError at an impossible size."""
        header = self._header_v1() if self.version == 1 else self._header()
        if header is None:
            return None
        flags, start, size = header
        data = self._data
        if len(data) < start + size:
            return None
        frame = Frame(flags, bytes(memoryview(data)[start : start + size]), self._offset)
        del data[: start + size]
        self._offset += start + size
        return frame

    def _header(self) -> tuple[int, int, int] | None:
        data = self._data
        if len(data) < 2:
            return None
        flags = data[0]
        if not flags & LONG:
            self._check_size(data[1])
            return flags, 2, data[1]
        if len(data) < 9:
            return None
        size = int.from_bytes(data[1:9], "big")
        self._check_size(size)
        return flags, 9, size

    def _header_v1(self) -> tuple[int, int, int] | None:
        data = self._data
        if len(data) < 2:
            return None
        if data[0] == 0:
            raise RemoteProtocolError("13/framing/len-zero-discard", "frame of length zero", self._offset)
        if data[0] != _V1_LONG:
            return self._limit_v1(data[1], 2, data[0] - 1)
        if len(data) < 10:
            return None
        size = int.from_bytes(data[1:9], "big")
        if size == 0:
            raise RemoteProtocolError("13/framing/len-min-one", "frame of length zero", self._offset)
        flags, start, body = self._limit_v1(data[9], 10, size - 1)
        return flags | LONG, start, body

    def _limit_v1(self, flags: int, start: int, size: int) -> tuple[int, int, int]:
        self._check_size(size)
        return flags & MORE, start, size

    def _check_size(self, size: int) -> None:
        if size > self.max_octets:
            raise RemoteProtocolError(
                "37/framing/size-ranges", f"frame of {size} octets, at most {self.max_octets}", self._offset
            )
