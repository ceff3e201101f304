"""What is different between two runs, told: as text for people, as JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.compare import Change, Kind, compare
from harness.report.model import Result
from harness.report.record import Record
from harness.report.text import printable

FORMAT, SCHEMA = "zconform-diff", 1
MOST_LINES = 40
WORSE = (Kind.NEW_FAILURE, Kind.CHANGED, Kind.UNSUPPORTED, Kind.NOT_RUN)
"""What a reader of two runs has to look at."""


@dataclass(frozen=True, slots=True)
class Diff:
    """Two runs and every change between them, the worst kind first."""

    old: Record
    new: Record
    changes: list[Change]

    @property
    def is_worse(self) -> bool:
        """Whether one of the changes is of the kinds in WORSE."""
        return any(change.kind in WORSE for change in self.changes)


def diff(old: Record, new: Record) -> Diff:
    """What changed from one run to another."""
    return Diff(old, new, compare(old.results, new.results))


def as_json(made: Diff) -> dict[str, Any]:
    """The whole of it; the results as results.json has them, or null where an item was not asked."""
    counts = Counter(change.kind for change in made.changes)
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "old": _about(made.old),
        "new": _about(made.new),
        "worse": made.is_worse,
        "counts": {kind.value: counts[kind] for kind in Kind},
        "changes": [_change_json(change) for change in made.changes],
    }


def as_text(made: Diff) -> Iterator[str]:
    """The changes by kind, at most MOST_LINES of each; what strangers wrote is escaped."""
    for label, record in (("old", made.old), ("new", made.new)):
        whole = "" if record.complete else ", incomplete" if record.ended else ", broken off, incomplete"
        yield printable(f"{label}  {record.source}: {len(record.results)} results, {record.started}{whole}")
    yield from _heads(made.old, made.new)
    for kind in Kind:
        changes = [change for change in made.changes if change.kind is kind]
        if changes:
            yield f"{kind}: {len(changes)}"
            yield from (f"  {_line(change)}" for change in changes[:MOST_LINES])
        if len(changes) > MOST_LINES:
            yield f"  and {len(changes) - MOST_LINES} more: --json has all"
    if not made.changes:
        yield "nothing changed"


def _about(record: Record) -> dict[str, Any]:
    state = {"complete": record.complete, "ended": record.ended, "results": len(record.results)}
    head = {"suite": record.version, "started": record.started, "seed": record.seed}
    return {"source": str(record.source), **head, **state, "peers": record.versions()}


def _heads(old: Record, new: Record) -> Iterator[str]:
    """What is not the same around the results: the suite, and versions of peers."""
    if old.version != new.version:
        yield printable(f"suite {old.version} -> {new.version}")
    was, now = old.versions(), new.versions()
    for name in sorted(was.keys() & now.keys()):
        if was[name] != now[name]:
            yield printable(f"{name} {was[name] or '(never ran)'} -> {now[name] or '(never ran)'}")


def _line(change: Change) -> str:
    result = change.after or change.before
    assert result is not None
    who = ",".join(f"{r}={p}" for r, p in result.cast.items()) or " - ".join(result.peers)
    turn = " -> ".join(one.verdict if one is not None else "not asked" for one in change[2:])
    return printable(f"{who}  {result.named()}  {turn}{_told(change)}")


def _told(change: Change) -> str:
    """What a verdict that is bad now says, and what it said before if that has changed."""
    if change.kind is Kind.CHANGED and change.before is not None and change.after is not None:
        return f": was {_message(change.before)}; is {_message(change.after)}"
    if change.kind is Kind.NEW_FAILURE and change.after is not None:
        return f": {_message(change.after)}"
    if change.kind is Kind.UNSUPPORTED and change.after is not None:
        return f": {change.after.reason}" if change.after.reason else ""
    return ""


def _message(result: Result) -> str:
    if not result.expected and not result.actual:
        return result.reason
    return f"[{result.blamed}] expected {result.expected}, got {result.actual}"


def _change_json(change: Change) -> dict[str, Any]:
    sides: Sequence[Result | None] = (change.before, change.after)
    before, after = (None if one is None else one.as_json() for one in sides)
    peers, cast, case_id, param, repetition = change.key
    key = {"peers": peers, "cast": dict(cast), "id": case_id, "param": param, "repetition": repetition}
    return {"kind": change.kind.value, **key, "before": before, "after": after}
