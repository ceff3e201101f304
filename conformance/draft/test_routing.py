"""SERVER and PEER: partners by routing ids that this side gives out (RFC 41 and 51)."""

from __future__ import annotations

import pytest

from conformance.pair.exclusive import FLOOD, MARK
from conformance.pipeline.ends import BIG_OCTETS, expect_flood, make_sure, small_window
from conformance.pipeline.kinds import PEER, SERVER, Kind, all_clauses, of_kinds
from conformance.reqrep.ends import attempt, meet
from harness.case import Judge, case
from harness.peer import Outcome, Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message

from .bodies import BODIES

BOTH = (SERVER, PEER)
ROUTING_ID_OCTETS = 4
NOBODY = bytes(ROUTING_ID_OCTETS)
TOLD = (Outcome.UNROUTABLE, Outcome.REFUSED)


def met(kind: Kind, sock: RemoteSocket, raw: RawPeer, identity: bytes | None = None) -> bytes:
    """The routing id by which the application knows this end, which has shaken hands and said hello."""
    raw.handshake(kind.partner, identity)
    return meet(sock, raw, clause=kind.clause("get-rid"))[0]


def expect_told(sock: RemoteSocket, routing_id: bytes, clause: str) -> None:
    """A message for nobody is answered with an error, within the time in which a close is noticed."""
    deadline = sock.peer.deadlines.deadline("delivery")
    outcome = attempt(sock, routing_id, b"nobody")
    while outcome not in TOLD and not deadline.expired:
        outcome = attempt(sock, routing_id, b"nobody")
    if outcome not in TOLD:
        raise Mismatch("an error", outcome.value, clause)


@case("draft/routing/each-has-its-id", clauses=all_clauses(BOTH, "routing-id", "get-rid"), needs=["{kind}"])
@of_kinds(*BOTH)
def test_each_has_its_id(peer: Peer, attach: Attach, judge: Judge, kind: Kind) -> None:
    """Each partner has a routing id of 32 bits, not zero and no other's, and each message of it shows it."""
    sock = kind.open(peer)
    raws = [attach(sock) for _ in range(3)]
    ids = [met(kind, sock, raw) for raw in raws]
    clause = kind.clause("routing-id")
    judge.that(all(len(each) == ROUTING_ID_OCTETS for each in ids), "ids of 32 bits", ids, clause)
    judge.that(len({*ids, NOBODY}) == 4, "three ids, none of them zero", ids, clause)
    for routing_id, raw in [*zip(ids, raws, strict=True)] * 2:
        raw.send(Message(b"again"))
        sock.expect(routing_id, b"again", clause=kind.clause("get-rid"))


@case(
    "draft/routing/partners-cannot-choose", clauses=all_clauses(BOTH, "peer-cannot-choose"), needs=["{kind}"]
)
@pytest.mark.parametrize("identity", [b"same", b"\x01", b"i" * 255], ids=["four-octets", "one-octet", "255"])
@of_kinds(*BOTH)
def test_partners_cannot_choose(
    peer: Peer, attach: Attach, judge: Judge, kind: Kind, identity: bytes
) -> None:
    """Two partners that announce the same identity are two, and the identity is the routing id of neither."""
    sock = kind.open(peer)
    raws = [attach(sock) for _ in range(2)]
    ids = [met(kind, sock, raw, identity) for raw in raws]
    judge.that(len({*ids, identity}) == 3, "two ids, other than the identity", ids)
    for routing_id, raw in zip(ids, raws, strict=True):
        sock.send([routing_id, b"for you"], kind.clause("peer-cannot-choose"))
        raw.expect_message(b"for you", clause=kind.clause("peer-cannot-choose"))


