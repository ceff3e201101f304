"""Who may talk to whom in ZMTP 2.0 (RFC 15, Socket Compatibility)."""

import pytest

from conformance.zmtp.traffic import closed_or_served
from conformance.zmtp20.ends import meet
from harness.case import case
from harness.exchange import expect_serves
from harness.peer import Parts, Peer, show_parts
from harness.pytest_fixtures import Attach
from harness.verdict import Mismatch
from harness.zmtp import LegacyGreeting, Message, malformed
from harness.zmtp.grammar import LEGACY_SOCKET_TYPES, are_partners

LEGAL = [
    (own, other) for own in LEGACY_SOCKET_TYPES for other in LEGACY_SOCKET_TYPES if are_partners(own, other)
]
ROW = {
    "PAIR": "15/compat/pair-pair",
    "PUB": "15/compat/pub-sub",
    "SUB": "15/compat/sub-pub",
    "REQ": "15/compat/req-rep-router",
    "REP": "15/compat/rep-req-dealer",
    "DEALER": "15/compat/dealer-set",
    "ROUTER": "15/compat/router-set",
    "PULL": "15/compat/pull-push",
    "PUSH": "15/compat/push-pull",
}
# Of the types that receive without being asked: an illegal partner, its message, and what would be delivered.
WRONG: dict[str, tuple[str, Message, Parts]] = {
    "PAIR": ("PUSH", Message(b"forged"), [b"forged"]),
    "SUB": ("PUSH", Message(b"forged"), [b"forged"]),
    "REP": ("PUSH", Message(b"", b"forged"), [b"forged"]),
    "DEALER": ("REQ", Message(b"", b"forged"), [b"", b"forged"]),
    "ROUTER": ("SUB", Message(b"forged"), [b"mallory", b"forged"]),
    "PULL": ("DEALER", Message(b"forged"), [b"forged"]),
}
UNKNOWN = (0x09, 0x7F, 0xFF)


@case("zmtp20/compat/legal-partner-is-served", clauses=[*ROW.values()], needs=["{socket_type}", "zmtp:2.0"])
@pytest.mark.parametrize(("socket_type", "partner"), LEGAL, ids=["-".join(pair) for pair in LEGAL])
def test_legal_partner_is_served(peer: Peer, attach: Attach, socket_type: str, partner: str) -> None:
    """A legal partner comes through the handshake, and messages flow in each legal way."""
    sock = peer.open(socket_type)
    raw = meet(attach(sock), partner, clause=ROW[socket_type])
    expect_serves(sock, raw, clause=ROW[socket_type])


@case(
    "zmtp20/compat/illegal-partner-is-cut-off",
    clauses=["15/compat/enforce-type", "15/compat/mismatch-disconnect"],
    needs=["{socket_type}", "zmtp:2.0"],
)
@pytest.mark.parametrize("socket_type", WRONG)
def test_illegal_partner_is_cut_off(peer: Peer, attach: Attach, socket_type: str) -> None:
    """An illegal partner ought to be cut off, with nothing of it delivered."""
    partner, message, delivered = WRONG[socket_type]
    sock = peer.open(socket_type)
    if socket_type == "SUB":
        sock.subscribe(b"")
    raw = attach(sock)
    raw.framing = 2
    raw.send(LegacyGreeting(1, partner, b"mallory"), message)
    end, _ = closed_or_served(raw, sock, *delivered)
    if end == "served":
        raise Mismatch("the connection closed", show_parts(delivered))


@case(
    "zmtp20/compat/unknown-type-is-cut-off",
    clauses=["15/compat/mismatch-disconnect", "15/grammar/abnf-socket-type"],
    needs=["PULL", "zmtp:2.0"],
)
@pytest.mark.parametrize("octet", UNKNOWN, ids=[f"{octet:02X}" for octet in UNKNOWN])
def test_unknown_type_is_cut_off(peer: Peer, attach: Attach, octet: int) -> None:
    """A partner whose socket type is none of the nine ought to be cut off; others are served as before."""
    pull = peer.open("PULL")
    raw = attach(pull)
    raw.framing = 2
    raw.send(malformed.greeting_of_2_0(octet), Message(b"forged"))
    end, _ = closed_or_served(raw, pull, b"forged")
    meet(attach(pull), "PUSH").send(Message(b"next"))
    pull.expect(b"next", clause="37/errors/close-is-temporary")
    if end == "served":
        raise Mismatch("the connection closed", show_parts([b"forged"]))
