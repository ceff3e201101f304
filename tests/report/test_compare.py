"""What changed between two runs, each kind by itself."""

from __future__ import annotations

import pytest

from harness.report.compare import Kind, compare
from harness.report.model import Result


def result(verdict: str, actual: str = "", **more: str) -> Result:
    return Result("a/b/c", more.get("param", ""), ["p"], verdict, ["x"], actual=actual)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("PASS", "FAIL", Kind.NEW_FAILURE),
        ("KNOWN", "FAIL", Kind.NEW_FAILURE),
        ("NON_STRICT", "ERROR", Kind.NEW_FAILURE),
        ("UNSUPPORTED", "NON_STRICT", Kind.NEW_FAILURE),
        ("PASS", "UNSUPPORTED", Kind.UNSUPPORTED),
        ("FAIL", "UNSUPPORTED", Kind.UNSUPPORTED),
        ("FAIL", "PASS", Kind.FIXED),
        ("KNOWN", "INFO", Kind.FIXED),
        ("FAIL", "KNOWN", Kind.OTHER),
        ("UNSUPPORTED", "PASS", Kind.OTHER),
        ("FAIL", "FAIL", None),
        ("PASS", "PASS", None),
    ],
)
def test_a_verdict_that_changed(before: str, after: str, kind: Kind | None) -> None:
    assert [change.kind for change in compare([result(before)], [result(after)])] == ([kind] if kind else [])


@pytest.mark.parametrize("verdict", ["FAIL", "KNOWN", "NON_STRICT"])
def test_a_message_that_changed(verdict: str) -> None:
    changed = compare([result(verdict, "closed")], [result(verdict, "nothing")])
    assert [change.kind for change in changed] == [Kind.CHANGED]


def test_numbers_and_octets_differ_from_run_to_run() -> None:
    assert compare([result("FAIL", "[00a1ff] in 1.5 s")], [result("FAIL", "[17b2ee] in 2.0 s")]) == []


def test_what_is_asked_no_more_or_for_the_first_time() -> None:
    gone = compare([result("PASS"), result("PASS", param="q")], [result("PASS")])
    assert [(change.kind, change.key[3], change.after) for change in gone] == [(Kind.NOT_RUN, "q", None)]
    new = compare([], [result("PASS"), result("FAIL", param="q")])
    assert [change.kind for change in new] == [Kind.NEW_FAILURE, Kind.NEW]


def test_each_repetition_is_held_against_its_own() -> None:
    before, after = [result("PASS"), result("FAIL")], [result("PASS"), result("PASS")]
    assert [(c.kind, c.key[4]) for c in compare(before, after)] == [(Kind.FIXED, 1)]
