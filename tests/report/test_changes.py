"""`zconform diff`: each kind of change as text and as JSON, the exit status, and what is escaped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.report.changes import MOST_LINES
from harness.report.model import Result
from harness.report.record import write_record
from tests.report.records import about, record, result


def compared(folder: Path, old: list[Result], new: list[Result], *options: str, **changes: Any) -> int:
    for name, results, more in (("old", old, {}), ("new", new, changes)):
        (folder / name).mkdir(exist_ok=True)
        write_record(record(*results, **more), folder / name)
    return main(["diff", str(folder / "old"), str(folder / "new"), *options])


@pytest.mark.parametrize(
    ("old", "new", "status", "said"),
    [
        ([result()], [result()], 0, "nothing changed"),
        (
            [result()],
            [result(verdict="FAIL")],
            1,
            "new failures: 1\n  p  zmtp/sample/rule  PASS -> FAIL: "
            "[37/version/padding-no-meaning] expected early, got late",
        ),
        ([result(verdict="FAIL")], [result()], 0, "fixed: 1\n  p  zmtp/sample/rule  FAIL -> PASS"),
        (
            [result()],
            [result(verdict="UNSUPPORTED", reason="no PAIR")],
            1,
            "newly unsupported: 1\n  p  zmtp/sample/rule  PASS -> UNSUPPORTED: no PAIR",
        ),
        ([result()], [], 1, "newly not run: 1\n  p  zmtp/sample/rule  PASS -> not asked"),
        ([], [result()], 0, "newly run: 1\n  p  zmtp/sample/rule  not asked -> PASS"),
        (
            [result(verdict="KNOWN")],
            [result(verdict="KNOWN", actual="never")],
            1,
            "changed messages: 1\n  p  zmtp/sample/rule  KNOWN -> KNOWN: was [37/version/padding-no-meaning] "
            "expected early, got late; is [37/version/padding-no-meaning] expected early, got never",
        ),
        ([result()], [result(verdict="INFO")], 0, "other changes: 1\n  p  zmtp/sample/rule  PASS -> INFO"),
        (
            [result()],
            [result(verdict="ERROR", reason="no engine")],
            1,
            "new failures: 1\n  p  zmtp/sample/rule  PASS -> ERROR: no engine",
        ),
    ],
)
def test_each_kind_of_change(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    old: list[Result],
    new: list[Result],
    status: int,
    said: str,
) -> None:
    assert compared(tmp_path, old, new) == status
    assert said in capsys.readouterr().out


def test_what_is_around_the_results_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = {"peers": {"p": about("p", "2.0")}, "version": "0.2.0", "complete": False, "ended": False}
    assert compared(tmp_path, [result()], [result()], **others) == 0
    told = capsys.readouterr().out
    assert f"new  {tmp_path}/new/results.json: 1 results, 2026-01-02T03:04:05+00:00, broken off" in told
    assert "suite 0.1.0 -> 0.2.0\np 1.0 -> 2.0\n" in told


def test_scenarios_and_pairs_are_named_by_who_took_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played = result(peers=["p", "q"], cast={"client": "q", "server": "p"})
    assert compared(tmp_path, [played, result("a/b/c", peers=["p", "q"])], []) == 1
    told = capsys.readouterr().out
    assert "  client=q,server=p  zmtp/sample/rule  PASS -> not asked" in told
    assert "  p - q  a/b/c  PASS -> not asked" in told


def test_many_changes_are_cut_for_people_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = [result(f"a/b/c{n}") for n in range(MOST_LINES + 7)]
    assert compared(tmp_path, old, [result(verdict="FAIL")]) == 1
    told = capsys.readouterr().out
    assert f"newly not run: {MOST_LINES + 7}" in told
    assert "  and 7 more: --json has all" in told
    assert compared(tmp_path, old, [result(verdict="FAIL")], "--json") == 1
    made = json.loads(capsys.readouterr().out)
    assert (made["format"], made["worse"]) == ("zconform-diff", True)
    assert made["counts"]["newly not run"] == MOST_LINES + 7
    assert len(made["changes"]) == MOST_LINES + 8
    assert made["changes"][0]["kind"] == "new failures"
    assert (made["changes"][0]["before"], made["changes"][0]["after"]["verdict"]) == (None, "FAIL")


def test_what_a_peer_said_is_shown_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(tmp_path, [result()], [result(verdict="FAIL", actual="a\x1b[31m\nb")]) == 1
    assert "got a\\x1b[31m\\nb\n" in capsys.readouterr().out


def test_files_that_cannot_be_used_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_text("{}")
    assert compared(tmp_path, [result()], [result()]) == 0
    capsys.readouterr()
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "bad.json")]) == 2
    assert main(["diff", str(tmp_path / "absent"), str(tmp_path / "old")]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.startswith("zconform diff: ") for line in told] == [True, True]
    assert "bad.json" in told[0]
