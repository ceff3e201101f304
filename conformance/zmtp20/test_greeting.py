"""Greetings of ZMTP 2.0 (RFC 15, Formal Grammar and Backwards Interoperability)."""

from functools import partial

import pytest

from conformance.zmtp.framing import tolerated_or_closed
from conformance.zmtp.partners import (
    MORE_THAN_A_GREETING,
    expect_greets_again,
    expect_routed,
    last_received,
)
from conformance.zmtp20.ends import meet
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Listen
from harness.zmtp import Message, malformed
from harness.zmtp.grammar import LEGACY_TYPE_OCTETS, SIGNATURE_OCTETS
from harness.zmtp.greeting import identity_padding

OWN_IDENTITIES = {"none": b"", "1": b"b", "text": b"bob", "255": b"b" * 255}
IDENTITIES = {"1": b"b", "text": b"bob", "255": b"b" * 255, "every-octet": bytes(range(1, 256))}
ODD = (0x01, 0x81, 0xFD, 0xFF)
PUSH = LEGACY_TYPE_OCTETS["PUSH"]


@case(
    "zmtp20/greeting/own-signature",
    clauses=["15/grammar/abnf-signature", "15/interop/no-compat-signature", "15/interop/length-8"],
    needs=["DEALER", "zmtp:2.0"],
)
def test_own_signature(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The greeting begins with FF, zeros or the size of an identity frame without identity, and 7F."""
    octets = attach(peer.open("DEALER")).expect_octets(SIGNATURE_OCTETS)
    judge.equal(f"{octets[0]:02X} and {octets[9]:02X}", "FF and 7F")
    padding = octets[1:9]
    judge.that(padding in (bytes(8), identity_padding(b"")), "zeros, or 1 in eight octets", padding.hex())


@case(
    "zmtp20/greeting/goes-out-at-once",
    clauses=["15/interop/send-immediately"],
    needs=["{socket_type}", "zmtp:2.0"],
)
@pytest.mark.parametrize("socket_type", ["DEALER", "SUB", "PUSH"])
def test_goes_out_at_once(peer: Peer, attach: Attach, socket_type: str) -> None:
    """The signature goes out before the partner has said anything."""
    attach(peer.open(socket_type)).expect_octets(SIGNATURE_OCTETS)


@case(
    "zmtp20/greeting/own-identity-is-a-short-frame",
    clauses=["15/grammar/abnf-identity", "15/grammar/abnf-final-short"],
    needs=["DEALER", "option:identity", "zmtp:2.0"],
)
@pytest.mark.parametrize("identity", OWN_IDENTITIES.values(), ids=OWN_IDENTITIES)
def test_own_identity_is_a_short_frame(peer: Peer, attach: Attach, judge: Judge, identity: bytes) -> None:
    """The identity is one frame without flags, its length in one octet."""
    dealer = peer.open("DEALER", **({"identity": identity} if identity else {}))
    raw = meet(attach(dealer), "ROUTER", clause="15/grammar/abnf-identity")
    greeting = last_received(raw)
    for fault in greeting.faults:
        raise raw.mismatch("an identity without fault", fault.message, fault.clause, fault.offset)
    sent = bytes(raw.received[SIGNATURE_OCTETS + 2 : greeting.end])
    judge.equal(sent, malformed.frame(0, identity), clause="15/grammar/abnf-final-short")


@case(
    "zmtp20/greeting/routes-by-identity",
    clauses=["15/grammar/abnf-identity", "15/grammar/abnf-final-short", "15/grammar/abnf-body"],
    needs=["ROUTER", "zmtp:2.0"],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_routes_by_identity(peer: Peer, attach: Attach, identity: bytes) -> None:
    """A partner is known by the identity that it greets with, of up to 255 octets."""
    router = peer.open("ROUTER")
    raw = meet(attach(router), "DEALER", identity)
    expect_routed(router, raw, identity)


@case(
    "zmtp20/greeting/other-odd-octets",
    clauses=["15/interop/lsb-one-is-v2"],
    needs=["PULL", "zmtp:2.0"],
)
@pytest.mark.parametrize("last", ODD, ids=[f"{last:02X}" for last in ODD])
def test_other_odd_octets(peer: Peer, attach: Attach, judge: Judge, last: int) -> None:
    """A signature that ends with another odd octet than 7F is taken, or ends the connection."""
    pull = peer.open("PULL")
    raw = attach(pull)
    raw.framing = 2
    raw.send(malformed.greeting_of_2_0(PUSH, last=last), MORE_THAN_A_GREETING)
    parts = list(MORE_THAN_A_GREETING.parts)
    tolerated_or_closed(raw, pull, [parts], judge=judge, clause="15/interop/lsb-one-is-v2")
    meet(attach(pull), "PUSH").send(Message(b"next"))
    pull.expect(b"next")


@case(
    "zmtp20/greeting/identity-with-flags",
    clauses=["15/grammar/abnf-identity"],
    needs=["PULL", "zmtp:2.0"],
)
@pytest.mark.parametrize("flags", [0x01, 0x04, 0x80], ids=["MORE", "04", "80"])
def test_identity_with_flags(peer: Peer, attach: Attach, judge: Judge, flags: int) -> None:
    """An identity whose frame has flags is taken, or ends the connection; it is never delivered."""
    pull = peer.open("PULL")
    raw = attach(pull)
    raw.framing = 2
    raw.send(malformed.greeting_of_2_0(PUSH, identity_flags=flags))
    tolerated_or_closed(raw, pull, [], judge=judge, clause="15/grammar/abnf-identity")
    meet(attach(pull), "PUSH").send(Message(b"next"))
    pull.expect(b"next")


@case(
    "zmtp20/greeting/greets-again",
    clauses=["15/grammar/abnf-zmtp", "15/interop/revision-one"],
    needs=["DEALER", "zmtp:2.0"],
)
def test_greets_again(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A connection made again begins with the same greeting as the first, and then come messages."""
    as_router = partial(meet, socket_type="ROUTER")
    first = expect_greets_again(peer.open("DEALER"), listen(), as_router, "15/grammar/abnf-zmtp")
    judge.that(first.revision in (1, 3), "revision 1, or 3", first.revision, "15/interop/revision-one")
