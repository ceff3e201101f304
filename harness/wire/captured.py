"""Captures that `harness.wire.pcapng` wrote, read back as a trace.

Only these: whatever else stands in a pcapng file has packets that are lost, doubled or out of order, and is
refused. What was an API call or a note comes back as a note with the same text, and times count from the
first packet. A note has no time of its own: it lies half-way between its packets.
"""

from __future__ import annotations

import ipaddress
import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .pcapng import ACK, AFTERWARDS, APPLICATION, FIN, NANOSECONDS, RST, SYN
from .trace import Address, Closed, Note, Octets, Opened, Record, Sender, Trace

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _USER_APPLICATION = 1, 4
_CONNECTION = "connection "


class CaptureError(ValueError):
    """A file that is no capture of ours; one line names it and says what is wrong."""


class Captured(NamedTuple):
    """A trace, and whether it is all that stands in the file."""

    trace: Trace
    whole: bool


def read_capture(path: Path, most_octets: int | None = None) -> Captured:
    """Read a capture, or as much of it as its first `most_octets` hold. Raises CaptureError and OSError."""
    with path.open("rb") as file:
        octets = file.read() if most_octets is None else file.read(most_octets)
        whole = not file.read(1)
    reader = _Reader()
    try:
        end = reader.read(octets)
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise CaptureError(f"{path}: no capture of zconform: {error}") from None
    if not reader.is_ours or (whole and end != len(octets)):
        raise CaptureError(f"{path}: no capture of zconform" + (", or cut off" if reader.is_ours else ""))
    return Captured(Trace.of(reader.records, reader.epoch_s), whole)


@dataclass(slots=True)
class _Reader:
    """Blocks in, records out; connections are known by the addresses and ports of their packets."""

    records: list[Record] = field(default_factory=list)
    epoch_s: float = 0.0
    is_ours: bool = False
    _ends: dict[tuple[Address, Address], tuple[int, Sender]] = field(default_factory=dict)
    _last_s: float = 0.0
    _began: int | None = None

    def read(self, octets: bytes) -> int:
        """Take all whole blocks; where the last of them ends."""
        at = 0
        while at + 12 <= len(octets):
            kind, size = struct.unpack_from("<II", octets, at)
            if size < 12 or size % 4:
                raise ValueError(f"a block of {size} octets")
            if at + size > len(octets):
                break
            self._block(kind, octets[at + 8 : at + size - 4])
            at += size
        return at

    def _block(self, kind: int, body: bytes) -> None:
        if kind == _SECTION:
            options = list(_options(body, 16))
            self.is_ours = (_USER_APPLICATION, APPLICATION) in options
            self._notes(_texts(options), 0.0)
        elif kind == _PACKET:
            _, high, low, size, _ = struct.unpack_from("<IIIII", body)
            stamp = high << 32 | low
            self._began = stamp if self._began is None else self._began
            self.epoch_s = self._began / 10**NANOSECONDS
            texts = _texts(_options(body, 20 + size + -size % 4))
            self._packet((stamp - self._began) / 10**NANOSECONDS, body[20 : 20 + size], texts)
        elif kind != _INTERFACE:
            raise ValueError(f"a block of type {kind}")

    def _packet(self, at_s: float, octets: bytes, texts: list[str]) -> None:
        before = [text for text in texts if not text.startswith(AFTERWARDS)]
        source, target, flags, payload = _segment(octets)
        if flags & SYN:
            label = before.pop().removeprefix(_CONNECTION).partition(" ")[2] if flags == SYN else ""
            self._notes(before, (self._last_s + at_s) / 2)
            if flags == SYN:
                number = len(self._ends) // 2 + 1
                self._ends |= {(source, target): (number, "dialer"), (target, source): (number, "listener")}
                self.records.append(Opened(at_s, number, source, target, label))
        else:
            self._notes(before, (self._last_s + at_s) / 2)
            connection, sender = self._ends[source, target]
            if payload:
                self.records.append(Octets(at_s, connection, sender, payload))
            if flags & (FIN | RST):
                self.records.append(Closed(at_s, connection, sender, "rst" if flags & RST else "fin"))
        self._last_s = at_s
        self._notes([text.removeprefix(AFTERWARDS) for text in texts if text.startswith(AFTERWARDS)], at_s)

    def _notes(self, texts: list[str], at_s: float) -> None:
        self.records += [Note(at_s, text) for text in texts]


def _segment(octets: bytes) -> tuple[Address, Address, int, bytes]:
    """Source, target, flags and payload of one IP packet with TCP in it."""
    four = octets[0] >> 4 == 4
    begin, hosts = (20, (12, 16, 20)) if four else (40, (8, 24, 40))
    source, target = (str(ipaddress.ip_address(octets[a:b])) for a, b in itertools.pairwise(hosts))
    source_port, target_port, _, _, words = struct.unpack_from("!HHIIH", octets, begin)
    payload = octets[begin + (words >> 12) * 4 :]
    return (source, source_port), (target, target_port), words & (FIN | SYN | RST | ACK), payload


def _options(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(body):
        code, size = struct.unpack_from("<HH", body, at)
        if code == 0:
            return
        yield code, body[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4


def _texts(options: Iterator[tuple[int, bytes]] | list[tuple[int, bytes]]) -> list[str]:
    return [value.decode("utf-8", "replace") for code, value in options if code == _COMMENT]
