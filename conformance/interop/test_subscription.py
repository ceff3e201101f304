"""Subscriptions between two implementations: asked for on one side, in force and told on the other."""

import pytest

from conformance.interop.audience import Audience
from conformance.interop.line import NEEDS_2_0, PUBLISHERS, SUBSCRIBERS, of_types
from harness.case import case
from harness.pairing import Pairing

PUBLISHING = [(publisher, subscriber) for publisher in PUBLISHERS for subscriber in SUBSCRIBERS]
TOLD = [("XPUB", subscriber) for subscriber in SUBSCRIBERS]
TOPICS = {
    "text": (b"A", [b"A", b"AB", b"A\x00"], [b"B", b"", b"a", b"BA"]),
    "binary": (b"\x00\xff", [b"\x00\xff", b"\x00\xff\x00"], [b"\x00", b"\xff\x00", b""]),
    "empty": (b"", [b"", b"anything", b"\x01"], []),
}


@case(
    "interop/subscription/selects-by-prefix",
    clauses=["37/pubsub/prefix-match", "37/pubsub/filter-at-pub", "37/pubsub/empty-matches-all"],
    needs=NEEDS_2_0,
)
@pytest.mark.parametrize("topic", TOPICS)
@of_types(PUBLISHING)
def test_selects_by_prefix(pair: Pairing, first_type: str, second_type: str, topic: str) -> None:
    """A subscriber gets every message that begins with its prefix, and no other crosses the wire."""
    prefix, matching, others = TOPICS[topic]
    audience = Audience.open(pair, first_type, second_type)
    audience.subscriber.subscribe(prefix)
    audience.settle()
    for first_frame in [*others, *matching]:
        audience.publisher.send([first_frame])
    audience.expect(*([first_frame] for first_frame in matching))


@case(
    "interop/subscription/ends-with-its-cancel",
    clauses=["37/pubsub/cancel-command", "37/pubsub/prefix-match", "37/pubsub/filter-at-pub"],
    needs=NEEDS_2_0,
)
@of_types(PUBLISHING)
def test_ends_with_its_cancel(pair: Pairing, first_type: str, second_type: str) -> None:
    """Messages of a cancelled subscription do not cross the wire, and another one stays in force."""
    audience = Audience.open(pair, first_type, second_type)
    audience.subscriber.subscribe(b"A")
    audience.subscriber.subscribe(b"B")
    audience.settle()
    audience.publisher.send([b"A1"])
    audience.publisher.send([b"B1"])
    audience.expect([b"A1"], [b"B1"])
    audience.subscriber.cancel(b"A")
    audience.settle()
    audience.publisher.send([b"A2"])
    audience.publisher.send([b"B2"])
    audience.expect([b"B2"])


@case(
    "interop/subscription/is-told-to-xpub",
    clauses=["29/xpub/deliver-requests", "29/xsub/send-requests"],
    needs=NEEDS_2_0,
)
@of_types(TOLD)
def test_is_told_to_xpub(pair: Pairing, first_type: str, second_type: str) -> None:
    """XPUB's application hears of every subscription and of its end, in order, prefix by prefix."""
    audience = Audience.open(pair, first_type, second_type)
    audience.expect_told(b"\x01" + audience.topic)
    for prefix in (b"A", b"AB", b"~", b""):
        audience.subscriber.subscribe(prefix)
        audience.expect_told(b"\x01" + prefix)
    for prefix in (b"AB", b"", b"A", b"~"):
        audience.subscriber.cancel(prefix)
        audience.expect_told(b"\x00" + prefix)
