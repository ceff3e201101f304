"""The devices of the guide once more, with the proxy that the library has (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from conformance.guide import test_forwarder as forwarder
from conformance.guide import test_queue as queue
from conformance.guide import test_streamer as streamer
from conformance.guide.relays import built_in
from harness.stage.scenario import scenario
from harness.stage.stage import Stage


@scenario(
    "guide/intermediaries/built-in-queue",
    clauses=[queue.OWN, queue.TURN, queue.ENVELOPE],
    legs=queue.LEGS,
    needs={"queue": ["feature:proxy"]},
)
def test_built_in_queue(stage: Stage) -> None:
    """The library's own proxy between ROUTER and DEALER is a queue."""
    queue.ask_through(stage, built_in)


@scenario(
    "guide/intermediaries/built-in-streamer",
    clauses=[streamer.ONCE, streamer.ORDER],
    legs=streamer.LEGS,
    needs={"streamer": ["feature:proxy"]},
)
def test_built_in_streamer(stage: Stage) -> None:
    """The library's own proxy between PULL and PUSH is a streamer."""
    streamer.stream(stage, built_in)


@scenario(
    "guide/intermediaries/built-in-forwarder",
    clauses=[forwarder.PARTS, forwarder.UPSTREAM, forwarder.CANCELLED],
    legs=forwarder.LEGS,
    needs={"forwarder": ["feature:proxy"]},
    at_least="2.0",
)
def test_built_in_forwarder(stage: Stage) -> None:
    """The library's own proxy between XSUB and XPUB is a forwarder, of subscriptions too."""
    forwarder.forward(stage, built_in)
