"""Who plays which role: dealt so that everybody plays all that it can, and everybody meets everybody.

A cast gives a peer to each role of a scenario. It is written "client=jeromq,server=pyzmq".
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from harness.manifest import Manifest
from harness.stage.scenario import Scenario

Cast = dict[str, str]


class CastError(ValueError):
    """A wish for a cast that cannot be read or met; one line says why."""


def parse_cast(text: str) -> Cast:
    """The cast that a word means, or that several wishes mean together. Raises CastError."""
    cast: Cast = {}
    for wish in filter(None, text.split(",")):
        role, equals, peer = wish.partition("=")
        if not equals or not role or not peer:
            raise CastError(f"--cast: {wish!r} is not ROLE=PEER")
        if cast.setdefault(role, peer) != peer:
            raise CastError(f"--cast: {role} is given to {cast[role]} and to {peer}")
    return cast


def lacking(asked: Scenario, role: str, manifest: Manifest) -> str | None:
    """What a role needs that a peer does not claim; None where it can play it."""
    return next((need for need in asked.roles[role] if not manifest.claims(need)), None)


def understand(asked: Scenario, cast: Mapping[str, str], manifests: Mapping[str, Manifest]) -> bool:
    """Whether on each leg whose ends are both cast the version of ZMTP that they will speak is one
    that the scenario is about."""
    for leg in asked.legs:
        if leg.dialer in cast and leg.listener in cast:
            common = manifests[cast[leg.dialer]].zmtp & manifests[cast[leg.listener]].zmtp
            if not common or not asked.at_least <= max(common) <= asked.at_most:
                return False
    return True


@dataclass(slots=True)
class Dealer:
    """Deals the casts of a run, from its seed. `met` are the peers that have stood on a stage together."""

    manifests: Mapping[str, Manifest]
    seed: int
    wanted: Mapping[str, str] = field(default_factory=dict)
    met: set[frozenset[str]] = field(default_factory=set)

    def deal(self, asked: Scenario, peers: Sequence[str]) -> list[Cast]:
        """Casts in which each of these peers plays each role that it can at least once."""
        able = self._able(asked, peers)
        order = list(peers)
        random.Random(f"{self.seed}/{asked.id}").shuffle(order)
        left = [(role, peer) for role in asked.roles for peer in order if peer in able[role]]
        casts: list[Cast] = []
        while left:
            role, peer = left[0]
            found = self._complete(asked, {role: peer}, able, order, set(left))
            if found is None:
                left = left[1:]
                continue
            casts.append(found)
            left = [pair for pair in left if found[pair[0]] != pair[1]]
            self.met |= set(map(frozenset, combinations(set(found.values()), 2)))
        return casts

    def beside(self, asked: Scenario, peer: str, others: Sequence[str]) -> list[Cast]:
        """A cast for each role that a peer can play, the others played by the first that can of `others`, or
        by the peer itself."""
        ranked = list(dict.fromkeys([*others, peer]))
        able = self._able(asked, ranked)
        found = (
            self._complete(asked, {role: peer}, able, ranked, set())
            for role in asked.roles
            if peer in able[role]
        )
        casts = [cast for cast in found if cast is not None]
        return [cast for at, cast in enumerate(casts) if cast not in casts[:at]]

    def _able(self, asked: Scenario, peers: Sequence[str]) -> dict[str, list[str]]:
        able = {}
        for role in asked.roles:
            wanted = [self.wanted[role]] if role in self.wanted else peers
            able[role] = [peer for peer in wanted if lacking(asked, role, self.manifests[peer]) is None]
        return able

    def _complete(
        self,
        asked: Scenario,
        cast: Cast,
        able: Mapping[str, Sequence[str]],
        order: Sequence[str],
        left: set[tuple[str, str]],
    ) -> Cast | None:
        """The cast with all other roles given, those first that serve best; None where it cannot be."""
        if not understand(asked, cast, self.manifests):
            return None
        role = next((role for role in asked.roles if role not in cast), None)
        if role is None:
            return {role: cast[role] for role in asked.roles}
        for peer in sorted(able[role], key=lambda peer: self._rank(cast, role, peer, order, left)):
            found = self._complete(asked, {**cast, role: peer}, able, order, left)
            if found is not None:
                return found
        return None

    def _rank(
        self, cast: Cast, role: str, peer: str, order: Sequence[str], left: set[tuple[str, str]]
    ) -> tuple[bool, int, bool, int]:
        """Small is better: a role still to be played, peers not met yet, someone else, the order."""
        new = sum(frozenset((peer, other)) not in self.met for other in set(cast.values()) - {peer})
        place = order.index(peer) if peer in order else 0
        if not left:
            return (False, 0, False, place)
        return ((role, peer) not in left, -new, peer in cast.values(), place)


def missing_roles(
    asked: Scenario, peer: str, manifests: Mapping[str, Manifest], casts: Sequence[Cast]
) -> str | None:
    """Why a peer plays no role of a scenario in these casts; None where it plays one."""
    if any(peer in cast.values() for cast in casts):
        return None
    reasons = list(_reasons(asked, peer, manifests))
    return f"{peer} does not claim {'; '.join(reasons)}" if reasons else f"nobody can play with {peer}"


def _reasons(asked: Scenario, peer: str, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    for role in asked.roles:
        need = lacking(asked, role, manifests[peer])
        if need is not None:
            yield f"{need} ({role})"
