"""XPUB: what its application learns of its subscribers (RFC 29, The XPUB Socket Type)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.pipeline.ends import small_window
from harness.case import Judge, case
from harness.peer import Parts, Peer, RemoteSocket, show_parts
from harness.pytest_fixtures import Attach, Dial
from harness.wire.rawpeer import RawPeer, as_message
from harness.zmtp import Cancel, Message, Subscribe

from .probe import Request, Subscriber, handshake_3_0, octets

MANY = 200
MARK = 5
BIG_OCTETS = 1 << 17
FLOOD = 100
PREFIXES = {"text": b"topic", "empty": b"", "null": b"\x00", "one": b"\x01", "300": octets(300)}
UPSTREAM = {
    "one-frame": (b"upstream",),
    "frames": (b"up", b"stream", b""),
    "empty": (b"",),
    "01-inside": (b"up\x01", b"\x01A", b"end"),
    "00-inside": (b"up\x00", b"\x00A", b"end"),
    "big": (b"up" + octets(70_000),),
}

ATOMIC = "37/framing/atomic"
LIKE_REQUESTS = {
    "00-first": (b"\x00\x00", b""),
    "00-alone-first": (b"\x00", b"body"),
    "01-first": (b"\x01topic", b"body", b"more", b"\x00end"),
}


def shown(*requests: Request) -> list[Parts]:
    """How requests are shown to the application: as messages that begin with 01 or 00."""
    return [list(as_message(request).parts) for request in requests]


def received(xpub: RemoteSocket, count: int, clause: str) -> list[Parts]:
    """The next `count` messages that the application gets."""
    return [xpub.recv(clause=clause) for _ in range(count)]


@case(
    "pubsub/xpub/shows-requests",
    clauses=["29/xpub/deliver-requests", "29/xpub/receive-requests"],
    needs=["XPUB"],
)
@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_shows_requests(peer: Peer, attach: Attach, prefix: bytes) -> None:
    """The application gets each new subscription and its end, with the very octets of the prefix."""
    xpub = peer.open("XPUB")
    raw = attach(xpub).handshake("SUB")
    raw.request(Subscribe(prefix))
    xpub.expect(*as_message(Subscribe(prefix)).parts)
    raw.request(Cancel(prefix))
    xpub.expect(*as_message(Cancel(prefix)).parts)


@case(
    "pubsub/xpub/shows-requests-of-3-0-partner",
    clauses=["37/pubsub/legacy-form-interop", "29/xpub/deliver-requests"],
    needs=["XPUB", "zmtp:3.0"],
)
@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_shows_requests_of_3_0_partner(peer: Peer, attach: Attach, prefix: bytes) -> None:
    """Requests of a 3.0 partner, which come as messages, are shown as others are."""
    xpub = peer.open("XPUB")
    raw = handshake_3_0(attach(xpub), "SUB", "37/pubsub/legacy-form-interop")
    raw.send(as_message(Subscribe(prefix)))
    xpub.expect(*as_message(Subscribe(prefix)).parts)
    raw.send(as_message(Cancel(prefix)))
    xpub.expect(*as_message(Cancel(prefix)).parts)


@case("pubsub/xpub/shows-messages-of-subscribers", clauses=["29/xpub/deliver"], needs=["XPUB"])
@pytest.mark.parametrize("parts", UPSTREAM.values(), ids=UPSTREAM)
def test_shows_messages_of_subscribers(peer: Peer, attach: Attach, parts: tuple[bytes, ...]) -> None:
    """What an XSUB sends upstream reaches the application, in order with its requests."""
    xpub = peer.open("XPUB")
    raw = attach(xpub).handshake("XSUB")
    raw.request(Subscribe(b"A"))
    raw.send(Message(*parts), Message(b"later"))
    raw.request(Subscribe(b"B"))
    came = received(xpub, 4, "29/xpub/deliver")
    Judge.equal(
        [m for m in came if m not in shown(Subscribe(b"A"), Subscribe(b"B"))], [list(parts), [b"later"]]
    )


@case("pubsub/xpub/message-that-begins-as-a-request", clauses=[ATOMIC], needs=["XPUB"])
@pytest.mark.parametrize("parts", LIKE_REQUESTS.values(), ids=LIKE_REQUESTS)
def test_message_that_begins_as_a_request(
    peer: Peer, attach: Attach, judge: Judge, parts: tuple[bytes, ...]
) -> None:
    """Of a message whose first frame looks like a request, what is no request is not torn apart.

    A request is one frame (RFC 23, The Publish-Subscribe Pattern), so such a message is none; but libzmq
    documents that it takes each frame that looks like one for a request (ZMQ_ONLY_FIRST_SUBSCRIBE).
    """
    xpub = peer.open("XPUB")
    raw = attach(xpub).handshake("XSUB")
    raw.send(Message(*parts), Message(b"fence"))
    came = list(iter(lambda: xpub.recv(clause=ATOMIC), [b"fence"]))
    rest = [message for message in came if not is_like_a_request(message)]
    taken_out = [[part for part in parts if not is_like_a_request([part])], list(parts[1:])]
    expected = " or ".join(map(show_parts, [parts, *taken_out])) + ", or nothing, and perhaps requests"
    judge.that(came == [list(parts)] or rest in ([], *([each] for each in taken_out)), expected, came, ATOMIC)
    if came != [list(parts)]:
        judge.note(f"{show_parts(parts)} is shown as {' and '.join(map(show_parts, came)) or 'nothing'}")


def is_like_a_request(message: Parts) -> bool:
    """Whether a message is one frame that begins with 00 or 01."""
    return len(message) == 1 and message[0][:1] in (b"\0", b"\1")


def ends(raw: RawPeer) -> dict[str, Callable[[], None]]:
    """The ways in which a subscriber can go."""
    return {"closed": raw.close, "reset": raw.reset, "half-closed": raw.half_close}


@case("pubsub/xpub/cancels-for-who-is-gone", clauses=["29/xpub/synthetic-unsub"], needs=["XPUB"])
@pytest.mark.parametrize("way", ["closed", "reset", "half-closed"])
def test_cancels_for_who_is_gone(peer: Peer, attach: Attach, way: str) -> None:
    """When a subscriber goes without cancelling, the application is told the end of each subscription."""
    xpub = peer.open("XPUB")
    staying = attach(xpub).handshake("SUB")
    staying.request(Subscribe(b"Z"))
    xpub.expect(*as_message(Subscribe(b"Z")).parts, clause="29/xpub/deliver-requests")
    going = attach(xpub).handshake("SUB")
    going.request(Subscribe(b"A"), Subscribe(b"B"))
    Judge.equal(received(xpub, 2, "29/xpub/deliver-requests"), shown(Subscribe(b"A"), Subscribe(b"B")))
    ends(going)[way]()
    Judge.equal(
        sorted(received(xpub, 2, "29/xpub/synthetic-unsub")), sorted(shown(Cancel(b"A"), Cancel(b"B")))
    )
    staying.request(Cancel(b"Z"))
    xpub.expect(*as_message(Cancel(b"Z")).parts, clause="29/xpub/deliver-requests")


@case(
    "pubsub/xpub/topic-that-others-hold",
    clauses=["29/xpub/synthetic-once", "29/xpub/synthetic-unsub"],
    needs=["XPUB"],
)
def test_topic_that_others_hold(peer: Peer, dial: Dial, judge: Judge) -> None:
    """When a holder of a topic goes the application may be told; when the last one goes it is."""
    xpub = peer.open("XPUB")
    endpoint = xpub.bind()
    first, second = dial(endpoint).handshake("SUB"), dial(endpoint).handshake("SUB")
    for raw, own in ((first, b"first"), (second, b"second")):
        raw.request(Subscribe(b"A"), Subscribe(own))
        until(xpub, Subscribe(own))
    first.close()
    told_early = shown(Cancel(b"A"))[0] in until(xpub, Cancel(b"first"), others=1)
    judge.note("told at each" if told_early else "told at the last")
    second.close()
    came = until(xpub, Cancel(b"second"), others=1)
    judge.that(shown(Cancel(b"A"))[0] in came, "the end of the topic", came)


def until(xpub: RemoteSocket, last: Request, others: int = 0) -> list[Parts]:
    """What the application gets until `last` has come, and up to `others` messages behind it."""
    clause = "29/xpub/deliver-requests" if isinstance(last, Subscribe) else "29/xpub/synthetic-unsub"
    came = [xpub.recv(clause=clause)]
    while shown(last)[0] not in came:
        came.append(xpub.recv(clause=clause))
    for _ in range(others):
        if xpub.peer.readable(xpub, within_s=xpub.peer.deadlines.probe_s):
            came.append(xpub.recv())
    return came


@case(
    "pubsub/xpub/equal-subscriptions",
    clauses=["29/xpub/normalize", "29/xpub/deliver-requests"],
    needs=["XPUB"],
)
def test_equal_subscriptions(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Equal subscriptions are shown once or each time."""
    judge.note(f"{times_shown(peer.open('XPUB'), attach)} of 3 equal subscriptions shown")


