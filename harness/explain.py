"""What is known of a case or a clause, put together for a reader: pure functions to JSON, and to text.

The rule and how it is read come from the ledger, who asks for it from the cases, what they have caught from
the table of mutants, and who is known to break it from the lists of the peers.
"""

from __future__ import annotations

import difflib
import fnmatch
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.catalogue import Caught, Found
from harness.clauses import Clause, Ledger
from harness.known import Entry
from harness.report.coverage import Coverage, cover

COMES_TO = {"strict": "FAIL", "non-strict": "NON_STRICT", "informational": "INFO"}
"""What a mismatch comes to by how its clause is judged."""
NO_TABLE = "not known here: tests/mutants/kill-table.txt is not part of this installation"
_WIDTH, _LABEL = 108, 10
_TOLD = ("case", "clause", "message", "reason", "link", "race")


class Unexplained(ValueError):
    """An id of neither a case nor a clause; one line names those that look alike."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What explanations are made of: `mutants` by case, None where nobody knows; `known` by peer."""

    ledger: Ledger
    cases: Mapping[str, Found]
    mutants: Mapping[str, list[Caught]] | None
    known: Mapping[str, Sequence[Entry]]

    def explain(self, name: str) -> dict[str, Any]:
        """The explanation of a case or a clause, as JSON has it. Raises Unexplained."""
        if name in self.cases:
            return self._case(self.cases[name])
        if name in self.ledger:
            return self._clause(self.ledger.get(name))
        near = difflib.get_close_matches(name, [*self.cases, *self.ledger.clauses], n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise Unexplained(f"CASE|CLAUSE: neither a case nor a clause has the id {name!r}{hint}")

    def _case(self, found: Found) -> dict[str, Any]:
        case = found.case
        return {
            "case": case.id,
            "rule": case.rule,
            "asked_of": found.asked_of,
            "place": found.place,
            "needs": list(case.needs),
            "security": case.security,
            "clauses": [_ruled(self.ledger.get(clause_id)) for clause_id in case.clauses],
            "mutants": self._caught([case.id]),
            "known": list(self._listed([case.id], "*")),
        }

    def _clause(self, clause: Clause) -> dict[str, Any]:
        row = self._coverage(clause)
        return {
            "clause": clause.id,
            **_ruled(clause),
            "status": row.state,
            "settled_by": row.settled_by.id,
            "implied_by": row.settled_by.by,
            "why": row.settled_by.why,
            "seen": list(clause.seen),
            "file": f"specs/{clause.file}",
            "cases": [{"id": case_id, "rule": self.cases[case_id].case.rule} for case_id in row.cases],
            "mutants": self._caught(row.cases),
            "known": list(self._listed(row.cases, clause.id)),
        }

    def _coverage(self, clause: Clause) -> Coverage:
        rows = cover(self.ledger, [found.case for found in self.cases.values()])
        return next(row for row in rows if row.clause is clause)

    def _caught(self, case_ids: Iterable[str]) -> list[dict[str, str]] | None:
        if self.mutants is None:
            return None
        mutants = {one.name: one.fault for case_id in case_ids for one in self.mutants.get(case_id, ())}
        return [{"name": name, "fault": fault} for name, fault in mutants.items()]

    def _listed(self, case_ids: Sequence[str], clause: str) -> Iterator[dict[str, Any]]:
        """The entries that speak of one of these cases and blame this clause ("*": whichever)."""
        for peer, entries in self.known.items():
            for entry in entries:
                blamed = clause == "*" or fnmatch.fnmatchcase(clause, entry.clause)
                if blamed and any(fnmatch.fnmatchcase(case_id, entry.case) for case_id in case_ids):
                    yield {"peer": peer} | {field: getattr(entry, field) for field in _TOLD}


def as_text(told: Mapping[str, Any]) -> list[str]:
    """An explanation, line by line."""
    return list(_case_text(told) if "case" in told else _clause_text(told))


def _ruled(clause: Clause) -> dict[str, Any]:
    return {
        "id": clause.id,
        "level": clause.level,
        "where": f"{clause.spec} ({clause.edition}), {clause.where}",
        "text": clause.text,
        "reading": clause.reading,
        "same_as": clause.same_as,
        "judged": clause.judged,
        "comes_to": COMES_TO[clause.judged],
    }


def _case_text(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['case']}: a case"
    yield from _field("rule", told["rule"])
    yield from _field("asked", f"of {told['asked_of']}; {told['place']}")
    yield from _field("needs", ", ".join(told["needs"]))
    if told["security"]:
        yield from _field("security", "who breaks it can be harmed by a stranger: see SECURITY.md")
    for number, clause in enumerate(told["clauses"]):
        yield from _field(
            "" if number else "judges", f"{clause['id']} {clause['level']}: {clause['comes_to']}"
        )
        yield from _field("", f"  {clause['where']}")
        yield from _field("", f"  {clause['text']}")
        yield from _field("", clause["reading"] and f"  read so: {clause['reading']}")
    yield from _both(told)
    yield from _field("run it", f"zconform run PEER --case '{told['case']}'")


def _clause_text(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['clause']}: a clause"
    yield from _field("rule", told["text"])
    yield from _field("level", told["level"])
    yield from _field("where", f"{told['where']}; {told['file']}")
    yield from _field("reading", told["reading"])
    yield from _field("same as", told["same_as"])
    yield from _field("judged", _how_judged(told))
    for number, case in enumerate(told["cases"]):
        yield from _field("" if number else "cases", f"{case['id']}: {case['rule']}")
    yield from _both(told)
    if told["cases"]:
        yield from _field("run it", f"zconform run PEER --clause '{told['settled_by']}'")


def _how_judged(told: Mapping[str, Any]) -> str:
    comes_to = f"{told['judged']}: {told['comes_to']} where it does not hold"
    if told["status"] == "covered":
        return comes_to
    if told["status"] == "OPEN":
        return "no case judges it yet"
    reason = f"implied by {told['implied_by']}" if told["implied_by"] else told["status"]
    return f"{reason}: {told['why'] or comes_to}"


def _both(told: Mapping[str, Any]) -> Iterator[str]:
    if told["mutants"] is None:
        yield from _field("mutants", NO_TABLE)
    for number, mutant in enumerate(told["mutants"] or ()):
        yield from _field("" if number else "mutants", f"{mutant['name']}: {mutant['fault']}")
    alike = dict.fromkeys(
        f"{entry['peer']}{', in some runs' * entry['race']}: {entry['reason']} {entry['link']}"
        for entry in told["known"]
    )
    for number, what in enumerate(alike):
        yield from _field("" if number else "known", what)


def _field(label: str, text: str | None) -> Iterator[str]:
    """A labelled text, wrapped; nothing where there is no text."""
    if not text:
        return
    indent = " " * (len(text) - len(text.lstrip()))
    lines = textwrap.wrap(text.strip(), _WIDTH - _LABEL - 2 - len(indent), break_long_words=False)
    for number, line in enumerate(lines):
        yield f"  {'' if number else label:<{_LABEL}}{indent}{line}"
