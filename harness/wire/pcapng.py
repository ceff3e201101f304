"""A trace as a pcapng capture, for Wireshark and its like; `harness.wire.captured` reads it back.

What was recorded are streams; the IP and TCP headers around them are made up so that they fit:
handshake, sequence numbers, acknowledgements, checksums, FIN and RST. API calls and notes become
comments of the packet that follows them; those that no packet follows say so.

Sources: the pcapng format (section header, interface description and enhanced packet blocks);
RFC 9293, "Header Format"; RFC 791 and RFC 8200 for the IP headers; RFC 7323, "Window Scale Option".
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .render import record_text
from .trace import SENDERS, Address, ApiCall, Note, Octets, Opened, Record, Sender, Trace, other

SEGMENT_MAX_OCTETS = 65_495
UNACKNOWLEDGED_MAX_OCTETS = 1 << 20
COMMENT_MAX_OCTETS = 4_096
LINKTYPE_RAW = 101
NANOSECONDS = 9
APPLICATION = b"zconform"
AFTERWARDS = "afterwards: "
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
WINDOW_SCALE = bytes([2, 4, *SEGMENT_MAX_OCTETS.to_bytes(2, "big"), 3, 3, 14, 1])
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _APPLICATION, _RESOLUTION = 1, 4, 9
_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def write_pcapng(trace: Trace, path: Path) -> None:
    """Write the capture file."""
    with path.open("wb") as file:
        file.writelines(pcapng_blocks(trace))


def pcapng_blocks(trace: Trace) -> Iterator[bytes]:
    """The capture, block by block. Without any connection the comments go to the section header."""
    silent = not trace.connections()
    writer = CaptureWriter(trace.epoch_s)
    yield from writer.begin(
        [text for record in trace.records for text in record_text(record)] if silent else []
    )
    if silent:
        return
    for record in list(trace.records):
        yield from writer.blocks(record)
    yield from writer.end()


class CaptureWriter:
    """Blocks out of records, one after the other; times count from `epoch_s`, in seconds since 1970.

    The last packet is held back: comments that no packet follows are added to it.
    """

    def __init__(self, epoch_s: float = 0.0) -> None:
        self._epoch_s = epoch_s
        self._conversations: dict[int, _Conversation] = {}
        self._waiting: list[str] = []
        self._packet: Packet | None = None

    def begin(self, comments: list[str] | None = None) -> Iterator[bytes]:
        """What stands in front of all packets."""
        yield _section(comments or [])
        head = struct.pack("<HHI", LINKTYPE_RAW, 0, 0)
        yield _block(_INTERFACE, head + _options({_RESOLUTION: [b"\x09"]}))

    def blocks(self, record: Record) -> Iterator[bytes]:
        """The packets of a record, the last one left out, behind the one that was held back."""
        if isinstance(record, ApiCall | Note):
            self._waiting += record_text(record)
            return
        known = self._conversations
        if isinstance(record, Opened):
            known[record.connection], segments = _open(record, known)
            self._waiting.append(f"connection {record.connection} {record.label}".rstrip())
        elif isinstance(record, Octets):
            segments = _data(known[record.connection], record.sender, record.octets)
        else:
            segments = _close(known[record.connection], record.sender, record.how == "rst")
        for octets in segments:
            if self._packet is not None:
                yield self._packet.block(self._epoch_s)
            self._packet, self._waiting = Packet(record.at_s, octets, self._waiting), []

    def forget(self, connection: int) -> None:
        """No record of that connection will come."""
        self._conversations.pop(connection, None)

    def end(self) -> Iterator[bytes]:
        """The packet that was held back, if there was any."""
        if self._packet is not None:
            self._packet.comments += [AFTERWARDS + text for text in self._waiting]
            yield self._packet.block(self._epoch_s)


@dataclass(slots=True)
class Packet:
    """One IP packet; its comments may grow until it is written."""

    at_s: float
    octets: bytes
    comments: list[str]

    def block(self, epoch_s: float) -> bytes:
        """The enhanced packet block."""
        stamp = round((epoch_s + self.at_s) * 10**NANOSECONDS)
        size = len(self.octets)
        head = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, size, size)
        return _block(_PACKET, head + _padded(self.octets) + _comments(self.comments))


@dataclass(slots=True)
class _Conversation:
    """The two ends of one connection as TCP sees them."""

    source: dict[Sender, tuple[_IP, int]]
    sequence: dict[Sender, int]
    acknowledged: dict[Sender, int]
    identification: int = 0
    gone: set[Sender] = field(default_factory=set)

    def segment(self, sender: Sender, flags: int, octets: bytes = b"", options: bytes = b"") -> bytes:
        """The next packet from this end; what it sends moves its sequence number on."""
        receiver = other(sender)
        acknowledged = self.sequence[receiver] if flags & ACK else 0
        head = struct.pack(
            "!HHIIHHHH",
            self.source[sender][1],
            self.source[receiver][1],
            self.sequence[sender] & 0xFFFFFFFF,
            acknowledged & 0xFFFFFFFF,
            (5 + len(options) // 4) << 12 | flags,
            65_535,
            0,
            0,
        )
        tcp = head + options + octets
        self.acknowledged[receiver] = acknowledged if flags & ACK else self.acknowledged[receiver]
        self.sequence[sender] += len(octets) + bool(flags & (SYN | FIN))
        self.identification = self.identification + 1 & 0xFFFF
        return _packet(self.source[sender][0], self.source[receiver][0], tcp, self.identification)

    def unacknowledged(self, sender: Sender) -> int:
        """Octets that this end sent and no packet of the other has acknowledged yet."""
        return self.sequence[sender] - self.acknowledged[sender]


def _open(record: Opened, known: dict[int, _Conversation]) -> tuple[_Conversation, Iterator[bytes]]:
    dialer, listener = _ends(record)
    taken = {tuple(each.source.values()) for each in known.values()}
    while (dialer, listener) in taken:
        dialer = (dialer[0], dialer[1] % 65_535 + 1)
    first = {sender: record.connection << 20 | n << 12 for n, sender in enumerate(SENDERS)}
    made = _Conversation({"dialer": dialer, "listener": listener}, dict(first), dict(first))

    def shake() -> Iterator[bytes]:
        yield made.segment("dialer", SYN, options=WINDOW_SCALE)
        yield made.segment("listener", SYN | ACK, options=WINDOW_SCALE)
        yield made.segment("dialer", ACK)

    return made, shake()


def _data(talk: _Conversation, sender: Sender, octets: bytes) -> Iterator[bytes]:
    for at in range(0, len(octets), SEGMENT_MAX_OCTETS):
        yield talk.segment(sender, PSH | ACK, octets[at : at + SEGMENT_MAX_OCTETS])
        if talk.unacknowledged(sender) > UNACKNOWLEDGED_MAX_OCTETS and other(sender) not in talk.gone:
            yield talk.segment(other(sender), ACK)


def _close(talk: _Conversation, sender: Sender, reset: bool) -> Iterator[bytes]:
    yield talk.segment(sender, (RST if reset else FIN) | ACK)
    if reset:
        talk.gone.add(sender)
    elif other(sender) not in talk.gone:
        yield talk.segment(other(sender), ACK)


def _ends(record: Opened) -> tuple[tuple[_IP, int], tuple[_IP, int]]:
    """Both ends with addresses of one family; an end without one (ipc, a name) gets loopback."""
    dialer, listener = _address(record.dialer[0]), _address(record.listener[0])
    if dialer is None and listener is None:
        dialer = listener = ipaddress.IPv4Address("127.0.0.1")
    dialer, listener = dialer or _loopback(listener), listener or _loopback(dialer)
    if dialer.version != listener.version:
        dialer, listener = _as_v6(dialer), _as_v6(listener)
    dialer_port = _port(record.dialer, 49_151 + record.connection)
    return (dialer, dialer_port), (listener, _port(record.listener, 49_151))


def _address(host: str) -> _IP | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _loopback(like: _IP | None) -> _IP:
    return ipaddress.ip_address("::1" if like is not None and like.version == 6 else "127.0.0.1")


def _as_v6(address: _IP) -> _IP:
    return address if address.version == 6 else ipaddress.IPv6Address(f"::ffff:{address}")


def _port(address: Address, instead: int) -> int:
    return address[1] if 0 < address[1] < 65_536 else instead & 0xFFFF


# -- octets --------------------------------------------------------------------------------------


def _packet(source: _IP, target: _IP, tcp: bytes, identification: int) -> bytes:
    """An IP packet around a TCP segment whose checksum is still zero."""
    size = len(tcp)
    pseudo = source.packed + target.packed + struct.pack("!II", size, 6)
    tcp = tcp[:16] + _checksum(pseudo + tcp).to_bytes(2, "big") + tcp[18:]
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, size, 6, 64) + source.packed + target.packed + tcp
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, identification, 0x4000, 64, 6, 0)
    head += source.packed + target.packed
    return head[:10] + _checksum(head).to_bytes(2, "big") + head[12:] + tcp


def _checksum(octets: bytes) -> int:
    """The Internet checksum: a sum of 16-bit words with end-around carry is a remainder by 65535."""
    total = int.from_bytes(octets + b"\0" * (len(octets) & 1), "big") % 0xFFFF
    return 0xFFFF - (total or 0xFFFF)


def _section(comments: list[str]) -> bytes:
    head = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    options = {_COMMENT: [_cut(text) for text in comments], _APPLICATION: [APPLICATION]}
    return _block(_SECTION, head + _options(options))


def _comments(texts: list[str]) -> bytes:
    return _options({_COMMENT: [_cut(text) for text in texts]}) if texts else b""


def _cut(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:COMMENT_MAX_OCTETS]


def _options(options: dict[int, list[bytes]]) -> bytes:
    pairs = [(code, value) for code, values in options.items() for value in values]
    return b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in pairs) + bytes(4)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _padded(octets: bytes) -> bytes:
    return octets + b"\0" * (-len(octets) % 4)
