"""How often each verdict came where items were asked several times (`--repeat N`): measured, not guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from harness.report.model import Key, Result
from harness.verdict import Verdict


class Rate(NamedTuple):
    """One item that was asked more than once, and how often each verdict came, worst first."""

    key: Key
    name: str
    counts: dict[Verdict, int]

    @property
    def changes(self) -> bool:
        """Whether it came out differently."""
        return len(self.counts) > 1

    def __str__(self) -> str:
        """Such as "FAIL 3/10, PASS 7/10"."""
        total = sum(self.counts.values())
        return ", ".join(f"{verdict} {count}/{total}" for verdict, count in self.counts.items())


_WORST_FIRST = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.KNOWN,
    Verdict.NON_STRICT,
    Verdict.INFO,
    Verdict.PASS,
    Verdict.UNSUPPORTED,
)


def rates(results: Iterable[Result]) -> list[Rate]:
    """The items that were asked more than once, in the order in which they first came."""
    counted: dict[Key, Counter[str]] = {}
    names: dict[Key, str] = {}
    for result in results:
        counted.setdefault(result.key, Counter())[result.verdict] += 1
        names[result.key] = result.named()
    return [
        Rate(key, names[key], {verdict: counts[verdict] for verdict in _WORST_FIRST if counts[verdict]})
        for key, counts in counted.items()
        if counts.total() > 1
    ]


def rates_text(results: Iterable[Result]) -> list[str]:
    """What repetition showed, a line each: the items that came out differently, or that none did."""
    asked = rates(results)
    if not asked:
        return []
    changing = [rate for rate in asked if rate.changes]
    lines = [f"{' - '.join(rate.key[0])}  {rate.name}  {rate}" for rate in changing]
    return [
        f"asked more than once: {len(asked)} items, of which {len(changing)} came out differently",
        *lines,
    ]
