"""PLAIN and the greeting: its mechanism is the only one, and its roles (RFC 24; RFC 37, Authentication)."""

import pytest

from conformance.plain.ends import (
    AS_CLIENT,
    AS_SERVER,
    CLIENT_NEEDS,
    EITHER_NEEDS,
    GOOD,
    SERVER_NEEDS,
    SIDES,
    expect_healthy,
    judge_refusal,
    open_as,
    open_client,
    open_server,
    shake_hands,
)
from conformance.zmtp.secured import OLD, judge_old_partner, judge_other_mechanism
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.zmtp import (
    Hello,
    Initiate,
    LegacyGreeting,
    Message,
    Ready,
    Welcome,
)

OTHER_MECHANISMS = {
    "null": b"NULL",
    "curve": b"CURVE",
    "small-letters": b"plain",
    "longer": b"PLAINER",
    "cut": b"PLAI",
    "octet-behind-the-null": b"PLAIN\0N",
}


@case(
    "plain/greeting/mechanism-mismatch",
    clauses=["37/auth/mismatch-close", "37/security/no-downgrade", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("field", OTHER_MECHANISMS.values(), ids=OTHER_MECHANISMS)
def test_mechanism_mismatch(peer: Peer, attach: Attach, judge: Judge, side: str, field: bytes) -> None:
    """A partner with any other mechanism is cut off before anything is told or taken."""
    sock = open_as(peer, side)
    raw = attach(sock)
    judge_other_mechanism(judge, raw, field, never=(Hello, Welcome, Initiate, Ready, Message))
    expect_healthy(sock, attach, side, clause="37/errors/close-is-temporary")


@case(
    "plain/greeting/old-partner-is-refused",
    clauses=["37/interop/d10-secure-close", "37/security/no-downgrade", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("greeting", OLD.values(), ids=OLD)
def test_old_partner_is_refused(
    peer: Peer, attach: Attach, judge: Judge, side: str, greeting: LegacyGreeting
) -> None:
    """A partner of ZMTP 2.0 or 1.0, which cannot be secure, is cut off, and nothing of it is delivered."""
    sock = open_as(peer, side)
    raw = attach(sock)
    judge_old_partner(judge, raw, greeting)
    expect_healthy(sock, attach, side, clause="37/errors/close-is-temporary")


@case(
    "plain/greeting/serves-3-0",
    clauses=["24/abnf/plain", "24/flow/server-welcome", "24/flow/client-hello"],
    needs=["PULL", "zmtp:3.0", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_serves_3_0(peer: Peer, attach: Attach, side: str) -> None:
    """PLAIN is spoken with partners of ZMTP 3.0, for which it was written."""
    sock = open_as(peer, side)
    expect_serves(sock, shake_hands(attach(sock), side, version=(3, 0)))


@case(
    "plain/greeting/partner-that-says-server",
    clauses=["24/flow/role-clash", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_partner_that_says_server(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A partner that says that it is a server, and acts as a client: whether it is let in is recorded."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_SERVER)
    raw.send(GOOD)
    judge_refusal(judge, raw, sock, attach, "plain-server", "24/flow/role-clash")


@case(
    "plain/greeting/partner-that-says-client",
    clauses=["24/flow/role-clash", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_partner_that_says_client(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A partner that says that it is a client, and acts as a server: whether it is taken is recorded."""
    sock = open_client(peer)
    raw = attach(sock)
    with judge.soft():
        raw.greet(AS_CLIENT)
        raw.expect(Hello, clause="24/flow/role-clash")
        raw.send(Welcome())
        raw.expect(Initiate, clause="24/flow/role-clash")
        raw.send(Ready("PUSH"))
        expect_serves(sock, raw, clause="24/flow/role-clash")
    expect_healthy(sock, attach, "plain-username", clause="37/errors/close-is-temporary")
