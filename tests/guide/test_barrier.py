"""The barrier of publishers and subscribers: nothing of it is left over, and what fails is blamed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.guide.barrier import meet
from harness.bench import PEERS, Bench, Wishes
from harness.deadlines import Deadlines
from harness.peer import RemoteSocket
from harness.stage.stage import Stage
from harness.verdict import Mismatch
from harness.wire.trace import Trace

IMPATIENT = Deadlines(0.1)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    made = Bench.make([PEERS / "reference"], Wishes(), Deadlines(), 1, None)
    made.self_tests = False
    yield made
    made.stop()


@pytest.fixture
def stage(bench: Bench) -> Iterator[Stage]:
    near, far = bench.hold("reference", "reference")
    made = Stage({"publisher": near, "subscriber": far}, Trace(), bench.hub, IMPATIENT, 1)
    yield made
    made.finish()


def joined(stage: Stage, *filters: bytes) -> tuple[RemoteSocket, list[RemoteSocket]]:
    """A publisher and a subscriber with each of these filters."""
    publisher = stage.open("publisher", "PUB")
    subscribers = [stage.open("subscriber", "SUB") for _ in filters]
    for sock, prefix in zip(subscribers, filters, strict=True):
        sock.subscribe(prefix)
    stage.leg("news", publisher, *subscribers)
    return publisher, subscribers


def test_behind_it_everybody_gets_what_comes_next(stage: Stage) -> None:
    publisher, subscribers = joined(stage, b"a", b"", b"a")
    stage.play(barrier=meet(publisher, *subscribers, topic=b"a"))
    publisher.send([b"after"])
    for sock in subscribers:
        sock.expect(b"after")


def test_who_has_not_subscribed_to_its_topic_is_blamed(stage: Stage) -> None:
    publisher, subscribers = joined(stage, b"b")
    with pytest.raises(Mismatch) as seen:
        stage.play(barrier=meet(publisher, *subscribers, topic=b"a", clause="x"))
    assert seen.value.clause == "x"


def test_what_else_comes_is_blamed(stage: Stage) -> None:
    publisher, subscribers = joined(stage, b"")
    stage.play(barrier=meet(publisher, *subscribers))
    publisher.send([b"other"])
    with pytest.raises(Mismatch) as seen:
        stage.play(barrier=meet(publisher, *subscribers, topic=b"a", clause="x", alone="y"))
    assert seen.value.clause == "y"
