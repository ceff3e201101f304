"""What holds with one peer both ways: PAIR (RFC 31), and draft types that have the same rules."""

from __future__ import annotations

from conformance.pipeline.ends import (
    BIG_OCTETS,
    expect_flood,
    intrude,
    leave,
    make_sure,
    next_served,
    read_flood,
    small_window,
)
from conformance.pipeline.kinds import Kind
from conformance.reqrep.ends import attempt, meet, until
from harness.case import Judge
from harness.control.flood import body, flood_digest
from harness.peer import Outcome, Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

MARK = 5
FLOOD = 300


def keeps_order_both_ways(kind: Kind, peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """Many messages in each direction all arrive, each once and in order."""
    sock = kind.open(peer)
    raw = attach(sock).handshake(kind.partner)
    raw.send(*(Message(body(seed, number, 100)) for number in range(FLOOD)))
    accepted = sock.flood(FLOOD, 100, seed, within_s=sock.peer.deadlines.delivery_s)
    judge.equal(accepted, FLOOD, kind.clause("no-discard"))
    expect_flood(raw, seed, FLOOD, 100, kind.clause("no-discard"))
    came = sock.drain(FLOOD)
    judge.equal(came["received"], FLOOD, kind.clause("deliver"))
    judge.equal(came["digest"], flood_digest(seed, FLOOD, 100), "37/sockets/ordered")
    meet(sock, raw, clause="37/sockets/no-duplicates")
    sock.send([b"fence"], "37/sockets/no-duplicates")
    raw.expect_message(b"fence", clause="37/sockets/no-duplicates")


def second_peer_changes_nothing(kind: Kind, peer: Peer, dial: Dial, judge: Judge) -> None:
    """A second peer gets nothing and is not heard; the first goes on undisturbed."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    first = dial(endpoint).handshake(kind.partner)
    meet(sock, first)
    second = intrude(endpoint, dial, kind.type)
    for number in range(20):
        first.send(Message(b"in-%d" % number))
        sock.expect(b"in-%d" % number)
        sock.send([b"out-%d" % number])
        first.expect_message(b"out-%d" % number)
    judge.note(second.fate())


def successor_is_served(kind: Kind, peer: Peer, dial: Dial, how: str) -> None:
    """When the first peer has gone, another one can take its place."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    first = dial(endpoint).handshake(kind.partner)
    meet(sock, first)
    leave(first, how)
    successor = next_served(sock, endpoint, dial, kind.clause("create-on-accept"))
    sock.send([b"welcome"])
    successor.expect_message(b"welcome")


def queue_goes_with_its_peer(kind: Kind, peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    sock = kind.open(peer, send_hwm=1000)
    endpoint = sock.bind()
    leaving = small_window(dial(endpoint).handshake(kind.partner))
    meet(sock, leaving)
    sock.flood(FLOOD, BIG_OCTETS)
    leaving.reset()
    until(sock, Outcome.WOULD_BLOCK, b"too late")
    successor = next_served(sock, endpoint, dial, kind.clause("create-on-accept"))
    sock.send([b"fence"])
    successor.expect_message(b"fence")


def queues_while_away(kind: Kind, peer: Peer, listen: Listen, judge: Judge) -> None:
    """Over a reconnect, output waits for the dialled peer and its earlier input stays readable."""
    sock = kind.open(peer)
    listener = listen()
    sock.connect(listener.endpoint)
    raw = listener.accept().handshake(kind.partner)
    meet(sock, raw)
    raw.send(Message(b"unread"))
    raw.fence()
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    outcome = attempt(sock, b"meanwhile")
    judge.note(f"while away: {outcome}")
    again.handshake(kind.partner)
    make_sure(sock, outcome, b"meanwhile")
    again.expect_message(b"meanwhile")
    sock.expect(b"unread")


def waits_when_peer_is_full(kind: Kind, peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """When the peer does not read, sending stops; what was accepted arrives, and sending goes on."""
    sock = kind.open(peer, send_hwm=MARK)
    raw = small_window(attach(sock).handshake(kind.partner))
    meet(sock, raw)
    accepted = sock.flood(FLOOD, BIG_OCTETS, seed)
    judge.that(accepted < FLOOD, "sending stops", f"{accepted} messages accepted", kind.clause("limit"))
    expect_flood(raw, seed, accepted, BIG_OCTETS, kind.clause("no-discard"))
    sock.send([b"fence"], clause=kind.clause("available"))
    raw.expect_message(b"fence")


def full_output_does_not_stop_input(kind: Kind, peer: Peer, attach: Attach, seed: int) -> None:
    """A peer that does not read is heard all the same."""
    sock = kind.open(peer, send_hwm=MARK)
    raw = small_window(attach(sock).handshake(kind.partner))
    meet(sock, raw, clause=kind.clause("deliver"))
    accepted = sock.flood(FLOOD, BIG_OCTETS, seed)
    for number in range(10):
        raw.send(Message(b"%d" % number))
        sock.expect(b"%d" % number, clause=kind.clause(kind.queues))
    expect_flood(raw, seed, accepted, BIG_OCTETS, kind.clause("no-discard"))


def full_input_does_not_stop_output(kind: Kind, peer: Peer, attach: Attach, seed: int) -> None:
    """An application that does not read can send all the same, and then reads what has waited."""
    sock = kind.open(peer, receive_hwm=MARK)
    raw = attach(sock).handshake(kind.partner)
    raw.send(*(Message(body(seed, number, 1000)) for number in range(FLOOD)))
    for number in range(10):
        sock.send([b"%d" % number], kind.clause(kind.queues))
        raw.expect_message(b"%d" % number, clause=kind.clause(kind.queues))
    read_flood(sock, raw, b"", seed, FLOOD, 1000, kind.clause("deliver"))
