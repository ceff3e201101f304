"""Durable identities: what libzmq 2.x keeps for a partner that is away, and what later versions do not.

Sources: zmq_setsockopt of libzmq 2.2, ZMQ_IDENTITY; RFC 13, Connection Layer.
"""

from __future__ import annotations

import pytest

from conformance.zmtp.partners import expect_legacy_greeting
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Dial, Listen
from harness.zmtp import LegacyGreeting, Message

from .away import IN_ORDER, KEEPS_IDENTITIES, KEPT, come, go, listener, notices, numbers, send_all, settled

ABSENCES = 3
COUNT = 20
ANONYMOUS = LegacyGreeting(None)
MET = Message(b"met")


@case(
    "legacy/durable/subscriber-finds-all",
    clauses=[KEPT, IN_ORDER, "13/connection/ident-durable"],
    needs=["PUB", *KEEPS_IDENTITIES],
)
def test_subscriber_finds_all(peer: Peer, dial: Dial, judge: Judge) -> None:
    """What is published while a subscriber with an identity is away is there when it comes back, in order."""
    pub = peer.open("PUB")
    endpoint = pub.bind()
    go(settled(endpoint, dial, pub).raw)
    send_all(pub, notices(COUNT))
    came = numbers(listener(endpoint, dial, pub).collect(IN_ORDER))
    judge.equal(sorted(set(came)), list(range(COUNT)), KEPT)
    judge.equal(came, list(range(COUNT)), IN_ORDER)


@case(
    "legacy/durable/every-absence",
    clauses=[KEPT, IN_ORDER, "13/connection/ident-durable"],
    needs=["PUB", *KEEPS_IDENTITIES],
)
def test_every_absence(peer: Peer, dial: Dial, judge: Judge) -> None:
    """A subscriber that leaves again and again finds each time what it missed, and nothing twice."""
    pub = peer.open("PUB")
    endpoint = pub.bind()
    alice = settled(endpoint, dial, pub)
    for absence in range(ABSENCES):
        missed = notices(COUNT, b"absence-%d" % absence)
        go(alice.raw)
        send_all(pub, missed)
        alice = listener(endpoint, dial, pub)
        came = alice.collect(IN_ORDER)
        judge.that(came == missed, f"what was missed in absence {absence}", f"{len(came)} messages", KEPT)


@case(
    "legacy/durable/receiver-finds-all",
    clauses=[KEPT, IN_ORDER, "13/connection/ident-durable"],
    needs=["{socket_type}", *KEEPS_IDENTITIES],
)
@pytest.mark.parametrize("socket_type", ["PUSH", "DEALER"])
def test_receiver_finds_all(peer: Peer, dial: Dial, socket_type: str) -> None:
    """A sender whose only partner is away goes on, and that one finds all of it, in order."""
    sender = peer.open(socket_type)
    endpoint = sender.bind()
    alice = come(endpoint, dial)
    sender.send(MET.parts)
    alice.expect(MET)
    go(alice)
    send_all(sender, notices(COUNT))
    back = come(endpoint, dial)
    send_all(sender, [MET])
    for message in (*notices(COUNT), MET):
        back.expect(message, clause=KEPT)


@case(
    "legacy/durable/route-leads-to-all",
    clauses=[KEPT, IN_ORDER, "13/connection/ident-durable"],
    needs=["ROUTER", *KEEPS_IDENTITIES],
)
def test_route_leads_to_all(peer: Peer, dial: Dial) -> None:
    """A ROUTER keeps what it is told to send to an identity that is away."""
    router = peer.open("ROUTER")
    endpoint = router.bind()
    alice = come(endpoint, dial)
    alice.send(MET)
    router.expect(b"alice", *MET.parts)
    go(alice)
    send_all(router, notices(COUNT), b"alice")
    back = come(endpoint, dial)
    send_all(router, [MET], b"alice")
    for message in (*notices(COUNT), MET):
        back.expect(message, clause=KEPT)


