"""The Identity property between REQ, DEALER, ROUTER and a ROUTER (RFC 37, The Identity Property)."""

import pytest

from conformance.reqrep.ends import heard_until, knock, meet, settle
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Message, Ready

IDENTITIES = {
    "one-octet": b"a",
    "text": b"alice",
    "binary": bytes(range(255, -1, -17)),
    "uuid-size": b"\x01" + bytes(15),
    "longest": b"\xff" * 255,
}
TEXTS = {  # some libraries take an identity as text only
    "one-octet": b"a",
    "text": b"alice",
    "not-ascii": "ålice".encode(),
    "all-of-ascii": bytes(range(1, 128)),
    "longest": b"x" * 255,
}


@case(
    "reqrep/identity/is-the-address",
    clauses=["37/identity/identity-announce", "28/router/peer-chosen-id", "37/identity/abnf-identity"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
@pytest.mark.parametrize("partner", ["REQ", "DEALER", "ROUTER"])
def test_is_the_address(peer: Peer, attach: Attach, judge: Judge, partner: str, identity: bytes) -> None:
    """The identity that a partner announces is its routing id, octet for octet."""
    router = peer.open("ROUTER")
    raw = attach(router).handshake(partner, identity=identity)
    judge.equal(meet(router, raw), [identity])
    router.send([identity, b"", b"to you"])
    raw.expect_message(b"", b"to you")


@case("reqrep/identity/is-compared-by-octets", clauses=["37/identity/identity-announce"], needs=["ROUTER"])
def test_is_compared_by_octets(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Identities that differ in case, in length or in one octet are different peers."""
    router = peer.open("ROUTER")
    names = [b"alice", b"Alice", b"alice\0", b"alic"]
    ends = [attach(router).handshake("DEALER", identity=name) for name in names]
    judge.equal(meet(router, *ends, clause="37/identity/identity-announce"), names)
    for name in names:
        router.send([name, b"to " + name])
    for name, raw in zip(names, ends, strict=True):
        raw.expect_message(b"to " + name)


@case(
    "reqrep/identity/is-announced",
    clauses=["37/identity/identity-announce", "37/identity/abnf-identity"],
    needs=["{socket_type}", "option:identity"],
)
@pytest.mark.parametrize("identity", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("socket_type", ["REQ", "DEALER", "ROUTER"])
def test_is_announced(peer: Peer, attach: Attach, socket_type: str, identity: bytes) -> None:
    """The identity that the application chose is announced to a ROUTER, octet for octet."""
    raw = attach(peer.open(socket_type, identity=identity))
    raw.greet()
    raw.send(Ready("ROUTER"))
    raw.expect(Ready, identity=identity)


@case(
    "reqrep/identity/is-not-shared",
    clauses=["28/router/duplicate-id", "37/identity/identity-announce", "28/router/unique-id"],
    needs=["ROUTER", "feature:heartbeat"],
)
def test_is_not_shared(peer: Peer, dial: Dial, judge: Judge) -> None:
    """Of two partners with one identity the second is refused, ignored, renamed, or takes over."""
    router = peer.open("ROUTER")
    endpoint = router.bind()
    first = dial(endpoint).handshake("DEALER", identity=b"alice")
    meet(router, first)
    second = dial(endpoint)
    knock(second, Ready("DEALER", b"alice"))
    second.send(Message(b"second"))
    judge.note("second kept" if settle(second) else "second cut off")
    first.send(Message(b"first"))
    judge.note("first kept" if settle(first) else "first cut off")
    heard = heard_until(router, dial(endpoint).handshake("DEALER", identity=b"fence"))
    judge.note(f"heard {heard}")
    as_alice = [parts[-1] for parts in heard if parts[0] == b"alice"]
    judge.equal(len(as_alice), 1)
    ends = {b"first": first, b"second": second}
    owner = ends.pop(as_alice[0])
    router.send([b"alice", b"to alice"])
    owner.expect_message(b"to alice")
    for other in ends.values():
        settle(other)


@case(
    "reqrep/identity/is-handed-over",
    clauses=["28/router/duplicate-id", "37/identity/identity-announce"],
    needs=["ROUTER", "option:handover", "feature:heartbeat"],
)
def test_is_handed_over(peer: Peer, dial: Dial, judge: Judge) -> None:
    """If so configured, a partner takes the identity over, and the one before gets nothing any more."""
    router = peer.open("ROUTER", handover=True)
    endpoint = router.bind()
    first = dial(endpoint).handshake("DEALER", identity=b"alice")
    meet(router, first)
    second = dial(endpoint).handshake("DEALER", identity=b"alice")
    second.send(Message(b"second"))
    router.expect(b"alice", b"second")
    router.send([b"alice", b"to alice"])
    second.expect_message(b"to alice")
    judge.note("first kept" if settle(first) else "first cut off")
    first.send(Message(b"first"))
    heard = heard_until(router, dial(endpoint).handshake("DEALER", identity=b"fence"))
    judge.that([b"alice", b"first"] not in heard, "one partner of this identity", heard)
