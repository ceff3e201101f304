"""`python -m benchmarks.overhead [PEER ...]`: what the harness itself costs for each case.

Runs the suite in this process and takes, for each item, all the time that pytest spent on it (setup, call,
teardown, reporting) less the time spent waiting for the peer or for the wire. The first item of a peer, which
starts and self-tests it, is left out.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Generator

import pytest

from harness.pytest_fixtures import ASKING, Asking


class Stopwatch:
    """A pytest plugin that measures every item."""

    def __init__(self) -> None:
        self.overheads_s: dict[str, list[float]] = {}
        self.waits_s: dict[str, list[float]] = {}
        self.begun: list[Asking] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Time one item; what its trace waited for is not ours."""
        self.begun.clear()
        began = time.perf_counter()
        result = yield
        took = time.perf_counter() - began
        asked = self.begun[-1] if self.begun else None
        if asked is not None and asked.peer is not None:
            self.overheads_s.setdefault(asked.peer_name, []).append(took - asked.trace.waited_s)
            self.waits_s.setdefault(asked.peer_name, []).append(asked.trace.waited_s)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Remember what is asked: the item forgets it with the case."""
        if ASKING in item.stash:
            self.begun.append(item.stash[ASKING])


def main(peers: list[str]) -> int:
    """Run and print the median and the 95th percentile for each peer, in milliseconds."""
    watch = Stopwatch()
    chosen = [option for peer in peers for option in ("--peer", peer)]
    pytest.main(
        [
            "conformance/",
            "-q",
            "--no-header",
            "--no-summary",
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
            *chosen,
        ],
        plugins=[watch],
    )
    print(f"{'peer':<16} {'items':>6} {'median ms':>10} {'p95 ms':>8} {'waiting, median ms':>19}")
    for peer, overheads in sorted(watch.overheads_s.items()):
        ours = sorted(overheads[1:])
        median, p95 = statistics.median(ours), ours[int(len(ours) * 0.95)]
        waiting = statistics.median(watch.waits_s[peer][1:])
        row = (median * 1e3, p95 * 1e3, waiting * 1e3)
        print(f"{peer:<16} {len(ours):>6} {row[0]:>10.2f} {row[1]:>8.2f} {row[2]:>19.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
