"""ROUTER: peers by routing id (RFC 28, The ROUTER Socket Type)."""

import pytest

from conformance.reqrep.ends import (
    FLOOD_COUNT,
    FLOOD_OCTETS,
    attempt,
    expect_fair,
    expect_not_waiting,
    fill,
    meet,
    put_before,
    read_until_fence,
    until,
)
from harness.case import Judge, case
from harness.peer import Outcome, Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

PARTNERS = {
    "REQ": [b"", b"body"],
    "DEALER": [b"body", b"", b"more"],
    "ROUTER": [b"other", b"", b"body"],
}
BODIES = {
    "one-frame": [b"body"],
    "empty": [b""],
    "with-delimiter": [b"", b"body"],
    "empty-frames-around": [b"", b"", b"body", b"", b""],
}
EACH = 100


@case(
    "reqrep/router/puts-id-in-front", clauses=["28/router/prefix-id", "28/router/deliver"], needs=["ROUTER"]
)
@pytest.mark.parametrize("partner", PARTNERS)
def test_puts_id_in_front(peer: Peer, attach: Attach, partner: str) -> None:
    """The application gets the sender's routing id, then all frames of the message as they came."""
    router = peer.open("ROUTER")
    raw = attach(router).handshake(partner, identity=b"alice")
    raw.send(Message(*PARTNERS[partner]))
    router.expect(b"alice", *PARTNERS[partner])


