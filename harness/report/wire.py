"""What stands beside a stored conversation so that it can be judged again.

`ends` says who sat where, as far as these are peers of ZMTP 3.x, which is what the checks are for. `found` is
what they found: each rule once for each peer and connection, with the first place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from harness.wire.checks import run_checks, run_own_checks
from harness.wire.trace import Sender, Trace


class WireEnd(NamedTuple):
    """An end of a connection, and the peer whose it is, by its title in that case."""

    connection: int
    sender: Sender
    peer: str


class WireFinding(NamedTuple):
    """A rule that an end broke, what was seen, and the octet of its stream where it shows."""

    peer: str
    clause: str
    message: str
    connection: int
    offset: int

    @property
    def key(self) -> tuple[str, str, str, int]:
        """The same of the same peer and connection, wherever it shows."""
        return self.peer, self.clause, self.message, self.connection

    def __str__(self) -> str:
        return (
            f"{self.peer}: {self.message} [{self.clause}], connection {self.connection}, octet {self.offset}"
        )


def look(trace: Trace, ends: Iterable[WireEnd], between_peers: bool) -> list[WireFinding]:
    """What the checks find at these ends; where the partner is ours, only what no conduct of it explains."""
    run = run_checks if between_peers else run_own_checks
    found: dict[tuple[str, str, int], WireFinding] = {}
    for end in ends:
        for each in run(trace, end.connection, end.sender):
            made = WireFinding(end.peer, each.clause, each.message, end.connection, each.place.offset)
            found.setdefault((end.peer, each.clause, end.connection), made)
    return list(found.values())


def as_stored(ends: Sequence[WireEnd], found: Sequence[WireFinding]) -> dict[str, Any]:
    """Both as results.json has them."""
    return {"ends": [each._asdict() for each in ends], "found": [each._asdict() for each in found]}


def stored(wire: dict[str, Any]) -> tuple[list[WireEnd], list[WireFinding]]:
    """Both as results.json has them, read."""
    return [WireEnd(**each) for each in wire["ends"]], [WireFinding(**each) for each in wire["found"]]
