"""TCP put together again: segments in any order, of any number of connections, become streams without holes.

What was lost and sent again, came out of order, twice, or overlapping is set right. A hole that the capture
cannot fill is a `Gap`: nothing behind it is handed on. What is held of each connection is bounded.

Source: RFC 9293, "Sequence Numbers" and "Segment Acceptability Tests"; RFC 1122, "TCP Keep-Alives".
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.wire.trace import Address, How, Sender, other

from .segments import ACK, FIN, RST, SYN, Segment, reverse, source_of

HELD_MAX_OCTETS = 1 << 24
HELD_MAX_SEGMENTS = 4096
BUDGET_OCTETS = 96 << 20
ACKNOWLEDGED_GRACE = 256
CONNECTIONS_MAX = 20_000
REMEMBERED_MAX = 65_536
_WRAP, _HALF = 1 << 32, 1 << 31


@dataclass(frozen=True, slots=True)
class Gap:
    """Where one direction ends for us: the octets from `offset` on are missing, as packet `packet` showed."""

    offset: int
    packet: int
    why: str


class Talk(Protocol):
    """Who takes the streams of one connection."""

    def attach(self, halves: Mapping[Sender, Half | None]) -> None:
        """What is known of the two directions, as they go on."""

    def octets(self, sender: Sender, octets: bytes, at_s: float, packet: int, at: int) -> None:
        """The next octets of a direction; they stand from octet `at` of that packet."""

    def gap(self, sender: Sender, gap: Gap) -> None:
        """Nothing more of that direction will come."""

    def closed(self, sender: Sender, how: How, at_s: float) -> None:
        """An end has closed its direction."""

    def finish(self) -> None:
        """The connection is over, or the capture is."""


class Budget:
    """How many octets all connections hold together."""

    def __init__(self, most: int = BUDGET_OCTETS) -> None:
        self.most = most
        self.held = 0

    def take(self, octets: int) -> bool:
        """Whether so many more fit; they are counted if so."""
        if self.held + octets > self.most:
            return False
        self.held += octets
        return True


@dataclass(slots=True)
class Half:
    """One direction of a connection; offsets count its octets from the first one that was captured.

    `begun` says that the capture has its very first octet. `overtaken` says that the partner acknowledged
    octets before the capture showed them: the order between the two directions is not to be relied on.
    """

    sender: Sender
    base: int
    begun: bool
    next: int = 0
    held: list[tuple[int, int, int, float, bytes]] = field(default_factory=list)
    held_octets: int = 0
    last: bytes = b""
    gap: Gap | None = None
    end: int | None = None
    closed: bool = False
    overtaken: bool = False
    acknowledged: int = 0
    grace: int = 0
    cut: bool = False

    def offset(self, sequence: int) -> int:
        """Where the octet with that sequence number stands in the stream; it may be negative."""
        return self.next + ((sequence - self.base - self.next + _HALF) % _WRAP - _HALF)

    def same(self, offset: int, octets: bytes) -> bool:
        """Whether what came again is what had come, as far as that is still there.

        One octet is a keep-alive's, which may be anything.
        """
        begin = max(offset, self.next - len(self.last))
        end = min(offset + len(octets), self.next)
        if end - begin <= 1:
            return True
        at = begin - (self.next - len(self.last))
        return self.last[at : at + end - begin] == octets[begin - offset : end - offset]


class Connection:
    """Both directions of one connection."""

    def __init__(self, dialer: bytes, talk: Talk, halves: dict[Sender, Half | None], budget: Budget) -> None:
        self.dialer = dialer
        self.talk = talk
        self.halves = halves
        self._reset = False
        talk.attach(halves)
        self._budget = budget

    def take(self, sender: Sender, segment: Segment, at_s: float, packet: int) -> None:
        """One segment from this end, which carries octets, FIN or RST."""
        half = self.halves[sender]
        if half is None:
            half = self.halves[sender] = Half(sender, segment.sequence, begun=False)
        offset = half.offset(segment.sequence)
        partner = self.halves[other(sender)]
        if segment.flags & ACK and partner is not None and segment.octets:
            self._look_at_acknowledgement(partner, segment.acknowledged, packet)
        if half.gap is None and segment.size:
            self._data(half, offset, segment, at_s, packet)
        if segment.flags & FIN:
            half.end = offset + segment.size
        if segment.flags & RST and not half.closed:
            half.closed = self._reset = True
            self.talk.closed(sender, "rst", at_s)
        elif half.end is not None and half.next >= half.end and not half.closed:
            half.closed = True
            self.talk.closed(sender, "fin", at_s)

    @property
    def over(self) -> bool:
        """Whether nothing more can come that matters."""
        halves = [half for half in self.halves.values() if half is not None]
        return self._reset or (len(halves) == 2 and all(half.closed or half.gap for half in halves))

    def finish(self) -> None:
        """No more packets: what still waits for a missing one waits in vain."""
        for half in self.halves.values():
            if half is not None and half.held:
                self._give_up(half, half.held[0][1], _missing(half))
        self.talk.finish()

    def _look_at_acknowledgement(self, partner: Half, acknowledged: int, packet: int) -> None:
        """The partner's octets were taken: those not in the capture by now come late, or never."""
        seen = partner.offset(acknowledged)
        partner.acknowledged = max(partner.acknowledged, seen)
        if partner.acknowledged > partner.next + 1 or (
            partner.acknowledged == partner.next + 1 and partner.end is None
        ):
            partner.overtaken = True
            partner.grace += 1
            if partner.held and partner.grace > ACKNOWLEDGED_GRACE and partner.gap is None:
                self._give_up(partner, packet, _missing(partner))
        else:
            partner.grace = 0

    def _data(self, half: Half, offset: int, segment: Segment, at_s: float, packet: int) -> None:
        octets, at = segment.octets, segment.at
        half.cut = half.cut or len(octets) < segment.size
        if offset > half.next:
            self._hold(half, offset, octets, at_s, packet, at)
            return
        if offset < half.next:
            if not half.same(offset, octets):
                self._give_up(half, packet, "octets were sent again with another content")
                return
            octets, at = octets[half.next - offset :], at + half.next - offset
        if octets:
            self._hand_on(half, octets, at_s, packet, at)
            while half.held and half.gap is None and half.held[0][0] <= half.next:
                self._fill(half)

    def _fill(self, half: Half) -> None:
        offset, packet, at, at_s, octets = heapq.heappop(half.held)
        half.held_octets -= len(octets)
        self._budget.held -= len(octets)
        if not half.same(offset, octets):
            self._give_up(half, packet, "octets were sent again with another content")
            return
        past = half.next - offset
        if len(octets) > past:
            self._hand_on(half, octets[past:], at_s, packet, at + past)

    def _hand_on(self, half: Half, octets: bytes, at_s: float, packet: int, at: int) -> None:
        half.next += len(octets)
        half.last = octets
        self.talk.octets(half.sender, octets, at_s, packet, at)

    def _hold(self, half: Half, offset: int, octets: bytes, at_s: float, packet: int, at: int) -> None:
        full = half.held_octets + len(octets) > HELD_MAX_OCTETS or len(half.held) >= HELD_MAX_SEGMENTS
        if full or not self._budget.take(len(octets)):
            self._give_up(half, packet, _missing(half))
            return
        half.held_octets += len(octets)
        heapq.heappush(half.held, (offset, packet, at, at_s, octets))

    def _give_up(self, half: Half, packet: int, why: str) -> None:
        self._budget.held -= half.held_octets
        half.held, half.held_octets = [], 0
        half.gap = Gap(half.next, packet, why)
        self.talk.gap(half.sender, half.gap)


