"""From stored results and today's lists to what makes the gate red. A pure function of its arguments.

The verdicts that a run gave before it looked at its lists are held against the lists as they are now: who
lists a failure, or takes an entry away, need not run anything again to see the gate turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from harness.gate.findings import (
    Finding,
    Kind,
    Remedy,
    Table,
    literal,
    message_pattern,
    new_table,
    table_of,
)
from harness.known import MOST_CASES, Entry, find, greedy, overdue, unmatched
from harness.report.model import Held, Key, Result, Standing, hold_against, is_red
from harness.report.rates import Rate, rates
from harness.report.record import Record
from harness.report.run import note_met, partners_of
from harness.report.secrecy import KEPT_OUT
from harness.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Lists:
    """What is listed: the entries by peer, the file that each peer's new entries belong into, and the peers
    that the gate is for (its `--expect`); their partners' lists are not where new entries go."""

    known: Mapping[str, list[Entry]]
    files: Mapping[str, Path] = field(default_factory=dict)
    own: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """What came of it: red where there are findings. `listed` results failed as they are listed."""

    record: Record
    lists: Lists
    findings: list[Finding]
    listed: int
    rates: list[Rate]

    @property
    def red(self) -> bool:
        """Whether the gate is shut."""
        return bool(self.findings)


_Whom = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
_Group = tuple[Kind, _Whom, str, str, str, int]


def judge_run(record: Record, lists: Lists, today: date, baseline: Record | None = None) -> Gate:
    """Hold a run against lists, dates and an earlier run."""
    fresh = {name: _fresh(entries) for name, entries in lists.known.items()}
    judging = _Judging(record, replace(lists, known=fresh), today)
    for result in record.results:
        judging.take(result)
    findings = [
        *_broken_off(record),
        *judging.of_results(),
        *judging.of_lists(),
        *(_missing(record, baseline) if baseline is not None else ()),
    ]
    return Gate(record, judging.lists, findings, judging.listed, list(judging.rates.values()))


def _fresh(entries: Iterable[Entry]) -> list[Entry]:
    return [replace(entry, cases_met=set(), cases_swallowed=set()) for entry in entries]


