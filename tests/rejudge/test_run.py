"""A real run leaves what `zconform rejudge` needs: of one peer, and of two, one of which breaks a rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from tests.kills import ALONE, PAIRED, run_cases, write_peers
from tests.mutants.registry import load_mutants

MUTANT = "zmtp/trace/reserved-flags"
LOCKSTEP, UNALTERED = "interop/messages/lockstep", "zmtp/framing/does-not-alter-messages"


@pytest.mark.parametrize(("who", "case", "judged"), [(PAIRED, LOCKSTEP, "whole"), (ALONE, UNALTERED, "wire")])
def test_what_a_run_keeps_can_be_judged_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], who: tuple[str, ...], case: str, judged: str
) -> None:
    write_peers([each for each in load_mutants().values() if MUTANT in each.kills], tmp_path / "peers")
    report = tmp_path / "report"
    results = run_cases(tmp_path / "peers", report, "--case", case, "--all-captures", who=who)
    assert any(each["wire"]["found"] for each in results)
    assert main(["validate", str(report)]) == 0
    capsys.readouterr()
    assert main(["rejudge", str(report), "--json"]) == 0
    outcomes = json.loads(capsys.readouterr().out)["results"]
    assert judged in {each["judged"] for each in outcomes} <= {"whole", "wire"}