@case(
    "legacy/durable/each-its-own",
    clauses=["libzmq-2/durable/by-identity", KEPT],
    needs=["PUB", *KEEPS_IDENTITIES],
)
def test_each_its_own(peer: Peer, dial: Dial, judge: Judge) -> None:
    """What is kept for one identity is neither given to another one nor taken away by it."""
    pub = peer.open("PUB")
    endpoint = pub.bind()
    bob = settled(endpoint, dial, pub, name=b"bob")
    go(settled(endpoint, dial, pub).raw)
    send_all(pub, notices(COUNT))
    judge.equal(numbers(bob.collect()), list(range(COUNT)), "libzmq-2/durable/by-identity")
    carol = listener(endpoint, dial, pub, name=b"carol")
    judge.equal(numbers(carol.collect()), [], "libzmq-2/durable/by-identity")
    judge.equal(numbers(listener(endpoint, dial, pub).collect()), list(range(COUNT)), KEPT)


@case(
    "legacy/durable/anonymous-is-forgotten",
    clauses=["libzmq-2/durable/anonymous-is-forgotten", "13/connection/anon-no-durability"],
    needs=["PUB", *KEEPS_IDENTITIES],
)
def test_anonymous_is_forgotten(peer: Peer, dial: Dial, judge: Judge) -> None:
    """A subscriber without an identity that comes back gets nothing of what was published meanwhile."""
    pub = peer.open("PUB")
    endpoint = pub.bind()
    staying = settled(endpoint, dial, pub)
    go(settled(endpoint, dial, pub, name=b"").raw)
    send_all(pub, notices(COUNT))
    judge.equal(numbers(staying.collect()), list(range(COUNT)))
    back = listener(endpoint, dial, pub, name=b"")
    judge.equal(numbers(back.collect()), [], "libzmq-2/durable/anonymous-is-forgotten")


@case(
    "legacy/durable/one-holder",
    clauses=["libzmq-2/durable/one-holder"],
    needs=["PUB", *KEEPS_IDENTITIES],
)
def test_one_holder(peer: Peer, dial: Dial) -> None:
    """Of two subscribers with one identity the second is cut off, and the first goes on."""
    pub = peer.open("PUB")
    endpoint = pub.bind()
    first = settled(endpoint, dial, pub)
    second = dial(endpoint)
    second.framing = 1
    second.send(LegacyGreeting(None, None, b"alice"))
    second.expect_closed("libzmq-2/durable/one-holder")
    pub.send([b"news"])
    first.expect(b"news", clause="libzmq-2/durable/one-holder")


@case(
    "legacy/durable/set-before-connecting",
    clauses=["libzmq-2/durable/set-before-connecting"],
    needs=["{socket_type}", "option:identity", *KEEPS_IDENTITIES],
)
@pytest.mark.parametrize("socket_type", ["SUB", "PULL", "DEALER"])
def test_set_before_connecting(peer: Peer, listen: Listen, socket_type: str) -> None:
    """An identity that is set between two connections is announced on the second alone."""
    clause = "libzmq-2/durable/set-before-connecting"
    sock = peer.open(socket_type)
    before, after = listen(), listen()
    sock.connect(before.endpoint)
    expect_legacy_greeting(before.accept(), ANONYMOUS, clause, identity=b"")
    sock.set("identity", b"alice")
    sock.connect(after.endpoint)
    expect_legacy_greeting(after.accept(), ANONYMOUS, clause, identity=b"alice")


@case(
    "legacy/durable/all-or-nothing",
    clauses=["libzmq-3/durable/gone"],
    needs=["PUB", "zmtp:1.0"],
)
def test_all_or_nothing(peer: Peer, dial: Dial, judge: Judge) -> None:
    """What is published while a subscriber with an identity is away is kept (2.x) or not (later versions)."""
    clause = "libzmq-3/durable/gone"
    pub = peer.open("PUB")
    endpoint = pub.bind()
    staying = settled(endpoint, dial, pub, clause, b"bob")
    go(settled(endpoint, dial, pub, clause).raw, clause)
    send_all(pub, notices(COUNT))
    judge.equal(numbers(staying.collect(clause)), list(range(COUNT)), clause)
    came = numbers(listener(endpoint, dial, pub, clause).collect(clause))
    judge.note(f"{len(came)} of {COUNT} were kept")
    judge.that(came in ([], list(range(COUNT))), "all or nothing", came, clause)
