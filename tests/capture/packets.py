"""Captures built octet by octet: segments of one connection, in whatever order, in files of either format."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

from harness.zmtp import Greeting, Message, Ready

FIN, SYN, RST, ACK = 1, 2, 4, 16
HELLO = Greeting().serialize()
PUSH_SAYS = HELLO + Ready("PUSH").serialize()
PULL_SAYS = HELLO + Ready("PULL").serialize()
HELLO_WORLD = Message(b"hello").serialize()


class Line:
    """One TCP connection between "dialer" and "listener"; each packet is kept in `packets`, raw IP."""

    def __init__(self, host: str = "127.0.0.1", port: int = 40_000, first: int = 1000) -> None:
        self.host = ipaddress.ip_address(host).packed
        self.ports = {"dialer": port, "listener": 5555}
        self.first = {"dialer": first, "listener": first + 7}
        self.sent = {"dialer": 0, "listener": 0}
        self.packets: list[bytes] = []

    def shake(self) -> Line:
        self.segment("dialer", b"", SYN, -1)
        self.segment("listener", b"", SYN | ACK, -1)
        return self

    def talk(self) -> Line:
        """A good handshake of PUSH and PULL."""
        self.shake()
        self.say("dialer", PUSH_SAYS)
        self.say("listener", PULL_SAYS)
        return self

    def say(self, sender: str, octets: bytes, flags: int = ACK) -> bytes:
        """The next octets of an end."""
        made = self.segment(sender, octets, flags, self.sent[sender])
        self.sent[sender] += len(octets)
        return made

    def segment(self, sender: str, octets: bytes, flags: int = ACK, at: int = 0) -> bytes:
        """Octets that stand at that place of the stream; they acknowledge all that the partner has said."""
        partner = "listener" if sender == "dialer" else "dialer"
        tcp = struct.pack(
            "!HHIIHHHH",
            self.ports[sender],
            self.ports[partner],
            (self.first[sender] + 1 + at) % 2**32,
            (self.first[partner] + 1 + self.sent[partner]) % 2**32,
            5 << 12 | flags,
            65535,
            0,
            0,
        )
        self.packets.append(ip_packet(self.host, self.host, tcp + octets))
        return self.packets[-1]


def ip_packet(source: bytes, target: bytes, tcp: bytes) -> bytes:
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + source + target + tcp
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + source + target + tcp


def pcap(packets: list[bytes], link: int = 101, order: str = "<", keep: int = 1 << 18) -> bytes:
    out = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, keep, link)
    for n, octets in enumerate(packets):
        out += struct.pack(order + "IIII", 1_700_000_000, n, len(octets[:keep]), len(octets)) + octets[:keep]
    return out


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(packets: list[bytes], link: int = 101, order: str = "<", kind: int = 6) -> bytes:
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    out += block(1, struct.pack(order + "HHI", link, 0, 0), order) + block(5, bytes(12), order)
    for octets in packets:
        heads = {
            6: struct.pack(order + "IIIII", 0, 0, 7, len(octets), len(octets)),
            3: struct.pack(order + "I", len(octets)),
            2: struct.pack(order + "HHIIII", 0, 0, 0, 7, len(octets), len(octets)),
        }
        out += block(kind, heads[kind] + octets, order)
    return out


def written(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path
