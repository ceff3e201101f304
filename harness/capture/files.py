"""Packets from a pcap or pcapng file, one after the other; no more of the file is held than one packet.

Sources: "PCAP Capture File Format" (draft-ietf-opsawg-pcap), "PCAP Now Generic" (draft-ietf-opsawg-pcapng):
section header, interface description, enhanced, simple and obsolete packet blocks. The libraries that read
these formats were measured and left: see benchmarks/README.md, "capture.py".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import NamedTuple

PACKET_MAX_OCTETS = 1 << 24
BLOCK_MAX_OCTETS = 1 << 25
BUFFER_OCTETS = 1 << 20
_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _OLD, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_RESOLUTION, _OFFSET = 9, 14
_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd", b"\xfd7": "xz", b"BZ": "bzip2", b"PK": "zip"}


class DamagedCapture(ValueError):
    """A file that is no capture, or no longer: one line with path, place and what is wrong there."""

    def __init__(self, path: Path, place: str, what: str) -> None:
        super().__init__(f"{path}: {place}: {what}" if place else f"{path}: {what}")


class Packet(NamedTuple):
    """One packet: its number in the file (from 1), seconds since 1970, the type of its link, its octets.

    `octets` are those that the capture kept, of `size` that there were.
    """

    number: int
    at_s: float
    link: int
    octets: bytes
    size: int


class Interface(NamedTuple):
    """What a section of pcapng says of an interface: link type, snap length, clock tick and offset in s."""

    link: int
    snap_octets: int
    tick_s: float
    offset_s: int


class CaptureFile:
    """A capture file: iterate over it once. Raises DamagedCapture, and OSError as files do.

    `cut` says after the iteration where the file ended too early, which it does when a capture was killed;
    "" where it ended well. `packets` counts what was read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut = ""
        self.packets = 0
        self._file = BufferedReader(FileIO(path), BUFFER_OCTETS)

    def __iter__(self) -> Iterator[Packet]:
        """Every packet in order; what is no packet is passed over."""
        with self._file:
            magic = self._file.read(4)
            if magic in _PCAP:
                yield from self._pcap(*_PCAP[magic])
            elif magic == _PCAPNG:
                yield from self._pcapng()
            else:
                raise self._damaged("", _no_capture(magic))

    def _damaged(self, place: str, what: str) -> DamagedCapture:
        return DamagedCapture(self.path, place, what)

    def _next(self) -> str:
        return f"packet {self.packets + 1}"

    # -- pcap ------------------------------------------------------------------------------------

    def _pcap(self, order: str, tick_s: float) -> Iterator[Packet]:
        head = self._file.read(20)
        if len(head) < 20:
            raise self._damaged("header", "the file ends inside it")
        link = int(struct.unpack(order + "I", head[16:])[0]) & 0x0FFF_FFFF
        read, unpack = self._file.read, struct.Struct(order + "IIII").unpack
        while record := read(16):
            if len(record) < 16:
                self.cut = f"the file ends inside the head of {self._next()}"
                return
            seconds, fraction, kept, size = unpack(record)
            if kept > PACKET_MAX_OCTETS:
                raise self._damaged(self._next(), f"captured length of {kept} octets")
            octets = read(kept)
            if len(octets) < kept:
                self.cut = f"the file ends inside {self._next()}"
                return
            self.packets += 1
            yield Packet(self.packets, seconds + fraction * tick_s, link, octets, size)

    # -- pcapng ----------------------------------------------------------------------------------

    def _pcapng(self) -> Iterator[Packet]:
        order, interfaces = "<", list[Interface]()
        start = _PCAPNG + self._file.read(4)
        while start:
            if len(start) < 8:
                self.cut = f"the file ends inside a block, after packet {self.packets}"
                return
            if start[:4] == _PCAPNG:
                order, interfaces = self._byte_order(), []
            kind, size = struct.unpack(order + "II", start)
            body = self._body(order, size)
            if body is None:
                return
            if kind == _INTERFACE:
                interfaces.append(self._interface(order, body, len(interfaces)))
            elif kind in (_ENHANCED, _OLD, _SIMPLE):
                packet = self._packet(order, kind, body, interfaces)
                self.packets += 1
                yield packet
            start = self._file.read(8)

    def _byte_order(self) -> str:
        """The byte order of the section whose magic comes next; it stays unread."""
        magic = self._file.peek(4)[:4]
        if magic == b"\x4d\x3c\x2b\x1a":
            return "<"
        if magic == b"\x1a\x2b\x3c\x4d":
            return ">"
        raise self._damaged(f"section header before {self._next()}", "no byte-order magic")

    def _body(self, order: str, size: int) -> bytes | None:
        """What stands in a block; None where the file ends inside it."""
        if size < 12 or size % 4 or size > BLOCK_MAX_OCTETS:
            raise self._damaged(f"block before {self._next()}", f"length of {size} octets")
        rest = self._file.read(size - 8)
        if len(rest) < size - 8:
            self.cut = f"the file ends inside a block, after packet {self.packets}"
            return None
        if struct.unpack(order + "I", rest[-4:])[0] != size:
            raise self._damaged(f"block before {self._next()}", "its two lengths differ")
        return rest[:-4]

    def _interface(self, order: str, body: bytes, number: int) -> Interface:
        if len(body) < 8:
            raise self._damaged(f"interface {number}", "too short")
        link, snap = struct.unpack(order + "HxxI", body[:8])
        tick_s, offset_s = 1e-6, 0
        for code, value in _options(order, body[8:]):
            if code == _RESOLUTION and len(value) == 1:
                tick_s = 2.0 ** -(value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** -value[0]
            elif code == _OFFSET and len(value) == 8:
                offset_s = int(struct.unpack(order + "q", value)[0])
        return Interface(link, snap, tick_s, offset_s)

    def _packet(self, order: str, kind: int, body: bytes, interfaces: list[Interface]) -> Packet:
        place = self._next()
        least = 4 if kind == _SIMPLE else 20
        if len(body) < least:
            raise self._damaged(place, "its block is too short")
        ticks, number = 0, 0
        if kind == _SIMPLE:
            (size,) = struct.unpack(order + "I", body[:4])
            snap = interfaces[0].snap_octets if interfaces else 0
            kept = min(size, snap or size, len(body) - 4)
        else:
            layout = "IIIII" if kind == _ENHANCED else "HxxIIII"
            number, high, low, kept, size = struct.unpack(order + layout, body[:20])
            ticks = high << 32 | low
        if number >= len(interfaces):
            raise self._damaged(place, f"interface {number} of {len(interfaces)}")
        if kept > len(body) - least:
            raise self._damaged(place, f"captured length of {kept} octets in a block of {len(body) + 12}")
        interface = interfaces[number]
        at_s = ticks * interface.tick_s + interface.offset_s
        return Packet(self.packets + 1, at_s, interface.link, body[least : least + kept], size)


def _options(order: str, octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Codes and values of a block's options, as far as they are whole."""
    at = 0
    while at + 4 <= len(octets):
        code, size = struct.unpack(order + "HH", octets[at : at + 4])
        if code == 0:
            return
        yield code, octets[at + 4 : at + 4 + size]
        at += 4 + size + (-size % 4)


def _no_capture(magic: bytes) -> str:
    if not magic:
        return "the file is empty"
    for head, name in _COMPRESSED.items():
        if magic.startswith(head):
            return f"compressed with {name}: unpack it first"
    return f"neither pcap nor pcapng nor a trace of zconform (it begins with {magic.hex()})"
