"""What the page knows: a run as small tables of plain values, which travel as JSON.

Verdicts stand in one text for each subject (a peer, a pair, a cast), a letter for each item (a case with its
parameters). Only what is not a bare PASS has a row of its own. Texts stand once (see `texts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from harness.clauses import Clause, Ledger
from harness.report.coverage import cover
from harness.report.html.source import PastRun
from harness.report.html.texts import Texts, expand
from harness.report.model import Result
from harness.verdict import Verdict

LETTERS: Mapping[str, str] = {
    Verdict.PASS: "P", Verdict.FAIL: "F", Verdict.NON_STRICT: "N", Verdict.INFO: "I",
    Verdict.UNSUPPORTED: "U", Verdict.KNOWN: "K", Verdict.ERROR: "E",
}  # fmt: skip
NOT_ASKED = "."
_SEED = " --seed "


class Item(NamedTuple):
    """A case with its parameters; `nth` counts how often a run had asked it of the same subject before."""

    case: str
    param: str
    nth: int


class Subject(NamedTuple):
    """Who was asked: the peers in order, and in a scenario who played which role."""

    peers: tuple[str, ...]
    cast: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """The peers as an item names them."""
        return ":".join(self.peers)


@dataclass(slots=True)
class _CitedCase:
    """A case as the coverage wants it."""

    id: str
    clauses: Sequence[str]


@dataclass(slots=True)
class Tables:
    """The tables of one run while they grow; `as_json` is what the page gets."""

    run: PastRun
    ledger: Ledger
    texts: Texts = field(default_factory=Texts)
    asked: dict[Subject, dict[Item, Result]] = field(default_factory=dict)
    items: dict[Item, int] = field(default_factory=dict)
    clauses: dict[str, int] = field(default_factory=dict)
    cases: dict[str, Result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asked = sort_out(self.run.results)
        every = sorted({item for mine in self.asked.values() for item in mine})
        self.items = {item: n for n, item in enumerate(every)}
        for result in self.run.results:
            self.cases.setdefault(result.id, result)
        cited = [name for one in self.run.results for name in (*one.clauses, one.blamed) if name]
        self.clauses = {name: n for n, name in enumerate(dict.fromkeys([*self.ledger.clauses, *cited]))}

    def as_json(self, rows: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
        """All tables; `rows` has what belongs to single results beside their fields, by `id()` of these."""
        numbers = {name: n for n, name in enumerate(sorted(self.run.peers))}
        cases = {name: n for n, name in enumerate(sorted(self.cases))}
        patterns = self._commands()
        details: list[list[Any]] = []
        subjects = [
            self._subject(n, one, numbers, patterns, details, rows) for n, one in enumerate(self.asked)
        ]
        return {
            "run": self._head(),
            "peers": [[name, *about.values()] for name, about in sorted(self.run.peers.items())],
            "clauses": self._clauses(cases),
            "cases": [self._case(name) for name in cases],
            "items": [
                [cases[item.case], item.param, item.nth, self.texts.number(patterns[item])]
                for item in self.items
            ],
            "subjects": subjects,
            "details": details,
            "texts": self.texts.all,
        }

    def _head(self) -> dict[str, Any]:
        run = self.run
        return {
            "version": run.version, "started": run.started, "duration_s": run.duration_s, "seed": run.seed,
            "strict": run.strict, "complete": run.complete, "ended": run.ended, "problems": run.problems,
        }  # fmt: skip

    def _case(self, name: str) -> list[Any]:
        first = self.cases[name]
        return [name, self.texts.number(first.rule), [self.clauses[clause] for clause in first.clauses]]

    def _clauses(self, cases: Mapping[str, int]) -> list[list[Any]]:
        """Each clause: id, level, spec, where, text, reading, how judged, state, what settles it, cases.

        One that the ledger has no more has its id alone.
        """
        known = [
            _CitedCase(name, [clause for clause in one.clauses if clause in self.ledger])
            for name, one in self.cases.items()
        ]
        rows = [
            [
                *_clause_fields(row.clause, self.texts),
                row.state,
                row.settled_by.by or (row.settled_by.id if row.settled_by is not row.clause else ""),
                [cases[name] for name in row.cases],
            ]
            for row in cover(self.ledger, known)
        ]
        return [*rows, *([name] for name in list(self.clauses)[len(rows) :])]

    def _commands(self) -> dict[Item, str]:
        """For each item the command that asks it again, up to its seed, with the peers' names left out."""
        patterns: dict[Item, str] = {}
        for subject, mine in self.asked.items():
            for item, result in mine.items():
                if item not in patterns:
                    patterns[item] = self.texts.all[self.texts.pattern(_again(result)[0], subject.label)]
        return patterns

    def _subject(
        self,
        number: int,
        subject: Subject,
        numbers: Mapping[str, int],
        patterns: Mapping[Item, str],
        details: list[list[Any]],
        rows: Mapping[int, Mapping[str, Any]],
    ) -> list[Any]:
        """Peers, cast, number of the first item, letters, why each U is one, the command's end, seconds."""
        mine = self.asked[subject]
        places = {self.items[item]: item for item in mine}
        first, last = min(places), max(places)
        pattern = partial(self.texts.pattern, label=subject.label)
        tail = pattern(_again(next(iter(mine.values())))[1])
        letters = [NOT_ASKED] * (last - first + 1)
        reasons: list[int] = []
        for at in sorted(places):
            item, result = places[at], mine[places[at]]
            letters[at - first] = LETTERS[result.verdict]
            whole = expand(patterns[item] + self.texts.all[tail], subject.label)
            again = 0 if result.again == whole else self.texts.number(result.again)
            beside = rows.get(id(result), {})
            if result.verdict == Verdict.UNSUPPORTED:
                _repeat(reasons, pattern(result.reason))
            if again or beside or (result.verdict != Verdict.UNSUPPORTED and not _is_bare(result)):
                details.append([number, at, *self._detail(result, again), beside])
        cast = [[role, numbers[peer]] for role, peer in subject.cast]
        seconds = round(sum(result.duration_s for result in mine.values()), 3)
        return [[numbers[p] for p in subject.peers], cast, first, "".join(letters), reasons, tail, seconds]

    def _detail(self, result: Result, again: int) -> list[Any]:
        """Blamed clause or -1, level, expected, actual, reason, link, notes, security, ms, own command."""
        number = self.texts.number
        return [
            self.clauses[result.blamed] if result.blamed else -1,
            number(result.level),
            number(result.expected),
            number(result.actual),
            number(result.reason),
            number(result.link),
            [number(note) for note in result.notes],
            int(result.security),
            round(result.duration_s * 1000, 1),
            again,
        ]


