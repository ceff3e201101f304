"""Findings that a stranger could do harm with: which they are, and what of them is kept out (SECURITY.md)."""

from __future__ import annotations

from collections.abc import Iterable

from harness.case import Case
from harness.known import Entry
from harness.report.model import Result
from harness.verdict import Verdict

KEPT_OUT = "kept out: ask with --with-security (see SECURITY.md)"


def is_security(verdict: Verdict, made: Case, listed: Iterable[Entry], died: str) -> bool:
    """Whether a verdict shows harm that a stranger can do: the case or a list of known deviations says so,
    or the peer ended in the case (`died` says how)."""
    return verdict.is_bad and (made.security or bool(died) or any(entry.security for entry in listed))


def keep_out(result: Result, died: str) -> None:
    """Take from a result whatever the conversation may show in; how the peer ended stays."""
    actual = result.actual
    if Verdict(result.verdict) is Verdict.ERROR:
        result.reason = f"{result.reason.partition(':')[0]}: {KEPT_OUT}"
    elif actual:
        result.reason = result.reason.replace(repr(actual), KEPT_OUT)
    if actual and actual != died:
        result.actual = KEPT_OUT
    if result.notes:
        result.notes = [KEPT_OUT]
    result.trace, result.place, result.script, result.wire = None, None, "", None
