"""Generated files say what ledger, cases and mutants say."""

from __future__ import annotations

from harness.catalogue import collect_cases
from harness.cli import main
from tests.kill_table import TABLE, head_of, own_cases
from tests.mutants.registry import load_mutants

FEWEST_CASES = 120


def test_coverage_is_up_to_date() -> None:
    assert main(["coverage", "--check"]) == 0


def test_there_are_as_many_cases_as_promised() -> None:
    assert len(collect_cases()) >= FEWEST_CASES


def test_every_case_has_a_mutant_and_every_mutant_a_case() -> None:
    cases = {case.id for case in own_cases()}
    killers = {case_id for mutant in load_mutants().values() for case_id in mutant.kills}
    assert cases - killers == set()
    assert killers - cases == set()


def test_kill_table_is_of_these_cases_and_mutants() -> None:
    assert TABLE.read_text("utf-8").startswith(head_of(own_cases(), load_mutants()))
