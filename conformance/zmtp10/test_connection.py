"""Greetings of ZMTP 1.0, which are identities (RFC 13, The Connection Layer)."""

import pytest

from conformance.zmtp.partners import (
    expect_exchange,
    expect_greets_again,
    expect_legacy_greeting,
    expect_routed,
    opened_with_reserved_identity,
)
from conformance.zmtp10.ends import meet
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Listen
from harness.zmtp import LegacyGreeting, malformed

FLAGS = (0x01, 0x02, 0x7F, 0x80, 0xFE, 0xFF)
IDENTITIES = {
    "1": b"b",
    "text": b"bob",
    "253": b"b" * 253,
    "254": b"b" * 254,
    "255": b"b" * 255,
    "every-octet": bytes(range(1, 256)),
}


@case(
    "zmtp10/connection/own-idflags",
    clauses=[
        "13/connection/idflags-zero",
        "13/connection/abnf-idflags",
        "13/connection/abnf-greeting",
        "13/connection/send-greeting",
    ],
    needs=["DEALER", "zmtp:1.0"],
)
def test_own_idflags(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The flags of the peer's own identity frame are zero, or 7F where its signature ends."""
    raw = meet(attach(peer.open("DEALER")))
    long = raw.received[0] == 0xFF
    flags = raw.received[9 if long else 1]
    judge.that(flags in ((0, 0x7F) if long else (0,)), "flags 00, or the signature's 7F", f"{flags:02X}")


@case(
    "zmtp10/connection/any-idflags",
    clauses=["13/connection/idflags-not-validated"],
    needs=["DEALER", "zmtp:1.0"],
)
@pytest.mark.parametrize("flags", FLAGS, ids=[f"{flags:02X}" for flags in FLAGS])
@pytest.mark.parametrize("identity", [b"", b"bob"], ids=["anonymous", "identity"])
def test_any_idflags(peer: Peer, attach: Attach, identity: bytes, flags: int) -> None:
    """Whatever flags a partner's identity frame has, the partner is served."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.framing = 1
    raw.send(malformed.frame_of_1_0(flags, identity))
    raw.expect(LegacyGreeting)
    expect_exchange(raw, dealer, b"odd", b"", b"flags")


@case(
    "zmtp10/connection/routes-by-identity",
    clauses=["13/connection/ident-len", "13/connection/abnf-identity", "13/connection/abnf-greeting"],
    needs=["ROUTER", "zmtp:1.0"],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_routes_by_identity(peer: Peer, attach: Attach, identity: bytes) -> None:
    """A partner is known by the identity that it greets with, of 1 to 255 octets."""
    router = peer.open("ROUTER")
    raw = meet(attach(router), identity)
    expect_routed(router, raw, identity)


@case(
    "zmtp10/connection/short-identity-in-the-long-form",
    clauses=["13/framing/len-long-for-short", "15/interop/lsb-zero-is-v1"],
    needs=["ROUTER", "zmtp:1.0"],
)
@pytest.mark.parametrize("identity", [b"b", b"bob"], ids=["1", "3"])
def test_short_identity_in_the_long_form(peer: Peer, attach: Attach, identity: bytes) -> None:
    """A small identity frame may have its length in eight octets, so that it begins as a signature does."""
    router = peer.open("ROUTER")
    raw = attach(router)
    raw.framing = 1
    raw.send(malformed.frame_of_1_0(0, identity, long=True))
    raw.expect(LegacyGreeting)
    expect_routed(router, raw, identity)


@case(
    "zmtp10/connection/own-identity-does-not-begin-with-zero",
    clauses=["13/connection/ident-no-zero"],
    needs=["DEALER", "option:identity", "zmtp:1.0"],
)
def test_own_identity_does_not_begin_with_zero(peer: Peer, attach: Attach, judge: Judge) -> None:
    """An identity that begins with zero is refused to the application, or at least not sent."""
    sock = opened_with_reserved_identity(peer, judge)
    greeting = expect_legacy_greeting(attach(sock), LegacyGreeting(None))
    judge.that(not greeting.identity.startswith(b"\0"), "no such identity", greeting.identity)


@case(
    "zmtp10/connection/greets-again",
    clauses=["13/connection/reconnect-new", "13/connection/greeting-first", "13/content/abnf-zmtp"],
    needs=["DEALER", "zmtp:1.0"],
)
def test_greets_again(peer: Peer, listen: Listen) -> None:
    """A connection made again begins with the same greeting as the first, and then come messages."""
    expect_greets_again(peer.open("DEALER"), listen(), meet, "13/connection/reconnect-new")
