"""Peers for the tests of scenarios."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.bench import PEERS, Bench, Wishes
from harness.deadlines import Deadlines


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    made = Bench.make([PEERS / "reference"], Wishes(), Deadlines(), 1, None)
    made.self_tests = False
    yield made
    made.stop()
