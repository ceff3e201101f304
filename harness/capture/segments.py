"""TCP segments out of captured packets: Ethernet (also tagged), loopback, Linux cooked, raw; IPv4 and IPv6.

Checksums are not looked at: a capture on the sending machine has them before the network card fills them in.
Sources: the list of link types of tcpdump.org; IEEE 802.1Q; RFC 791; RFC 8200, "IPv6 Extension Headers";
RFC 9293, "Header Format".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import NamedTuple

from .files import Packet

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
TCP = 6
IPV4, IPV6 = 0x0800, 0x86DD
_VLAN = (0x8100, 0x88A8, 0x9100)
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60


class Segment(NamedTuple):
    """A TCP segment.

    `flow` is its direction: addresses, then ports, of who sent it and who gets it, as on the wire.
    `octets` is as much of the payload as was captured, from octet `at` of the packet, of `size` in all.
    """

    flow: bytes
    sequence: int
    acknowledged: int
    flags: int
    octets: bytes
    size: int
    at: int


class Unread(NamedTuple):
    """A packet that may have held a part of a connection, and why it could not be read."""

    why: str


def segment_of(packet: Packet) -> Segment | Unread | None:
    """The segment in a packet; None where it carries no TCP. Never raises for what it holds."""
    link = _LINKS.get(packet.link)
    if link is None:
        return Unread(f"link type {packet.link} is not known")
    octets = packet.octets
    try:
        kind, at = link(octets)
        while kind in _VLAN:
            kind, at = octets[at + 2] << 8 | octets[at + 3], at + 4
        if kind == IPV4:
            return _ipv4(octets, at)
        return _ipv6(octets, at) if kind == IPV6 else None
    except IndexError:
        return Unread("headers cut by the capture's snap length")


def reverse(flow: bytes) -> bytes:
    """The other direction of the same connection."""
    size = (len(flow) - 4) // 2
    return flow[size : 2 * size] + flow[:size] + flow[-2:] + flow[-4:-2]


def source_of(flow: bytes) -> tuple[str, int]:
    """Host and port of who sends in this direction."""
    size = (len(flow) - 4) // 2
    return str(ipaddress.ip_address(flow[:size])), int.from_bytes(flow[-4:-2], "big")


def _ipv4(octets: bytes, at: int) -> Segment | Unread | None:
    if octets[at + 9] != TCP:
        return None
    if (octets[at + 6] & 0x3F) or octets[at + 7]:
        return Unread("fragments of IP are not put together")
    # With segmentation left to the card, a packet of more than 65,535 octets says 0.
    size = octets[at + 2] << 8 | octets[at + 3] or len(octets) - at
    head = (octets[at] & 0x0F) * 4
    return _tcp(octets, octets[at + 12 : at + 20], at + head, at + size)


def _ipv6(octets: bytes, at: int) -> Segment | Unread | None:
    size = octets[at + 4] << 8 | octets[at + 5] or len(octets) - at - 40
    end, kind, addresses = at + 40 + size, octets[at + 6], octets[at + 8 : at + 40]
    at += 40
    while kind in (_HOP_BY_HOP, _ROUTING, _DESTINATION):
        kind, at = octets[at], at + (octets[at + 1] + 1) * 8
    if kind == _FRAGMENT:
        return Unread("fragments of IP are not put together")
    return _tcp(octets, addresses, at, end) if kind == TCP else None


def _tcp(octets: bytes, addresses: bytes, at: int, end: int) -> Segment:
    begin = at + (octets[at + 12] >> 4) * 4
    octets[at + 19]  # a head that was cut raises IndexError here
    return Segment(
        addresses + octets[at : at + 4],
        int.from_bytes(octets[at + 4 : at + 8], "big"),
        int.from_bytes(octets[at + 8 : at + 12], "big"),
        octets[at + 13],
        octets[begin:end],
        max(0, end - begin),
        begin,
    )


# -- links: what they carry, and where it begins -------------------------------------------------


def _ethernet(octets: bytes) -> tuple[int, int]:
    return octets[12] << 8 | octets[13], 14


def _cooked(octets: bytes) -> tuple[int, int]:
    return octets[14] << 8 | octets[15], 16


def _cooked_2(octets: bytes) -> tuple[int, int]:
    return octets[0] << 8 | octets[1], 20


def _raw(octets: bytes) -> tuple[int, int]:
    return {4: IPV4, 6: IPV6}.get(octets[0] >> 4, 0), 0


def _loopback(octets: bytes) -> tuple[int, int]:
    """Four octets of address family, in whatever byte order: the IP header says it, too."""
    return {4: IPV4, 6: IPV6}.get(octets[4] >> 4, 0), 4


_LINKS: dict[int, Callable[[bytes], tuple[int, int]]] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    276: _cooked_2,
}
