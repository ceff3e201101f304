"""What is different between two runs: what fails now, is fixed, or is no longer asked. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from harness.report.model import Result
from harness.verdict import Verdict

_BAD = (Verdict.FAIL, Verdict.ERROR)
_WRONG = (*_BAD, Verdict.NON_STRICT, Verdict.KNOWN)
_VARIES = re.compile(r"0x[0-9a-f]+|\b(?=[0-9a-f]*[0-9])[0-9a-f]{6,}\b|[0-9]+")

Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...], str, str, int]
"""Who was asked (with the cast), the case, its parameters, how often it had been asked before."""


class Kind(StrEnum):
    """How a verdict changed, the worst first."""

    NEW_FAILURE = "new failures"
    CHANGED = "changed messages"
    UNSUPPORTED = "newly unsupported"
    NOT_RUN = "newly not run"
    FIXED = "fixed"
    OTHER = "other changes"
    NEW = "newly run"


class Change(NamedTuple):
    """A verdict that is not what it was; None stands for a case that was not asked."""

    kind: Kind
    key: Key
    before: Result | None
    after: Result | None


def compare(before: Iterable[Result], after: Iterable[Result]) -> list[Change]:
    """Every change, the worst kind first, then by who was asked and case."""
    old, new = dict(_keyed(before)), dict(_keyed(after))
    changes = []
    for key in old.keys() | new.keys():
        kind = _kind(old.get(key), new.get(key))
        if kind is not None:
            changes.append(Change(kind, key, old.get(key), new.get(key)))
    order = list(Kind)
    return sorted(changes, key=lambda change: (order.index(change.kind), change.key))


def message(result: Result) -> tuple[str, str, str]:
    """What a verdict says without what differs from run to run: numbers and octets."""
    return result.blamed, _VARIES.sub("#", result.expected), _VARIES.sub("#", result.actual)


def _keyed(results: Iterable[Result]) -> Iterator[tuple[Key, Result]]:
    seen: Counter[Key] = Counter()
    for result in results:
        key = (tuple(result.peers), tuple(sorted(result.cast.items())), result.id, result.param, 0)
        yield (*key[:4], seen[key]), result
        seen[key] += 1


def _kind(before: Result | None, after: Result | None) -> Kind | None:
    if after is None:
        return Kind.NOT_RUN
    if before is None:
        return Kind.NEW_FAILURE if after.verdict in (*_BAD, Verdict.NON_STRICT) else Kind.NEW
    was, now = Verdict(before.verdict), Verdict(after.verdict)
    if now in _BAD and was not in _BAD:
        return Kind.NEW_FAILURE
    if now is Verdict.NON_STRICT and was not in (*_BAD, Verdict.NON_STRICT):
        return Kind.NEW_FAILURE
    if now is Verdict.UNSUPPORTED and was is not now:
        return Kind.UNSUPPORTED
    if was in _WRONG and now in (Verdict.PASS, Verdict.INFO):
        return Kind.FIXED
    if was in _WRONG and now in _WRONG and message(before) != message(after):
        return Kind.CHANGED
    return Kind.OTHER if was is not now else None
