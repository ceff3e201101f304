"""What a capture comes to: its connections and their ends, what they broke and where, what was not judged."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field

from harness.wire.trace import SENDERS, Address, Sender

SHOWN_OF_A_RULE = 10
LINES_OF_A_CONNECTION = 20


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that an end broke: at which octet of its stream, in which packet, at which octet of that.

    `packet` is 0 where there are no packets (a trace of ours). `thing` is what stands there, in words.
    """

    clause: str
    message: str
    sender: Sender
    octet: int
    packet: int
    packet_octet: int
    thing: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that an end sent, in words. `at_s` is seconds since 1970, [start, end) its octets."""

    at_s: float
    connection: int
    sender: Sender
    text: str
    start: int
    end: int
    packet: int


@dataclass(slots=True)
class End:
    """One end of a connection. `silent` says why its octets, or some of them, are not judged."""

    address: Address
    version: str = ""
    mechanism: str = ""
    socket_type: str = ""
    octets: int = 0
    messages: int = 0
    things: int = 0
    closed: str = ""
    silent: list[str] = field(default_factory=list)
    judged: bool = False

    def hush(self, why: str) -> None:
        """Note why something is not judged, once."""
        if why not in self.silent:
            self.silent.append(why)


@dataclass(slots=True)
class Report:
    """One connection that speaks ZMTP. `dialer_known` is False where no SYN says who dialled.

    `broken` has the first places of each rule and end, `counts` how many there were.
    """

    number: int
    ends: dict[Sender, End]
    dialer_known: bool = True
    began_s: float = 0.0
    broken: list[Broken] = field(default_factory=list)
    counts: Counter[tuple[Sender, str]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    first: list[Shown] = field(default_factory=list)

    @property
    def judged(self) -> bool:
        """Whether anything of it was judged."""
        return any(self.ends[sender].judged for sender in SENDERS)

    def blame(self, broken: Broken) -> None:
        """Take a broken rule; of each rule and end the first are kept, the others counted."""
        key = (broken.sender, broken.clause)
        self.counts[key] += 1
        if self.counts[key] <= SHOWN_OF_A_RULE:
            self.broken.append(broken)

    def note(self, text: str) -> None:
        """Take a remark, once."""
        if text not in self.notes:
            self.notes.append(text)


class Places:
    """Which packet brought which octets of one direction."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._where: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, start: int, packet: int, at: int) -> None:
        """The octets from `start` on stand in that packet from octet `at` on."""
        self._starts.append(start)
        self._where.append((packet, at))

    def find(self, offset: int) -> tuple[int, int]:
        """Packet and octet in it; (0, 0) where that is not known (any more)."""
        n = bisect_right(self._starts, offset) - 1
        if n < 0 or self._where[n][0] == 0:
            return 0, 0
        packet, at = self._where[n]
        return packet, at + offset - self._starts[n]

    def forget(self, before: int) -> None:
        """Octets before this one will not be asked for."""
        n = bisect_right(self._starts, before) - 1
        if n > 0:
            del self._starts[:n], self._where[:n]
