"""Cases that are asked of two peers: their items, what they need of each side, and the wire's own verdict."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from harness.pairing import ROLES
from harness.pairs import Pair, parse_pair, unclaimed_by_pair
from harness.pytest_bench import INTEROP_CASES, bench_of, named_paths
from harness.pytest_casts import peers_of_cast, why_no_role
from harness.pytest_fixtures import ASKING, Asking
from harness.pytest_selection import case_of, is_of_pair, params_of, repeat

NOT_ASKED = "interop not asked: --pair A:B, or make interop"
_LEFT_OUT = pytest.StashKey[bool]()


def parametrize_pairs(metafunc: pytest.Metafunc) -> None:
    """One item for each pair that is asked, and for each of the two that may bind."""
    config, made = metafunc.config, case_of(metafunc.function)
    asked = bench_of(config).pairs
    chosen = config.hook.pytest_zconform_pairs(config=config, case=made, pairs=asked)
    names = [str(pair) for pair in (asked if chosen is None else chosen)]
    if not asked:
        return
    metafunc.parametrize("pair_name", names)
    repeat(metafunc)
    metafunc.parametrize("pair_role", ROLES)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the cases for pairs only where pairs are asked, the others only where peers are."""
    bench = bench_of(config)
    config.stash[_LEFT_OUT] = not bench.pairs and any(map(is_of_pair, items))
    items[:] = [
        item
        for item in items
        if case_of(item) is None or (bench.pairs if is_of_pair(item) else bench.singles)
    ]


def pair_summary(config: pytest.Config) -> str:
    """What is to be said where cases for pairs were left out."""
    below = any(path in INTEROP_CASES.parents for path in named_paths(config))
    return NOT_ASKED if config.stash.get(_LEFT_OUT, below and not bench_of(config).pairs) else ""


def names_of(item: pytest.Item) -> tuple[str, ...]:
    """The peers that an item is asked of: one, two, or those of a cast; none where it is no such item."""
    params = params_of(item)
    if isinstance(params.get("cast_name"), str):
        return peers_of_cast(item)
    pair, peer = params.get("pair_name"), params.get("peer_name")
    if isinstance(pair, str):
        return tuple(parse_pair(pair))
    return (peer,) if isinstance(peer, str) else ()


def together(items: list[pytest.Item]) -> list[pytest.Item]:
    """Stand what is asked of the same peers together, so that they are not started again and again.

    Of these, what is marked with `waits` comes first: who waits for timers leaves the cores to the others.
    """
    by_names: dict[tuple[str, ...], list[pytest.Item]] = {}
    for item in items:
        by_names.setdefault(names_of(item), []).append(item)
    return [item for mine in by_names.values() for item in sorted(mine, key=_at_once)]


def _at_once(item: pytest.Item) -> bool:
    return item.get_closest_marker("waits") is None


def unclaimed(asked: Asking) -> str | None:
    """Why a case cannot be asked of its peers, or None."""
    if "cast_name" in asked.params:
        return None if asked.cast else why_no_role(asked)
    needs = asked.case.needed(asked.params)
    if len(asked.names) > 1:
        return unclaimed_by_pair(Pair(*asked.names), asked.bench.manifests, needs)
    lacking = asked.bench.unclaimed(asked.peer_name, needs)
    return None if lacking is None else f"{asked.peer_name} does not claim {lacking}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """What the applications saw comes first; behind it the recorded wire is judged, too."""
    asked = item.stash.get(ASKING, None)
    if asked is None:
        return (yield)
    try:
        yield
    except AssertionError:
        judge_wire(asked, held=False)
        raise
    judge_wire(asked, held=True)
    return None


def judge_wire(asked: Asking, held: bool) -> None:
    """Blame each peer for what it sent, unless the case failed already, or the peer is known for it."""
    joined = asked.pair if asked.pair is not None else asked.stage
    for blame in joined.blames() if joined is not None else ():
        if held and blame.finding.clause not in asked.bench.known_clauses(blame.peer.name):
            asked.judge.findings.append(blame.mismatch())
        else:
            asked.judge.note(f"on the wire: {blame}")
