"""SUB, and XSUB as far as it subscribes (RFC 29, The SUB and XSUB Socket Types; RFC 37 and RFC 23)."""

from __future__ import annotations

import pytest

from harness.case import Judge, case
from harness.deadlines import Deadline
from harness.peer import Parts, Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Cancel, Message, Subscribe, cancellation, subscription

from .probe import FENCE, MESSAGES, SUBSCRIBERS, handshake_3_0, octets, publisher, request_of, rule, told

subscribers = pytest.mark.parametrize("socket_type", SUBSCRIBERS)
MANY = 200
MARK = 5
PREFIXES = {
    "empty": b"",
    "text": b"topic",
    "null": b"\x00",
    "one": b"\x01",
    "binary": b"\x00\xff\x00",
    "255": octets(255),
    "256": octets(256),
    "65536": octets(65_536),
}


@case(
    "pubsub/sub/subscribes-by-command",
    clauses=["37/pubsub/subscribe-command", "37/pubsub/abnf-subscribe", "37/pubsub/abnf-subscription"],
    needs=["{socket_type}", "zmtp:3.1"],
)
@subscribers
@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_subscribes_by_command(peer: Peer, attach: Attach, socket_type: str, prefix: bytes) -> None:
    """A subscription is sent to a 3.1 partner as SUBSCRIBE with the very octets of the prefix."""
    sub = peer.open(socket_type)
    raw = publisher(attach(sub), sub)
    sub.subscribe(prefix)
    raw.expect(Subscribe(prefix))


@case(
    "pubsub/sub/cancels-by-command",
    clauses=["37/pubsub/cancel-command", "37/pubsub/abnf-cancel"],
    needs=["{socket_type}", "zmtp:3.1"],
)
@subscribers
@pytest.mark.parametrize("prefix", [b"", b"topic", octets(256)], ids=["empty", "text", "256"])
def test_cancels_by_command(peer: Peer, attach: Attach, socket_type: str, prefix: bytes) -> None:
    """The end of a subscription is sent to a 3.1 partner as CANCEL with the same octets."""
    sub = peer.open(socket_type)
    raw = publisher(attach(sub), sub, "XPUB")
    sub.subscribe(prefix)
    raw.expect_subscription(prefix, "37/pubsub/subscribe-command")
    sub.subscribe(b"other")
    raw.expect_subscription(b"other", "37/pubsub/subscribe-command")
    sub.cancel(prefix)
    raw.expect(Cancel(prefix))
    sub.cancel(b"other")
    raw.expect(Cancel(b"other"))


@case(
    "pubsub/sub/message-form-to-3-0-partner",
    clauses=[
        "23/pubsub/subscribe-sent",
        "23/pubsub/unsubscribe-sent",
        "23/pubsub/abnf-subscribe",
        "23/pubsub/abnf-unsubscribe",
        "37/pubsub/legacy-form-interop",
    ],
    needs=["{socket_type}", "zmtp:3.0"],
)
@subscribers
@pytest.mark.parametrize(
    "prefix", [b"", b"topic", b"\x00", octets(254)], ids=["empty", "text", "null", "254"]
)
def test_message_form_to_3_0_partner(peer: Peer, attach: Attach, socket_type: str, prefix: bytes) -> None:
    """Towards a partner of 3.0 subscriptions are short messages that begin with 01, their end with 00."""
    sub = peer.open(socket_type)
    raw = handshake_3_0(attach(sub), "PUB", "37/pubsub/legacy-form-interop")
    sub.subscribe(prefix)
    raw.expect(subscription(prefix), clause="23/pubsub/subscribe-sent")
    Judge.that(
        raw.received.endswith(subscription(prefix).serialize()),
        "a short frame",
        "another frame",
        "23/pubsub/abnf-subscribe",
    )
    sub.cancel(prefix)
    raw.expect(cancellation(prefix), clause="23/pubsub/unsubscribe-sent")
    Judge.that(
        raw.received.endswith(cancellation(prefix).serialize()),
        "a short frame",
        "another frame",
        "23/pubsub/abnf-unsubscribe",
    )


