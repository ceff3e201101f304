"""The coverage of the ledger: for every clause the cases that judge it, or why none has to.

Pure functions from the ledger and the cases to text. The text is committed as ``specs/coverage.txt``, so that
a clause that loses its last case shows in a diff. Every number in it can be counted again from its lines.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, Protocol, get_args

from harness.clauses import Clause, Ledger, Level, UnknownClause

State = Literal["covered", "implied", "permission", "ambiguous", "unobservable", "optional", "OPEN"]
"""What a clause stands at: its status, or else covered by a case, or else open."""

NAMED_CASES = 3
"""So many cases are named on a line; the others are counted."""

_INTRODUCTION = """\
# Every clause of the specifications, its level, and the cases that judge it or the reason why none has to.
# Generated from the clause files and the cases: do not edit.
# "as ID" is a clause of another edition that says the same: what stands there counts here.
# OPEN is a clause that needs a case and has none.
"""


class CitingCase(Protocol):
    """What the coverage asks of a case: its id, and the ids of the clauses that it judges."""

    @property
    def id(self) -> str:
        """Pattern/subject/rule."""

    @property
    def clauses(self) -> Sequence[str]:
        """The ids of clauses."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One clause: what it stands at, the clause that settles this, and the cases that judge it.

    `settled_by` is the clause itself or, where that has neither a status nor a case of its own, the clause
    that `same_as` leads to. `cases` are ids in alphabetical order, each once, also those that judge a twin.
    """

    clause: Clause
    state: State
    settled_by: Clause
    cases: tuple[str, ...]


def cover(ledger: Ledger, cases: Iterable[CitingCase]) -> tuple[Coverage, ...]:
    """The coverage of every clause, in the ledger's order; raises `UnknownClause` for an id no file has."""
    citing = _citations(ledger, cases)
    return tuple(_cover_one(ledger, clause, citing) for clause in ledger)


def render_coverage(ledger: Ledger, cases: Iterable[CitingCase]) -> str:
    """The text of ``specs/coverage.txt``, with a line feed at its end."""
    rows = cover(ledger, cases)
    width = max((len(row.clause.id) for row in rows), default=0)
    blocks = ["\n".join(_heading("all specifications", rows))]
    for spec, group in groupby(rows, key=lambda row: row.clause.spec):
        members = tuple(group)
        title = f"{spec} ({', '.join(dict.fromkeys(row.clause.edition for row in members))})"
        blocks.append("\n".join([*_heading(title, members), *(_line(row, width) for row in members)]))
    return f"{_INTRODUCTION}\n" + "\n\n".join(blocks) + "\n"


def _citations(ledger: Ledger, cases: Iterable[CitingCase]) -> Mapping[str, set[str]]:
    citing: defaultdict[str, set[str]] = defaultdict(set)
    for case in cases:
        for clause_id in case.clauses:
            try:
                citing[ledger.get(clause_id).id].add(case.id)
            except UnknownClause as error:
                error.add_note(f"cited by the case {case.id}")
                raise
    return citing


def _cover_one(ledger: Ledger, clause: Clause, citing: Mapping[str, set[str]]) -> Coverage:
    chain = list(_chain(ledger, clause))
    cases = sorted(set().union(*(citing.get(link.id, ()) for link in chain)))
    settled_by = next((link for link in chain if link.status or link.id in citing), chain[-1])
    state: State = settled_by.status or ("covered" if cases else "OPEN")
    return Coverage(clause, state, settled_by, tuple(cases))


def _chain(ledger: Ledger, clause: Clause) -> Iterator[Clause]:
    """The clause and, one after another, the clauses that `same_as` leads to."""
    yield clause
    while clause.same_as is not None:
        clause = ledger.get(clause.same_as)
        yield clause


def _heading(title: str, rows: Sequence[Coverage]) -> list[str]:
    levels: Counter[str] = Counter(row.clause.level for row in rows)
    states: Counter[str] = Counter(row.state for row in rows)
    return [
        f"{title}: {len(rows)} clauses",
        f"  by level: {_counted(levels, get_args(Level))}",
        f"  by state: {_counted(states, get_args(State))}",
    ]


def _counted(counts: Mapping[str, int], order: Sequence[str]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in order if counts.get(name)) or "none"


def _line(row: Coverage, width: int) -> str:
    twin = f"as {row.settled_by.id}: " if row.settled_by is not row.clause else ""
    return f"  {row.clause.id:<{width}}  {row.clause.level:<10}  {twin}{_standing(row)}"


def _standing(row: Coverage) -> str:
    if row.state in ("covered", "OPEN"):
        return _named(row.cases) or "OPEN"
    reason = f"implied by {row.settled_by.by}" if row.state == "implied" else row.state
    return f"{reason}; {_named(row.cases)}" if row.cases else reason


def _named(cases: Sequence[str]) -> str:
    more = f" +{len(cases) - NAMED_CASES}" if len(cases) > NAMED_CASES else ""
    return ", ".join(cases[:NAMED_CASES]) + more