class _Judging:
    """One pass over the results: like findings are gathered, then told once."""

    def __init__(self, record: Record, lists: Lists, today: date) -> None:
        self.record, self.lists, self.today = record, lists, today
        self.versions = record.versions()
        raw = (replace(result, verdict=result.came_out.value) for result in record.results)
        self.rates: dict[Key, Rate] = {rate.key: rate for rate in rates(raw)}
        self.listed = 0
        self.agreed: set[int] = set()
        self.groups: dict[_Group, list[tuple[Result, Held]]] = {}
        self.params: dict[tuple[_Whom, str], set[str]] = {}

    def take(self, result: Result) -> None:
        """Hold one result against the lists."""
        self.params.setdefault((_whom(result), result.id), set()).add(result.param)
        entries = find(self.lists.known, result.asked, self.versions)
        held = _hold(result, entries)
        agrees = held.standing is Standing.AGREES
        verdict = Verdict.KNOWN if agrees else result.came_out
        note_met(self.lists.known, replace(result, verdict=verdict.value), self.versions)
        if agrees:
            self.listed += 1
            self.agreed.add(id(held.entry))
        kind = _kind(replace(result, verdict=verdict.value), held, self.record.strict)
        if kind is not None:
            told = kind in (Kind.FAILURE, Kind.CHANGED, Kind.ERROR)
            same = (result.blamed, message_pattern(result.actual)) if told else ("", "")
            group = (kind, _whom(result), result.id, *same, id(held.entry))
            self.groups.setdefault(group, []).append((result, held))

    def of_results(self) -> Iterator[Finding]:
        """What the results showed, in the order in which it first came."""
        for (kind, *_), mine in self.groups.items():
            if kind in (Kind.FAILURE, Kind.ERROR):
                yield self._failure(kind, [result for result, _ in mine])
            elif kind is Kind.CHANGED:
                yield self._changed(mine)
            else:
                yield self._passed(kind, mine)

    def of_lists(self) -> Iterator[Finding]:
        """What is wrong with the lists themselves. That an entry met nothing can be told of a whole run."""
        for peer, entries in self.lists.known.items():
            version = self.versions.get(peer, "")
            if self.record.complete:
                singly = any(result.peers == [peer] and not result.cast for result in self.record.results)
                partners = partners_of(peer, self.record.results)
                for entry in unmatched(entries, singly, partners, version):
                    yield _of_entry(
                        Kind.UNMATCHED, peer, entry, "no case was run that it speaks of", Remedy.DELETE
                    )
            for entry in greedy(entries):
                hidden = f"it hides {len(entry.cases_swallowed)} cases, and may hide {MOST_CASES}: say which"
                yield _of_entry(Kind.GREEDY, peer, entry, hidden)
            for entry in overdue(entries, self.today):
                yield _of_entry(
                    Kind.OVERDUE, peer, entry, f"it was to stand until {entry.until}", Remedy.DELETE
                )

    def _owner(self, result: Result, entry: Entry | None = None) -> tuple[str, str, dict[str, str]]:
        """Whose list a result (and an entry of it) belongs to, the partner there, and its case's parameters
        as that peer has them."""
        own = next((name for name in result.peers if name in self.lists.own), result.peers[0])
        if entry is not None:
            known = self.lists.known
            own = next(name for name in result.peers if any(each is entry for each in known.get(name, ())))
        seen: dict[str, str] = {}
        partner = ""
        for param in sorted(self.params[_whom(result), result.id]):
            others, seen[param] = next(
                (others, viewed)
                for name, others, viewed in replace(result.asked, param=param).views()
                if name == own
            )
            partner = others[0] if len(others) == 1 else ""
        return own, partner, seen

    def _rate(self, results: Iterable[Result]) -> str:
        """How often the verdicts came where the items of a finding were asked more than once and differed."""
        told = {result.key: self.rates[result.key] for result in results if result.key in self.rates}
        return "; ".join(dict.fromkeys(str(rate) for rate in told.values() if rate.changes))

    def _table(
        self, results: Sequence[Result], entry: Entry | None = None
    ) -> tuple[str, tuple[str, ...], Table]:
        """Whose list an entry for these like results belongs into, their parameters, and the entry."""
        first = results[0]
        own, partner, seen = self._owner(first, entry)
        params = tuple(dict.fromkeys(seen[result.param] for result in results))
        every = None if set(params) == set(seen.values()) else params
        return own, params, new_table(first, every, partner, bool(self._rate(results)), self.today)

    def _failure(self, kind: Kind, results: list[Result]) -> Finding:
        own, params, table = self._table(results)
        first, rate = results[0], self._rate(results)
        if kind is Kind.ERROR:
            return Finding(kind, own, first.reason, first.id, params, rate=rate)
        return Finding(kind, own, _told(first), first.id, params, Remedy.PASTE, table=table, rate=rate)

    def _changed(self, mine: list[tuple[Result, Held]]) -> Finding:
        """The entry is replaced where nothing agrees with it any more; else a narrower one goes before it."""
        results, (_, held) = [result for result, _ in mine], mine[0]
        entry = held.entry
        assert entry is not None
        own, params, table = self._table(results, entry)
        table |= {"reason": entry.reason, "link": entry.link}
        several = sum(id(entry) == group[-1] for group in self.groups) > 1
        whole = id(entry) not in self.agreed and not several
        remedy = Remedy.PASTE if entry.included else Remedy.REPLACE if whole else Remedy.ABOVE
        what, rate = f"{held.change} ({_told(results[0])})", self._rate(results)
        return Finding(Kind.CHANGED, own, what, results[0].id, params, remedy, entry, table, rate)

    def _passed(self, kind: Kind, mine: list[tuple[Result, Held]]) -> Finding:
        """The entry goes where nothing agrees with it any more; else it leaves these parameters out."""
        results, (first, held) = [result for result, _ in mine], mine[0]
        entry = held.entry
        assert entry is not None
        own, _, seen = self._owner(first, entry)
        params = tuple(dict.fromkeys(seen[result.param] for result in results))
        rate, what = self._rate(results), f"it is listed, and came out {first.came_out}"
        made = Finding(kind, own, what, first.id, params, Remedy.DELETE, entry, rate=rate)
        if entry.included:
            return replace(made, remedy=Remedy.EXCEPT)
        if rate and kind is Kind.PASS:
            return replace(made, remedy=Remedy.REPLACE, table=table_of(entry, race=True))
        if id(entry) not in self.agreed:
            return made
        if entry.case != first.id:
            return replace(made, remedy=Remedy.NONE, what=f"{what}: the entry has to name the other cases")
        if entry.is_interop:
            return replace(made, remedy=Remedy.NONE, what=f"{what}: the entry has to leave this partner out")
        globs = [entry.param] if isinstance(entry.param, str) else list(entry.param)
        left_out = [*globs, *(f"!{literal(param)}" for param in params)]
        return replace(made, remedy=Remedy.REPLACE, table=table_of(entry, param=left_out))


