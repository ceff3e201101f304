"""PUB, and XPUB as far as it publishes: queues, and how subscriptions arrive (RFC 29, RFC 37, RFC 23)."""

from __future__ import annotations

import pytest

from conformance.pipeline.ends import small_window
from harness.case import Judge, case
from harness.control.flood import body
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.verdict import Mismatch
from harness.zmtp import Cancel, Message, Subscribe, subscription

from .probe import PUBLISHERS, octets, receives_nothing, rule, subscriber, subscriber_3_0

publishers = pytest.mark.parametrize("socket_type", PUBLISHERS)
BIG_OCTETS = 1 << 17
FLOOD = 100
SHARED = 40
MARK = 5
SIZES = (1, 244, 245, 246, 255, 256, 65_535, 65_536)


@case("pubsub/pub/discards-what-subscribers-send", clauses=["29/pub/discard-upstream"], needs=["PUB"])
def test_discards_what_subscribers_send(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Messages of a subscriber reach neither the application nor another subscriber."""
    pub = peer.open("PUB")
    talker = subscriber(attach(pub), pub, b"A")
    other = subscriber(attach(pub), pub, b"A")
    talker.raw.send(Message(b"A-upstream"), Message(b"A", b"more", b""), Message(b""))
    judge.note("the talker stays" if talker.stays() else "the talker is disconnected")
    receives_nothing(pub)
    pub.send([b"A1"])
    other.expect(b"A1")


@case(
    "pubsub/pub/slow-subscriber-holds-up-nobody",
    clauses=["29/pub/queue", "29/xpub/double-queue", "29/pub/no-block", "29/xpub/no-block"],
    needs=["{socket_type}", "option:send-hwm"],
)
@pytest.mark.parametrize(
    ("socket_type", "clause"), [("PUB", "29/pub/queue"), ("XPUB", "29/xpub/double-queue")], ids=PUBLISHERS
)
def test_slow_subscriber_holds_up_nobody(peer: Peer, attach: Attach, socket_type: str, clause: str) -> None:
    """A subscriber gets every message though another does not read."""
    pub = peer.open(socket_type, send_hwm=MARK)
    slow = subscriber(small_window(attach(pub)), pub, b"A")
    other = subscriber(attach(pub), pub, b"A")
    for n in range(SHARED):
        message = [b"A%d" % n, bytes(BIG_OCTETS)]
        pub.send(message, clause=rule(pub, "no-block"))
        other.expect(*message, clause=clause)
    slow.collect(clause)


@case(
    "pubsub/pub/full-queue-drops-without-waiting",
    clauses=[
        "29/pub/no-block",
        "29/xpub/no-block",
        "29/pub/drop-when-full",
        "29/xpub/drop-when-full",
        "29/pub/limit",
        "29/xpub/limit",
    ],
    needs=["{socket_type}", "option:send-hwm"],
)
@publishers
def test_full_queue_drops_without_waiting(
    peer: Peer, attach: Attach, judge: Judge, socket_type: str, seed: int
) -> None:
    """Sending to a subscriber that does not read never waits; what does not fit is dropped whole."""
    pub = peer.open(socket_type, send_hwm=MARK)
    slow = subscriber(small_window(attach(pub)), pub, b"")
    accepted = pub.flood(FLOOD, BIG_OCTETS, seed)
    judge.that(accepted == FLOOD, f"{FLOOD} messages accepted", accepted, rule(pub, "no-block"))
    came = slow.collect(rule(pub, "drop-when-full"))
    judge.note(f"{len(came)} of {FLOOD} arrived")
    numbers = [int.from_bytes(message.parts[0][:8], "big") for message in came]
    whole = all(
        message == Message(body(seed, n, BIG_OCTETS)) for message, n in zip(came, numbers, strict=True)
    )
    judge.that(whole, "whole messages", "a message that was not sent so", rule(pub, "drop-when-full"))
    judge.equal(numbers, sorted(set(numbers)), rule(pub, "drop-when-full"))
    judge.that(len(came) < FLOOD, "messages dropped at the limit", "all queued", rule(pub, "limit"))


@case(
    "pubsub/pub/queue-goes-with-its-subscriber",
    clauses=["29/pub/destroy", "29/xpub/destroy"],
    needs=["{socket_type}"],
)
@publishers
def test_queue_goes_with_its_subscriber(peer: Peer, dial: Dial, socket_type: str) -> None:
    """A subscriber that comes back finds neither old messages nor old subscriptions."""
    pub = peer.open(socket_type)
    endpoint = pub.bind()
    leaving = subscriber(dial(endpoint), pub, b"A", identity=b"same")
    staying = subscriber(dial(endpoint), pub, b"A", identity=b"other")
    leaving.raw.close()
    pub.send([b"A-while-away"])
    staying.expect(b"A-while-away", clause=rule(pub, "destroy"))
    back = subscriber(dial(endpoint), pub, identity=b"same")
    pub.send([b"A-not-asked-for"])
    staying.expect(b"A-not-asked-for", clause=rule(pub, "destroy"))
    back.settle(rule(pub, "destroy"))  # a publisher may filter as late as when it writes
    back.subscribe(b"A")
    back.settle(rule(pub, "destroy"))
    pub.send([b"A-again"])
    back.expect(b"A-again", clause=rule(pub, "destroy"))


@case(
    "pubsub/pub/requests-in-pieces",
    clauses=["29/pub/receive-requests", "29/xpub/receive-requests"],
    needs=["{socket_type}"],
)
@publishers
@pytest.mark.parametrize("pieces", [1, 7, 14], ids=str)
def test_requests_in_pieces(peer: Peer, attach: Attach, socket_type: str, pieces: int) -> None:
    """Requests take effect however they are cut into segments."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub)
    sub.raw.request(Subscribe(b"A"), Subscribe(b"B"), Cancel(b"A"), Subscribe(b"C"), pieces=pieces)
    sub.settle()
    for topic in (b"A", b"B", b"C"):
        pub.send([topic])
    sub.expect(b"B", clause=rule(pub, "receive-requests"))
    sub.expect(b"C", clause=rule(pub, "receive-requests"))


@case(
    "pubsub/pub/thousand-subscriptions",
    clauses=["37/pubsub/additive", "29/pub/receive-requests", "29/xpub/receive-requests"],
    needs=["{socket_type}"],
)
@publishers
def test_thousand_subscriptions(peer: Peer, attach: Attach, socket_type: str) -> None:
    """A thousand subscriptions sent in one go are all in force, and each can be cancelled."""
    pub = peer.open(socket_type)
    topics = [b"topic-%03d" % n for n in range(1000)]
    sub = subscriber(attach(pub), pub, *topics)
    for topic in topics[::25]:
        pub.send([topic, b"first"])
        sub.expect(topic, b"first")
    sub.cancel(*topics[:-1])
    sub.settle()
    for topic in topics[::25] + topics[-1:]:
        pub.send([topic, b"second"])
    sub.expect(topics[-1], b"second", clause=rule(pub, "receive-requests"))


@case("pubsub/pub/long-subscriptions", clauses=["37/pubsub/abnf-subscription"], needs=["{socket_type}"])
@publishers
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_long_subscriptions(peer: Peer, attach: Attach, socket_type: str, size: int) -> None:
    """A subscription of any size selects by its last octet too, and its end harms nobody."""
    pub = peer.open(socket_type)
    prefix = octets(size)
    sub = subscriber(attach(pub), pub, prefix)
    pub.send([prefix[:-1]])
    pub.send([prefix[:-1] + b"\xaa"])
    pub.send([prefix + b"selected"])
    sub.expect(prefix + b"selected")
    sub.raw.close()
    pub.close()
    successor = peer.open(socket_type)
    try:
        subscriber(attach(successor), successor, b"another")
    except Mismatch as late:
        raise Mismatch(
            "the next subscriber is served", late.actual, place=late.place, fatal=late.fatal
        ) from None


@case(
    "pubsub/pub/requests-of-3-0-partner",
    clauses=["37/pubsub/legacy-form-interop", "23/pubsub/two-undo"],
    needs=["{socket_type}", "zmtp:3.0"],
)
@publishers
def test_requests_of_3_0_partner(peer: Peer, attach: Attach, socket_type: str) -> None:
    """A partner of ZMTP 3.0 subscribes and cancels by messages that begin with 01 and 00."""
    pub = peer.open(socket_type)
    sub = subscriber_3_0(attach(pub), pub, b"A", b"\x01", b"Z")
    pub.send([b"A1"])
    pub.send([b"\x01second"])
    sub.expect(b"A1")
    sub.expect(b"\x01second")
    sub.cancel(b"A", b"\x01")
    sub.settle()
    pub.send([b"A2"])
    pub.send([b"\x01again"])
    pub.send([b"Z1"])
    sub.expect(b"Z1")


@case(
    "pubsub/pub/two-messages-undo-two",
    clauses=["23/pubsub/two-undo", "37/pubsub/legacy-form-interop"],
    needs=["{socket_type}", "zmtp:3.0"],
)
@publishers
def test_two_messages_undo_two(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Two equal subscriptions of a 3.0 partner are undone by two messages, and not by one."""
    pub = peer.open(socket_type)
    sub = subscriber_3_0(attach(pub), pub, b"A", b"A", b"Z")
    sub.cancel(b"A")
    sub.settle()
    pub.send([b"A1"])
    pub.send([b"Z1"])
    sub.expect(b"A1")
    sub.expect(b"Z1")
    sub.cancel(b"A")
    sub.settle()
    pub.send([b"A2"])
    pub.send([b"Z2"])
    sub.expect(b"Z2")


@case("pubsub/pub/message-form-of-3-1-partner", clauses=["29/pub/discard-upstream"], needs=["PUB"])
def test_message_form_of_3_1_partner(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The older form from a partner that announced 3.1 subscribes or is dropped, and harms nobody."""
    pub = peer.open("PUB")
    sub = subscriber(attach(pub), pub, b"Z")
    sub.raw.send(subscription(b"A"))
    sub.settle()
    pub.send([b"A1"])
    pub.send([b"Z1"])
    first = sub.next()
    judge.note("subscribes" if first == Message(b"A1") else "is dropped")
    judge.that(first in (Message(b"A1"), Message(b"Z1")), "A1 or Z1", first)
    receives_nothing(pub)
    other = subscriber(attach(pub), pub, b"A")
    pub.send([b"A2"])
    other.expect(b"A2")
