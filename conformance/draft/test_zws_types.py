"""Who may talk to whom over WebSocket, and subscriptions (RFC 45, Socket Compatibility and below)."""

import pytest

from conformance.draft.websocket import NEEDS
from harness.case import case
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import AttachWs, DialWs
from harness.zmtp import Message, Ready, Subscribe, cancellation, subscription
from harness.zmtp.grammar import PARTNERS

TYPES = [name for name in PARTNERS if name not in ("PEER", "CHANNEL")]
LEGAL = [(own, partner) for own in TYPES for partner in TYPES if partner in PARTNERS[own]]
# Of those that do not suit a type two of the old ones and one of the draft ones.
STRANGERS = ("PAIR", "REQ", "PUB", "PULL", "SERVER", "GATHER")
ILLEGAL = [
    (own, partner)
    for own in TYPES
    for partner in [one for one in STRANGERS if one not in PARTNERS[own]][:: 2 if own != "PAIR" else 1]
]
ON_THE_WIRE = {"XPUB": "PUB", "XSUB": "SUB"}
ROWS = [f"45/compat/{own.lower()}" for own in TYPES if own not in ON_THE_WIRE]


def row(socket_type: str) -> str:
    """The clause that names the legal partners of a type."""
    return f"45/compat/{ON_THE_WIRE.get(socket_type, socket_type).lower()}"


def pairs(chosen: list[tuple[str, str]]) -> pytest.MarkDecorator:
    """A case for each of these pairs: the peer's own type, and its partner's."""
    ids = [f"{own}-{partner}" for own, partner in chosen]
    return pytest.mark.parametrize(("socket_type", "partner"), chosen, ids=ids)


@case("zws/types/legal-partner-is-served", clauses=ROWS, needs=["{socket_type}", *NEEDS])
@pairs(LEGAL)
def test_legal_partner_is_served(peer: Peer, attach_ws: AttachWs, socket_type: str, partner: str) -> None:
    """A partner of a type that suits comes through the handshake, and messages flow in each legal way."""
    sock = peer.open(socket_type)
    raw = attach_ws(sock).upgrade()
    raw.send(Ready(partner))
    raw.expect(Ready, clause=row(socket_type))
    expect_serves(sock, raw, clause=row(socket_type))


@case(
    "zws/types/illegal-partner-is-refused",
    clauses=["45/compat/mismatch", "45/compat/enforce-type"],
    needs=["{socket_type}", *NEEDS],
)
@pairs(ILLEGAL)
def test_illegal_partner_is_refused(peer: Peer, attach_ws: AttachWs, socket_type: str, partner: str) -> None:
    """A partner of another type is cut off, with ERROR before it or not."""
    sock = peer.open(socket_type)
    raw = attach_ws(sock).upgrade()
    raw.send(Ready(partner))
    raw.expect_refused("45/compat/mismatch")


@case(
    "zws/types/illegal-partner-is-not-heard",
    clauses=["45/compat/enforce-type"],
    needs=["{socket_type}", *NEEDS],
)
@pairs(ILLEGAL)
def test_illegal_partner_is_not_heard(peer: Peer, dial_ws: DialWs, socket_type: str, partner: str) -> None:
    """Nothing that a partner of another type says is delivered, and one that suits is served."""
    sock = peer.open(socket_type)
    endpoint = sock.bind(peer.hosts.web_wildcard)
    raw = dial_ws(endpoint).upgrade()
    raw.send(Ready(partner), Message(b"", b"forged"))
    raw.expect_refused("45/compat/enforce-type")
    expect_serves(sock, dial_ws(endpoint).handshake(PARTNER[socket_type]), clause="45/compat/enforce-type")


@case("zws/types/subscribes-by-message", clauses=["45/pubsub/sub-octet"], needs=["{socket_type}", *NEEDS])
@pytest.mark.parametrize("socket_type", ["SUB", "XSUB"])
def test_subscribes_by_message(peer: Peer, attach_ws: AttachWs, socket_type: str) -> None:
    """A subscription goes out as a message: 01 and the prefix; so does its end: 00 and the prefix."""
    sub = peer.open(socket_type)
    raw = attach_ws(sub).handshake("PUB")
    sub.subscribe(b"topic")
    raw.expect_faultless(subscription(b"topic"), clause="45/pubsub/sub-octet")
    sub.cancel(b"topic")
    raw.expect_faultless(cancellation(b"topic"), clause="45/pubsub/sub-octet")


@case("zws/types/takes-subscriptions", clauses=["45/pubsub/sub-octet"], needs=["XPUB", *NEEDS])
def test_takes_subscriptions(peer: Peer, attach_ws: AttachWs) -> None:
    """A publisher takes the message 01 and a prefix as a subscription, 00 and the prefix as its end."""
    xpub = peer.open("XPUB")
    raw = attach_ws(xpub).handshake("SUB")
    raw.request(Subscribe(b"topic"))
    xpub.expect(b"\x01topic", clause="45/pubsub/sub-octet")
    xpub.send([b"topic: news"])
    raw.expect_message(b"topic: news", clause="45/pubsub/sub-octet")
    raw.send(subscription(b"fence"), cancellation(b"topic"))
    xpub.expect(b"\x01fence", clause="45/pubsub/sub-octet")
    xpub.expect(b"\x00topic", clause="45/pubsub/sub-octet")
    xpub.send([b"topic: lost"])
    xpub.send([b"fence"])
    raw.expect(Message(b"fence"), clause="45/pubsub/sub-octet")
