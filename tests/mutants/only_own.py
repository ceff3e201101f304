"""A pytest plugin that keeps, of all items, only each mutant's own cases (`-p tests.mutants.only_own`)."""

from __future__ import annotations

import pytest

from harness.case import ATTRIBUTE
from tests.mutants.registry import load_mutants


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    mutants = load_mutants()
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        name = str(getattr(item, "callspec").params["peer_name"]).removeprefix("mutant-")  # noqa: B009
        made = getattr(getattr(item, "function"), ATTRIBUTE)  # noqa: B009
        (kept if made.id in mutants[name].kills else dropped).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept
