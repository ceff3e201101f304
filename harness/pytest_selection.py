"""Which items a run asks: the cases among them, those that were selected, and what is wrong with them."""

from __future__ import annotations

import fnmatch
import gc
from typing import Any

import pytest

from harness.bench import Bench
from harness.case import ATTRIBUTE, Case
from harness.clauses import UnknownClause
from harness.stage.scenario import Scenario


def case_of(item: object) -> Case | None:
    """The case that a test function is, or None."""
    return getattr(getattr(item, "function", item), ATTRIBUTE, None)


def params_of(item: pytest.Item) -> dict[str, Any]:
    """The parameters of an item by name, `peer_name` among them."""
    return dict(getattr(getattr(item, "callspec", None), "params", {}))


def is_of_pair(item: pytest.Item | pytest.Metafunc) -> bool:
    """Whether a case is asked of two peers: it takes the fixture `pair`."""
    return "pair" in getattr(item, "fixturenames", ())


def is_of_cast(item: pytest.Item | pytest.Metafunc) -> bool:
    """Whether a case is a scenario, played by several peers."""
    return isinstance(case_of(item), Scenario)


def is_selected(made: Case | None, config: pytest.Config) -> bool:
    """Whether `--case` and `--clause` let a test function through."""
    ids, clauses = config.option.case, config.option.clause
    if not ids and not clauses:
        return True
    if made is None:
        return False
    by_id = not ids or any(fnmatch.fnmatchcase(made.id, glob) for glob in ids)
    by_clause = not clauses or any(fnmatch.fnmatchcase(c, glob) for c in made.clauses for glob in clauses)
    return by_id and by_clause


def repeat(metafunc: pytest.Metafunc) -> None:
    """As many items as `--repeat` says, where the case is selected: others are not worth the memory."""
    times = metafunc.config.option.repeat
    if times > 1 and is_selected(case_of(metafunc.function), metafunc.config):
        metafunc.parametrize("repetition", range(times), ids="r{}".format)


def check_cases(items: list[pytest.Item], bench: Bench) -> None:
    """Raise UsageError where two functions share a case id, or a case cites a clause that is not there."""
    seen: dict[str, object] = {}
    for item in items:
        made = case_of(item)
        if made is None:
            continue
        function = getattr(item, "function", None)
        if seen.setdefault(made.id, function) is not function:
            raise pytest.UsageError(f"{item.location[0]}: {made.id}: id: used by two cases")
        for clause in made.clauses:
            try:
                bench.ledger.get(clause)
            except UnknownClause as error:
                raise pytest.UsageError(f"{item.location[0]}: {made.id}: clauses: {error}") from None


def pytest_collection_finish() -> None:
    """What has been collected stays until the end: the collector of garbage need not look at it again."""
    gc.freeze()
