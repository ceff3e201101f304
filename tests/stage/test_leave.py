"""A role's peer ends in good order, or its scenario is told that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.bench import PEERS, Bench, Wishes
from harness.deadlines import Deadlines
from harness.stage.stage import Stage
from harness.verdict import Mismatch
from harness.wire.trace import Trace
from tests.bad_adapters import write


def staged(folder: Path, name: str, deadlines: Deadlines) -> Iterator[Stage]:
    bench = Bench.make([folder], Wishes(), deadlines, 1, None)
    bench.self_tests = False
    [live] = bench.hold(name)
    made = Stage({"guest": live}, Trace(), bench.hub, bench.deadlines, 1)
    yield made
    made.finish()
    bench.stop()


@pytest.fixture
def stage() -> Iterator[Stage]:
    yield from staged(PEERS / "reference", "reference", Deadlines())


def test_who_has_left_may_come_again_and_take_its_endpoint(stage: Stage) -> None:
    endpoint = stage.open("guest", "PULL").bind()
    stage.leave("guest")
    stage.restart("guest")
    assert stage.open("guest", "PULL").bind(endpoint) == endpoint


def test_nothing_is_asked_of_who_has_left(stage: Stage) -> None:
    stage.open("guest", "PULL")
    stage.leave("guest")
    stage.finish()
    assert stage.actors["guest"].died == ""


@pytest.mark.parametrize("name", ["exits-badly", "ignores-end"])
def test_who_does_not_go_in_good_order_is_blamed(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    for stage in staged(tmp_path / name, name, Deadlines(0.3)):
        with pytest.raises(Mismatch) as seen:
            stage.leave("guest", "x")
        assert seen.value.clause == "x"
