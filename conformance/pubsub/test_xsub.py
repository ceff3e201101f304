"""XSUB: subscriptions as messages, and messages upstream (RFC 29, The XSUB Socket Type)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.pipeline.ends import small_window
from harness.case import Judge, case
from harness.peer import Outcome, Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.rawpeer import as_message
from harness.zmtp import Cancel, Message, Subscribe

from .probe import READY, Audience, octets, publisher, request_of

COUNT = 60
MARK = 5
BIG = b"x" * (1 << 17)
UPSTREAM = {
    "one-frame": (b"upstream",),
    "frames": (b"up", b"", b"stream", b""),
    "01-inside": (b"up\x01", b"\x01A", b"end"),
    "00-inside": (b"up\x00", b"\x00A", b"end"),
    "256": (octets(256)[2:] + b"\x00\x01",),
    "65536": (b"up" + octets(65_534),),
}


@case(
    "pubsub/xsub/subscribes-by-message-of-the-application",
    clauses=["29/xsub/accept-commands", "29/xsub/send-requests"],
    needs=["XSUB"],
)
@pytest.mark.parametrize(
    "prefix", [b"", b"topic", b"\x00\x01", octets(256)], ids=["empty", "text", "binary", "256"]
)
def test_subscribes_by_message_of_the_application(peer: Peer, attach: Attach, prefix: bytes) -> None:
    """The application subscribes by sending 01 and the prefix, and cancels by sending 00 and the prefix."""
    xsub = peer.open("XSUB")
    raw = publisher(attach(xsub), xsub)
    xsub.send(as_message(Subscribe(prefix)).parts, clause="29/xsub/accept-commands")
    raw.expect_subscription(prefix, "29/xsub/send-requests")
    raw.send(Message(prefix + b"1"))
    xsub.expect(prefix + b"1", clause="29/xsub/deliver")
    xsub.send(as_message(Cancel(prefix)).parts, clause="29/xsub/accept-commands")
    raw.expect_cancellation(prefix, "29/xsub/send-requests")


@case(
    "pubsub/xsub/sends-upstream-to-all",
    clauses=["29/xsub/send-to-all", "29/xsub/no-modify-out"],
    needs=["XSUB"],
)
@pytest.mark.parametrize("parts", UPSTREAM.values(), ids=UPSTREAM)
def test_sends_upstream_to_all(peer: Peer, dial: Dial, listen: Listen, parts: tuple[bytes, ...]) -> None:
    """A message of the application goes unchanged to every publisher, dialled or dialling."""
    xsub = peer.open("XSUB")
    listener = listen()
    first = publisher(dial(xsub.bind()), xsub, "XPUB")
    xsub.connect(listener.endpoint)
    second = listener.accept().handshake("XPUB")
    second.expect_subscription(READY, "29/xsub/resend-on-connect")
    xsub.send(parts, clause="29/xsub/send-to-all")
    xsub.send([b"later"], clause="29/xsub/send-to-all")
    for raw in (first, second):
        message = raw.expect(Message, clause="29/xsub/send-to-all")
        Judge.equal(message.parts, parts, "29/xsub/no-modify-out")
        raw.expect(Message(b"later"), clause="29/xsub/send-to-all")


@case(
    "pubsub/xsub/full-queue-drops-without-waiting",
    clauses=[
        "29/xsub/no-block",
        "29/xsub/drop-out-when-full",
        "29/xsub/double-queue",
        "29/xsub/limit",
        "29/xsub/send-to-all",
    ],
    needs=["XSUB", "option:send-hwm"],
)
def test_full_queue_drops_without_waiting(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Sending never waits for a publisher that does not read, and what that one sends still arrives."""
    xsub = peer.open("XSUB", send_hwm=MARK)
    slow = small_window(publisher(attach(xsub), xsub, "XPUB"))
    xsub.send([b"up-first"], clause="29/xsub/send-to-all")
    slow.expect(Message(b"up-first"), clause="29/xsub/send-to-all")
    outcomes = {xsub.offer([b"up%d" % n, BIG]) for n in range(COUNT)}
    judge.equal(outcomes, {Outcome.ACCEPTED}, "29/xsub/no-block")
    slow.send(Message(READY + b"down"))
    xsub.expect(READY + b"down", clause="29/xsub/double-queue")
    came = Audience(slow, xsub, "29/xsub/send-to-all").collect("29/xsub/drop-out-when-full")
    judge.note(f"{len(came)} of {COUNT} arrived")
    numbers = [int(message.parts[0][2:]) for message in came]
    judge.equal(
        [message.parts[1:] for message in came],
        [(BIG,)] * len(came),
        "29/xsub/drop-out-when-full",
    )
    judge.equal(numbers, sorted(set(numbers)), "29/xsub/drop-out-when-full")
    judge.that(len(came) < COUNT, "messages dropped at the limit", "all queued", "29/xsub/limit")


@case(
    "pubsub/xsub/queue-goes-with-its-publisher",
    clauses=["29/xsub/destroy", "29/xsub/send-to-all"],
    needs=["XSUB"],
)
def test_queue_goes_with_its_publisher(peer: Peer, dial: Dial) -> None:
    """A publisher that comes back is told the subscriptions and gets no message sent while it was away."""
    xsub = peer.open("XSUB")
    endpoint = xsub.bind()
    leaving = publisher(dial(endpoint), xsub, "XPUB")
    staying = dial(endpoint).handshake("XPUB")
    staying.expect_subscription(READY, "29/xsub/resend-on-connect")
    leaving.close()
    xsub.send([b"while-away"], clause="29/xsub/send-to-all")
    staying.expect(Message(b"while-away"), clause="29/xsub/send-to-all")
    back = dial(endpoint).handshake("XPUB")
    back.expect_subscription(READY, "29/xsub/resend-on-connect")
    Audience(back, xsub, "29/xsub/send-to-all").settle("29/xsub/destroy")


def close(xsub: RemoteSocket, endpoint: str) -> None:
    """Close the whole socket."""
    xsub.close()


@case(
    "pubsub/xsub/cancels-before-it-closes",
    clauses=["29/xsub/unsub-on-close"],
    needs=["XSUB", "feature:disconnect"],
)
@pytest.mark.parametrize("leave", [close, RemoteSocket.disconnect], ids=["close", "disconnect"])
def test_cancels_before_it_closes(
    peer: Peer, listen: Listen, leave: Callable[[RemoteSocket, str], None]
) -> None:
    """Before a connection is closed, all subscriptions are cancelled on it."""
    xsub = peer.open("XSUB", linger_ms=1000)
    listener = listen()
    xsub.connect(listener.endpoint)
    raw = publisher(listener.accept(), xsub)
    xsub.subscribe(b"A")
    raw.expect_subscription(b"A", "29/xsub/send-requests")
    leave(xsub, listener.endpoint)
    ended = {request_of(raw, "29/xsub/unsub-on-close") for _ in range(2)}
    Judge.equal(ended, {Cancel(READY), Cancel(b"A")})
    raw.expect_closed()
