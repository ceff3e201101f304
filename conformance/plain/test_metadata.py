"""Metadata under PLAIN: INITIATE and READY introduce the two peers (RFC 24; RFC 37, Connection Metadata)."""

import pytest

from conformance.plain.ends import (
    EITHER_NEEDS,
    SIDES,
    expect_healthy,
    open_as,
    reach_initiate,
    reach_ready,
    shake_hands,
)
from conformance.zmtp.secured import expect_not_served
from harness.case import Judge, case
from harness.exchange import PARTNER
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Initiate, Introduction, Message, Ready, malformed

SOCKET_TYPE = malformed.property_octets(b"Socket-Type", b"PUSH")
MALFORMED = {
    "name-overrun": [SOCKET_TYPE, b"\xc8X-Short"],
    "size-cut": [SOCKET_TYPE, b"\x07X-Short\0\0"],
    "value-overrun": [malformed.property_octets(b"Socket-Type", b"PUSH", value_size=400)],
    "value-missing": [SOCKET_TYPE, malformed.property_octets(b"X-Short", b"", value_size=1)],
    "trailing-octet": [SOCKET_TYPE, b"\x01"],
}
INTRODUCE = {"plain-server": malformed.initiate, "plain-username": malformed.ready}
BLAMED = {"plain-server": "24/flow/server-validates-initiate", "plain-username": "24/abnf/ready"}


def reach_introduction(raw: RawPeer, side: str) -> type[Initiate] | type[Ready]:
    """Go on with a handshake until it is our turn to introduce ourselves: by which command."""
    if side == "plain-server":
        reach_initiate(raw)
        return Initiate
    reach_ready(raw)
    return Ready


@case(
    "plain/metadata/socket-type-is-stated",
    clauses=["37/metadata/socket-type-sent", "37/metadata/mech-carries-meta"],
    needs=["{socket_type}", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("socket_type", ["PULL", "DEALER", "XSUB"])
def test_socket_type_is_stated(peer: Peer, attach: Attach, judge: Judge, side: str, socket_type: str) -> None:
    """INITIATE of a client and READY of a server state the socket's own type."""
    raw = attach(open_as(peer, side, socket_type))
    shake_hands(raw, side, PARTNER[socket_type])
    assert raw.last is not None
    value = raw.last.value
    judge.equal(value.socket_type if isinstance(value, Introduction) else None, socket_type)


@case(
    "plain/metadata/identity-counts",
    clauses=["24/body/shared-grammar", "37/identity/identity-announce"],
    needs=["ROUTER", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_identity_counts(peer: Peer, attach: Attach, side: str) -> None:
    """The identity that a partner states in INITIATE, or in READY, is its routing id."""
    router = open_as(peer, side, "ROUTER")
    raw = shake_hands(attach(router), side, "DEALER", identity=b"alice")
    raw.send(Message(b"hello"))
    router.expect(b"alice", b"hello")
    router.send([b"alice", b"to you"])
    raw.expect_message(b"to you")


@case(
    "plain/metadata/unknown-properties-are-taken",
    clauses=["24/body/shared-grammar", "37/metadata/other-props"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_unknown_properties_are_taken(peer: Peer, attach: Attach, side: str) -> None:
    """Properties that the peer does not know, short and long, keep nobody out."""
    sock = open_as(peer, side)
    raw = attach(sock)
    kind = reach_introduction(raw, side)
    raw.send(kind("PUSH", properties=((b"X-Empty", b""), (b"Other", bytes(300)))), Message(b"work"))
    sock.expect(b"work")


@case(
    "plain/metadata/socket-type-is-checked",
    clauses=[
        "37/sockettype/enforce-type",
        "24/flow/server-validates-initiate",
        "37/errors/close-is-temporary",
    ],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("socket_type", ["PULL", "REQ", "PUB"])
def test_socket_type_is_checked(
    peer: Peer, attach: Attach, judge: Judge, side: str, socket_type: str
) -> None:
    """A partner of a type that this one cannot talk to is refused in spite of good credentials."""
    sock = open_as(peer, side)
    raw = attach(sock)
    raw.send(reach_introduction(raw, side)(socket_type))
    with judge.soft():
        expect_not_served(raw, sock, clause="37/sockettype/enforce-type")
    expect_healthy(sock, attach, side, clause="37/errors/close-is-temporary")


@case(
    "plain/metadata/malformed-is-refused",
    clauses=["24/flow/server-validates-initiate", "24/abnf/ready", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("properties", MALFORMED.values(), ids=MALFORMED)
def test_malformed_is_refused(
    peer: Peer, attach: Attach, judge: Judge, side: str, properties: list[bytes]
) -> None:
    """Properties that do not fill INITIATE, or READY, exactly are refused, and others are served."""
    sock = open_as(peer, side)
    raw = attach(sock)
    reach_introduction(raw, side)
    raw.send(INTRODUCE[side](*properties))
    with judge.soft():
        expect_not_served(raw, sock, clause=BLAMED[side])
    expect_healthy(sock, attach, side, clause="37/errors/close-is-temporary")