@case("pubsub/xpub/verbose", clauses=["29/xpub/normalize"], needs=["XPUB", "option:xpub-verbose"])
def test_verbose(peer: Peer, attach: Attach, judge: Judge) -> None:
    """With the option set, equal subscriptions are shown each time."""
    times = times_shown(peer.open("XPUB", xpub_verbose=True), attach)
    judge.that(times == 3, "3 notices", times)


def times_shown(xpub: RemoteSocket, attach: Attach) -> int:
    """How often a topic is shown that one subscriber asks for twice and another once."""
    first, second = attach(xpub).handshake("SUB"), attach(xpub).handshake("SUB")
    first.request(Subscribe(b"A"), Subscribe(b"A"), Subscribe(b"first"))
    came = until(xpub, Subscribe(b"first"))
    second.request(Subscribe(b"A"), Subscribe(b"second"))
    came += until(xpub, Subscribe(b"second"))
    return came.count(shown(Subscribe(b"A"))[0])


@case("pubsub/xpub/fair-queue", clauses=["29/xpub/fair-queue"], needs=["XPUB", "feature:heartbeat"])
def test_fair_queue(peer: Peer, attach: Attach) -> None:
    """While two subscribers have messages waiting, neither is starved."""
    xpub = peer.open("XPUB")
    senders = {name: attach(xpub).handshake("XSUB") for name in (b"first", b"second")}
    for name, raw in senders.items():
        raw.send(*(Message(name, b"%d" % n) for n in range(MANY)))
        raw.fence()
    names = sorted({parts[0] for parts in received(xpub, MANY, "29/xpub/deliver")})
    Judge.equal(names, list(senders))


@case(
    "pubsub/xpub/full-output-does-not-stop-input",
    clauses=["29/xpub/double-queue", "29/xpub/no-block"],
    needs=["XPUB", "option:send-hwm"],
)
def test_full_output_does_not_stop_input(peer: Peer, attach: Attach) -> None:
    """A subscriber whose output queue is full is still heard."""
    xpub = peer.open("XPUB", send_hwm=MARK)
    slow = Subscriber(small_window(attach(xpub)).handshake("XSUB"), xpub)
    slow.subscribe(b"")
    xpub.expect(*as_message(Subscribe(b"")).parts, clause="29/xpub/deliver-requests")
    accepted = xpub.flood(FLOOD, BIG_OCTETS)
    Judge.that(accepted == FLOOD, f"{FLOOD} messages accepted", accepted, "29/xpub/no-block")
    slow.raw.send(Message(b"upstream"))
    xpub.expect(b"upstream")
    slow.collect("29/xpub/double-queue")
