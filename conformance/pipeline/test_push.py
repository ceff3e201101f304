"""PUSH: every message to one peer, in rotation (RFC 30, The PUSH Socket Type)."""

import pytest

from conformance.pipeline import outgoing
from conformance.pipeline.ends import (
    MESSAGES,
    deal_out,
    meet_pullers,
    numbered,
)
from conformance.pipeline.kinds import PUSH
from harness.case import Judge, case
from harness.peer import Peer
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
    outgoing.shares_in_rotation(PUSH, peer, attach, judge)


@case(
    "pipeline/push/sends-each-message-to-one-peer",
    clauses=["30/push/no-discard", "37/sockets/no-duplicates", "37/sockets/ordered", "30/push/no-filter"],
    needs=["PUSH"],
)
def test_sends_each_message_to_one_peer(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """Of many messages for several peers each arrives at exactly one of them, in order."""
    outgoing.sends_each_to_one(PUSH, peer, attach, judge, seed)


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
    outgoing.never_receives(PUSH, peer, dial, judge, Message(b"upstream"), Message(b"more", b"upstream"))


@case(
    "pipeline/push/accepts-nothing-without-peer",
    clauses=["30/push/accept-none", "30/push/block-none", "30/push/create-on-accept"],
    needs=["PUSH"],
)
def test_accepts_nothing_without_peer(peer: Peer, dial: Dial) -> None:
    """With nobody connected a message is not accepted and never appears; a peer that connects is served."""
    outgoing.accepts_nothing_without_peer(PUSH, peer, dial)


@case("pipeline/push/sends-as-soon-as-a-peer-comes", clauses=["30/push/create-on-accept"], needs=["PUSH"])
def test_sends_as_soon_as_a_peer_comes(peer: Peer, dial: Dial) -> None:
    """A message that waits for a peer goes to the first one that connects."""
    outgoing.sends_as_soon_as_a_peer_comes(PUSH, peer, dial)


@case("pipeline/push/queues-while-connecting", clauses=["30/push/create-on-connect"], needs=["PUSH"])
def test_queues_while_connecting(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message offered while a connection is still being made arrives once it is, before later ones."""
    outgoing.queues_while_connecting(PUSH, peer, listen, judge)


@case("pipeline/push/queues-while-away", clauses=["30/push/keep-unconnected"], needs=["PUSH"])
def test_queues_while_away(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message for a peer that the socket dials waits until it is there again."""
    outgoing.queues_while_away(PUSH, peer, listen, judge)


@case("pipeline/push/serves-who-joins-late", clauses=["30/push/round-robin"], needs=["PUSH"])
def test_serves_who_joins_late(peer: Peer, attach: Attach) -> None:
    """A peer that joins while work is going on gets its share, and those before it keep theirs."""
    outgoing.serves_who_joins_late(PUSH, peer, attach)


@case(
    "pipeline/push/goes-on-without-departed-peer",
    clauses=["30/push/destroy", "37/errors/close-is-temporary"],
    needs=["PUSH"],
)
def test_goes_on_without_departed_peer(peer: Peer, dial: Dial) -> None:
    """Once a peer that had connected is gone, all messages go to those that are left."""
    outgoing.goes_on_without_departed_peer(PUSH, peer, dial)


@case(
    "pipeline/push/queue-goes-with-its-peer",
    clauses=["30/push/destroy"],
    needs=["PUSH", "option:send-hwm"],
)
def test_queue_goes_with_its_peer(peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    outgoing.queue_goes_with_its_peer(PUSH, peer, dial)


@case(
    "pipeline/push/passes-over-full-peer",
    clauses=["30/push/available", "30/push/no-discard", "37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["PUSH", "option:send-hwm"],
)
def test_passes_over_full_peer(peer: Peer, attach: Attach, judge: Judge) -> None:
    """While one peer is full its share goes to the other; the full one gets what was queued for it."""
    outgoing.passes_over_full_peer(PUSH, peer, attach, judge)


@case(
    "pipeline/push/waits-when-all-are-full",
    clauses=["30/push/no-discard", "30/push/block-none", "30/push/limit", "37/sockets/no-duplicates"],
    needs=["PUSH", "option:send-hwm"],
)
def test_waits_when_all_are_full(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """When no peer reads, sending stops; what was accepted arrives, and sending goes on."""
    outgoing.waits_when_all_are_full(PUSH, peer, attach, judge, seed)
