"""PUB, and XPUB as far as it publishes (RFC 29, The PUB and XPUB Socket Types; RFC 37, Publish-Subscribe)."""

from __future__ import annotations

import pytest

from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

from .probe import MESSAGES, PUBLISHERS, receives_nothing, rule, subscriber

publishers = pytest.mark.parametrize("socket_type", PUBLISHERS)

PREFIXES = {
    "equal": (b"topic", b"topic", b"topik"),
    "longer-topic": (b"to", b"topic", b"t"),
    "case-counts": (b"Topic", b"Topic-1", b"topic-1"),
    "null": (b"\x00", b"\x00\x00", b"\x01\x00"),
    "null-inside": (b"a\x00b", b"a\x00b\x00", b"a\x00c"),
    "high-octets": (b"\xff\xfe", b"\xff\xfe\xfd", b"\xff\xff\xfe"),
    "leading-space": (b" a", b" a", b"a"),
}


@case(
    "pubsub/pub/sends-nothing-unasked",
    clauses=["37/pubsub/filter-at-pub", "29/pub/receive-requests", "29/xpub/receive-requests"],
    needs=["{socket_type}"],
)
@publishers
def test_sends_nothing_unasked(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Without a subscription no message goes to a subscriber."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub)
    pub.send([b"unasked"])
    pub.send([b""])
    pub.send([b"unasked", b"frames"])
    sub.settle("37/pubsub/filter-at-pub")


@case(
    "pubsub/pub/prefix-match",
    clauses=["37/pubsub/prefix-match", "29/pub/prefix-first-frame", "29/xpub/prefix-first-frame"],
    needs=["{socket_type}"],
)
@publishers
@pytest.mark.parametrize(("prefix", "selected", "other"), PREFIXES.values(), ids=PREFIXES)
def test_prefix_match(
    peer: Peer, attach: Attach, socket_type: str, prefix: bytes, selected: bytes, other: bytes
) -> None:
    """A subscription selects the messages that begin with its very octets, and no other."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, prefix)
    pub.send([other])
    pub.send([selected])
    pub.send([other])
    sub.expect(selected)
    sub.settle()


@case("pubsub/pub/empty-prefix-matches-all", clauses=["37/pubsub/empty-matches-all"], needs=["{socket_type}"])
@publishers
@pytest.mark.parametrize("parts", [(b"any",), (b"",), (b"\x00",), (b"", b"second")], ids=str)
def test_empty_prefix_matches_all(
    peer: Peer, attach: Attach, socket_type: str, parts: tuple[bytes, ...]
) -> None:
    """The empty subscription selects every message."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, b"")
    pub.send(parts)
    sub.expect(*parts)


@case(
    "pubsub/pub/matches-first-frame-only",
    clauses=["29/pub/prefix-first-frame", "29/xpub/prefix-first-frame"],
    needs=["{socket_type}"],
)
@publishers
def test_matches_first_frame_only(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Neither a later frame nor the frames taken together are looked at."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, b"AB")
    pub.send([b"x", b"AB"])
    pub.send([b"A", b"B"])
    pub.send([b"", b"AB"])
    pub.send([b"AB", b"other"])
    sub.expect(b"AB", b"other", clause=rule(pub, "prefix-first-frame"))


@case(
    "pubsub/pub/sends-messages-unchanged",
    clauses=["29/pub/no-modify", "29/xpub/no-modify"],
    needs=["{socket_type}"],
)
@publishers
@pytest.mark.parametrize("parts", MESSAGES.values(), ids=MESSAGES)
def test_sends_messages_unchanged(
    peer: Peer, attach: Attach, socket_type: str, parts: tuple[bytes, ...]
) -> None:
    """A message goes out whole and as the application gave it."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, b"A")
    pub.send(parts)
    pub.send([b"After"])
    sub.expect(*parts, clause=rule(pub, "no-modify"))
    sub.expect(b"After", clause=rule(pub, "no-modify"))


@case("pubsub/pub/subscriptions-add-up", clauses=["37/pubsub/additive"], needs=["{socket_type}"])
@publishers
def test_subscriptions_add_up(peer: Peer, attach: Attach, socket_type: str) -> None:
    """A later subscription takes nothing from an earlier one."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, b"A", b"B")
    pub.send([b"A1"])
    pub.send([b"B1"])
    pub.send([b"C1"])
    sub.expect(b"A1")
    sub.expect(b"B1")
    sub.settle("37/pubsub/additive")


@case(
    "pubsub/pub/overlapping-subscriptions-send-once", clauses=["37/pubsub/additive"], needs=["{socket_type}"]
)
@publishers
@pytest.mark.parametrize(
    "prefixes", [(b"A", b"AB", b"", b"ABC"), (b"A", b"A", b"A")], ids=["nested", "equal"]
)
def test_overlapping_subscriptions_send_once(
    peer: Peer, attach: Attach, socket_type: str, prefixes: tuple[bytes, ...]
) -> None:
    """A message that several subscriptions of one subscriber select is sent to it once."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, *prefixes)
    pub.send([b"ABC"])
    sub.expect(b"ABC")
    sub.settle()


@case(
    "pubsub/pub/one-cancel-leaves-the-second", clauses=["37/pubsub/not-idempotent"], needs=["{socket_type}"]
)
@publishers
def test_one_cancel_leaves_the_second(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Of two equal subscriptions one stays in force when one is cancelled."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, b"A", b"A", b"Z")
    sub.cancel(b"A")
    sub.settle()
    pub.send([b"A1"])
    pub.send([b"Z1"])
    sub.expect(b"A1")
    sub.expect(b"Z1")


@case(
    "pubsub/pub/two-cancels-undo-two",
    clauses=["37/pubsub/two-cancels", "23/pubsub/two-undo"],
    needs=["{socket_type}"],
)
@publishers
def test_two_cancels_undo_two(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Two equal subscriptions are undone by two cancellations."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, b"A", b"A", b"Z")
    sub.cancel(b"A", b"A")
    sub.settle()
    pub.send([b"A1"])
    pub.send([b"Z1"])
    sub.expect(b"Z1", clause="37/pubsub/two-cancels")
    sub.subscribe(b"A")
    sub.settle()
    pub.send([b"A2"])
    sub.expect(b"A2", clause=rule(pub, "receive-requests"))


@case(
    "pubsub/pub/cancelled-prefix-is-not-sent",
    clauses=["29/pub/receive-requests", "29/xpub/receive-requests", "37/pubsub/filter-at-pub"],
    needs=["{socket_type}"],
)
@publishers
@pytest.mark.parametrize(
    ("cancelled", "kept", "stops", "goes_on"),
    [
        (b"A", b"Z", b"A1", b"Z1"),
        (b"A", b"AB", b"AC", b"ABC"),
        (b"AB", b"A", b"B", b"ABC"),
        (b"", b"A", b"B", b"A"),
    ],
    ids=["unrelated", "longer-stays", "shorter-stays", "empty"],
)
def test_cancelled_prefix_is_not_sent(
    peer: Peer, attach: Attach, socket_type: str, cancelled: bytes, kept: bytes, stops: bytes, goes_on: bytes
) -> None:
    """A cancellation takes back its own subscription and no other."""
    pub = peer.open(socket_type)
    clause = rule(pub, "receive-requests")
    sub = subscriber(attach(pub), pub, cancelled, kept)
    sub.cancel(cancelled)
    deadline = sub.raw.deadlines.deadline("delivery")
    while (
        True
    ):  # a fence would not show that the cancellation is in force: what it takes back covers the fence
        pub.send([stops])
        pub.send([goes_on])
        came = sub.next(clause=clause)
        if came == Message(goes_on):
            return
        Judge.equal(came, Message(stops), clause)
        sub.expect(goes_on, clause=clause)
        Judge.that(not deadline.expired, "the cancellation in force", "still sent", clause)


@case(
    "pubsub/pub/cancel-without-subscription",
    clauses=["29/pub/receive-requests", "29/xpub/receive-requests", "37/pubsub/prefix-match"],
    needs=["{socket_type}"],
)
@publishers
@pytest.mark.parametrize(
    "unknown", [b"A", b"ABC", b"", b"X"], ids=["shorter", "longer", "empty", "unrelated"]
)
def test_cancel_without_subscription(peer: Peer, attach: Attach, socket_type: str, unknown: bytes) -> None:
    """Cancelling what was never subscribed to changes nothing, neither now nor for a later subscription."""
    pub = peer.open(socket_type)
    sub = subscriber(attach(pub), pub, b"AB")
    sub.cancel(unknown)
    sub.settle()
    pub.send([b"ABC"])
    sub.expect(b"ABC", clause=rule(pub, "receive-requests"))
    sub.cancel(b"AB")
    sub.subscribe(unknown)
    sub.settle()
    pub.send([unknown + b"1"])
    sub.expect(unknown + b"1", clause=rule(pub, "receive-requests"))


@case(
    "pubsub/pub/each-subscriber-has-its-own-filter",
    clauses=["37/pubsub/filter-at-pub"],
    needs=["{socket_type}"],
)
@publishers
def test_each_subscriber_has_its_own_filter(peer: Peer, attach: Attach, socket_type: str) -> None:
    """What one subscriber asks for or cancels does not change what another gets."""
    pub = peer.open(socket_type)
    first = subscriber(attach(pub), pub, b"A", b"C")
    second = subscriber(attach(pub), pub, b"B", b"C")
    first.cancel(b"C")
    first.settle()
    pub.send([b"A1"])
    pub.send([b"B1"])
    pub.send([b"C1"])
    first.expect(b"A1")
    second.expect(b"B1")
    second.expect(b"C1")
    first.settle("37/pubsub/filter-at-pub")


@case(
    "pubsub/pub/serves-both-who-dials-and-who-is-dialled",
    clauses=[
        "29/pub/create-on-accept",
        "29/pub/create-on-connect",
        "29/xpub/create-on-accept",
        "29/xpub/create-on-connect",
    ],
    needs=["{socket_type}"],
)
@publishers
def test_serves_both_who_dials_and_who_is_dialled(
    peer: Peer, dial: Dial, listen: Listen, socket_type: str
) -> None:
    """One publisher sends each message to every subscriber, dialled or dialling."""
    pub = peer.open(socket_type)
    dialling = dial(pub.bind())
    listener = listen()
    pub.connect(listener.endpoint)
    dialled = listener.accept(clause=rule(pub, "create-on-connect"))
    first = subscriber(dialling, pub, b"A")
    second = subscriber(dialled, pub, b"A")
    for n in range(5):
        pub.send([b"A%d" % n])
        first.expect(b"A%d" % n, clause=rule(pub, "create-on-accept"))
        second.expect(b"A%d" % n, clause=rule(pub, "create-on-connect"))


@case("pubsub/pub/receives-nothing", clauses=["29/pub/send-only"], needs=["PUB"])
def test_receives_nothing(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The application receives nothing from a PUB socket: it is refused, or nothing ever comes."""
    pub = peer.open("PUB")
    judge.note(receives_nothing(pub))
    sub = subscriber(attach(pub), pub, b"A")
    receives_nothing(pub)
    pub.send([b"A1"])
    sub.expect(b"A1")
    receives_nothing(pub)


@case("pubsub/pub/hides-requests", clauses=["29/pub/hide-requests"], needs=["PUB"])
def test_hides_requests(peer: Peer, attach: Attach) -> None:
    """Subscriptions and cancellations that have taken effect are not shown to the application."""
    pub = peer.open("PUB")
    sub = subscriber(attach(pub), pub, b"A")
    sub.cancel(b"A")
    sub.settle()
    receives_nothing(pub)
