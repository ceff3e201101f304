"""Records for tests, without a run."""

from __future__ import annotations

from typing import Any

from harness.report.model import Result
from harness.report.record import Record

CLAUSE = "37/version/padding-no-meaning"


def result(case_id: str = "zmtp/sample/rule", verdict: str = "PASS", **changes: Any) -> Result:
    """A result of the peer "p"; a failure blames CLAUSE and saw "late" where "early" was expected."""
    made = Result(case_id, "", ["p"], verdict, [CLAUSE], rule="A rule.", seed=1, again="pytest x")
    made.found = {"KNOWN": "FAIL"}.get(verdict, verdict)
    if verdict in ("FAIL", "NON_STRICT", "KNOWN"):
        made.blamed, made.level, made.expected, made.actual = CLAUSE, "SHALL", "early", "late"
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def record(*results: Result, **changes: Any) -> Record:
    """A whole run with these results; its peers are theirs, in version 1.0."""
    made = Record("0.1.0", "2026-01-02T03:04:05+00:00", 1, False, 1.5, complete=True, ended=True)
    made.results = list(results)
    for name in sorted({name for each in results for name in each.peers}):
        made.peers[name] = about(name)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def about(name: str, version: str = "1.0") -> dict[str, Any]:
    """What a record says of a peer."""
    return {
        "name": name,
        "library": "lib",
        "version": version,
        "language": "C",
        "runtime": "process",
        "image": None,
    }
