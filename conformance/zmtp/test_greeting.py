"""The greeting: the first 64 octets (RFC 37, Formal Grammar, Version Negotiation)."""

import pytest

from conformance.zmtp.partners import (
    expect_delivered_or_closed,
    expect_still_served,
    expect_tolerated_or_closed,
    send_in_pieces,
)
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Greeting, Message, Ready, malformed
from harness.zmtp.grammar import MECHANISM_NAME

PADDINGS = {
    "zero": bytes(8),
    "identity-size-plus-one": bytes(7) + b"\x01",
    "huge-size": b"\x7f" + b"\xff" * 7,
    "all-ones": b"\xff" * 8,
    "text": b"zeromq37",
}
IDENTITIES: dict[str, dict[str, bytes]] = {"no-identity": {}, "identity": {"identity": b"alice"}}
PIECES = {
    "octet-by-octet": [1] * 64,
    "signature-then-octets": [10] + [1] * 54,
    "first-octet-apart": [1, 63],
    "signature-apart": [10, 54],
    "major-version-apart": [11, 53],
    "version-apart": [12, 52],
    "mechanism-apart": [12, 20, 32],
    "last-octet-apart": [63, 1],
    "at-once": [64],
}
MECHANISMS = {
    "plain": b"PLAIN",
    "curve": b"CURVE",
    "unknown": b"X-NOBODY-KNOWS-THIS",
    "small-letters": b"null",
    "longer-name": b"NULLX",
    "shorter-name": b"NUL",
    "empty": b"",
    "leading-null": b"\0NULL",
    "octets-after-null": b"NULL\0X",
    "last-octet": b"NULL".ljust(19, b"\0") + b"X",
}
NO_SIGNATURES = {
    "first-octet": malformed.greeting_signature_first(0xFE),
    "tenth-octet-even": malformed.greeting_signature_even(),
}


# -- what the peer sends ----------------------------------------------------------------------------


@case("zmtp/greeting/own-signature", clauses=["37/abnf/signature", "37/abnf/greeting"], needs=["DEALER"])
def test_own_signature(peer: Peer, attach: Attach) -> None:
    """The peer's greeting begins with FF, has 7F as its tenth octet, and is 64 octets long."""
    raw = attach(peer.open("DEALER"))
    raw.send(Greeting())
    raw.expect(Greeting)
    raw.send(Ready("ROUTER"))
    raw.expect(Ready, socket_type="DEALER", clause="37/abnf/greeting")


@case("zmtp/greeting/own-padding", clauses=["37/version/padding-zero"], needs=["DEALER", "option:identity"])
@pytest.mark.parametrize("options", IDENTITIES.values(), ids=IDENTITIES)
def test_own_padding(peer: Peer, attach: Attach, judge: Judge, options: dict[str, bytes]) -> None:
    """The padding is zero, or the size of the peer's identity plus one where it looks for ZMTP 1.0."""
    raw = attach(peer.open("DEALER", **options))
    padding = int.from_bytes(raw.greet().padding, "big")
    own_size = len(options.get("identity", b"")) + 1
    judge.note(f"the padding holds {padding}")
    judge.that(padding in (0, own_size), f"0 or {own_size}", padding)


@case(
    "zmtp/greeting/own-mechanism",
    clauses=["37/auth/mechanism-ascii", "37/abnf/mechanism", "37/auth/mechanism-list"],
    needs=["DEALER", "mechanism:NULL"],
)
def test_own_mechanism(peer: Peer, attach: Attach) -> None:
    """The mechanism field holds NULL and sixteen nulls."""
    raw = attach(peer.open("DEALER"))
    raw.send(Greeting())
    raw.expect(Greeting, mechanism="NULL")