@case(
    "pubsub/sub/tells-every-publisher",
    clauses=[
        "37/pubsub/subscribe-command",
        "37/pubsub/cancel-command",
        "29/sub/create-on-accept",
        "29/sub/create-on-connect",
        "29/xsub/create-on-accept",
        "29/xsub/create-on-connect",
        "29/xsub/resend-on-connect",
        "29/xsub/send-requests",
    ],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize(
    ("socket_type", "late"),
    [("SUB", "37/pubsub/subscribe-command"), ("XSUB", "29/xsub/resend-on-connect")],
    ids=SUBSCRIBERS,
)
def test_tells_every_publisher(peer: Peer, dial: Dial, listen: Listen, socket_type: str, late: str) -> None:
    """Every publisher, dialled or dialling, early or late, is told all subscriptions and heard."""
    sub = peer.open(socket_type)
    sub.subscribe(b"early")
    first = dial(sub.bind()).handshake("PUB")
    first.expect_subscription(b"early", late)
    first.send(Message(b"early-1"))
    sub.expect(b"early-1", clause=rule(sub, "create-on-accept"))
    sub.subscribe(b"later")
    first.expect_subscription(b"later")
    listener = listen()
    sub.connect(listener.endpoint)
    second = listener.accept(clause=rule(sub, "create-on-connect")).handshake("XPUB")
    Judge.equal(told(second, 2, late), {b"early": 1, b"later": 1}, late)
    second.send(Message(b"later-2"))
    sub.expect(b"later-2", clause=rule(sub, "create-on-connect"))
    sub.cancel(b"early")
    first.expect_cancellation(b"early", "37/pubsub/cancel-command")
    second.expect_cancellation(b"early", "37/pubsub/cancel-command")
    first.send(Message(b"later-1"))
    sub.expect(b"later-1", clause=rule(sub, "create-on-accept"))


@case(
    "pubsub/sub/subscribes-again-after-reconnect",
    clauses=[
        "29/sub/keep-unconnected",
        "29/xsub/keep-unconnected",
        "29/xsub/resend-on-connect",
        "37/pubsub/subscribe-command",
    ],
    needs=["{socket_type}"],
)
@subscribers
def test_subscribes_again_after_reconnect(peer: Peer, listen: Listen, socket_type: str) -> None:
    """A publisher that was lost and dialled again is told all subscriptions, also those made meanwhile."""
    sub = peer.open(socket_type)
    listener = listen()
    sub.connect(listener.endpoint)
    before = listener.accept().handshake("PUB")
    sub.subscribe(b"A")
    before.expect_subscription(b"A", "37/pubsub/subscribe-command")
    before.send(Message(b"A-before"))
    Judge.that(
        peer.readable(sub) == [sub], "a message for the application", "none", rule(sub, "keep-unconnected")
    )
    before.close()
    after = listener.accept(clause="37/errors/close-reconnect")
    sub.subscribe(b"B")  # now it knows of the loss
    after.handshake("PUB")
    keep = rule(sub, "keep-unconnected")
    Judge.equal(told(after, 2, keep), {b"A": 1, b"B": 1}, keep)
    after.send(Message(b"B-after"))
    sub.expect(b"A-before", clause=keep)
    sub.expect(b"B-after", clause=keep)


@case("pubsub/sub/equal-requests-balance", clauses=["37/pubsub/two-cancels"], needs=["{socket_type}"])
@subscribers
def test_equal_requests_balance(peer: Peer, attach: Attach, socket_type: str, judge: Judge) -> None:
    """Of two equal subscriptions one stays when one is cancelled, and none when both are."""
    sub = peer.open(socket_type)
    raw = publisher(attach(sub), sub)
    sub.subscribe(b"A")
    sub.subscribe(b"A")
    sub.cancel(b"A")
    sub.subscribe(b"one-left")
    held = balance(raw, b"A", b"one-left")
    judge.that(held >= 1, "at least one subscription left after one of two is cancelled", held)
    sub.cancel(b"A")
    sub.subscribe(b"none-left")
    held += balance(raw, b"A", b"none-left")
    judge.that(held == 0, "no subscription left after both are cancelled", f"{held} left")


def balance(raw: RawPeer, prefix: bytes, last: bytes) -> int:
    """How many more SUBSCRIBE than CANCEL come for a prefix until SUBSCRIBE for `last` comes."""
    held = 0
    while (request := request_of(raw)) != Subscribe(last):
        held += request == Subscribe(prefix)
        held -= request == Cancel(prefix)
    return held


@case(
    "pubsub/sub/delivers-messages-unchanged",
    clauses=["29/sub/no-modify", "29/sub/deliver", "29/xsub/no-modify-in", "29/xsub/deliver"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize(
    ("socket_type", "unchanged"),
    [("SUB", "29/sub/no-modify"), ("XSUB", "29/xsub/no-modify-in")],
    ids=SUBSCRIBERS,
)
@pytest.mark.parametrize("parts", MESSAGES.values(), ids=MESSAGES)
def test_delivers_messages_unchanged(
    peer: Peer, attach: Attach, socket_type: str, unchanged: str, parts: tuple[bytes, ...]
) -> None:
    """A message reaches the application whole and as it came, and so does the next."""
    sub = peer.open(socket_type)
    raw = attach(sub).handshake("PUB")
    sub.subscribe(b"A")
    raw.expect_subscription(b"A", "37/pubsub/subscribe-command")
    raw.send(Message(*parts), Message(b"After"))
    Judge.equal(sub.recv(clause=rule(sub, "deliver")), list(parts), unchanged)
    sub.expect(b"After", clause=rule(sub, "deliver"))


@case(
    "pubsub/sub/messages-not-asked-for",
    clauses=["29/sub/filter-prefix", "29/xsub/filter-prefix", "29/sub/deliver", "29/xsub/deliver"],
    needs=["{socket_type}"],
)
@subscribers
def test_messages_not_asked_for(peer: Peer, attach: Attach, socket_type: str, judge: Judge) -> None:
    """What was not subscribed to may be shown or hidden; what was is delivered behind it."""
    sub = peer.open(socket_type)
    raw = attach(sub).handshake("PUB")
    raw.send(Message(b"unasked"))
    sub.subscribe(b"A")
    raw.expect_subscription(b"A", "37/pubsub/subscribe-command")
    raw.send(Message(b"other", b"A"), Message(b"A1"))
    came = [sub.recv(clause=rule(sub, "deliver"))]
    while came[-1] != [b"A1"]:
        came.append(sub.recv(clause=rule(sub, "deliver")))
    judge.note("filters again itself" if len(came) == 1 else f"shows {len(came) - 1} of 2 not asked for")


@case("pubsub/sub/sends-nothing", clauses=["29/sub/receive-only"], needs=["SUB"])
def test_sends_nothing(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A SUB socket sends no message for its application."""
    sub = peer.open("SUB")
    raw = attach(sub).handshake("PUB")
    sub.subscribe(b"A")
    raw.expect_subscription(b"A", "37/pubsub/subscribe-command")
    sub.expect_send_refused(b"not-to-be-sent")
    sub.subscribe(b"fence")
    raw.expect_subscription(b"fence")


@case(
    "pubsub/sub/fair-queue",
    clauses=["29/sub/fair-queue", "29/xsub/fair-queue"],
    needs=["{socket_type}", "feature:heartbeat"],
)
@subscribers
def test_fair_queue(peer: Peer, attach: Attach, socket_type: str) -> None:
    """While two publishers have messages waiting, neither is starved."""
    sub = peer.open(socket_type)
    sub.subscribe(b"")
    publishers = {name: attach(sub).handshake("PUB") for name in (b"first", b"second")}
    for name, raw in publishers.items():
        raw.expect_subscription(b"", "37/pubsub/subscribe-command")
        raw.send(*(Message(name, b"%d" % n) for n in range(MANY)))
        raw.fence()
    window = [sub.recv(clause=rule(sub, "deliver")) for _ in range(MANY)]
    names = sorted({parts[0] for parts in window})
    Judge.equal(names, list(publishers), rule(sub, "fair-queue"))


@case(
    "pubsub/sub/full-queue",
    clauses=["29/sub/drop-when-full", "29/xsub/drop-when-full"],
    needs=["{socket_type}", "option:receive-hwm"],
)
@subscribers
def test_full_queue(peer: Peer, attach: Attach, socket_type: str, judge: Judge) -> None:
    """Messages beyond the limit are dropped whole or held back; the socket goes on when it is read again."""
    sub = peer.open(socket_type, receive_hwm=MARK)
    sub.subscribe(b"")
    raw = attach(sub).handshake("PUB")
    raw.expect_subscription(b"", "37/pubsub/subscribe-command")
    raw.send(*(Message(b"%06d" % n, b"second", b"") for n in range(MANY)))
    came = read_to_fence(sub, raw)
    judge.note(f"{len(came)} of {MANY} arrived")
    numbers = [int(parts[0]) for parts in came]
    full = rule(sub, "drop-when-full")
    whole = all(parts[1:] == [b"second", b""] for parts in came)
    judge.that(whole, "whole messages", "a message that was not sent so", full)
    judge.equal(numbers, sorted(set(numbers)), full)
    judge.that(len(came) > 0, "some of the messages", "none", full)


def read_to_fence(sub: RemoteSocket, raw: RawPeer) -> list[Parts]:
    """What the application gets until a message sent only now comes through."""
    deadline: Deadline = raw.deadlines.deadline("delivery")
    came: list[Parts] = []
    while not deadline.expired:
        raw.send(Message(FENCE))
        while (parts := received_soon(sub)) is not None:
            if parts == [FENCE]:
                return came
            came.append(parts)
    raise Mismatch(
        "later messages arrive", f"none within {deadline.seconds:g} s", rule(sub, "drop-when-full")
    )


def received_soon(sub: RemoteSocket) -> Parts | None:
    """The next message, or None where none comes at once."""
    ready = sub.peer.readable(sub, within_s=sub.peer.deadlines.probe_s)
    return sub.recv() if ready else None