@case(
    "draft/routing/sends-to-whom-it-is-for",
    clauses=all_clauses(BOTH, "route", "set-rid", "create-on-accept", "no-filter"),
    needs=["{kind}"],
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@of_kinds(*BOTH)
def test_sends_to_whom_it_is_for(peer: Peer, attach: Attach, kind: Kind, body: bytes) -> None:
    """A message goes to the partner with its routing id, as one frame and unchanged, and to no other."""
    sock = kind.open(peer)
    raws = [attach(sock) for _ in range(3)]
    ids = [met(kind, sock, raw) for raw in raws]
    sock.send([ids[1], body], kind.clause("route"))
    for routing_id in ids:
        sock.send([routing_id, b"fence"], kind.clause("set-rid"))
    raws[1].expect_message(body, clause=kind.clause("no-filter"))
    for raw in raws:
        raw.expect_message(b"fence", clause=kind.clause("route"))


@case("draft/routing/unknown-id-is-an-error", clauses=all_clauses(BOTH, "unknown-error"), needs=["{kind}"])
@pytest.mark.parametrize("wrong", ["zero", "never-given", "identity"])
@of_kinds(*BOTH)
def test_unknown_id_is_an_error(peer: Peer, attach: Attach, kind: Kind, wrong: str) -> None:
    """A message for a routing id that nobody has is refused with an error, and reaches nobody."""
    sock = kind.open(peer)
    raw = attach(sock)
    routing_id = met(kind, sock, raw, b"name")
    flipped = bytes([routing_id[0] ^ 0x40, *routing_id[1:]])
    expect_told(
        sock,
        {"zero": NOBODY, "never-given": flipped, "identity": b"name"}[wrong],
        kind.clause("unknown-error"),
    )
    sock.send([routing_id, b"fence"], kind.clause("route"))
    raw.expect_message(b"fence", clause=kind.clause("unknown-error"))


@case(
    "draft/routing/id-goes-with-its-partner",
    clauses=all_clauses(BOTH, "destroy", "unknown-error"),
    needs=["{kind}"],
)
@pytest.mark.parametrize("how", ["fin", "rst"])
@of_kinds(*BOTH)
def test_id_goes_with_its_partner(peer: Peer, dial: Dial, judge: Judge, kind: Kind, how: str) -> None:
    """The routing id of a partner that has gone is known no longer, and its successor has another."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    leaving = dial(endpoint)
    gone = met(kind, sock, leaving)
    leaving.close() if how == "fin" else leaving.reset()
    expect_told(sock, gone, kind.clause("destroy"))
    successor = dial(endpoint)
    routing_id = met(kind, sock, successor)
    judge.note("an id of its own" if routing_id != gone else "the id again")
    sock.send([routing_id, b"fence"], kind.clause("destroy"))
    successor.expect_message(b"fence", clause=kind.clause("destroy"))


@case(
    "draft/routing/queue-goes-with-its-partner",
    clauses=all_clauses(BOTH, "discard", "destroy"),
    needs=["{kind}", "option:send-hwm"],
)
@of_kinds(*BOTH)
def test_queue_goes_with_its_partner(peer: Peer, dial: Dial, kind: Kind) -> None:
    """What was queued for a partner that has gone reaches no other."""
    sock = kind.open(peer, send_hwm=1000)
    endpoint = sock.bind()
    leaving = small_window(dial(endpoint))
    gone = met(kind, sock, leaving)
    sock.flood(FLOOD, BIG_OCTETS, head=[gone])
    leaving.reset()
    expect_told(sock, gone, kind.clause("destroy"))
    successor = dial(endpoint)
    sock.send([met(kind, sock, successor), b"fence"], kind.clause("destroy"))
    successor.expect_message(b"fence", clause=kind.clause("discard"))


@case(
    "draft/routing/full-queue-waits",
    clauses=all_clauses(BOTH, "block-full", "no-discard", "limit", "queue"),
    needs=["{kind}", "option:send-hwm"],
)
@of_kinds(*BOTH)
def test_full_queue_waits(peer: Peer, attach: Attach, judge: Judge, seed: int, kind: Kind) -> None:
    """A message for who does not read waits for room; what was accepted arrives, and others are served."""
    sock = kind.open(peer, send_hwm=MARK)
    full, other = small_window(attach(sock)), attach(sock)
    head, beside = met(kind, sock, full), met(kind, sock, other)
    accepted = sock.flood(FLOOD, BIG_OCTETS, seed, 10 * peer.deadlines.probe_s, [head])
    judge.that(accepted < FLOOD, "sending stops", f"{accepted} accepted", kind.clause("limit"))
    more = [sock.offer([head, b"more"]) for _ in range(FLOOD)]  # room may come yet, where buffers grow
    beyond = more.count(Outcome.ACCEPTED)
    judge.equal(more[-1], Outcome.WOULD_BLOCK, kind.clause("block-full"))
    sock.send([beside, b"beside"], kind.clause("queue"))
    other.expect_message(b"beside", clause=kind.clause("queue"))
    waiting = sock.start_send([head, b"fence"])
    expect_flood(full, seed, accepted, BIG_OCTETS, kind.clause("no-discard"))
    for _ in range(beyond):
        full.expect_message(b"more", clause=kind.clause("no-discard"))
    judge.equal(waiting.result()["outcome"], "accepted", kind.clause("block-full"))
    full.expect_message(b"fence", clause=kind.clause("no-discard"))


@case(
    "draft/routing/full-output-does-not-stop-input",
    clauses=all_clauses(BOTH, "queue", "deliver"),
    needs=["{kind}", "option:send-hwm"],
)
@of_kinds(*BOTH)
def test_full_output_does_not_stop_input(peer: Peer, attach: Attach, kind: Kind) -> None:
    """A partner that does not read is heard all the same."""
    sock = kind.open(peer, send_hwm=MARK)
    raw = small_window(attach(sock))
    routing_id = met(kind, sock, raw)
    sock.flood(FLOOD, BIG_OCTETS, head=[routing_id])
    for number in range(10):
        raw.send(Message(b"%d" % number))
        sock.expect(routing_id, b"%d" % number, clause=kind.clause("queue"))


@case(
    "draft/routing/queues-while-away",
    clauses=[*all_clauses(BOTH, "keep-unconnected", "create-on-connect"), "37/errors/close-reconnect"],
    needs=["{kind}"],
)
@of_kinds(*BOTH)
def test_queues_while_away(peer: Peer, listen: Listen, judge: Judge, kind: Kind) -> None:
    """A partner that is dialled keeps its routing id over a reconnect, and what is sent meanwhile waits."""
    sock = kind.open(peer)
    listener = listen()
    sock.connect(listener.endpoint)
    raw = listener.accept()
    routing_id = met(kind, sock, raw)
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    outcome = attempt(sock, routing_id, b"meanwhile")
    judge.note(f"while away: {outcome}")
    again.handshake(kind.partner)
    make_sure(sock, outcome, routing_id, b"meanwhile")
    again.expect_message(b"meanwhile", clause=kind.clause("keep-unconnected"))


@case(
    "draft/routing/who-connects-knows-whom",
    clauses=["51/peer/connect-peer", "51/peer/create-on-connect", "51/peer/routing-id"],
    needs=["PEER"],
)
def test_who_connects_knows_whom(peer: Peer, listen: Listen, judge: Judge) -> None:
    """Connecting gives a routing id; what is sent to it waits for the connection, and answers show it."""
    sock = peer.open("PEER")
    listener = listen()
    routing_id = sock.connect_peer(listener.endpoint, "51/peer/connect-peer")
    judge.that(routing_id != NOBODY, "an id other than zero", routing_id.hex(), "51/peer/routing-id")
    sock.send([routing_id, b"early"], "51/peer/create-on-connect")
    raw = listener.accept().handshake("PEER")
    raw.expect_message(b"early", clause="51/peer/create-on-connect")
    raw.send(Message(b"back"))
    sock.expect(routing_id, b"back", clause="51/peer/connect-peer")