@case(
    "zmtp/greeting/own-mechanism-charset",
    clauses=["37/abnf/mechanism-char", "37/auth/name-charset"],
    needs=["DEALER"],
)
def test_own_mechanism_charset(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The mechanism's name has capital letters, digits, and the signs that grammar or prose allow."""
    mechanism = attach(peer.open("DEALER")).greet().mechanism
    judge.note(f"the mechanism is {mechanism!r}")
    judge.that(MECHANISM_NAME.fullmatch(mechanism) is not None, "a mechanism name", repr(mechanism))


@case(
    "zmtp/greeting/own-as-server",
    clauses=["37/null/as-server-zero", "37/abnf/as-server"],
    needs=["DEALER", "mechanism:NULL"],
)
def test_own_as_server(peer: Peer, attach: Attach) -> None:
    """Under NULL the as-server octet is zero, whether the peer binds or connects."""
    raw = attach(peer.open("DEALER"))
    raw.send(Greeting())
    raw.expect(Greeting, as_server=0)


@case("zmtp/greeting/own-filler", clauses=["37/abnf/filler"], needs=["DEALER"])
def test_own_filler(peer: Peer, attach: Attach) -> None:
    """The last 31 octets of the greeting are zero."""
    raw = attach(peer.open("DEALER"))
    raw.send(Greeting())
    raw.expect(Greeting, filler=bytes(31))


# -- pacing -----------------------------------------------------------------------------------------


@case(
    "zmtp/greeting/speaks-unprompted",
    clauses=["37/version/partial-greeting", "37/version/full-greeting-send"],
    needs=["DEALER"],
)
def test_speaks_unprompted(peer: Peer, attach: Attach, dial: Dial, judge: Judge) -> None:
    """To a silent partner the peer sends its signature, that and the major version, or the whole greeting."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.expect_octets(10)
    expect_still_served(dealer, dial)
    raw.close()
    judge.note(f"{len(raw.received)} octets came unprompted")
    judge.that(len(raw.received) in (10, 11, 64), "10, 11 or 64 octets", f"{len(raw.received)} octets")


@case("zmtp/greeting/answers-signature", clauses=["37/version/partial-greeting"], needs=["DEALER"])
def test_answers_signature(peer: Peer, attach: Attach) -> None:
    """Two peers that wait after their signatures do not wait for ever: the major version follows."""
    raw = attach(peer.open("DEALER"))
    raw.send(malformed.greeting_cut(10))
    raw.expect_octets(11)
    raw.send(Greeting().serialize()[10:], Ready("ROUTER"))
    raw.expect(Greeting, clause="37/abnf/greeting")
    raw.expect(Ready, clause="37/null/server-ready-reply")


@case("zmtp/greeting/answers-major-version", clauses=["37/version/read-eleven"], needs=["DEALER"])
def test_answers_major_version(peer: Peer, attach: Attach) -> None:
    """Eleven octets with major version 3 are enough for the peer to send all of its greeting."""
    raw = attach(peer.open("DEALER"))
    raw.send(malformed.greeting_cut(11))
    raw.expect(Greeting)
    raw.send(Greeting().serialize()[11:], Ready("ROUTER"))
    raw.expect(Ready, clause="37/null/server-ready-reply")


@case(
    "zmtp/greeting/reciprocates", clauses=["37/auth/reciprocate-greeting"], needs=["DEALER", "mechanism:NULL"]
)
def test_reciprocates(peer: Peer, attach: Attach) -> None:
    """A full greeting is answered by a full greeting, even where the mechanisms differ."""
    raw = attach(peer.open("DEALER"))
    raw.send(malformed.greeting_mechanism(b"PLAIN"))
    raw.expect(Greeting, mechanism="NULL")
    raw.expect_closed(clause="37/auth/mismatch-close")


@case(
    "zmtp/greeting/any-segmentation",
    clauses=["37/abnf/greeting", "37/abnf/connection"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("sizes", PIECES.values(), ids=PIECES)
def test_any_segmentation(peer: Peer, attach: Attach, sizes: list[int]) -> None:
    """The greeting may arrive in any pieces."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    send_in_pieces(raw, Greeting().serialize(), sizes, dealer)
    raw.expect(Greeting)
    raw.send(Ready("ROUTER"))
    raw.expect(Ready)
    raw.send(Message(b"whole"))
    dealer.expect(b"whole")


@case("zmtp/greeting/shares-segment", clauses=["37/abnf/connection"], needs=["DEALER"])
def test_shares_segment(peer: Peer, attach: Attach) -> None:
    """Greeting and handshake may share one segment, and so may the messages after it."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(Greeting(), Ready("ROUTER"))
    raw.expect(Greeting)
    raw.expect(Ready)
    raw.send(Message(b"first", b""), Message(b"second"))
    dealer.expect(b"first", b"")
    dealer.expect(b"second")


@case(
    "zmtp/greeting/shares-segment-with-message",
    clauses=["37/abnf/connection", "37/null/send-after-both"],
    needs=["DEALER"],
)
def test_shares_segment_with_message(peer: Peer, attach: Attach, dial: Dial, judge: Judge) -> None:
    """A message in one segment with greeting and READY is delivered whole, or its sender is cut off."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(Greeting(), Ready("ROUTER"), Message(b"odd"))
    judge.note(expect_delivered_or_closed(raw, dealer))
    expect_still_served(dealer, dial)


@case("zmtp/greeting/waits-for-all", clauses=["37/version/full-greeting-expect"], needs=["DEALER"])
@pytest.mark.parametrize("held_back", [1, 31], ids=["last-octet", "filler"])
def test_waits_for_all(peer: Peer, attach: Attach, dial: Dial, held_back: int) -> None:
    """The handshake goes on when the last of 64 octets is there, and none of them is taken for more."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(malformed.greeting_cut(64 - held_back))
    raw.expect(Greeting, clause="37/version/read-eleven")
    expect_still_served(dealer, dial)
    raw.send(Greeting().serialize()[-held_back:], Ready("ROUTER"))
    raw.expect(Ready)
    raw.send(Message(b"late"))
    dealer.expect(b"late")


@case(
    "zmtp/greeting/comes-before-traffic",
    clauses=["37/abnf/connection", "37/null/send-after-both"],
    needs=["SUB"],
)
def test_comes_before_traffic(peer: Peer, attach: Attach) -> None:
    """Greeting and READY are the first things sent, however much the application wants to say."""
    sub = peer.open("SUB")
    sub.subscribe(b"news")
    raw = attach(sub)
    raw.send(malformed.greeting_cut(63))
    raw.expect(Greeting)
    raw.send(Greeting().serialize()[63:], Ready("PUB"))
    raw.expect(Ready)
    raw.expect_subscription(b"news")


# -- what the peer takes ----------------------------------------------------------------------------


@case(
    "zmtp/greeting/padding-is-not-significant",
    clauses=["37/version/padding-no-meaning", "37/version/padding-no-validate", "37/abnf/padding"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize(
    ("socket_type", "partner"), [("DEALER", "ROUTER"), ("REP", "REQ")], ids=["DEALER", "REP"]
)
@pytest.mark.parametrize("padding", PADDINGS.values(), ids=PADDINGS)
def test_padding_is_not_significant(
    peer: Peer, attach: Attach, padding: bytes, socket_type: str, partner: str
) -> None:
    """The handshake completes whatever octets fill the signature's padding."""
    sock = peer.open(socket_type)
    raw = attach(sock)
    raw.send(Greeting(padding=padding))
    raw.expect(Greeting)
    raw.send(Ready(partner))
    raw.expect(Ready, socket_type=socket_type)
    raw.send(Message(*[b""] * (socket_type == "REP"), b"served"))
    sock.expect(b"served")


@case(
    "zmtp/greeting/mechanism-mismatch",
    clauses=["37/auth/mismatch-close", "37/errors/close-is-temporary"],
    needs=["DEALER", "mechanism:NULL"],
)
@pytest.mark.parametrize("field", MECHANISMS.values(), ids=MECHANISMS)
def test_mechanism_mismatch(peer: Peer, attach: Attach, dial: Dial, field: bytes) -> None:
    """A partner whose mechanism field differs in any octet is cut off, and nothing of it is delivered."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(malformed.greeting_mechanism(field), Ready("ROUTER"), Message(b"forged"))
    raw.expect_closed()
    expect_still_served(dealer, dial, clause="37/errors/close-is-temporary")


@case("zmtp/greeting/no-signature", clauses=["37/abnf/signature"], needs=["DEALER"])
@pytest.mark.parametrize("octets", NO_SIGNATURES.values(), ids=NO_SIGNATURES)
def test_no_signature(peer: Peer, attach: Attach, dial: Dial, judge: Judge, octets: bytes) -> None:
    """What has no signature is not a partner of ZMTP 3.x: no READY for it, nothing of it is delivered."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(octets, Ready("ROUTER"), Message(b"forged"))
    expect_still_served(dealer, dial)
    raw.close()
    judge.that(len(raw.received) <= 64, "a greeting at most", f"{len(raw.received)} octets")


@case("zmtp/greeting/odd-signature", clauses=["37/abnf/signature"], needs=["DEALER"])
def test_odd_signature(peer: Peer, attach: Attach, dial: Dial, judge: Judge) -> None:
    """A tenth octet that is odd but not 7F is tolerated or answered by a close."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(malformed.greeting_signature_last(0x7D), Ready("ROUTER"))
    judge.note(expect_tolerated_or_closed(raw, dealer))
    expect_still_served(dealer, dial)


@case("zmtp/greeting/odd-as-server", clauses=["37/abnf/as-server"], needs=["DEALER"])
@pytest.mark.parametrize("octet", [1, 2, 255])
def test_odd_as_server(peer: Peer, attach: Attach, dial: Dial, judge: Judge, octet: int) -> None:
    """A partner that sends another as-server than 00 under NULL is tolerated or cut off."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(malformed.greeting_as_server(octet), Ready("ROUTER"))
    judge.note(expect_tolerated_or_closed(raw, dealer))
    expect_still_served(dealer, dial)


@case("zmtp/greeting/odd-filler", clauses=["37/abnf/filler"], needs=["DEALER"])
@pytest.mark.parametrize("octet", [0x01, 0x55, 0xFF])
def test_odd_filler(peer: Peer, attach: Attach, dial: Dial, judge: Judge, octet: int) -> None:
    """A partner whose filler is not zero is tolerated or cut off; no frame begins there."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(malformed.greeting_filler(octet), Ready("ROUTER"))
    judge.note(expect_tolerated_or_closed(raw, dealer))
    expect_still_served(dealer, dial)


@case("zmtp/greeting/as-server-means-nothing", clauses=["37/topology/as-server-ignored"], needs=["DEALER"])
def test_as_server_means_nothing(peer: Peer, attach: Attach) -> None:
    """Under NULL, which has no roles, a partner that calls itself server is served as any other."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(Greeting(as_server=1), Ready("ROUTER"))
    raw.expect(Greeting, clause="37/topology/as-server-ignored")
    raw.expect(Ready, clause="37/topology/as-server-ignored")
    raw.send(Message(b"served"))
    dealer.expect(b"served", clause="37/topology/as-server-ignored")
