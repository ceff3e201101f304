"""DEALER: anonymous peers, in rotation out and by turns in (RFC 28, The DEALER Socket Type)."""

import pytest

from conformance.pipeline.ends import expect_flood
from conformance.reqrep.ends import (
    FLOOD_COUNT,
    FLOOD_OCTETS,
    expect_fair,
    expect_not_accepted,
    fill,
    insist,
    meet,
    probe,
    put_before,
)
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

BODIES = {
    "one-frame": [b"body"],
    "empty": [b""],
    "with-delimiter": [b"", b"body"],
    "with-envelope": [b"envelope", b"", b"body"],
    "empty-frames-around": [b"", b"", b"body", b"", b""],
}
EACH = 100


@case("reqrep/dealer/sends-as-it-is", clauses=["28/dealer/no-filter"], needs=["DEALER"])
@pytest.mark.parametrize("partner", ["ROUTER", "REP", "DEALER"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_sends_as_it_is(peer: Peer, attach: Attach, body: list[bytes], partner: str) -> None:
    """The frames of the application are the frames on the wire, none added and none left out."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake(partner)
    dealer.send(body)
    raw.expect_message(*body)


@case(
    "reqrep/dealer/receives-as-it-is", clauses=["28/dealer/no-filter", "28/dealer/deliver"], needs=["DEALER"]
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_receives_as_it_is(peer: Peer, attach: Attach, body: list[bytes]) -> None:
    """The frames on the wire are the frames that the application gets."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("ROUTER")
    raw.send(Message(*body))
    dealer.expect(*body)


@case("reqrep/dealer/delivers-all", clauses=["28/dealer/deliver", "37/sockets/ordered"], needs=["DEALER"])
def test_delivers_all(peer: Peer, attach: Attach) -> None:
    """Every message that comes goes to the application, in the order of its coming."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("ROUTER")
    numbers = [b"%d" % number for number in range(100)]
    raw.send(*(Message(number) for number in numbers))
    for number in numbers:
        dealer.expect(number)


@case("reqrep/dealer/sends-in-rotation", clauses=["28/dealer/round-robin"], needs=["DEALER"])
def test_sends_in_rotation(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Of three peers each gets every third message."""
    dealer = peer.open("DEALER")
    ends = [attach(dealer).handshake("ROUTER") for _ in range(3)]
    meet(dealer, *ends)
    for number in range(9):
        dealer.send([b"%d" % number])
    got = sorted([raw.expect(Message).parts[0] for _ in range(3)] for raw in ends)
    turns = [[b"%d" % number for number in range(first, 9, 3)] for first in range(3)]
    judge.equal(got, turns)


@case(
    "reqrep/dealer/hears-peers-by-turns",
    clauses=["28/dealer/fair-queue"],
    needs=["DEALER", "feature:heartbeat"],
)
def test_hears_peers_by_turns(peer: Peer, attach: Attach) -> None:
    """A peer with many messages waiting does not keep another one waiting until they are done."""
    dealer = peer.open("DEALER")
    names = (b"a", b"b")
    put_before(dealer, *((attach(dealer).handshake("ROUTER"), [Message(name)] * EACH) for name in names))
    heard = [dealer.recv()[0] for _ in range(EACH * len(names))]
    expect_fair(heard, names, "28/dealer/fair-queue")


@case(
    "reqrep/dealer/accepts-nothing-without-peer",
    clauses=["28/dealer/accept-none", "28/dealer/block-none", "28/dealer/create-on-accept"],
    needs=["DEALER"],
)
def test_accepts_nothing_without_peer(peer: Peer, dial: Dial) -> None:
    """With nobody connected a message is not accepted and never appears; a peer that connects is served."""
    dealer = peer.open("DEALER")
    endpoint = dealer.bind()
    expect_not_accepted(dealer, b"too early", clause="28/dealer/block-none")
    raw = dial(endpoint).handshake("ROUTER")
    dealer.send([b"message"], clause="28/dealer/create-on-accept")
    raw.expect_message(b"message")


@case("reqrep/dealer/queues-while-connecting", clauses=["28/dealer/create-on-connect"], needs=["DEALER"])
def test_queues_while_connecting(peer: Peer, listen: Listen) -> None:
    """Messages offered while a connection is still being made arrive once it is, in order."""
    dealer = peer.open("DEALER")
    listener = listen()
    dealer.connect(listener.endpoint)
    outcome = dealer.offer([b"early"])
    raw = listener.accept().handshake("ROUTER")
    insist(dealer, outcome, [b"early"])
    dealer.send([b"late"])
    raw.expect_message(b"early")
    raw.expect_message(b"late")


@case("reqrep/dealer/queues-while-away", clauses=["28/dealer/keep-unconnected"], needs=["DEALER"])
def test_queues_while_away(peer: Peer, listen: Listen) -> None:
    """Messages for a peer that the socket dials wait until it is there again."""
    dealer = peer.open("DEALER")
    listener = listen()
    dealer.connect(listener.endpoint)
    raw = listener.accept().handshake("ROUTER")
    meet(dealer, raw)
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    outcome = dealer.offer([b"meanwhile"])
    again.handshake("ROUTER")
    insist(dealer, outcome, [b"meanwhile"])
    again.expect_message(b"meanwhile")


@case(
    "reqrep/dealer/keeps-what-it-accepts",
    clauses=["28/dealer/no-discard", "28/dealer/limit"],
    needs=["DEALER", "option:send-hwm"],
)
def test_keeps_what_it_accepts(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A peer that does not read stops the sender in the end, and then gets all that was accepted."""
    dealer = peer.open("DEALER", send_hwm=10)
    raw = attach(dealer).handshake("ROUTER")
    meet(dealer, raw)
    accepted = fill(dealer)
    with judge.soft():
        judge.that(accepted < FLOOD_COUNT, "a full queue", f"{accepted} accepted", "28/dealer/limit")
    expect_flood(raw, 0, accepted, FLOOD_OCTETS)
    dealer.send([b"room again"])
    raw.expect_message(b"room again")


@case(
    "reqrep/dealer/passes-over-full-peer",
    clauses=["28/dealer/available"],
    needs=["DEALER", "option:send-hwm"],
)
def test_passes_over_full_peer(peer: Peer, attach: Attach) -> None:
    """While one peer's queue is full, the messages go to the other and nobody waits."""
    dealer = peer.open("DEALER", send_hwm=10)
    full = attach(dealer).handshake("ROUTER")
    meet(dealer, full)
    fill(dealer)
    other = attach(dealer).handshake("ROUTER")
    meet(dealer, other)
    for number in range(6):
        dealer.send([b"%d" % number])
    for _ in range(3):
        other.expect(Message)


@case(
    "reqrep/dealer/full-output-leaves-input",
    clauses=["28/dealer/double-queue"],
    needs=["DEALER", "option:send-hwm"],
)
def test_full_output_leaves_input(peer: Peer, attach: Attach) -> None:
    """A peer that does not read can still be heard."""
    dealer = peer.open("DEALER", send_hwm=10)
    raw = attach(dealer).handshake("ROUTER")
    meet(dealer, raw)
    fill(dealer)
    raw.send(Message(b"can you hear me"))
    dealer.expect(b"can you hear me")


@case(
    "reqrep/dealer/full-input-leaves-output",
    clauses=["28/dealer/double-queue"],
    needs=["DEALER", "option:receive-hwm"],
)
def test_full_input_leaves_output(peer: Peer, attach: Attach) -> None:
    """A peer whose messages are not taken can still be sent to."""
    dealer = peer.open("DEALER", receive_hwm=1)
    raw = attach(dealer).handshake("ROUTER")
    numbers = [b"%d" % number for number in range(50)]
    raw.send(*(Message(number) for number in numbers))
    dealer.send([b"out"])
    raw.expect_message(b"out")
    for number in numbers:
        dealer.expect(number, clause="28/dealer/deliver")


@case("reqrep/dealer/forgets-peer-that-goes", clauses=["28/dealer/destroy"], needs=["DEALER"])
def test_forgets_peer_that_goes(peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that had connected goes with it, and does not reach its successor."""
    dealer = peer.open("DEALER")
    endpoint = dealer.bind()
    gone = dial(endpoint).handshake("ROUTER")
    meet(dealer, gone)
    fill(dealer)
    gone.reset()
    successor = dial(endpoint).handshake("ROUTER")
    meet(dealer, successor)
    probe(dealer, successor, b"fence")
