"""A pytest plugin that keeps, of all items, only each mutant's own cases (`-p tests.mutants.only_own`).

Once a case has caught a mutant, its other parameters are left out: one failure is enough, and each may cost
a deadline.
"""

from __future__ import annotations

import pytest

from harness.case import Case
from harness.pairs import Pair
from harness.pytest_selection import case_of, params_of
from tests.kills import catches
from tests.mutants.registry import load_mutants

_CAUGHT: set[tuple[str, str]] = set()


def pair_of(item: pytest.Item) -> tuple[str, str]:
    """The mutant and the case of an item."""
    made = case_of(item)
    assert made is not None
    params = params_of(item)
    name = str(params["pair_name"]).split(":")[0] if "pair_name" in params else str(params["peer_name"])
    return name.removeprefix("mutant-"), made.id


def pytest_zconform_peers(case: Case, peers: list[str]) -> list[str]:
    """Ask a case of its own mutants."""
    mutants = load_mutants()
    return [peer for peer in peers if case.id in mutants[peer.removeprefix("mutant-")].kills]


def pytest_zconform_pairs(case: Case, pairs: list[Pair]) -> list[Pair]:
    """Ask a case for pairs of its own mutants."""
    mutants = load_mutants()
    return [pair for pair in pairs if case.id in mutants[pair.first.removeprefix("mutant-")].kills]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what is known already, without a verdict."""
    if pair_of(item) in _CAUGHT:
        pytest.skip("caught already")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember who was caught."""
    made = getattr(report, "zconform", None)
    if made is not None and catches(made["result"]) and made["result"]["blamed"] in made["result"]["clauses"]:
        _CAUGHT.add((made["result"]["peers"][0].removeprefix("mutant-"), made["result"]["id"]))
