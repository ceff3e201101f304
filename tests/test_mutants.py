"""Every case has failed once: each is run against its own mutants, and each mutant is caught.

A fault that shows only in a race with the peer is given three occasions to show; the others need one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kills import catches, run_own
from tests.mutants.registry import load_mutants

MUTANTS = load_mutants()


@pytest.fixture(scope="module")
def own_results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("mutants")
    return run_own(MUTANTS.values(), folder)


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_mutant_is_caught_by_its_cases(own_results: list[dict[str, Any]], name: str) -> None:
    for case_id in MUTANTS[name].kills:
        mine = [r for r in own_results if r["peers"][0] == f"mutant-{name}" and r["id"] == case_id]
        assert mine, f"{case_id} was not run against {name}"
        verdicts = [(r["param"], r["verdict"], r["actual"]) for r in mine]
        assert any(catches(r) and r["blamed"] in r["clauses"] for r in mine), verdicts
        assert not [r for r in mine if r["verdict"] == "ERROR"], verdicts
