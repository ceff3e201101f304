"""Runs cases in this process and measures each item: what both benchmarks of the suite itself rest on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Mapping, Sequence

import pytest

from harness.pytest_fixtures import ASKING, Asking

QUIET = ["-q", "--no-header", "--no-summary", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
Taken = tuple[float, float]


class Stopwatch:
    """A pytest plugin that measures every item that was asked.

    `taken_s` has for each peer, or pair, what its items took in all, and how much of that was waiting.
    """

    def __init__(self) -> None:
        self.taken_s: dict[str, list[Taken]] = {}
        self._begun: list[Asking] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Time one item."""
        self._begun.clear()
        began = time.perf_counter()
        result = yield
        took = time.perf_counter() - began
        for asked in self._begun:
            self.taken_s.setdefault(":".join(asked.names), []).append((took, asked.trace.waited_s))
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Remember what is asked: the item forgets it with the case."""
        if ASKING in item.stash:
            self._begun.append(item.stash[ASKING])


def measure(*options: str) -> Mapping[str, Sequence[Taken]]:
    """Run pytest with these options. The first item of each, which starts who is asked, is left out."""
    watch = Stopwatch()
    pytest.main([*QUIET, *options], plugins=[watch])
    return {names: taken[1:] for names, taken in sorted(watch.taken_s.items())}


def print_table(title: str, rows: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> None:
    """For each row the median and the 95th percentile of the first, and the median of the waiting, in ms."""
    width = max(16, *map(len, rows))
    print(f"{title:<{width}} {'items':>6} {'median ms':>10} {'p95 ms':>8} {'waiting, median ms':>19}")
    for name, (seconds, waits) in rows.items():
        ours = sorted(seconds)
        middle, p95, waiting = statistics.median(ours), ours[int(len(ours) * 0.95)], statistics.median(waits)
        numbers = f"{middle * 1e3:>10.2f} {p95 * 1e3:>8.2f} {waiting * 1e3:>19.2f}"
        print(f"{name:<{width}} {len(ours):>6} {numbers}")
