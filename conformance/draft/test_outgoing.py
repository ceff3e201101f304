"""How CLIENT, SCATTER and CHANNEL share out and queue what they send (RFC 41, 49 and 52)."""

from __future__ import annotations

import pytest

from conformance.pipeline import outgoing
from conformance.pipeline.kinds import CHANNEL, CLIENT, SCATTER, Kind, all_clauses, of_kinds
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

from .bodies import BODIES

SEVERAL = (CLIENT, SCATTER)
ALL = (CLIENT, SCATTER, CHANNEL)
ONCE = ["37/sockets/ordered", "37/sockets/no-duplicates"]


@case("draft/outgoing/sends-messages-unchanged", clauses=all_clauses(ALL, "no-filter"), needs=["{kind}"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@of_kinds(*ALL)
def test_sends_messages_unchanged(peer: Peer, attach: Attach, kind: Kind, body: bytes) -> None:
    """A message is its one frame on the wire, whatever is in it, and nothing else."""
    sock = kind.open(peer)
    raw = attach(sock).handshake(kind.partner)
    sock.send([body], kind.clause("no-filter"))
    raw.expect_message(body, clause=kind.clause("no-filter"))
    sock.send([b"fence"], kind.clause("no-filter"))
    raw.expect_message(b"fence", clause=kind.clause("no-filter"))


@case("draft/outgoing/shares-in-rotation", clauses=all_clauses(SEVERAL, "round-robin"), needs=["{kind}"])
@of_kinds(*SEVERAL)
def test_shares_in_rotation(peer: Peer, attach: Attach, judge: Judge, kind: Kind) -> None:
    """Of three peers that all have room none is passed over."""
    outgoing.shares_in_rotation(kind, peer, attach, judge)


@case(
    "draft/outgoing/sends-each-to-one",
    clauses=[*all_clauses(SEVERAL, "no-discard", "no-filter"), *ONCE],
    needs=["{kind}"],
)
@of_kinds(*SEVERAL)
def test_sends_each_to_one(peer: Peer, attach: Attach, judge: Judge, seed: int, kind: Kind) -> None:
    """Of many messages for several peers each arrives at exactly one of them, in order."""
    outgoing.sends_each_to_one(kind, peer, attach, judge, seed)


@case(
    "draft/outgoing/accepts-nothing-without-peer",
    clauses=all_clauses(ALL, "accept-none", "block-none", "create-on-accept"),
    needs=["{kind}"],
)
@of_kinds(*ALL)
def test_accepts_nothing_without_peer(peer: Peer, dial: Dial, kind: Kind) -> None:
    """With nobody connected a message is not accepted and never appears; a peer that connects is served."""
    outgoing.accepts_nothing_without_peer(kind, peer, dial)


@case(
    "draft/outgoing/sends-as-soon-as-a-peer-comes",
    clauses=all_clauses(ALL, "create-on-accept"),
    needs=["{kind}"],
)
@of_kinds(*ALL)
def test_sends_as_soon_as_a_peer_comes(peer: Peer, dial: Dial, kind: Kind) -> None:
    """A message that waits for a peer goes to the first one that connects."""
    outgoing.sends_as_soon_as_a_peer_comes(kind, peer, dial)


@case(
    "draft/outgoing/queues-while-connecting", clauses=all_clauses(ALL, "create-on-connect"), needs=["{kind}"]
)
@of_kinds(*ALL)
def test_queues_while_connecting(peer: Peer, listen: Listen, judge: Judge, kind: Kind) -> None:
    """A message offered while a connection is still being made arrives once it is, before later ones."""
    outgoing.queues_while_connecting(kind, peer, listen, judge)


@case(
    "draft/outgoing/queues-while-away",
    clauses=[*all_clauses(ALL, "keep-unconnected"), "37/errors/close-reconnect"],
    needs=["{kind}"],
)
@of_kinds(*ALL)
def test_queues_while_away(peer: Peer, listen: Listen, judge: Judge, kind: Kind) -> None:
    """A message for a peer that the socket dials waits until it is there again."""
    outgoing.queues_while_away(kind, peer, listen, judge)


@case("draft/outgoing/serves-who-joins-late", clauses=all_clauses(SEVERAL, "round-robin"), needs=["{kind}"])
@of_kinds(*SEVERAL)
def test_serves_who_joins_late(peer: Peer, attach: Attach, kind: Kind) -> None:
    """A peer that joins while work is going on gets its share, and those before it keep theirs."""
    outgoing.serves_who_joins_late(kind, peer, attach)


@case(
    "draft/outgoing/goes-on-without-departed-peer", clauses=all_clauses(SEVERAL, "destroy"), needs=["{kind}"]
)
@of_kinds(*SEVERAL)
def test_goes_on_without_departed_peer(peer: Peer, dial: Dial, kind: Kind) -> None:
    """Once a peer that had connected is gone, all messages go to those that are left."""
    outgoing.goes_on_without_departed_peer(kind, peer, dial)


@case(
    "draft/outgoing/queue-goes-with-its-peer",
    clauses=all_clauses(SEVERAL, "destroy", "discard"),
    needs=["{kind}", "option:send-hwm"],
)
@of_kinds(*SEVERAL)
def test_queue_goes_with_its_peer(peer: Peer, dial: Dial, kind: Kind) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    outgoing.queue_goes_with_its_peer(kind, peer, dial)


@case(
    "draft/outgoing/passes-over-full-peer",
    clauses=[*all_clauses(SEVERAL, "available", "no-discard"), *ONCE],
    needs=["{kind}", "option:send-hwm"],
)
@of_kinds(*SEVERAL)
def test_passes_over_full_peer(peer: Peer, attach: Attach, judge: Judge, kind: Kind) -> None:
    """While one peer is full its share goes to the other; the full one gets what was queued for it."""
    outgoing.passes_over_full_peer(kind, peer, attach, judge)


@case(
    "draft/outgoing/waits-when-all-are-full",
    clauses=[*all_clauses(SEVERAL, "no-discard", "block-none", "limit", "queue"), "37/sockets/no-duplicates"],
    needs=["{kind}", "option:send-hwm"],
)
@of_kinds(*SEVERAL)
def test_waits_when_all_are_full(peer: Peer, attach: Attach, judge: Judge, seed: int, kind: Kind) -> None:
    """When no peer reads, sending stops; what was accepted arrives, and sending goes on."""
    outgoing.waits_when_all_are_full(kind, peer, attach, judge, seed)


@case("draft/outgoing/scatter-never-receives", clauses=["49/scatter/send-only"], needs=["SCATTER"])
def test_scatter_never_receives(peer: Peer, dial: Dial, judge: Judge) -> None:
    """What a peer sends to a SCATTER socket never reaches the application, and disturbs no other peer."""
    outgoing.never_receives(SCATTER, peer, dial, judge, Message(b"upstream"))
