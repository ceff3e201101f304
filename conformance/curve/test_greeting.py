"""CURVE and the greeting: its mechanism is the only one, and its roles (RFC 25; RFC 37, Authentication)."""

from __future__ import annotations

import pytest

from conformance.curve.ends import (
    AS_CLIENT,
    AS_SERVER,
    EITHER_NEEDS,
    SIDES,
    expect_healthy,
    new_client,
    open_as,
    shake_hands,
)
from conformance.zmtp.secured import OLD, judge_old_partner, judge_other_mechanism
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.zmtp import (
    Boxed,
    CurveHello,
    CurveInitiate,
    CurveReady,
    CurveWelcome,
    LegacyGreeting,
    Message,
    Ready,
)

OTHER_MECHANISMS = {
    "null": b"NULL",
    "plain": b"PLAIN",
    "small-letters": b"curve",
    "longer": b"CURVES",
    "cut": b"CURV",
}
HANDSHAKE = (CurveHello, CurveWelcome, CurveInitiate, CurveReady, Ready, Message)


@case(
    "curve/greeting/mechanism-mismatch",
    clauses=["37/auth/mismatch-close", "37/security/no-downgrade", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("field", OTHER_MECHANISMS.values(), ids=OTHER_MECHANISMS)
def test_mechanism_mismatch(peer: Peer, attach: Attach, judge: Judge, side: str, field: bytes) -> None:
    """A partner with any other mechanism is cut off before anything is told or taken."""
    sock = open_as(peer, side)
    raw = attach(sock)
    judge_other_mechanism(judge, raw, field, never=HANDSHAKE)
    expect_healthy(sock, attach, side)


@case(
    "curve/greeting/old-partner-is-refused",
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
    expect_healthy(sock, attach, side)


@case(
    "curve/greeting/serves-3-0",
    clauses=["26/welcome/server-sends", "26/hello/client-sends"],
    needs=["PULL", "zmtp:3.0", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_serves_3_0(peer: Peer, attach: Attach, side: str) -> None:
    """CURVE is spoken with partners of ZMTP 3.0, for which it was written."""
    sock = open_as(peer, side)
    raw = attach(sock)
    shake_hands(raw, side, version=(3, 0))
    expect_serves(sock, raw)


@case(
    "curve/greeting/partner-of-the-same-role",
    clauses=["25/impl/as-server-role", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_partner_of_the_same_role(peer: Peer, attach: Attach, judge: Judge, side: str) -> None:
    """Two clients, or two servers, come to no session: no command of the other role is said."""
    sock = open_as(peer, side)
    raw = attach(sock)
    raw.greet(AS_SERVER if side == "curve-server" else AS_CLIENT)
    if side != "curve-server":
        raw.send(new_client().hello())
    expect_healthy(sock, attach, side)  # whatever it is going to say to us is said by then
    while raw.arrived() and (received := raw.next()) is not None:
        value = received.value
        own = isinstance(value, CurveHello) and side != "curve-server"
        judge.that(own or not isinstance(value, Boxed | Message), "no session", type(value).__name__)
