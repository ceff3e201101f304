"""A past run's conversations judged again, and what comes out otherwise.

What can be judged again is what rests on the recorded wire: the checks that hold for any trace
(`harness.wire.checks`). A verdict that came from what an application saw, or from what a case itself asked,
needs the peer; it stands as it was, and only its wire is looked at. Results without a stored conversation, or
without who sat at its ends, are not judged again. Nothing of this is guessed: each result says which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.clauses import Ledger
from harness.report.model import Result
from harness.report.record import Record
from harness.report.wire import WireFinding, look, stored
from harness.verdict import Verdict
from harness.wire.captured import CaptureError, read_capture

FORMAT = "zconform-rejudged"
VERSION = 1
OPEN = "open"
"""In place of a verdict: what it rested on is gone, and only the peer could say what is true instead."""
_BY_JUDGEMENT = {"strict": Verdict.FAIL, "non-strict": Verdict.NON_STRICT, "informational": Verdict.INFO}
_WORST_FIRST = (Verdict.FAIL, Verdict.NON_STRICT, Verdict.INFO)


class How(StrEnum):
    """How much of a result was judged again."""

    WHOLE = "judged again"
    WIRE = "its wire alone: the verdict came from what was seen outside it, and stands"
    NO_CAPTURE = "no conversation is stored"
    NO_ENDS = "who sat at the ends is not stored"
    UNREADABLE = "the conversation cannot be read"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result and what became of it. `before` and `now` are verdicts without regard to known deviations.

    `gained` and `lost` are findings on the wire: now and not then, then and not now.
    """

    result: Result
    how: How
    before: str
    now: str
    gained: Sequence[WireFinding] = ()
    lost: Sequence[WireFinding] = ()
    detail: str = ""

    @property
    def differs(self) -> bool:
        """Whether anything came out otherwise than in the run."""
        return self.before != self.now or bool(self.gained or self.lost)

    @property
    def looked_at(self) -> bool:
        """Whether anything was judged again."""
        return self.how in (How.WHOLE, How.WIRE)


def rejudge(record: Record, ledger: Ledger) -> list[Outcome]:
    """Every result of a run with what today's checks say of it."""
    assert record.source is not None
    return [_rejudge(result, record.source.parent, ledger) for result in record.results]


def _rejudge(result: Result, folder: Path, ledger: Ledger) -> Outcome:
    before = result.came_out.value
    if result.trace is None:
        return Outcome(result, How.NO_CAPTURE, before, before)
    if result.wire is None:
        return Outcome(result, How.NO_ENDS, before, before)
    try:
        trace = read_capture(folder / result.trace).trace
    except (CaptureError, OSError) as error:
        return Outcome(result, How.UNREADABLE, before, before, detail=str(error))
    ends, then = stored(result.wire)
    between_peers = len(result.peers) > 1
    now = look(trace, ends, between_peers)
    gained = [each for each in now if each.key not in {one.key for one in then}]
    lost = [each for each in then if each.key not in {one.key for one in now}]
    rested_on = next((each for each in then if _is_verdict_of(each, result)), None)
    if rested_on is not None:
        stands = rested_on in now or rested_on.key in {one.key for one in now}
        left = [rested_on] if stands else [each for each in gained if between_peers]
        verdict = _worst(left, ledger, Verdict.PASS.value if between_peers else OPEN)
        return Outcome(result, How.WHOLE, before, verdict, gained, lost)
    if between_peers and result.came_out is Verdict.PASS:
        return Outcome(result, How.WHOLE, before, _worst(gained, ledger, before), gained, lost)
    return Outcome(result, How.WIRE, before, before, gained, lost)


def _is_verdict_of(finding: WireFinding, result: Result) -> bool:
    """Whether a result blames just this finding: a peer beside another is named in front of it."""
    said = (finding.message, f"{finding.peer}: {finding.message}")
    return finding.clause == result.blamed and result.actual in said


def _worst(findings: Sequence[WireFinding], ledger: Ledger, otherwise: str) -> str:
    """What the worst of these is worth by today's ledger."""
    worth = {
        _BY_JUDGEMENT[ledger.get(each.clause).judged] for each in findings if each.clause in ledger.clauses
    }
    return next((verdict.value for verdict in _WORST_FIRST if verdict in worth), otherwise)


# -- text and JSON -------------------------------------------------------------------------------


def as_json(record: Record, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All results as one JSON object for machines."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "source": str(record.source),
        "counts": {how.name.lower(): sum(each.how is how for each in outcomes) for how in How},
        "differ": sum(each.differs for each in outcomes),
        "results": [_outcome_json(each) for each in outcomes],
    }


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    result = outcome.result
    return {
        "id": result.id,
        "param": result.param,
        "peers": result.peers,
        "judged": outcome.how.name.lower(),
        "before": outcome.before,
        "now": outcome.now,
        "gained": [each._asdict() for each in outcome.gained],
        "lost": [each._asdict() for each in outcome.lost],
        "detail": outcome.detail,
    }


def as_text(record: Record, outcomes: Sequence[Outcome]) -> list[str]:
    """What came out otherwise, and how much could be judged again."""
    lines: list[str] = []
    for each in (one for one in outcomes if one.differs):
        change = each.before if each.before == each.now else f"{each.before} -> {each.now}"
        lines.append(f"{change}  {each.result.named()}  {':'.join(each.result.peers)}")
        lines += [f"    found now: {finding}" for finding in each.gained]
        lines += [f"    found no longer: {finding}" for finding in each.lost]
    for how in How:
        count = sum(each.how is how for each in outcomes)
        lines += [f"{count} of {len(outcomes)}: {how.value}"] * bool(count)
        if how is How.UNREADABLE:
            lines += [f"    {each.detail}" for each in outcomes if each.how is how]
    differ = sum(each.differs for each in outcomes)
    lines.append(f"{record.source}: {differ} differ" if differ else f"{record.source}: nothing differs")
    return lines
