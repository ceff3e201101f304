"""How much memory a peer may need for hostile partners: the bound, and what is told where it is exceeded.

RFC 37 lets a peer be sparing with memory and demands nothing, so a verdict is INFO with the numbers. That a
peer ends for want of memory is a FAIL as any other end.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.peer import Peer
from harness.verdict import Mismatch
from harness.wire.trace import Octets

MEMORY = "37/security/late-alloc"
MIB = 1 << 20
FREE_OCTETS = 64 * MIB
"""What a case may cost whatever it sends: heaps grow in steps, collectors of garbage come late."""
PER_OCTET = 10
"""What each octet that really went over a link may cost besides. What was only announced does not count."""


class Footprint:
    """What a peer has resident from here on, in all of its processes."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._before = peer.memory(forget=True)
        if self._before is None:
            peer.trace.note("what the peer has in memory cannot be told here")

    def expect_bounded(self, let_go: Callable[[], None] | None = None) -> None:
        """It has grown within the bound. Where it has not, `let_go` ends what may still need the memory.

        Then it is measured again, to tell what is kept from what was only used.
        """
        grown = self._grown()
        if grown <= FREE_OCTETS:
            return
        carried = self.carried_octets()
        bound = FREE_OCTETS + PER_OCTET * carried
        if grown <= bound:
            return
        if let_go is not None:
            let_go()
        kept = self._kept()
        expected = f"at most {in_mib(bound)} more in memory, with {carried} octets on its links"
        raise Mismatch(expected, f"up to {in_mib(grown)} more, and {in_mib(kept)} at the end", MEMORY)

    def carried_octets(self) -> int:
        """How many octets went over the links of this case, both ways."""
        return sum(len(one.octets) for one in self._peer.trace.records if isinstance(one, Octets))

    def _grown(self) -> int:
        now = self._peer.memory()
        return 0 if now is None or self._before is None else now.grown_since(self._before)

    def _kept(self) -> int:
        now = self._peer.memory()
        return 0 if now is None or self._before is None else now.now_octets - self._before.now_octets


def in_mib(octets: int) -> str:
    """A size for people."""
    return f"{octets / MIB:.0f} MiB"
