"""The log of a peer's standard error: a file that cannot grow without end."""

from __future__ import annotations

from pathlib import Path

LOG_LIMIT_OCTETS = 4 * 2**20


class BoundedLog:
    """Writes at most LOG_LIMIT_OCTETS; the rest is counted and dropped."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._file = path.open("wb", buffering=0)
        self._room = LOG_LIMIT_OCTETS
        self._dropped = 0

    def write(self, octets: bytes) -> None:
        """Append as much as there is room for."""
        if self._room:
            self._file.write(octets[: self._room])
        self._dropped += max(0, len(octets) - self._room)
        self._room = max(0, self._room - len(octets))

    def close(self) -> None:
        """Say what was dropped, and close the file."""
        if self._dropped:
            self._file.write(f"\n[{self._dropped} more octets dropped]\n".encode())
        self._file.close()