def _missing(half: Half) -> str:
    if half.cut:
        return "octets are missing (packets were cut by the capture's snap length)"
    if half.held:
        return f"{half.held[0][0] - half.next} octets are missing"
    return "octets are missing"


class Table:
    """All connections of a capture. `begin` makes who takes the streams of a new one.

    `begin` is given the two addresses, the dialer's first, and whether it is known who dialled.
    """

    def __init__(self, begin: Callable[[Address, Address, bool], Talk]) -> None:
        self.dropped = 0
        self._begin = begin
        self._budget = Budget()
        self._flows: OrderedDict[bytes, tuple[Connection, Sender]] = OrderedDict()
        self._first: OrderedDict[bytes, tuple[int, bool]] = OrderedDict()
        self._gone: OrderedDict[bytes, None] = OrderedDict()

    def take(self, segment: Segment, at_s: float, packet: int) -> None:
        """One segment, of whichever connection."""
        flags = segment.flags
        if flags & SYN:
            self._synchronize(segment)
        found = self._flows.get(segment.flow)
        if found is None:
            if not segment.size or segment.flow in self._gone:
                return
            found = self._open(segment)
        elif not segment.size and not flags & (FIN | RST):
            return
        connection, sender = found
        if flags & SYN and segment.size:
            segment = segment._replace(sequence=(segment.sequence + 1) % _WRAP)
        connection.take(sender, segment, at_s, packet)
        if connection.over:
            self._close(segment.flow, connection)

    def finish(self) -> None:
        """The capture is over."""
        for flow, (connection, sender) in list(self._flows.items()):
            if sender == "dialer":
                self._close(flow, connection)

    def _synchronize(self, segment: Segment) -> None:
        """A connection begins; one with the same ends and other numbers is over."""
        base = (segment.sequence + 1) % _WRAP
        flow = segment.flow
        found = self._flows.get(flow)
        if found is not None:
            half = found[0].halves[found[1]]
            if half is None:
                found[0].halves[found[1]] = Half(found[1], base, begun=True)
                return
            if half.base == base:
                return
            self._close(flow, found[0])
        self._gone.pop(flow, None)
        self._gone.pop(reverse(flow), None)
        self._first[flow] = (base, not segment.flags & ACK)
        if len(self._first) > REMEMBERED_MAX:
            self._first.popitem(last=False)

    def _open(self, segment: Segment) -> tuple[Connection, Sender]:
        flow, back = segment.flow, reverse(segment.flow)
        own, theirs = self._first.pop(flow, None), self._first.pop(back, None)
        dials, known = _who_dials(flow, own, theirs)
        dialer, listener = (flow, back) if dials else (back, flow)
        sender: Sender = "dialer" if dials else "listener"
        talk = self._begin(source_of(dialer), source_of(listener), known)
        halves: dict[Sender, Half | None] = {"dialer": None, "listener": None}
        for first, end in ((own, sender), (theirs, other(sender))):
            if first is not None:
                halves[end] = Half(end, first[0], begun=True)
        connection = Connection(dialer, talk, halves, self._budget)
        self._flows[flow] = connection, sender
        self._flows[back] = connection, other(sender)
        if len(self._flows) > 2 * CONNECTIONS_MAX:
            self.dropped += 1
            oldest, (idle, _) = next(iter(self._flows.items()))
            self._close(oldest, idle)
        return self._flows[flow]

    def _close(self, flow: bytes, connection: Connection) -> None:
        for each in (flow, reverse(flow)):
            self._flows.pop(each, None)
            self._gone[each] = None
        while len(self._gone) > REMEMBERED_MAX:
            self._gone.popitem(last=False)
        connection.finish()


def _who_dials(
    flow: bytes, own: tuple[int, bool] | None, theirs: tuple[int, bool] | None
) -> tuple[bool, bool]:
    """Whether the sender of this flow is the dialer, and whether that is known.

    Where no SYN was captured, the higher port is taken for the dialer's.
    """
    if own is not None:
        return own[1], True
    if theirs is not None:
        return not theirs[1], True
    source, target = flow[-4:-2], flow[-2:]
    return source >= target, False
