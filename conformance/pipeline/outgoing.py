"""How a socket shares out what it sends: PUSH (RFC 30), and what the draft types have of the same rules."""

from __future__ import annotations

from conformance.pipeline.ends import (
    BIG_OCTETS,
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
from conformance.pipeline.kinds import Kind
from conformance.pubsub.probe import receives_nothing
from conformance.reqrep.ends import attempt, expect_not_accepted, finish_send, settle, until
from harness.case import Judge
from harness.control.flood import body
from harness.peer import Outcome, Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

MARK = 5
FLOOD = 300
SHARED = 100


def shares_in_rotation(kind: Kind, peer: Peer, attach: Attach, judge: Judge) -> None:
    """Of three peers that all have room none is passed over."""
    sock = kind.open(peer)
    ends = [attach(sock).handshake(kind.partner) for _ in range(3)]
    meet_pullers(sock, ends, kind.clause("round-robin"))
    where = deal_out(sock, ends, numbered(30), kind.rules)
    judge.note(f"to {where}")
    expect_rotation(where, 3, kind.clause("round-robin"))


def sends_each_to_one(kind: Kind, peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """Of many messages for several peers each arrives at exactly one of them, in order."""
    sock = kind.open(peer)
    ends = [attach(sock).handshake(kind.partner) for _ in range(3)]
    meet_pullers(sock, ends, kind.clause("round-robin"))
    accepted = sock.flood(FLOOD, 100, seed, within_s=peer.deadlines.delivery_s)
    sent = [Message(body(seed, number, 100)) for number in range(accepted)]
    dealt(sent, gather(ends, accepted, kind.clause("no-discard")), kind.rules)
    judge.equal(accepted, FLOOD, kind.clause("block-none"))
    deal_out(sock, ends, numbered(6), kind.rules)


def never_receives(kind: Kind, peer: Peer, dial: Dial, judge: Judge, *upstream: Message) -> None:
    """What a peer sends to a socket that only sends reaches no application, and disturbs no other peer."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    talker = dial(endpoint).handshake(kind.partner)
    meet_pullers(sock, [talker], kind.clause("send-only"))
    talker.send(*upstream)
    judge.note("ignored" if settle(talker) else "cut off")
    judge.note(receives_nothing(sock))
    talker.close()
    serves_only(sock, dial(endpoint).handshake(kind.partner))


def accepts_nothing_without_peer(kind: Kind, peer: Peer, dial: Dial) -> None:
    """With nobody connected a message is not accepted and never appears; a peer that connects is served."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    expect_not_accepted(sock, b"too early", clause=kind.clause("block-none"))
    raw = dial(endpoint).handshake(kind.partner)
    sock.send([b"message"], clause=kind.clause("create-on-accept"))
    raw.expect_message(b"message", clause=kind.clause("accept-none"))


def sends_as_soon_as_a_peer_comes(kind: Kind, peer: Peer, dial: Dial) -> None:
    """A message that waits for a peer goes to the first one that connects."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    pending = sock.start_send([b"waiting"])
    raw = dial(endpoint).handshake(kind.partner)
    finish_send(sock, pending, [b"waiting"])
    raw.expect_message(b"waiting", clause=kind.clause("create-on-accept"))


def queues_while_connecting(kind: Kind, peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message offered while a connection is still being made arrives once it is, before later ones."""
    sock = kind.open(peer)
    listener = listen()
    sock.connect(listener.endpoint)
    raw = listener.accept()
    outcome = attempt(sock, b"early")
    judge.note(f"while connecting: {outcome}")
    raw.handshake(kind.partner)
    make_sure(sock, outcome, b"early")
    sock.send([b"late"], kind.clause("create-on-connect"))
    raw.expect_message(b"early", clause=kind.clause("create-on-connect"))
    raw.expect_message(b"late", clause=kind.clause("create-on-connect"))


def queues_while_away(kind: Kind, peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message for a peer that the socket dials waits until it is there again."""
    sock = kind.open(peer)
    listener = listen()
    sock.connect(listener.endpoint)
    raw = listener.accept().handshake(kind.partner)
    meet_pullers(sock, [raw], kind.clause("keep-unconnected"))
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    outcome = attempt(sock, b"meanwhile")
    judge.note(f"while away: {outcome}")
    again.handshake(kind.partner)
    make_sure(sock, outcome, b"meanwhile")
    again.expect_message(b"meanwhile", clause=kind.clause("keep-unconnected"))


def serves_who_joins_late(kind: Kind, peer: Peer, attach: Attach) -> None:
    """A peer that joins while work is going on gets its share, and those before it keep theirs."""
    sock = kind.open(peer)
    rotation = kind.clause("round-robin")
    ends = [attach(sock).handshake(kind.partner)]
    meet_pullers(sock, ends, rotation)
    deal_out(sock, ends, numbered(10), kind.rules)
    ends.append(attach(sock).handshake(kind.partner))
    meet_pullers(sock, ends, rotation)
    expect_rotation(deal_out(sock, ends, numbered(12), kind.rules), 2, rotation)


def goes_on_without_departed_peer(kind: Kind, peer: Peer, dial: Dial) -> None:
    """Once a peer that had connected is gone, all messages go to those that are left."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    leaving, staying = (dial(endpoint).handshake(kind.partner) for _ in range(2))
    meet_pullers(sock, [leaving, staying], kind.clause("round-robin"))
    leaving.close()
    serves_only(sock, staying, kind.clause("destroy"))


def queue_goes_with_its_peer(kind: Kind, peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    sock = kind.open(peer, send_hwm=1000)
    endpoint = sock.bind()
    leaving = small_window(dial(endpoint).handshake(kind.partner))
    meet_pullers(sock, [leaving], kind.clause("create-on-accept"))
    sock.flood(FLOOD, BIG_OCTETS)
    leaving.reset()
    until(sock, Outcome.WOULD_BLOCK, b"too late", clause=kind.clause("destroy"))
    successor = dial(endpoint).handshake(kind.partner)
    sock.send([b"fence"], kind.clause("create-on-accept"))
    successor.expect_message(b"fence", clause=kind.clause("destroy"))


def passes_over_full_peer(kind: Kind, peer: Peer, attach: Attach, judge: Judge) -> None:
    """While one peer is full its share goes to the other; the full one gets what was queued for it."""
    sock = kind.open(peer, send_hwm=MARK)
    full = small_window(attach(sock).handshake(kind.partner))
    reading = attach(sock).handshake(kind.partner)
    meet_pullers(sock, [full, reading], kind.clause("round-robin"))
    for number in range(SHARED):
        push_while_reading(sock, reading, number, kind.clause("available"))
    sent = [Message(body(number, 0, BIG_OCTETS)) for number in range(SHARED)]
    where = dealt(sent, gather([full, reading], SHARED, kind.clause("no-discard")), kind.rules)
    judge.note(f"{where.count(0)} of {SHARED} to the full peer")


def waits_when_all_are_full(kind: Kind, peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """When no peer reads, sending stops; what was accepted arrives, and sending goes on."""
    sock = kind.open(peer, send_hwm=MARK)
    ends = [small_window(attach(sock).handshake(kind.partner)) for _ in range(2)]
    meet_pullers(sock, ends, kind.clause("round-robin"))
    accepted = sock.flood(FLOOD, BIG_OCTETS, seed)
    judge.that(accepted < FLOOD, "sending stops", f"{accepted} messages accepted", kind.clause("limit"))
    sent = [Message(body(seed, number, BIG_OCTETS)) for number in range(accepted)]
    dealt(sent, gather(ends, accepted, kind.clause("no-discard")), kind.rules)
    expect_rotation(deal_out(sock, ends, numbered(12), kind.rules), 2, kind.clause("round-robin"))
