"""REQ: one request, then its reply (RFC 28, The REQ Socket Type)."""

from contextlib import suppress

import pytest

from conformance.reqrep.ends import (
    acquainted,
    expect_not_accepted,
    finish_send,
    joined,
    settle,
)
from harness.case import Judge, case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.wire.several import first_of
from harness.zmtp import Message

BODIES = {
    "one-frame": [b"body"],
    "three-frames": [b"a", b"b", b"c"],
    "empty": [b""],
    "empty-frames-around": [b"", b"body", b""],
    "empty-frame-inside": [b"one", b"", b"two", b"", b"three"],
    "long-frame": [b"x" * 256],
}
MALFORMED = {
    "no-delimiter": Message(b"reply"),
    "frame-before-delimiter": Message(b"envelope", b"", b"reply"),
    "delimiter-last": Message(b"reply", b""),
    "delimiter-alone": Message(b""),
}


@case("reqrep/req/adds-delimiter", clauses=["28/req/add-delimiter"], needs=["REQ"])
@pytest.mark.parametrize("partner", ["REP", "ROUTER"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_adds_delimiter(peer: Peer, attach: Attach, body: list[bytes], partner: str) -> None:
    """A request goes out as an empty frame and then the application's frames, as they are."""
    req = peer.open("REQ")
    raw = acquainted(req, attach(req), partner)
    req.send(body)
    raw.expect_message(b"", *body)


@case("reqrep/req/strips-delimiter", clauses=["28/req/format", "28/req/one-data-frame"], needs=["REQ"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_strips_delimiter(peer: Peer, attach: Attach, body: list[bytes]) -> None:
    """Of a reply the application gets the frames behind the delimiter, all of them and nothing else."""
    req = peer.open("REQ")
    raw = acquainted(req, attach(req), "REP")
    req.send([b"request"])
    raw.expect_message(b"", b"request", clause="28/req/add-delimiter")
    raw.send(Message(b"", *body))
    req.expect(*body, clause="28/req/one-data-frame")


@case("reqrep/req/refuses-second-send", clauses=["28/req/lockstep"], needs=["REQ"])
def test_refuses_second_send(peer: Peer, attach: Attach) -> None:
    """While a reply is due, another request is refused; the refusal changes nothing."""
    req = peer.open("REQ")
    raw = acquainted(req, attach(req), "REP")
    req.send([b"first"])
    raw.expect_message(b"", b"first", clause="28/req/add-delimiter")
    req.expect_send_refused(b"second")
    raw.send(Message(b"", b"reply"))
    req.expect(b"reply")
    req.send([b"third"])
    raw.expect_message(b"", b"third")


@case(
    "reqrep/req/refuses-send-while-reply-waits",
    clauses=["28/req/lockstep"],
    needs=["REQ", "feature:heartbeat"],
)
def test_refuses_send_while_reply_waits(peer: Peer, attach: Attach) -> None:
    """A reply that has come and was not received yet leaves the turn as it is: another request is refused."""
    req = peer.open("REQ")
    raw = acquainted(req, attach(req), "REP")
    req.send([b"first"])
    raw.expect_message(b"", b"first", clause="28/req/add-delimiter")
    raw.send(Message(b"", b"reply"))
    settle(raw)
    req.expect_send_refused(b"second")
    req.expect(b"reply")


@case("reqrep/req/refuses-early-recv", clauses=["28/req/lockstep"], needs=["REQ"])
def test_refuses_early_recv(peer: Peer, attach: Attach) -> None:
    """With no request out there is nothing to receive, at first and after each reply."""
    req = peer.open("REQ")
    raw = acquainted(req, attach(req), "REP")
    for turn in (b"one", b"two"):
        req.expect_recv_refused()
        req.send([turn])
        raw.expect_message(b"", turn, clause="28/req/add-delimiter")
        raw.send(Message(b"", turn))
        req.expect(turn)


@case(
    "reqrep/req/takes-reply-of-asked-peer-only",
    clauses=["28/req/reply-from-last", "28/req/discard-others"],
    needs=["REQ", "feature:heartbeat"],
)
def test_takes_reply_of_asked_peer_only(peer: Peer, attach: Attach) -> None:
    """What another peer sends while a reply is due is dropped, and the reply still arrives."""
    req = peer.open("REQ")
    ends = [acquainted(req, attach(req), "REP"), joined(req, attach(req), "REP")]
    for turn in (b"one", b"two"):
        req.send([turn])
        asked = first_of(*ends)
        other = ends[1 - ends.index(asked)]
        asked.expect_message(b"", turn, clause="28/req/add-delimiter")
        other.send(Message(b"", b"not asked"))
        other.fence(clause="28/req/discard-others")
        req.expect_empty()
        asked.send(Message(b"", turn))
        req.expect(turn)


@case(
    "reqrep/req/never-delivers-malformed-reply",
    clauses=["28/req/format", "28/req/one-data-frame"],
    needs=["REQ", "feature:heartbeat"],
)
@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
def test_never_delivers_malformed_reply(peer: Peer, attach: Attach, judge: Judge, malformed: Message) -> None:
    """A reply that does not begin with delimiter and data is dropped, or its sender is cut off."""
    req = peer.open("REQ")
    raw = acquainted(req, attach(req), "REP")
    req.send([b"request"])
    raw.expect_message(b"", b"request", clause="28/req/add-delimiter")
    raw.send(malformed, Message(b"", b"reply"))
    if settle(raw):
        judge.note("dropped")
        req.expect(b"reply")
    else:
        judge.note("sender cut off")
        req.expect_empty()


@case(
    "reqrep/req/recovers-from-malformed-reply",
    clauses=["28/req/format"],
    needs=["REQ", "option:req-relaxed", "feature:heartbeat"],
)
@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
def test_recovers_from_malformed_reply(peer: Peer, dial: Dial, malformed: Message) -> None:
    """After a malformed reply the socket asks a correct partner and gets the answer."""
    req = peer.open("REQ", req_relaxed=True)
    endpoint = req.bind()
    bad = acquainted(req, dial(endpoint), "REP")
    req.send([b"request"])
    bad.expect_message(b"", b"request", clause="28/req/add-delimiter")
    bad.send(malformed)
    settle(bad)
    ends = [bad, joined(req, dial(endpoint), "REP")]
    for turn in (b"one", b"two", b"three"):
        _ask_until_heard(req, turn, ends).send(Message(b"", turn))
        req.expect(turn)


@case("reqrep/req/asks-in-rotation", clauses=["28/req/round-robin"], needs=["REQ"])
def test_asks_in_rotation(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Of three connected peers each gets every third request."""
    req = peer.open("REQ")
    ends = [acquainted(req, attach(req), "REP"), *(joined(req, attach(req), "REP") for _ in range(2))]
    for _ in range(10):
        _exchange(req, ends)
    asked = [_exchange(req, ends) for _ in range(9)]
    judge.note(f"order {asked}")
    judge.equal([asked.count(end) for end in range(3)], [3, 3, 3])


@case("reqrep/req/waits-without-peer", clauses=["28/req/block-no-peer"], needs=["REQ"])
def test_waits_without_peer(peer: Peer, dial: Dial) -> None:
    """With nobody connected a request is not accepted, and the socket works once somebody is."""
    req = peer.open("REQ")
    endpoint = req.bind()
    expect_not_accepted(req, b"too early")
    raw = acquainted(req, dial(endpoint), "REP")
    req.send([b"request"])
    raw.expect_message(b"", b"request")


@case("reqrep/req/keeps-request-until-connected", clauses=["28/req/no-discard"], needs=["REQ"])
def test_keeps_request_until_connected(peer: Peer, attach: Attach) -> None:
    """A request offered while the connection is still being made arrives once it is."""
    req = peer.open("REQ")
    raw = attach(req)
    pending = req.start_send([b"request"])
    raw.handshake("REP")
    finish_send(req, pending, [b"request"])
    arrives = raw.expect(Message, clause="28/req/no-discard")
    if arrives != Message(b"", b"request"):
        expected = describe(Message(b"", b"request"))
        raise raw.mismatch(expected, describe(arrives), "28/req/add-delimiter", raw.last_start)


def _exchange(req: RemoteSocket, ends: list[RawPeer]) -> int:
    """One request and its reply; which of the ends was asked."""
    req.send([b"request"])
    asked = first_of(*ends)
    asked.expect_message(b"", b"request", clause="28/req/add-delimiter")
    asked.send(Message(b"", b"reply"))
    req.expect(b"reply", clause="28/req/format")
    return ends.index(asked)


def _ask_until_heard(req: RemoteSocket, question: bytes, ends: list[RawPeer]) -> RawPeer:
    """Ask again where a request went to a connection that was just being closed; who got it."""
    for _ in range(3):
        req.send([question])
        with suppress(Mismatch):
            first_of(*ends)
            break
    asked = first_of(*ends)
    asked.expect_message(b"", question)
    return asked
