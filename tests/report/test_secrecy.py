"""Which verdicts a stranger could do harm with, and what is kept out of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.case import Case
from harness.known import Entry
from harness.report.model import Result
from harness.report.secrecy import KEPT_OUT, is_security, keep_out
from harness.verdict import Verdict

CASE = Case("a/b/c", ("x",), (), "It holds.")
HARMFUL = replace(CASE, security=True)
ENTRY = Entry("a/b/c", "x", "m", "r", "l")
LISTED = Entry("a/b/c", "x", "m", "r", "l", security=True)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_case_a_list_or_a_death_make_it_a_matter_of_security(verdict: Verdict) -> None:
    bad = verdict in (Verdict.FAIL, Verdict.NON_STRICT, Verdict.KNOWN, Verdict.ERROR)
    assert is_security(verdict, HARMFUL, [], "") is bad
    assert is_security(verdict, CASE, [ENTRY, LISTED], "") is bad
    assert is_security(verdict, CASE, [], "recv: exited with status 7") is bad
    assert is_security(verdict, CASE, [ENTRY], "") is False


def result(verdict: str, actual: str, reason: str = "the clause") -> Result:
    return Result("a/b/c", "", ["p"], verdict, ["x"], actual=actual, reason=reason, notes=["b'octets'"])


def test_what_was_seen_is_kept_out() -> None:
    made = result("FAIL", "[b'octets']", "listed with message 'm', now \"[b'octets']\"")
    made.trace, made.script, made.place = "traces/p.pcapng", "p.py", {"connection": 1}
    keep_out(made, "")
    assert (made.actual, made.reason) == (KEPT_OUT, f"listed with message 'm', now {KEPT_OUT}")
    assert made.notes == [KEPT_OUT]
    assert not any(getattr(made, name) for name in ("trace", "script", "place"))


def test_how_the_peer_died_is_told() -> None:
    made = result("FAIL", "recv: died of SIGSEGV")
    keep_out(made, "recv: died of SIGSEGV")
    assert (made.actual, made.reason, made.notes) == ("recv: died of SIGSEGV", "the clause", [KEPT_OUT])


def test_an_error_tells_its_kind_alone() -> None:
    made = result("ERROR", "", "ValueError: b'octets': odd")
    keep_out(made, "")
    assert (made.actual, made.reason) == ("", f"ValueError: {KEPT_OUT}")
