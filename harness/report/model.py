"""From what a case saw to its verdict. Pure functions: the same input gives the same verdict."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from harness.case import Case, Judge
from harness.clauses import Ledger
from harness.known import Asked, Entry
from harness.verdict import Mismatch, Place, Verdict

_BY_JUDGEMENT = {
    "strict": Verdict.FAIL,
    "non-strict": Verdict.NON_STRICT,
    "informational": Verdict.INFO,
}
_WORST_FIRST = (Verdict.FAIL, Verdict.NON_STRICT, Verdict.INFO)


@dataclass(slots=True)
class Result:
    """One verdict with everything that explains it; plain values only, so that it travels as JSON."""

    id: str
    param: str
    peers: list[str]
    verdict: str
    clauses: list[str]
    rule: str = ""
    blamed: str = ""
    level: str = ""
    expected: str = ""
    actual: str = ""
    reason: str = ""
    link: str = ""
    notes: list[str] = field(default_factory=list)
    security: bool = False
    duration_s: float = 0.0
    peer_s: float = 0.0
    trace: str | None = None
    seed: int = 0
    again: str = ""
    cast: dict[str, str] = field(default_factory=dict)
    place: dict[str, Any] | None = None
    script: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as results.json has it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def asked(self) -> Asked:
        """What was asked of whom."""
        return Asked(self.id, self.param, self.peers, self.cast)

    @property
    def is_of_pair(self) -> bool:
        """Whether two peers were asked against each other; those of a scenario have a cast instead."""
        return len(self.peers) > 1 and not self.cast

    @property
    def family(self) -> str:
        """The first two parts of the case's id."""
        return self.id.rsplit("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what it rests on; `place` is where in the trace it shows."""

    verdict: Verdict
    blamed: str = ""
    level: str = ""
    expected: str = ""
    actual: str = ""
    reason: str = ""
    link: str = ""
    place: Place | None = None


def judge_case(case: Case, ledger: Ledger, error: AssertionError | None, judge: Judge) -> Judgement:
    """The verdict for a case that ran: the worst of what did not hold, by its clause's level."""
    mismatches = [*judge.findings, *([_as_mismatch(error)] if error is not None else [])]
    judged = [_judge_mismatch(case, ledger, mismatch) for mismatch in mismatches]
    for verdict in _WORST_FIRST:
        for judgement in judged:
            if judgement.verdict is verdict:
                return judgement
    informational = ledger.get(case.clauses[0]).judged == "informational"
    return Judgement(Verdict.INFO if informational else Verdict.PASS)


def _as_mismatch(error: AssertionError) -> Mismatch:
    if isinstance(error, Mismatch):
        return error
    return Mismatch("the assertion holds", str(error).splitlines()[0] if str(error) else "it does not")


def _judge_mismatch(case: Case, ledger: Ledger, mismatch: Mismatch) -> Judgement:
    clause = ledger.get(mismatch.clause or case.clauses[0])
    return Judgement(
        verdict=Verdict.FAIL if mismatch.fatal else _BY_JUDGEMENT[clause.judged],
        blamed=clause.id,
        level=clause.level,
        expected=mismatch.expected,
        actual=mismatch.actual,
        reason=clause.text,
        place=mismatch.place,
    )


def apply_known(judgement: Judgement, entries: list[Entry]) -> Judgement:
    """The verdict after the entries that speak of this case in the lists of known deviations.

    That is one, or of several peers one of each (see harness.known): that one of them agrees is enough.
    What several cannot be asked may be a partner's lack, and a binding need not reach all of its library:
    nothing to complain about.
    """
    if not entries or judgement.verdict is Verdict.ERROR:
        return judgement
    shared = entries[0].is_interop or entries[0].is_guide
    if judgement.verdict is Verdict.UNSUPPORTED and (shared or entries[0].included):
        return judgement
    entry = entries[0]
    if judgement.verdict in (Verdict.FAIL, Verdict.NON_STRICT):
        changed = [one.agrees(judgement.blamed, judgement.actual) for one in entries]
        if None in changed:
            agreeing = entries[changed.index(None)]
            return _with(judgement, Verdict.KNOWN, agreeing.reason, agreeing.link)
        return _with(judgement, judgement.verdict, f"{entry.file}: {changed[0]}", entry.link)
    if any(one.race for one in entries):
        return judgement
    problem = f"{entry.file}: {entry.case} is listed as a known deviation, but came out {judgement.verdict}"
    return Judgement(
        Verdict.FAIL, entry.clause, "", "the known deviation", judgement.verdict.value, problem, entry.link
    )


def _with(judgement: Judgement, verdict: Verdict, reason: str, link: str) -> Judgement:
    return Judgement(
        verdict,
        judgement.blamed,
        judgement.level,
        judgement.expected,
        judgement.actual,
        reason,
        link,
        judgement.place,
    )


def is_red(result: Result, strict: bool = False) -> bool:
    """Whether a verdict makes the run fail."""
    red = {Verdict.FAIL, Verdict.ERROR} | ({Verdict.NON_STRICT} if strict else set())
    return Verdict(result.verdict) in red
