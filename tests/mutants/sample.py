"""A pytest plugin for the kill table: a mutant's own cases whole, of all others one item each.

Items are many and mutants are many; one item of each other case shows whether it stumbles over the fault.
"""

from __future__ import annotations

import pytest

from harness.pytest_selection import is_of_pair
from tests.mutants.only_own import pair_of, pytest_runtest_logreport, pytest_runtest_setup
from tests.mutants.registry import load_mutants

__all__ = ["pytest_runtest_logreport", "pytest_runtest_setup"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep all items of a mutant's own cases, and the first of each other."""
    mutants = load_mutants()
    seen: set[tuple[str, str]] = set()
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        if is_of_pair(item):  # left out: no pair is asked
            continue
        name, case_id = pair_of(item)
        (kept if case_id in mutants[name].kills or (name, case_id) not in seen else dropped).append(item)
        seen.add((name, case_id))
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept
