"""Metadata under CURVE: INITIATE and READY introduce the two peers inside their boxes (RFC 26; RFC 37)."""

from __future__ import annotations

import pytest

from conformance.curve.ends import (
    EITHER_NEEDS,
    SIDES,
    expect_healthy,
    expect_not_taken,
    expect_ready,
    introduce,
    metadata,
    open_as,
)
from harness.case import Judge, case
from harness.curve import Client
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message, malformed

UNKNOWN = {
    "one-letter": ((b"x", b"1"),),
    "longest-name": ((b"n" * 255, b"1"),),
    "no-value": ((b"X-Empty", b""),),
    "long-value": ((b"X-Long", bytes(range(256)) * 16),),
    "many": tuple((b"X-%d" % n, b"v") for n in range(40)),
}
PROPERTY = malformed.property_octets
OTHER_CASES = {
    "small": PROPERTY(b"socket-type", b"DEALER") + PROPERTY(b"identity", b"alice"),
    "capitals": PROPERTY(b"SOCKET-TYPE", b"DEALER") + PROPERTY(b"IDENTITY", b"alice"),
}


def speak(raw: RawPeer, side: str, octets: bytes) -> None:
    """The whole handshake with this metadata; `raw` is ready for traffic."""
    session = introduce(raw, side, octets)
    if isinstance(session, Client):
        expect_ready(raw, session)


@case(
    "curve/metadata/identity-counts",
    clauses=["37/identity/identity-announce", "26/abnf/metadata"],
    needs=["ROUTER", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_identity_counts(peer: Peer, attach: Attach, side: str) -> None:
    """The identity that a partner states in its box is its routing id."""
    router = open_as(peer, side, "ROUTER")
    raw = attach(router)
    speak(raw, side, metadata("DEALER", b"alice"))
    raw.send(Message(b"hello"))
    router.expect(b"alice", b"hello")
    router.send([b"alice", b"to you"])
    raw.expect_message(b"to you")


@case(
    "curve/metadata/case-of-names",
    clauses=["26/initiate/name-case"],
    needs=["ROUTER", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("octets", OTHER_CASES.values(), ids=OTHER_CASES)
def test_case_of_names(peer: Peer, attach: Attach, side: str, octets: bytes) -> None:
    """The names of properties mean the same in capital and small letters."""
    router = open_as(peer, side, "ROUTER")
    raw = attach(router)
    speak(raw, side, octets)
    raw.send(Message(b"hello"))
    router.expect(b"alice", b"hello", clause="26/initiate/name-case")


@case(
    "curve/metadata/unknown-properties-are-taken",
    clauses=["26/initiate/name-length", "26/initiate/value-range"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("properties", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_properties_are_taken(
    peer: Peer, attach: Attach, side: str, properties: tuple[tuple[bytes, bytes], ...]
) -> None:
    """Properties that the peer does not know, short and long, keep nobody out."""
    sock = open_as(peer, side)
    raw = attach(sock)
    speak(raw, side, metadata("PUSH", None, *properties))
    raw.send(Message(b"work"))
    sock.expect(b"work", clause="26/initiate/value-range")


@case(
    "curve/metadata/socket-type-is-checked",
    clauses=["37/sockettype/enforce-type", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("socket_type", ["PULL", "REQ", "PUB"])
def test_socket_type_is_checked(
    peer: Peer, attach: Attach, judge: Judge, side: str, socket_type: str
) -> None:
    """A partner of a type that this one cannot talk to is refused in spite of its good keys."""
    sock = open_as(peer, side)
    raw = attach(sock)
    session = introduce(raw, side, metadata(socket_type))
    with judge.soft():
        expect_not_taken(raw, sock, session, "37/sockettype/enforce-type")
    expect_healthy(sock, attach, side)
