"""REP: one request, then the reply to it (RFC 28, The REP Socket Type)."""

import pytest

from conformance.pipeline.ends import small_window
from conformance.reqrep.ends import (
    FLOOD_OCTETS,
    expect_fair,
    expect_not_waiting,
    put_before,
    settle,
)
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.zmtp import Message

ENVELOPES = {
    "none": [],
    "one-hop": [b"client"],
    "three-hops": [b"\x00hop3", b"hop2", b"client"],
    "long-identity": [b"i" * 255],
}
BODIES = {
    "one-frame": [b"body"],
    "three-frames": [b"a", b"b", b"c"],
    "empty": [b""],
    "empty-frames-around": [b"", b"body", b""],
    "empty-frame-inside": [b"one", b"", b"two", b"", b"three"],
}
MALFORMED = {
    "no-delimiter": Message(b"request"),
    "frames-without-delimiter": Message(b"envelope", b"request"),
    "delimiter-last": Message(b"envelope", b""),
    "delimiter-alone": Message(b""),
}
EACH = 100
MOST_UNREAD = 100  # replies of 64 KiB: more than the operating system takes for who does not read


@case(
    "reqrep/rep/keeps-and-restores-envelope",
    clauses=[
        "28/rep/restore-envelope",
        "28/rep/strip-envelope",
        "28/rep/envelope",
        "28/rep/delimiter",
    ],
    needs=["REP"],
)
@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
@pytest.mark.parametrize("asker", ["REQ", "DEALER"])
def test_keeps_and_restores_envelope(peer: Peer, attach: Attach, asker: str, envelope: list[bytes]) -> None:
    """The application sees the data only; the reply goes back behind the envelope of its request."""
    rep = peer.open("REP")
    raw = attach(rep).handshake(asker)
    for turn in (b"one", b"two"):
        raw.send(Message(*envelope, b"", turn))
        rep.expect(turn, clause="28/rep/strip-envelope")
        rep.send([b"reply", turn])
        raw.expect_message(*envelope, b"", b"reply", turn)