def _whom(result: Result) -> _Whom:
    """Who was asked, and in which roles."""
    return tuple(result.peers), tuple(result.cast.items())


def _hold(result: Result, entries: list[Entry]) -> Held:
    """What was kept out of a result cannot be compared: the run did that, when it had it."""
    if result.actual == KEPT_OUT and result.verdict == Verdict.KNOWN:
        for entry in entries:
            if replace(entry, message="").agrees(result.blamed, "") is None:
                return Held(Standing.AGREES, entry)
    return hold_against(result.came_out, result.blamed, result.actual, entries)


def _kind(result: Result, held: Held, strict: bool) -> Kind | None:
    match held.standing:
        case Standing.CHANGED:
            return Kind.CHANGED
        case Standing.PASSED:
            return Kind.PASS
        case Standing.SKIPPED:
            return Kind.SKIPPED
        case _:
            if result.verdict == Verdict.ERROR:
                return Kind.ERROR
            return Kind.FAILURE if is_red(result, strict) else None


def _told(result: Result) -> str:
    return f"expected {result.expected}, got {result.actual} [{result.blamed}]"


def _of_entry(kind: Kind, peer: str, entry: Entry, what: str, remedy: Remedy = Remedy.NONE) -> Finding:
    params = (entry.param,) if isinstance(entry.param, str) else tuple(entry.param)
    return Finding(kind, peer, what, entry.case, params, remedy, entry)


def _broken_off(record: Record) -> Iterator[Finding]:
    if not record.results:
        yield Finding(Kind.BROKEN_OFF, "", "there is no verdict at all")
    elif not record.ended:
        yield Finding(Kind.BROKEN_OFF, "", f"the run ended after {len(record.results)} verdicts")


def _missing(record: Record, baseline: Record) -> Iterator[Finding]:
    """What the baseline judged and this run did not: it is gone, or has become UNSUPPORTED."""
    now = {result.key: result.came_out for result in record.results}
    gone: dict[tuple[tuple[str, ...], str, str], list[str]] = {}
    for result in baseline.results:
        was, come = result.came_out, now.get(result.key)
        if come is None or (come is Verdict.UNSUPPORTED and was is not Verdict.UNSUPPORTED):
            what = "it is not in this run" if come is None else "it is UNSUPPORTED now"
            params = gone.setdefault((tuple(result.peers), result.id, what), [])
            params += [] if result.param in params else [result.param]
    for (peers, case, what), params in gone.items():
        yield Finding(Kind.MISSING, " with ".join(peers), f"the baseline has it, {what}", case, tuple(params))