def sort_out(results: Sequence[Result]) -> dict[Subject, dict[Item, Result]]:
    """The results by who was asked and by what; the same asked again is an item of its own."""
    asked: dict[Subject, dict[Item, Result]] = {}
    seen: Counter[tuple[Subject, str, str]] = Counter()
    for result in results:
        subject = Subject(tuple(result.peers), tuple(sorted(result.cast.items())))
        item = Item(result.id, result.param, seen[subject, result.id, result.param])
        seen[subject, result.id, result.param] += 1
        asked.setdefault(subject, {})[item] = result
    return {subject: asked[subject] for subject in sorted(asked)}


def _clause_fields(clause: Clause, texts: Texts) -> list[Any]:
    said = (clause.spec, clause.where, clause.text, clause.reading or clause.why or "")
    return [clause.id, clause.level, *map(texts.number, said), clause.judged]


def _again(result: Result) -> tuple[str, str]:
    """The command in two: what is asked, and how."""
    head, seed, tail = result.again.partition(_SEED)
    return head, seed + tail


def _is_bare(result: Result) -> bool:
    """Whether the verdict says all."""
    said = (
        result.blamed,
        result.expected,
        result.actual,
        result.reason,
        result.link,
        result.notes,
        result.trace,
    )
    return not any(said)


def _repeat(runs: list[int], value: int) -> None:
    """Add a value to a list of values and how often each comes in a row."""
    if len(runs) > 1 and runs[-2] == value:
        runs[-1] += 1
    else:
        runs += [value, 1]
