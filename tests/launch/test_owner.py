from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from harness.launch.owner import Owner, RunId

HERE = Owner.current()


def other(**changes: object) -> Owner:
    return dataclasses.replace(HERE, **changes)  # type: ignore[arg-type]


def never(_: str) -> bool:
    raise AssertionError("the engine is not asked")


def test_a_process_that_runs_is_not_gone() -> None:
    assert not HERE.is_gone(HERE, never)


def test_a_process_that_ended_is_gone() -> None:
    script = "from harness.launch.owner import Owner; print(Owner.current().encode())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert Owner.decode(done.stdout).is_gone(HERE, never)


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"started": "1"}, True),
        ({"boot": "before"}, True),
        ({"host": "elsewhere", "boot": "other", "started": "1"}, False),
        ({"namespace": "pid:[1]", "started": "1"}, False),
    ],
)
def test_who_counts_as_gone(changes: dict[str, object], gone: bool) -> None:
    assert other(**changes).is_gone(HERE, never) is gone


@pytest.mark.parametrize("runs", [True, False])
def test_an_owner_in_a_container_is_gone_with_it(runs: bool) -> None:
    assert other(container="c" * 64).is_gone(HERE, lambda _: runs) is not runs


def test_a_run_travels_to_its_workers() -> None:
    run = RunId.new()
    assert RunId.decode(run.encode()) == run
    with pytest.raises(ValueError, match="Expecting"):
        Owner.decode("")
