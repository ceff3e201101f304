from __future__ import annotations

import itertools
import time

import pytest

from harness.deadlines import Deadline, DeadlineExceeded, Deadlines

NAMES = ["start", "answer", "reaction", "delivery", "connect", "exit", "reconnect", "probe", "scene", "case"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("name", NAMES)
def test_every_wait_is_scaled(name: str) -> None:
    plain, slow = Deadlines(), Deadlines(scale=2.5)
    assert getattr(plain, f"{name}_s") > 0
    assert getattr(slow, f"{name}_s") == pytest.approx(2.5 * getattr(plain, f"{name}_s"))


@pytest.mark.parametrize("name", NAMES)
def test_a_wait_begins_by_its_name(name: str) -> None:
    waits = Deadlines(scale=2.0)
    assert waits.deadline(name) == Deadline(name, getattr(waits, f"{name}_s"))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_positive_number_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Deadlines(scale=scale)


def test_an_unknown_wait_is_refused() -> None:
    with pytest.raises(AttributeError):
        Deadlines().deadline("lunch")


def test_a_deadline_runs_out(clock: list[float]) -> None:
    deadline = Deadline("answer", 2.0)
    assert deadline.remaining_s() == 2.0
    assert not deadline.expired
    clock[0] += 1.9999
    assert deadline.remaining_ms() == 1
    assert not deadline.expired
    clock[0] += 5
    assert deadline.remaining_s() == 0.0
    assert deadline.remaining_ms() == 0
    assert deadline.expired


def test_the_error_names_the_wait_and_what_was_awaited() -> None:
    error = Deadline("answer", 5.0).exceeded("answer to recv")
    assert isinstance(error, DeadlineExceeded)
    assert isinstance(error, TimeoutError)
    assert (error.name, error.seconds, error.what) == ("answer", 5.0, "answer to recv")
    assert str(error) == "no answer to recv within 5 s (answer)"


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_a_probe_waits_little_at_first_and_then_as_long_as_any(scale: float) -> None:
    waits = Deadlines(scale=scale)
    first = list(itertools.islice(waits.probes_s(), 12))
    assert first[0] == 0.001
    assert first == sorted(first)
    assert set(first[-3:]) == {waits.probe_s}
