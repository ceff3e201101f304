"""`--update`: the list says what the run showed, and everything that is not concerned stays."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.gate import Gate, Lists, UpdateError, judge_run, update
from harness.known import load_list
from harness.report.model import Result
from tests.report.records import CLAUSE, record, result

TODAY = date(2026, 6, 1)


def entry(case: str, more: str = "") -> str:
    return (
        f'[[known]]\ncase = "{case}"  # as ever\nclause = "{CLAUSE}"\nmessage = "^late"\n'
        f'reason = "r"\nlink = "l"\n{more}'
    )


LIST = f"""# Ours.
# About the first.
{entry("a/b/stays")}
# About the one that goes.

{entry("a/b/goes")}
# About the one that changes.
{entry("a/b/changes")}
# The end.
"""
RESULTS = [
    result("a/b/stays", "FAIL"),
    result("a/b/goes"),
    result("a/b/changes", "FAIL", actual="\x1b gone 'so' \u202e"),
    result("a/b/new", "FAIL", actual='"""\n[[known]]', reason="It \x00 \ud800 is 'new'."),
]


def judged(path: Path, *results: Result, complete: bool = True, ended: bool = True) -> Gate:
    known = {"p": load_list(path)} if path.exists() else {}
    return judge_run(record(*results, complete=complete, ended=ended), Lists(known, own=["p"]), TODAY)


def test_a_list_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "expect.toml"
    assert update(judged(path, *RESULTS), "p", path) == 3
    assert not judged(path, *RESULTS).red
    assert [each.case for each in load_list(path)] == ["a/b/stays", "a/b/changes", "a/b/new"]
    assert [path.name for path in tmp_path.iterdir()] == ["expect.toml"]


def test_what_is_not_concerned_stays(tmp_path: Path) -> None:
    path = tmp_path / "expect.toml"
    path.write_text(LIST)
    assert update(judged(path, *RESULTS), "p", path) == 3
    assert not judged(path, *RESULTS).red
    text = path.read_text()
    assert text.startswith(LIST[: LIST.index("# About the one that goes.")])
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Ours.",
        "# About the first.",
        "# About the one that goes.",
        "# About the one that changes.",
        "# The end.",
    ]
    assert [each.case for each in load_list(path)] == ["a/b/stays", "a/b/changes", "a/b/new"]
    assert update(judged(path, *RESULTS), "p", path) == 0
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("complete", "ended", "says"), [(False, True, "the run is partial"), (False, False, "was broken off")]
)
def test_a_partial_run_updates_nothing(tmp_path: Path, complete: bool, ended: bool, says: str) -> None:
    path = tmp_path / "expect.toml"
    path.write_text(LIST)
    with pytest.raises(UpdateError, match=says):
        update(judged(path, *RESULTS, complete=complete, ended=ended), "p", path)
    assert path.read_text() == LIST


def test_what_no_entry_can_mend_stays_red(tmp_path: Path) -> None:
    path = tmp_path / "expect.toml"
    path.write_text(entry("a/b/late", "until = 2026-01-01\n"))
    results = [result("a/b/late", "FAIL"), result("a/b/error", "ERROR", reason="ours")]
    before = path.read_text()
    assert update(judged(path, *results), "p", path) == 0
    assert (path.read_text(), judged(path, *results).red) == (before, True)


def test_a_list_that_cannot_be_taken_apart_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "expect.toml"
    text = entry("a/b/stays").replace('"r"', '"""\n[[known]]\n"""')
    path.write_text(text)
    with pytest.raises(UpdateError, match="do not each begin a line"):
        update(judged(path, *RESULTS), "p", path)
    assert path.read_text() == text
