"""Which peers are asked against which: the wishes of `--pair`, the pairs of a run without wishes, and shards.

A pair is ordered: A:B means that A is the first and B the second. What is asked of a pair covers both
assignments of socket types and both ways to connect, so each two peers need to be taken once.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple, TypeVar

from harness.manifest import Manifest

T = TypeVar("T")
HUB_LIBRARY = "libzmq"
HUB_PREFERRED = "pyzmq"
NEWEST = (float("inf"),)
SIDES = ("first", "second")
AT_LEAST = "zmtp>="
ZMTP_3 = frozenset({"3.0", "3.1"})
_VERSION = re.compile(r"-(\d+(?:\.\d+)+)$")
_WHOLE_NUMBERS = re.compile(r"([1-9]\d*)/([1-9]\d*)")
_GLOB = re.compile(r"[*?\[]")
_TYPES = re.compile(r"\b([A-Z]+)-([A-Z]+)\b")
_SIDE = re.compile(r"\b(first|second)-(?=[a-z])")


class PairError(ValueError):
    """A wish that cannot be met; one line names the option and what is wrong."""


class Pair(NamedTuple):
    """Two peers by name; both may be the same."""

    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first}:{self.second}"

    def other(self, name: str) -> str:
        """The partner of one of the two."""
        return self.second if name == self.first else self.first


def parse_pair(text: str) -> Pair:
    """The two names, or globs, of "A:B". Raises PairError."""
    sides = text.split(":")
    if len(sides) != 2 or not all(sides):
        raise PairError(f"--pair: {text!r} is not FIRST:SECOND, two names or globs of peers")
    return Pair(*sides)


def matching_pairs(wishes: Iterable[str], names: Sequence[str]) -> list[Pair]:
    """The pairs that the wishes name, among these peers, in the order of the wishes.

    Two names are that pair, in that order, a peer against itself included. A glob takes each two different
    peers once. Raises PairError where a wish meets no pair.
    """
    found: dict[Pair, None] = {}
    for wish in map(parse_pair, wishes):
        firsts, seconds = (fnmatch.filter(names, side) for side in wish)
        if not firsts or not seconds:
            raise PairError(f"--pair: {wish}: no peer is called {wish.second if firsts else wish.first!r}")
        named = not any(_GLOB.search(side) for side in wish)
        pairs = [Pair(a, b) for a in firsts for b in seconds if named or a != b]
        if not pairs:
            raise PairError(f"--pair: {wish}: there are no two different peers of these names")
        for pair in pairs:
            if named or Pair(pair.second, pair.first) not in found:
                found[pair] = None
    return list(found)


def default_pairs(found: Mapping[str, Manifest], available: Mapping[str, Manifest]) -> list[Pair]:
    """A star around libzmq, and each two other implementations, by one peer for each library.

    `found` are all manifests, `available` those of peers that can run here. The star takes in older versions
    that have a peer of their own; never meets a library itself in the same version.
    """
    libraries = sorted({manifest.library for manifest in available.values()})
    chosen = {library: _representative(found, available, library) for library in libraries}
    older = [name for name, manifest in available.items() if _is_older(found, manifest, chosen)]
    hub = chosen.pop(HUB_LIBRARY, None)
    star = [Pair(hub, name) for name in [*sorted(chosen.values()), *older]] if hub is not None else []
    return [*star, *(Pair(a, b) for a, b in combinations(sorted(chosen.values()), 2))]


def hub_of(found: Mapping[str, Manifest], available: Mapping[str, Manifest]) -> str | None:
    """The peer of libzmq that all others are held against; None where none can run here."""
    there = any(manifest.library == HUB_LIBRARY for manifest in available.values())
    return _representative(found, available, HUB_LIBRARY) if there else None


def version_of(found: Mapping[str, Manifest], manifest: Manifest) -> tuple[float, ...]:
    """The library's version that a peer's name ends with.

    Without one it is the newest version: that of the newest peer that has its own name for it and claims to
    serve the same versions of ZMTP, or a newer one than any of those.
    """
    named = _VERSION.search(manifest.name)
    if named is not None:
        return tuple(map(int, named[1].split(".")))
    alike = (other for other in found.values() if other.library == manifest.library)
    named_alike = (_VERSION.search(other.name) for other in alike if other.zmtp == manifest.zmtp)
    return max((tuple(map(int, one[1].split("."))) for one in named_alike if one), default=NEWEST)


def _representative(found: Mapping[str, Manifest], available: Mapping[str, Manifest], library: str) -> str:
    """The peer of the newest version; of several the one that is preferred, then one without its version."""
    own = [manifest for manifest in available.values() if manifest.library == library]
    newest = max(version_of(found, manifest) for manifest in own)
    names = [manifest.name for manifest in own if version_of(found, manifest) == newest]
    return min(names, key=lambda name: (name != HUB_PREFERRED, _VERSION.search(name) is not None, name))


def _is_older(found: Mapping[str, Manifest], manifest: Manifest, chosen: Mapping[str, str]) -> bool:
    newest = version_of(found, found[chosen[manifest.library]])
    return version_of(found, manifest) < newest


def parse_shard(text: str) -> tuple[int, int]:
    """k and n of "k/n", with 1 <= k <= n. Raises PairError."""
    numbers = _WHOLE_NUMBERS.fullmatch(text)
    if numbers is None or int(numbers[1]) > int(numbers[2]):
        raise PairError(f"--shard: {text!r} is not k/n with k from 1 to n")
    return int(numbers[1]), int(numbers[2])


def shard_of(things: Sequence[T], shard: tuple[int, int] | None) -> list[T]:
    """Every n-th of the things, from the k-th on; all without a shard."""
    return list(things) if shard is None else list(things[shard[0] - 1 :: shard[1]])


def unclaimed_by_pair(pair: Pair, manifests: Mapping[str, Manifest], needs: Iterable[str]) -> str | None:
    """Why a case cannot be asked of a pair, or None: what one does not claim, or no version in common.

    A need begins with the side that it is of, such as "first:PUB"; without that it is of both. One like
    "zmtp>=2.0" is of the versions in common.
    """
    sides = dict(zip(SIDES, (manifests[name] for name in pair), strict=True))
    versions = [manifest.zmtp for manifest in sides.values()]
    if not versions[0] & versions[1]:
        claims = (f"{name} claims {', '.join(sorted(own))}" for name, own in zip(pair, versions, strict=True))
        return f"no version of ZMTP in common: {'; '.join(claims)}"
    newest = max(versions[0] & versions[1])
    for need in needs:
        if need.startswith(AT_LEAST):
            if newest < need.removeprefix(AT_LEAST):
                return f"no higher version of ZMTP in common than {newest}"
            continue
        side, _, capability = need.partition(":")
        asked = [sides[side]] if side in sides else list(sides.values())
        for manifest in asked:
            if not manifest.claims(capability if side in sides else need):
                return f"{manifest.name} does not claim {capability if side in sides else need}"
    return None


def seen_from_second(param: str) -> str:
    """A parameter id as it would read if the second peer were the first: "PUB-SUB-first-binds" and back."""
    swapped = _TYPES.sub(r"\2-\1", param)
    return _SIDE.sub(lambda side: "second-" if side[1] == "first" else "first-", swapped)
