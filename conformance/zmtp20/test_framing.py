"""Frames and messages of ZMTP 2.0 (RFC 15, Framing)."""

import pytest

from conformance.zmtp.framing import SHAPES, expect_frames, random_parts, tolerated_or_closed
from conformance.zmtp.partners import expect_octet_by_octet
from conformance.zmtp20.ends import meet
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.zmtp import LegacyGreeting, Message, malformed

SIZES = {"0": 0, "1": 1, "255": 255, "256": 256, "65536": 65_536}


@case(
    "zmtp20/framing/sends-every-size",
    clauses=[
        "15/framing/length-body-only",
        "15/framing/flags-octet",
        "15/framing/long-bit",
        "15/framing/more-single",
        "15/framing/reserved-zero",
        "15/framing/layout-short",
        "15/framing/layout-long",
        "15/grammar/abnf-final",
        "15/grammar/abnf-final-long",
        "15/grammar/abnf-final-frame",
        "15/grammar/abnf-body",
    ],
    needs=["PUSH", "zmtp:2.0"],
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_sends_every_size(peer: Peer, attach: Attach, judge: Judge, seed: int, size: int) -> None:
    """A body of any size goes out in one frame that says its size; the note says in which form."""
    push = peer.open("PUSH")
    raw = meet(attach(push), "PULL")
    (octets,) = random_parts(seed, size)
    push.send([octets])
    push.send([b"fence"])
    (frame,) = expect_frames(raw, octets, clause="15/framing/length-body-only")
    expect_frames(raw, b"fence", clause="15/framing/length-body-only")
    judge.note("long form" if frame.long else "short form")


@case(
    "zmtp20/framing/sends-more-on-all-but-the-last",
    clauses=[
        "15/framing/more-meaning",
        "15/framing/more-single",
        "15/framing/frame-order",
        "15/framing/reserved-zero",
        "15/grammar/abnf-message",
        "15/grammar/abnf-more-frame",
        "15/grammar/abnf-more",
        "15/grammar/abnf-more-short",
        "15/grammar/abnf-more-long",
    ],
    needs=["PUSH", "zmtp:2.0"],
)
@pytest.mark.parametrize("parts", SHAPES.values(), ids=SHAPES)
def test_sends_more_on_all_but_the_last(peer: Peer, attach: Attach, parts: list[bytes]) -> None:
    """Every frame of a message but its last has MORE, the empty ones too."""
    push = peer.open("PUSH")
    raw = meet(attach(push), "PULL")
    push.send(parts)
    push.send([b"fence"])
    expect_frames(raw, *parts, clause="15/framing/more-meaning")
    expect_frames(raw, b"fence", clause="15/framing/more-single")


@case(
    "zmtp20/framing/receives-every-size",
    clauses=[
        "15/framing/length-body-only",
        "15/framing/long-bit",
        "15/framing/layout-short",
        "15/framing/layout-long",
        "15/grammar/abnf-final",
        "15/grammar/abnf-body",
    ],
    needs=["PULL", "zmtp:2.0"],
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_receives_every_size(peer: Peer, attach: Attach, seed: int, size: int) -> None:
    """A body of any size is delivered as it was sent, and so is the message behind it."""
    pull = peer.open("PULL")
    raw = meet(attach(pull), "PUSH")
    (octets,) = random_parts(seed, size)
    raw.send(Message(octets), Message(b"fence"))
    pull.expect(octets)
    pull.expect(b"fence")


@case(
    "zmtp20/framing/accepts-the-long-form",
    clauses=["15/framing/long-bit", "15/grammar/abnf-final-long", "15/grammar/abnf-more-long"],
    needs=["PULL", "zmtp:2.0"],
)
@pytest.mark.parametrize("size", [0, 1, 255])
def test_accepts_the_long_form(peer: Peer, attach: Attach, seed: int, size: int) -> None:
    """A length of eight octets is taken for small bodies as well, on every frame of a message."""
    pull = peer.open("PULL")
    raw = meet(attach(pull), "PUSH")
    parts = random_parts(seed, size, size)
    raw.send(Message(*parts).serialize(2, long=True), Message(b"fence"))
    pull.expect(*parts)
    pull.expect(b"fence")


@case(
    "zmtp20/framing/receives-every-number-of-frames",
    clauses=[
        "15/framing/more-meaning",
        "15/framing/frame-order",
        "15/grammar/abnf-message",
        "15/grammar/abnf-more",
        "15/grammar/abnf-more-short",
    ],
    needs=["PULL", "zmtp:2.0"],
)
@pytest.mark.parametrize("parts", SHAPES.values(), ids=SHAPES)
def test_receives_every_number_of_frames(peer: Peer, attach: Attach, parts: list[bytes]) -> None:
    """A message is delivered with all its frames, the empty ones too, and no more."""
    pull = peer.open("PULL")
    raw = meet(attach(pull), "PUSH")
    raw.send(Message(*parts), Message(b"fence"))
    pull.expect(*parts)
    pull.expect(b"fence")


@case(
    "zmtp20/framing/octet-by-octet",
    clauses=["15/interop/read-first", "15/grammar/abnf-connection", "15/grammar/abnf-greeting"],
    needs=["DEALER", "zmtp:2.0"],
)
def test_octet_by_octet(peer: Peer, attach: Attach, seed: int) -> None:
    """Greeting and messages are understood when every octet comes by itself."""
    dealer = peer.open("DEALER")
    parts = random_parts(seed, 0, 1, 5, 256, 0)
    expect_octet_by_octet(attach(dealer), dealer, LegacyGreeting(1, "ROUTER", b"slow"), parts)


@case("zmtp20/framing/reserved-flags", clauses=["15/framing/reserved-zero"], needs=["PULL", "zmtp:2.0"])
@pytest.mark.parametrize("bit", range(2, 8))
def test_reserved_flags(peer: Peer, attach: Attach, judge: Judge, bit: int) -> None:
    """A reserved flag is passed over or ends the connection; it never makes another message of the frame."""
    pull = peer.open("PULL")
    raw = meet(attach(pull), "PUSH")
    raw.send(malformed.frame(1 << bit, b"reserved"))
    tolerated_or_closed(raw, pull, [], [[b"reserved"]], judge=judge, clause="15/framing/reserved-zero")
    meet(attach(pull), "PUSH").send(Message(b"next"))
    pull.expect(b"next")