@case("reqrep/router/delivers-as-it-is", clauses=["28/router/deliver"], needs=["ROUTER"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_delivers_as_it_is(peer: Peer, attach: Attach, body: list[bytes]) -> None:
    """No frame of a message is left out or changed, and no message is passed over."""
    router = peer.open("ROUTER")
    raw = attach(router).handshake("DEALER", identity=b"alice")
    raw.send(Message(*body), Message(b"next"))
    router.expect(b"alice", *body)
    router.expect(b"alice", b"next")


@case(
    "reqrep/router/sends-by-first-frame",
    clauses=["28/router/strip-id", "28/router/route", "28/router/create-on-accept"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_sends_by_first_frame(peer: Peer, attach: Attach, body: list[bytes]) -> None:
    """A message goes to the peer that its first frame names, without that frame, and to nobody else."""
    router = peer.open("ROUTER")
    names = (b"alice", b"bob", b"carol")
    ends = [attach(router).handshake("DEALER", identity=name) for name in names]
    meet(router, *ends)
    for name in reversed(names):
        router.send([name, *body], clause="28/router/create-on-accept")
        router.send([name, b"for", name])
    for name, raw in zip(names, ends, strict=True):
        raw.expect_message(*body)
        raw.expect_message(b"for", name, clause="28/router/route")


@case("reqrep/router/answers-req", clauses=["28/router/route", "28/router/prefix-id"], needs=["ROUTER"])
def test_answers_req(peer: Peer, attach: Attach) -> None:
    """What came from a REQ and its answer keep the delimiter between routing id and data."""
    router = peer.open("ROUTER")
    raw = attach(router).handshake("REQ")
    raw.send(Message(b"", b"question"))
    routing_id, *frames = router.recv()
    Judge.equal(frames, [b"", b"question"], "28/router/prefix-id")
    router.send([routing_id, b"", b"answer"])
    raw.expect_message(b"", b"answer")


@case("reqrep/router/makes-up-ids", clauses=["28/router/unique-id"], needs=["ROUTER"])
@pytest.mark.parametrize("identity", [None, b""], ids=["no-identity", "empty-identity"])
def test_makes_up_ids(peer: Peer, attach: Attach, judge: Judge, identity: bytes | None) -> None:
    """Peers that name no identity get routing ids unlike each other, and can be reached by them."""
    router = peer.open("ROUTER")
    ends = [attach(router).handshake("DEALER", identity=identity) for _ in range(5)]
    ids = meet(router, *ends)
    judge.note(f"ids {[one.hex() for one in ids]}")
    judge.equal(len(set(ids)), len(ends))
    for number, routing_id in enumerate(ids):
        router.send([routing_id, b"%d" % number])
    for number, raw in enumerate(ends):
        raw.expect_message(b"%d" % number)


@case(
    "reqrep/router/drops-unroutable-message",
    clauses=["28/router/drop-or-error", "28/router/no-block"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize(
    "unknown", [b"nobody", b"", b"alic", b"alice2"], ids=["name", "empty", "shorter", "longer"]
)
def test_drops_unroutable_message(peer: Peer, attach: Attach, unknown: bytes) -> None:
    """A message for an unknown routing id reaches nobody and stops nothing."""
    router = peer.open("ROUTER")
    alice = attach(router).handshake("DEALER", identity=b"alice")
    meet(router, alice)
    expect_not_waiting(router, unknown, b"lost", clause="28/router/no-block")
    router.send([b"alice", b"fence"])
    alice.expect_message(b"fence")


@case(
    "reqrep/router/reports-unroutable-message",
    clauses=["28/router/drop-or-error"],
    needs=["ROUTER", "option:mandatory"],
)
def test_reports_unroutable_message(peer: Peer, attach: Attach, judge: Judge) -> None:
    """If so configured, a message for an unknown routing id is refused with an error."""
    router = peer.open("ROUTER", mandatory=True)
    alice = attach(router).handshake("DEALER", identity=b"alice")
    meet(router, alice)
    judge.equal(attempt(router, b"nobody", b"lost").value, Outcome.UNROUTABLE.value)
    router.send([b"alice", b"fence"])
    alice.expect_message(b"fence")


@case("reqrep/router/sends-no-id-alone", clauses=["28/router/strip-id"], needs=["ROUTER"])
def test_sends_no_id_alone(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Of a message that is a routing id and nothing more, nothing is left to send."""
    router = peer.open("ROUTER")
    alice = attach(router).handshake("DEALER", identity=b"alice")
    meet(router, alice)
    judge.note(attempt(router, b"alice").value)
    router.send([b"alice", b"fence"])
    alice.expect_message(b"fence")


@case(
    "reqrep/router/hears-peers-by-turns",
    clauses=["28/router/fair-queue"],
    needs=["ROUTER", "feature:heartbeat"],
)
def test_hears_peers_by_turns(peer: Peer, attach: Attach) -> None:
    """A peer with many messages waiting does not keep another one waiting until they are done."""
    router = peer.open("ROUTER")
    names = (b"alice", b"bob")
    ends = [attach(router).handshake("DEALER", identity=name) for name in names]
    put_before(router, *((raw, [Message(b"body")] * EACH) for raw in ends))
    heard = [router.recv()[0] for _ in range(EACH * len(names))]
    expect_fair(heard, names, "28/router/fair-queue")


@case(
    "reqrep/router/never-waits-for-full-peer",
    clauses=["28/router/no-block", "28/router/drop-or-error", "28/router/limit"],
    needs=["ROUTER", "option:send-hwm"],
)
def test_never_waits_for_full_peer(peer: Peer, attach: Attach) -> None:
    """A peer that does not read loses messages in the end, and holds up neither sender nor others."""
    router = peer.open("ROUTER", send_hwm=10)
    deaf, good = (attach(router).handshake("DEALER", identity=name) for name in (b"deaf", b"good"))
    meet(router, deaf, good)
    fill(router, head=[b"deaf"])
    expect_not_waiting(router, b"deaf", bytes(FLOOD_OCTETS))
    router.send([b"good", b"still served"])
    good.expect_message(b"still served")
    arrived = read_until_fence(router, deaf, b"deaf", b"fence")
    Judge.that(arrived < FLOOD_COUNT, "a full queue", f"{arrived} arrived", "28/router/limit")


@case(
    "reqrep/router/full-output-leaves-input",
    clauses=["28/router/double-queue"],
    needs=["ROUTER", "option:send-hwm"],
)
def test_full_output_leaves_input(peer: Peer, attach: Attach) -> None:
    """A peer that does not read can still be heard."""
    router = peer.open("ROUTER", send_hwm=10)
    raw = attach(router).handshake("DEALER", identity=b"deaf")
    meet(router, raw)
    fill(router, head=[b"deaf"])
    raw.send(Message(b"can you hear me"))
    router.expect(b"deaf", b"can you hear me")


@case(
    "reqrep/router/full-input-leaves-output",
    clauses=["28/router/double-queue"],
    needs=["ROUTER", "option:receive-hwm"],
)
def test_full_input_leaves_output(peer: Peer, attach: Attach) -> None:
    """A peer whose messages are not taken can still be sent to."""
    router = peer.open("ROUTER", receive_hwm=1)
    raw = attach(router).handshake("DEALER", identity=b"loud")
    meet(router, raw)
    numbers = [b"%d" % number for number in range(50)]
    raw.send(*(Message(number) for number in numbers))
    router.send([b"loud", b"out"])
    raw.expect_message(b"out")
    for number in numbers:
        router.expect(b"loud", number, clause="28/router/deliver")


@case(
    "reqrep/router/forgets-peer-that-goes",
    clauses=["28/router/destroy"],
    needs=["ROUTER", "option:mandatory"],
)
def test_forgets_peer_that_goes(peer: Peer, dial: Dial) -> None:
    """With a peer goes its queue: it cannot be addressed, and when it comes back nothing old waits for it."""
    router = peer.open("ROUTER", mandatory=True)
    endpoint = router.bind()
    gone = dial(endpoint).handshake("DEALER", identity=b"alice")
    meet(router, gone)
    fill(router, head=[b"alice"])
    gone.reset()
    until(router, Outcome.UNROUTABLE, b"alice", b"lost")
    again = dial(endpoint).handshake("DEALER", identity=b"alice")
    Judge.equal(meet(router, again), [b"alice"])
    router.send([b"alice", b"fence"])
    again.expect_message(b"fence")


@case("reqrep/router/message-for-peer-away", clauses=["28/router/keep-unconnected"], needs=["ROUTER"])
def test_message_for_peer_away(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message for a peer that the socket dials, and that is away, waits, is dropped, or is refused."""
    router = peer.open("ROUTER")
    listener = listen()
    router.connect(listener.endpoint)
    raw = listener.accept().handshake("DEALER", identity=b"alice")
    meet(router, raw)
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    judge.note(f"sent while away: {attempt(router, b'alice', b'meanwhile').value}")
    again.handshake("DEALER", identity=b"alice")
    Judge.equal(meet(router, again), [b"alice"])
    arrived = read_until_fence(router, again, b"alice", b"fence")
    judge.note(f"arrived on return: {arrived}")
