"""Octets that arrive in pieces, taken out as lines."""

from __future__ import annotations


class LineBuffer:
    """Collects octets; each is searched for a line feed once."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def add(self, octets: bytes) -> None:
        """Append what has arrived."""
        self._buffer += octets

    def take_line(self, limit_octets: int) -> bytes | None:
        """The first line with its line feed, or all there is if longer than the limit; None: not yet."""
        end = self._buffer.find(b"\n", self._searched) + 1
        if end:
            return self._take(end)
        self._searched = len(self._buffer)
        return self.take_rest() if len(self._buffer) > limit_octets else None

    def take_rest(self) -> bytes:
        """Everything that is left."""
        return self._take(len(self._buffer))

    def _take(self, octets: int) -> bytes:
        taken = bytes(self._buffer[:octets])
        del self._buffer[:octets]
        self._searched = 0
        return taken
