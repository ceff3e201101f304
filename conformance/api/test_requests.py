"""Options of REQ: asking again without a reply, and requests with an id.

Source: zmq_setsockopt of libzmq 4.3, ZMQ_REQ_RELAXED and ZMQ_REQ_CORRELATE.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.case import Judge, case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.several import first_of
from harness.zmtp import Message

AGAIN = "libzmq-4/req-relaxed/asks-again"
DISCARDED = "libzmq-4/req-relaxed/earlier-dropped"
NEXT = "libzmq-4/req-relaxed/next-partner"
SAME = "libzmq-4/req-relaxed/same-partner"
LATE = "libzmq-4/req-relaxed/late-with-ids"
ID = "libzmq-4/req-correlate/id-in-front"
REPLY = "libzmq-4/req-correlate/reply"
OTHERS = "libzmq-4/req-correlate/others-dropped"
RELAXED = ["REQ", "option:req-relaxed"]
CORRELATED = ["REQ", "option:req-correlate"]
BODIES = {"one-frame": [b"body"], "empty": [b""], "frames": [b"one", b"", b"two"]}
STRANGERS: dict[str, Callable[[bytes], Message]] = {
    "no-id": lambda request_id: Message(b"", b"not this"),
    "another-id": lambda request_id: Message(bytes(octet ^ 0xFF for octet in request_id), b"", b"not this"),
}


def expect_request(raw: RawPeer, *body: bytes) -> bytes:
    """The next request has an id, the delimiter and this body; its id."""
    came = raw.expect(Message, clause=ID)
    if len(came.parts) != len(body) + 2 or came.parts[1:] != (b"", *body):
        expected = f"an id, the delimiter and {len(body)} frames"
        raise raw.mismatch(expected, repr(came.parts), ID, raw.last_start)
    return came.parts[0]


@case("api/requests/relaxed-drops-what-waits", clauses=[DISCARDED, SAME], needs=RELAXED)
def test_relaxed_drops_what_waits(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Who asks again gets the reply to that, and not the one that waited for the application before."""
    req = peer.open("REQ", req_relaxed=True)
    raw = attach(req).handshake("REP")
    req.send([b"first"])
    raw.expect_message(b"", b"first", clause="28/req/add-delimiter")
    raw.send(Message(b"", b"to the first"))
    waits = peer.readable(req, within_s=peer.deadlines.delivery_s)
    judge.that(bool(waits), "a reply that waits", "none", "28/req/format")
    req.send([b"second"], SAME)
    raw.expect_message(b"", b"second", clause=SAME)
    raw.send(Message(b"", b"to the second"))
    req.expect(b"to the second", clause=DISCARDED)


@case("api/requests/relaxed-asks-the-next", clauses=[NEXT, AGAIN], needs=RELAXED)
def test_relaxed_asks_the_next(peer: Peer, attach: Attach) -> None:
    """While one partner does not reply, another one is asked, and its reply is the one that counts."""
    req = peer.open("REQ", req_relaxed=True)
    silent, other = met_in_turn(req, attach(req).handshake("REP"), attach(req).handshake("REP"))
    req.send([b"first"])
    silent.expect_message(b"", b"first", clause=NEXT)
    req.send([b"second"], AGAIN)
    other.expect_message(b"", b"second", clause=NEXT)
    other.send(Message(b"", b"to the second"))
    req.expect(b"to the second", clause=NEXT)


def met_in_turn(req: RemoteSocket, *ends: RawPeer) -> tuple[RawPeer, ...]:
    """Two partners in the order in which they will be asked, once both have replied one after the other."""
    deadline = req.peer.deadlines.deadline("delivery")
    turns: list[RawPeer] = []
    while len(set(turns[-len(ends) :])) < len(ends):
        req.send([b"hello"])
        turns.append(first_of(*ends))
        turns[-1].expect_message(b"", b"hello", clause="28/req/add-delimiter")
        turns[-1].send(Message(b"", b"hello"))
        req.expect(b"hello", clause="28/req/format")
        if deadline.expired:
            raise Mismatch("each partner in its turn", f"one of them for {len(turns)}", "28/req/round-robin")
    return tuple(turns[-len(ends) :])


@case(
    "api/requests/late-reply-is-known",
    clauses=[LATE, SAME, ID],
    needs=[*RELAXED, "option:req-correlate"],
)
def test_late_reply_is_known(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The reply to a request that another one has superseded comes late, and is not taken for that one's."""
    req = peer.open("REQ", req_relaxed=True, req_correlate=True)
    raw = attach(req).handshake("REP")
    req.send([b"first"])
    first = expect_request(raw, b"first")
    req.send([b"second"], SAME)
    second = expect_request(raw, b"second")
    judge.that(first != second, "two ids", f"{first.hex()} twice", ID)
    raw.send(Message(first, b"", b"too late"), Message(second, b"", b"in time"))
    req.expect(b"in time", clause=LATE)


@case("api/requests/id-in-front", clauses=[ID, REPLY], needs=CORRELATED)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_id_in_front(peer: Peer, attach: Attach, body: list[bytes]) -> None:
    """A request goes out behind its id, and the application gets the reply without it."""
    req = peer.open("REQ", req_correlate=True)
    raw = attach(req).handshake("REP")
    for _ in range(2):
        req.send(body)
        raw.send(Message(expect_request(raw, *body), b"", *body))
        req.expect(*body, clause=REPLY)


@case("api/requests/strange-replies-are-dropped", clauses=[OTHERS, ID], needs=CORRELATED)
@pytest.mark.parametrize("strange", STRANGERS.values(), ids=STRANGERS)
def test_strange_replies_are_dropped(peer: Peer, attach: Attach, strange: Callable[[bytes], Message]) -> None:
    """A reply without the id of the request is passed over, and the one that has it arrives."""
    req = peer.open("REQ", req_correlate=True)
    raw = attach(req).handshake("REP")
    req.send([b"request"])
    request_id = expect_request(raw, b"request")
    raw.send(strange(request_id), Message(request_id, b"", b"this"))
    req.expect(b"this", clause=OTHERS)
