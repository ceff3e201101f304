"""`python -m benchmarks.interop [A:B ...]`: what a case of two warm peers takes.

Runs the cases of interop in this process, by default of reference:pyzmq, and takes for each item all the time
that pytest spent on it (setup, call, teardown, reporting). The first item, which starts the peers, is not
counted.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Generator

import pytest

from harness.pytest_fixtures import ASKING, Asking

DEFAULT = ["reference:pyzmq"]


class Stopwatch:
    """A pytest plugin that measures every item that was asked: seconds in all, and spent waiting."""

    def __init__(self) -> None:
        self.taken_s: dict[str, list[tuple[float, float]]] = {}
        self.begun: list[Asking] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Time one item."""
        self.begun.clear()
        began = time.perf_counter()
        result = yield
        took = time.perf_counter() - began
        asked = self.begun[-1] if self.begun else None
        if asked is not None and asked.pair is not None:
            self.taken_s.setdefault(":".join(asked.names), []).append((took, asked.trace.waited_s))
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Remember what is asked: the item forgets it with the case."""
        if ASKING in item.stash:
            self.begun.append(item.stash[ASKING])


def main(pairs: list[str]) -> int:
    """Run and print the median and the 95th percentile for each pair, in milliseconds."""
    watch = Stopwatch()
    chosen = [option for pair in pairs or DEFAULT for option in ("--pair", pair)]
    quiet = ["-q", "--no-header", "--no-summary", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    pytest.main(["conformance/interop", *quiet, *chosen], plugins=[watch])
    print(f"{'pair':<32} {'items':>6} {'median ms':>10} {'p95 ms':>8} {'waiting, median ms':>19}")
    for pair, taken in sorted(watch.taken_s.items()):
        whole = sorted(seconds for seconds, _ in taken[1:])
        waiting = statistics.median(seconds for _, seconds in taken[1:])
        row = (statistics.median(whole) * 1e3, whole[int(len(whole) * 0.95)] * 1e3, waiting * 1e3)
        print(f"{pair:<32} {len(whole):>6} {row[0]:>10.2f} {row[1]:>8.2f} {row[2]:>19.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
