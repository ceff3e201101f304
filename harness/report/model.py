"""From what a case saw to its verdict. Pure functions: the same input gives the same verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, NamedTuple

from harness.case import Case, Judge
from harness.clauses import Ledger
from harness.known import Asked, Entry
from harness.verdict import Mismatch, Place, Verdict

_BY_JUDGEMENT = {
    "strict": Verdict.FAIL,
    "non-strict": Verdict.NON_STRICT,
    "informational": Verdict.INFO,
}
Key = tuple[tuple[str, ...], str, str]
"""An item of a run: its peers, the case's id, the parameters."""
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
    found: str = ""
    wire: dict[str, Any] | None = None

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

    @property
    def key(self) -> Key:
        """What was asked of whom: the same in each run, and in each repetition of one."""
        return tuple(self.peers), self.id, self.param

    @property
    def came_out(self) -> Verdict:
        """The verdict before known deviations were looked at; `found` is it, where somebody wrote it down."""
        if self.found:
            return Verdict(self.found)
        return Verdict.FAIL if self.verdict == Verdict.KNOWN else Verdict(self.verdict)

    def named(self) -> str:
        """The case with its parameters, as "zmtp/greeting/sent-first[peer-binds]"."""
        return f"{self.id}[{self.param}]" if self.param else self.id


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what it rests on; `place` is where in the trace it shows.

    `found` is the verdict before known deviations were looked at, where these changed anything.
    """

    verdict: Verdict
    blamed: str = ""
    level: str = ""
    expected: str = ""
    actual: str = ""
    reason: str = ""
    link: str = ""
    place: Place | None = None
    found: Verdict | None = None


class Standing(StrEnum):
    """How a verdict stands to the list of known deviations."""

    UNLISTED = "unlisted"
    AGREES = "agrees"
    CHANGED = "changed"
    PASSED = "passed"
    SKIPPED = "skipped"


class Held(NamedTuple):
    """How a verdict stands to the entries that speak of it, to which of them, and what has changed."""

    standing: Standing
    entry: Entry | None = None
    change: str = ""


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


def hold_against(verdict: Verdict, blamed: str, actual: str, entries: Sequence[Entry]) -> Held:
    """How a verdict stands to the entries that speak of its case in the lists of known deviations.

    That is one, or of several peers one of each (see harness.known): that one of them agrees is enough.
    What several cannot be asked may be a partner's lack, a binding need not reach all of its library, and
    a race may pass: nothing to complain about.
    """
    if not entries or verdict is Verdict.ERROR:
        return Held(Standing.UNLISTED)
    entry = entries[0]
    if verdict in (Verdict.FAIL, Verdict.NON_STRICT):
        changes = [one.agrees(blamed, actual) for one in entries]
        if None in changes:
            return Held(Standing.AGREES, entries[changes.index(None)])
        return Held(Standing.CHANGED, entry, str(changes[0]))
    if verdict is Verdict.UNSUPPORTED and (entry.is_interop or entry.is_guide or entry.included):
        return Held(Standing.UNLISTED)
    if any(one.race for one in entries):
        return Held(Standing.UNLISTED)
    return Held(Standing.SKIPPED if verdict is Verdict.UNSUPPORTED else Standing.PASSED, entry)


def apply_known(judgement: Judgement, entries: list[Entry]) -> Judgement:
    """The verdict after the entries that speak of this case: what is listed is KNOWN, what changed is red."""
    found = judgement.verdict
    standing, entry, change = hold_against(found, judgement.blamed, judgement.actual, entries)
    if entry is None:
        return judgement
    if standing is Standing.AGREES:
        return replace(judgement, verdict=Verdict.KNOWN, reason=entry.reason, link=entry.link, found=found)
    if standing is Standing.CHANGED:
        return replace(judgement, reason=f"{entry.file}: {change}", link=entry.link)
    problem = f"{entry.file}: {entry.case} is listed as a known deviation, but came out {found}"
    return Judgement(
        verdict=Verdict.FAIL,
        blamed=entry.clause,
        expected="the known deviation",
        actual=found.value,
        reason=problem,
        link=entry.link,
        found=found,
    )


def is_red(result: Result, strict: bool = False) -> bool:
    """Whether a verdict makes the run fail."""
    red = {Verdict.FAIL, Verdict.ERROR} | ({Verdict.NON_STRICT} if strict else set())
    return Verdict(result.verdict) in red
