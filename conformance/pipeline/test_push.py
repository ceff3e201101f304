"""PUSH: every message to one peer, in rotation (RFC 30, The PUSH Socket Type)."""

import pytest

from conformance.pipeline.ends import (
    BIG_OCTETS,
    MESSAGES,
    deal_out,
    dealt,
    expect_rotation,
    gather,
    make_sure,
    meet_pullers,
    numbered,
    push_while_reading,
    serves_only,
    small_window,
)
from conformance.pubsub.probe import receives_nothing
from conformance.reqrep.ends import attempt, expect_not_accepted, finish_send, settle, until
from harness.case import Judge, case
from harness.control.flood import body
from harness.peer import Outcome, Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.several import first_of
from harness.zmtp import Message

MARK = 5
FLOOD = 300
SHARED = 100


@case("pipeline/push/sends-messages-unchanged", clauses=["30/push/no-filter"], needs=["PUSH"])
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_sends_messages_unchanged(peer: Peer, attach: Attach, message: list[bytes]) -> None:
    """A message goes out as the application gave it, whatever its frames look like."""
    push = peer.open("PUSH")
    raw = attach(push).handshake("PULL")
    push.send(message)
    raw.expect_message(*message)
    push.send([b"fence"])
    raw.expect_message(b"fence")


@case("pipeline/push/shares-work-in-rotation", clauses=["30/push/round-robin"], needs=["PUSH"])
def test_shares_work_in_rotation(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Of three peers that all have room none is passed over."""
    push = peer.open("PUSH")
    ends = [attach(push).handshake("PULL") for _ in range(3)]
    meet_pullers(push, ends)
    where = deal_out(push, ends, numbered(30))
    judge.note(f"to {where}")
    expect_rotation(where, 3, "30/push/round-robin")


@case(
    "pipeline/push/sends-each-message-to-one-peer",
    clauses=["30/push/no-discard", "37/sockets/no-duplicates", "37/sockets/ordered", "30/push/no-filter"],
    needs=["PUSH"],
)
def test_sends_each_message_to_one_peer(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """Of many messages for several peers each arrives at exactly one of them, in order."""
    push = peer.open("PUSH")
    ends = [attach(push).handshake("PULL") for _ in range(3)]
    meet_pullers(push, ends)
    accepted = push.flood(FLOOD, 100, seed, within_s=push.peer.deadlines.delivery_s)
    sent = [Message(body(seed, number, 100)) for number in range(accepted)]
    dealt(sent, gather(ends, accepted))
    judge.equal(accepted, FLOOD, "30/push/block-none")
    deal_out(push, ends, numbered(6))


@case(
    "pipeline/push/keeps-frames-together",
    clauses=["37/framing/atomic", "37/sockets/no-duplicates", "30/push/no-filter"],
    needs=["PUSH"],
)
def test_keeps_frames_together(peer: Peer, attach: Attach) -> None:
    """All frames of a message go to the same peer."""
    push = peer.open("PUSH")
    ends = [attach(push).handshake("PULL") for _ in range(2)]
    meet_pullers(push, ends)
    for number in range(10):
        parts = [b"%d" % number, b"", b"last"]
        push.send(parts)
        first_of(*ends).expect_message(*parts)
    deal_out(push, ends, numbered(4))


@case("pipeline/push/never-receives", clauses=["30/push/send-only"], needs=["PUSH", "feature:heartbeat"])
def test_never_receives(peer: Peer, dial: Dial, judge: Judge) -> None:
    """What a peer sends to a PUSH socket never reaches the application, and disturbs no other peer."""
    push = peer.open("PUSH")
    endpoint = push.bind()
    talker = dial(endpoint).handshake("PULL")
    meet_pullers(push, [talker])
    talker.send(Message(b"upstream"), Message(b"more", b"upstream"))
    judge.note("ignored" if settle(talker) else "cut off")
    judge.note(receives_nothing(push))
    talker.close()
    serves_only(push, dial(endpoint).handshake("PULL"))


@case(
    "pipeline/push/accepts-nothing-without-peer",
    clauses=["30/push/accept-none", "30/push/block-none", "30/push/create-on-accept"],
    needs=["PUSH"],
)
def test_accepts_nothing_without_peer(peer: Peer, dial: Dial) -> None:
    """With nobody connected a message is not accepted and never appears; a peer that connects is served."""
    push = peer.open("PUSH")
    endpoint = push.bind()
    expect_not_accepted(push, b"too early", clause="30/push/block-none")
    raw = dial(endpoint).handshake("PULL")
    push.send([b"message"], clause="30/push/create-on-accept")
    raw.expect_message(b"message")


@case("pipeline/push/sends-as-soon-as-a-peer-comes", clauses=["30/push/create-on-accept"], needs=["PUSH"])
def test_sends_as_soon_as_a_peer_comes(peer: Peer, dial: Dial) -> None:
    """A message that waits for a peer goes to the first one that connects."""
    push = peer.open("PUSH")
    endpoint = push.bind()
    pending = push.start_send([b"waiting"])
    raw = dial(endpoint).handshake("PULL")
    finish_send(push, pending, [b"waiting"])
    raw.expect_message(b"waiting")


@case("pipeline/push/queues-while-connecting", clauses=["30/push/create-on-connect"], needs=["PUSH"])
def test_queues_while_connecting(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message offered while a connection is still being made arrives once it is, before later ones."""
    push = peer.open("PUSH")
    listener = listen()
    push.connect(listener.endpoint)
    raw = listener.accept()
    outcome = attempt(push, b"early")
    judge.note(f"while connecting: {outcome}")
    raw.handshake("PULL")
    make_sure(push, outcome, b"early")
    push.send([b"late"])
    raw.expect_message(b"early")
    raw.expect_message(b"late")


@case("pipeline/push/queues-while-away", clauses=["30/push/keep-unconnected"], needs=["PUSH"])
def test_queues_while_away(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message for a peer that the socket dials waits until it is there again."""
    push = peer.open("PUSH")
    listener = listen()
    push.connect(listener.endpoint)
    raw = listener.accept().handshake("PULL")
    meet_pullers(push, [raw])
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    outcome = attempt(push, b"meanwhile")
    judge.note(f"while away: {outcome}")
    again.handshake("PULL")
    make_sure(push, outcome, b"meanwhile")
    again.expect_message(b"meanwhile")


@case("pipeline/push/serves-who-joins-late", clauses=["30/push/round-robin"], needs=["PUSH"])
def test_serves_who_joins_late(peer: Peer, attach: Attach) -> None:
    """A peer that joins while work is going on gets its share, and those before it keep theirs."""
    push = peer.open("PUSH")
    ends = [attach(push).handshake("PULL")]
    meet_pullers(push, ends)
    deal_out(push, ends, numbered(10))
    ends.append(attach(push).handshake("PULL"))
    meet_pullers(push, ends)
    expect_rotation(deal_out(push, ends, numbered(12)), 2, "30/push/round-robin")


@case(
    "pipeline/push/goes-on-without-departed-peer",
    clauses=["30/push/destroy", "37/errors/close-is-temporary"],
    needs=["PUSH"],
)
def test_goes_on_without_departed_peer(peer: Peer, dial: Dial) -> None:
    """Once a peer that had connected is gone, all messages go to those that are left."""
    push = peer.open("PUSH")
    endpoint = push.bind()
    leaving, staying = (dial(endpoint).handshake("PULL") for _ in range(2))
    meet_pullers(push, [leaving, staying])
    leaving.close()
    serves_only(push, staying)


@case(
    "pipeline/push/queue-goes-with-its-peer",
    clauses=["30/push/destroy"],
    needs=["PUSH", "option:send-hwm"],
)
def test_queue_goes_with_its_peer(peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    push = peer.open("PUSH", send_hwm=1000)
    endpoint = push.bind()
    leaving = small_window(dial(endpoint).handshake("PULL"))
    meet_pullers(push, [leaving])
    push.flood(FLOOD, BIG_OCTETS)
    leaving.reset()
    until(push, Outcome.WOULD_BLOCK, b"too late")
    successor = dial(endpoint).handshake("PULL")
    push.send([b"fence"])
    successor.expect_message(b"fence")


@case(
    "pipeline/push/passes-over-full-peer",
    clauses=["30/push/available", "30/push/no-discard", "37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["PUSH", "option:send-hwm"],
)
def test_passes_over_full_peer(peer: Peer, attach: Attach, judge: Judge) -> None:
    """While one peer is full its share goes to the other; the full one gets what was queued for it."""
    push = peer.open("PUSH", send_hwm=MARK)
    full = small_window(attach(push).handshake("PULL"))
    reading = attach(push).handshake("PULL")
    meet_pullers(push, [full, reading])
    for number in range(SHARED):
        push_while_reading(push, reading, number)
    sent = [Message(body(number, 0, BIG_OCTETS)) for number in range(SHARED)]
    where = dealt(sent, gather([full, reading], SHARED, "30/push/no-discard"))
    judge.note(f"{where.count(0)} of {SHARED} to the full peer")


@case(
    "pipeline/push/waits-when-all-are-full",
    clauses=["30/push/no-discard", "30/push/block-none", "30/push/limit", "37/sockets/no-duplicates"],
    needs=["PUSH", "option:send-hwm"],
)
def test_waits_when_all_are_full(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """When no peer reads, sending stops; what was accepted arrives, and sending goes on."""
    push = peer.open("PUSH", send_hwm=MARK)
    ends = [small_window(attach(push).handshake("PULL")) for _ in range(2)]
    meet_pullers(push, ends)
    accepted = push.flood(FLOOD, BIG_OCTETS, seed)
    judge.that(accepted < FLOOD, "sending stops", f"{accepted} messages accepted", "30/push/limit")
    sent = [Message(body(seed, number, BIG_OCTETS)) for number in range(accepted)]
    dealt(sent, gather(ends, accepted, "30/push/no-discard"))
    expect_rotation(deal_out(push, ends, numbered(12)), 2, "30/push/round-robin")