@case(
    "reqrep/rep/leaves-data-as-it-is",
    clauses=["28/rep/no-filter", "28/rep/pass-data", "28/rep/one-data-frame"],
    needs=["REP"],
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_leaves_data_as_it_is(peer: Peer, attach: Attach, body: list[bytes]) -> None:
    """All frames behind the first delimiter are data, empty ones too, and so are those of the reply."""
    rep = peer.open("REP")
    raw = attach(rep).handshake("REQ")
    raw.send(Message(b"", *body))
    rep.expect(*body, clause="28/rep/pass-data")
    rep.send(body)
    raw.expect_message(b"", *body)


@case("reqrep/rep/refuses-early-send", clauses=["28/rep/lockstep"], needs=["REP"])
def test_refuses_early_send(peer: Peer, attach: Attach) -> None:
    """With no request there is nothing to reply to, at first and after each reply."""
    rep = peer.open("REP")
    raw = attach(rep).handshake("REQ")
    for turn in (b"one", b"two"):
        rep.expect_send_refused(b"too early")
        raw.send(Message(b"", turn))
        rep.expect(turn)
        rep.send([turn])
        raw.expect_message(b"", turn)


@case(
    "reqrep/rep/refuses-send-while-request-waits",
    clauses=["28/rep/lockstep"],
    needs=["REP", "feature:heartbeat"],
)
def test_refuses_send_while_request_waits(peer: Peer, attach: Attach) -> None:
    """A request that has come and was not received yet cannot be replied to."""
    rep = peer.open("REP")
    raw = attach(rep).handshake("REQ")
    raw.send(Message(b"", b"request"))
    settle(raw)
    rep.expect_send_refused(b"too early")
    rep.expect(b"request")
    rep.send([b"reply"])
    raw.expect_message(b"", b"reply")


@case("reqrep/rep/refuses-second-recv", clauses=["28/rep/lockstep"], needs=["REP"])
def test_refuses_second_recv(peer: Peer, attach: Attach) -> None:
    """A request waits until the one before it has been answered."""
    rep = peer.open("REP")
    raw = attach(rep).handshake("DEALER")
    raw.send(Message(b"", b"one"), Message(b"", b"two"))
    rep.expect(b"one")
    rep.expect_recv_refused()
    rep.send([b"reply one"])
    rep.expect(b"two")
    rep.send([b"reply two"])
    raw.expect_message(b"", b"reply one")
    raw.expect_message(b"", b"reply two")


@case("reqrep/rep/replies-to-asker", clauses=["28/rep/to-origin"], needs=["REP"])
def test_replies_to_asker(peer: Peer, attach: Attach) -> None:
    """Of two askers each gets its own reply and nothing else."""
    rep = peer.open("REP")
    ends = [attach(rep).handshake("REQ") for _ in range(2)]
    for turn in (b"one", b"two", b"three"):
        for name, raw in zip((b"a", b"b"), ends, strict=True):
            raw.send(Message(b"", name, turn))
        for _ in ends:
            rep.send(rep.recv(clause="28/rep/pass-data"))
        for name, raw in zip((b"a", b"b"), ends, strict=True):
            raw.expect_message(b"", name, turn)


@case("reqrep/rep/hears-askers-by-turns", clauses=["28/rep/fair-queue"], needs=["REP", "feature:heartbeat"])
def test_hears_askers_by_turns(peer: Peer, attach: Attach) -> None:
    """An asker with many requests waiting does not keep another one waiting until they are done."""
    rep = peer.open("REP")
    names = (b"a", b"b")
    put_before(rep, *((attach(rep).handshake("DEALER"), [Message(b"", name)] * EACH) for name in names))
    heard = []
    for _ in range(EACH * len(names)):
        heard += rep.recv()
        rep.send([b"reply"])
    expect_fair(heard, names, "28/rep/fair-queue")


@case(
    "reqrep/rep/never-delivers-malformed-request",
    clauses=["28/rep/delimiter", "28/rep/one-data-frame"],
    needs=["REP", "feature:heartbeat"],
)
@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
def test_never_delivers_malformed_request(
    peer: Peer, attach: Attach, judge: Judge, malformed: Message
) -> None:
    """A request without delimiter or data is dropped, or its sender is cut off; others are served."""
    rep = peer.open("REP")
    bad, good = (attach(rep).handshake("DEALER") for _ in range(2))
    bad.send(malformed)
    judge.note("dropped" if settle(bad) else "sender cut off")
    for turn in (b"one", b"two"):
        good.send(Message(b"", turn))
        rep.expect(turn)
        rep.send([turn])
        good.expect_message(b"", turn)
    rep.expect_empty()


@case("reqrep/rep/outlives-its-asker", clauses=["28/rep/peer-gone", "28/rep/no-block"], needs=["REP"])
def test_outlives_its_asker(peer: Peer, attach: Attach) -> None:
    """A reply for an asker that has gone reaches nobody, and the next asker is served."""
    rep = peer.open("REP")
    gone, next_asker = (attach(rep).handshake("REQ") for _ in range(2))
    gone.send(Message(b"", b"question"))
    rep.expect(b"question", clause="28/rep/pass-data")
    gone.reset()
    expect_not_waiting(rep, b"lost", clause="28/rep/no-block")
    for turn in (b"one", b"two"):
        next_asker.send(Message(b"", turn))
        rep.expect(turn)
        rep.send([turn])
        next_asker.expect_message(b"", turn)


@case("reqrep/rep/never-waits-to-reply", clauses=["28/rep/no-block"], needs=["REP", "option:send-hwm"])
def test_never_waits_to_reply(peer: Peer, attach: Attach) -> None:
    """An asker that reads none of its replies does not hold the socket up."""
    rep = peer.open("REP", send_hwm=1)
    deaf, good = (small_window(attach(rep)).handshake("DEALER") for _ in range(2))
    for _ in range(MOST_UNREAD):
        deaf.send(Message(b"", b"more"))
        rep.expect(b"more", clause="28/rep/pass-data")
        expect_not_waiting(rep, bytes(FLOOD_OCTETS))
    good.send(Message(b"", b"question"))
    rep.expect(b"question")
    rep.send([b"answer"])
    good.expect_message(b"", b"answer")
