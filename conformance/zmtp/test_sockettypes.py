"""Who may talk to whom (RFC 37, The Socket-Type Property)."""

import pytest

from conformance.pipeline.ends import next_served
from conformance.zmtp.traffic import closed_or_served, expect_refused, start_handshake
from harness.case import Judge, case
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Error, Message, Ready, Subscribe, malformed
from harness.zmtp.grammar import DRAFT_SOCKET_TYPES, SOCKET_TYPES, are_partners

PAIRS = [(own, partner) for own in SOCKET_TYPES for partner in SOCKET_TYPES]
# Each of the draft types with all of them, and with the stable types that behave most like its partner.
ALIKE = {
    "CLIENT": ("ROUTER", "DEALER"), "SERVER": ("DEALER", "REQ"), "RADIO": ("SUB", "XSUB"),
    "DISH": ("PUB", "XPUB"), "SCATTER": ("PULL",), "GATHER": ("PUSH",),
    "PEER": ("ROUTER", "DEALER"), "CHANNEL": ("PAIR",),
}  # fmt: skip
PAIRS += [(own, partner) for own in DRAFT_SOCKET_TYPES for partner in (*DRAFT_SOCKET_TYPES, *ALIKE[own])]
LEGAL = [pair for pair in PAIRS if are_partners(*pair)]
ILLEGAL = [pair for pair in PAIRS if not are_partners(*pair)]
DRAFT = [(own, DRAFT_SOCKET_TYPES[n % len(DRAFT_SOCKET_TYPES)]) for n, own in enumerate(SOCKET_TYPES)]
ROWS = [f"37/sockettype/matrix-{own.lower()}" for own in (*SOCKET_TYPES, *DRAFT_SOCKET_TYPES)]
ONE_PEER = ("PAIR", "CHANNEL")  # serve one at a time, and notice in their own time that the last one left
UNKNOWN = {"other": b"FOO", "empty": b"", "longer": b"DEALERS", "shorter": b"DEALE", "octets": b"\xff\0\x80"}


def row(socket_type: str) -> str:
    """The clause that names the legal partners of a type."""
    return f"37/sockettype/matrix-{socket_type.lower()}"


def pairs(chosen: list[tuple[str, str]]) -> pytest.MarkDecorator:
    """A case for each of these pairs: the peer's own type, and its partner's."""
    ids = [f"{own}-{partner}" for own, partner in chosen]
    return pytest.mark.parametrize(("socket_type", "partner"), chosen, ids=ids)


@case("zmtp/sockettype/legal-partner-is-served", clauses=ROWS, needs=["{socket_type}"])
@pairs(LEGAL)
def test_legal_partner_is_served(peer: Peer, attach: Attach, socket_type: str, partner: str) -> None:
    """A legal partner comes through the handshake, and messages flow in each legal way."""
    sock = peer.open(socket_type)
    raw = start_handshake(attach(sock), Ready(partner))
    raw.expect(Ready, clause=row(socket_type), socket_type=socket_type)
    expect_serves(sock, raw, clause=row(socket_type))


@case("zmtp/sockettype/illegal-partner-is-refused", clauses=ROWS, needs=["{socket_type}"])
@pairs(ILLEGAL + DRAFT)
def test_illegal_partner_is_refused(peer: Peer, attach: Attach, socket_type: str, partner: str) -> None:
    """An illegal partner is refused, by ERROR, a close or both, and nothing is sent to it."""
    sock = peer.open(socket_type)
    expect_refused(start_handshake(attach(sock), Ready(partner)), clause=row(socket_type))


@case("zmtp/sockettype/illegal-partner-is-not-heard", clauses=ROWS, needs=["{socket_type}"])
@pairs(ILLEGAL)
def test_illegal_partner_is_not_heard(peer: Peer, dial: Dial, socket_type: str, partner: str) -> None:
    """Nothing that an illegal partner says is delivered, and a legal one is served as if it had not been."""
    sock = peer.open(socket_type)
    endpoint = sock.bind()
    wrong = dial(endpoint)
    wrong.greet()
    wrong.send(Ready(partner), Message(b"", b"wrong"), Subscribe(b""))
    expect_refused(wrong, clause=row(socket_type))
    wrong.close()
    if socket_type in ONE_PEER:
        next_served(sock, endpoint, dial, row(socket_type))
        return
    good = start_handshake(dial(endpoint), Ready(PARTNER[socket_type]))
    good.expect(Ready, clause=row(socket_type))
    expect_serves(sock, good, clause=row(socket_type))


@case(
    "zmtp/sockettype/illegal-partner-gets-error",
    clauses=["37/sockettype/mismatch-error", "37/null/abnf-error", "37/null/abnf-error-reason"],
    needs=["{socket_type}"],
)
@pairs([(own, "PULL" if own == "DEALER" else "DEALER") for own in ("DEALER", "PULL", "PAIR", "SUB", "PUB")])
def test_illegal_partner_gets_error(
    peer: Peer, attach: Attach, judge: Judge, socket_type: str, partner: str
) -> None:
    """An illegal partner gets a well-formed ERROR, and then the connection is closed."""
    raw = start_handshake(attach(peer.open(socket_type)), Ready(partner))
    error = expect_error(raw)
    judge.note(f"reason {error.reason!r}")
    judge.that(
        all(0x20 <= octet <= 0x7E for octet in error.reason),
        "a printable reason",
        error.reason,
        clause="37/null/abnf-error-reason",
    )
    raw.expect_closed()


def expect_error(raw: RawPeer, *, maybe_ready: bool = True) -> Error:
    """ERROR comes next, or behind READY; one that is not well formed is blamed on its grammar."""
    before = raw.last
    try:
        return raw.expect(Error)
    except Mismatch:
        came = raw.last if raw.last is not before else None
        if maybe_ready and came is not None and isinstance(came.value, Ready):
            return expect_error(raw, maybe_ready=False)
        for fault in came.faults if came else ():
            raise raw.mismatch("a well-formed ERROR", fault.message, "37/null/abnf-error") from None
        raise


@case(
    "zmtp/sockettype/unknown-type-is-refused",
    clauses=["37/sockettype/enforce-type", "37/errors/close-is-temporary"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("value", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_type_is_refused(peer: Peer, attach: Attach, judge: Judge, value: bytes) -> None:
    """A Socket-Type that is no socket type is refused, and others are served as before."""
    sock = peer.open("DEALER")
    judge.that(how_type_ends(sock, attach, value) != "served", "refused", "served")
    sock.expect_empty()


@case(
    "zmtp/sockettype/small-letters",
    clauses=["37/null/validate-ready", "37/errors/close-is-temporary"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("value", [b"dealer", b"Router"], ids=["small", "mixed"])
def test_small_letters(peer: Peer, attach: Attach, judge: Judge, value: bytes) -> None:
    """A Socket-Type in small letters is accepted or refused; what the peer does is recorded."""
    judge.note(how_type_ends(peer.open("DEALER"), attach, value))


def how_type_ends(sock: RemoteSocket, attach: Attach, value: bytes) -> str:
    """Whether a partner of that type is served, closed or sent ERROR; others are served afterwards."""
    raw = start_handshake(attach(sock), malformed.ready(malformed.property_octets(b"Socket-Type", value)))
    raw.send(Message(b"odd"))
    end, _ = closed_or_served(raw, sock, b"odd")
    good = attach(sock).handshake("DEALER")
    good.send(Message(b"fence"))
    sock.expect(b"fence", clause="37/errors/close-is-temporary")
    return end
