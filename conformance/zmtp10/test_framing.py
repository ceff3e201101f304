"""Frames and messages of ZMTP 1.0 (RFC 13, The Framing Layer)."""

from collections.abc import Callable

import pytest

from conformance.zmtp.framing import LEAVES, SHAPES, random_parts, tolerated_or_closed
from conformance.zmtp.partners import expect_octet_by_octet
from conformance.zmtp.traffic import closed_or_served
from conformance.zmtp10.ends import expect_plain_frames, meet
from harness.case import Judge, case
from harness.peer import Peer, show_parts
from harness.pytest_fixtures import Attach
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import LegacyGreeting, Message, malformed

SIZES = {"0": 0, "1": 1, "253": 253, "254": 254, "255": 255, "65536": 65_536}
FIRST, SECOND, LAST = (frame.serialize(1) for frame in Message(b"first", bytes(300), b"last").frames())
CUTS = {
    "inside-first-body": FIRST[:4],
    "after-first-frame": FIRST,
    "inside-second-length": FIRST + SECOND[:5],
    "inside-second-body": FIRST + SECOND[:99],
    "one-octet-missing": FIRST + SECOND + LAST[:-1],
}
INVALID = malformed.frame_of_1_0(0, b"", 0)[:1]
BESIDE_INVALID = {
    "before": INVALID + Message(b"one", b"two").serialize(1),
    "several": 3 * INVALID + Message(b"one", b"two").serialize(1),
    "between-frames": INVALID.join(frame.serialize(1) for frame in Message(b"one", b"two").frames()),
    "behind": Message(b"one", b"two").serialize(1) + INVALID,
}


@case(
    "zmtp10/framing/sends-every-size",
    clauses=[
        "13/framing/length-includes-flags",
        "13/framing/len-short-form",
        "13/framing/len-long-form",
        "13/framing/len-min-one",
        "13/framing/flags-one-octet",
        "13/framing/more-single",
        "13/framing/reserved-zero",
        "13/framing/layout-short",
        "13/framing/layout-long",
        "13/framing/abnf-length",
        "13/framing/abnf-final",
        "13/framing/abnf-final-frame",
        "13/framing/abnf-body",
    ],
    needs=["PUSH", "zmtp:1.0"],
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_sends_every_size(peer: Peer, attach: Attach, judge: Judge, seed: int, size: int) -> None:
    """A body of any size goes out in one frame whose length counts the flags, short up to 254, else long."""
    push = peer.open("PUSH")
    raw = meet(attach(push))
    (octets,) = random_parts(seed, size)
    push.send([octets])
    push.send([b"fence"])
    expect_plain_frames(raw, judge, octets, clause="13/framing/length-includes-flags")
    expect_plain_frames(raw, judge, b"fence", clause="13/framing/length-includes-flags")


@case(
    "zmtp10/framing/sends-more-on-all-but-the-last",
    clauses=[
        "13/framing/more-meaning",
        "13/framing/more-single",
        "13/framing/abnf-message",
        "13/framing/abnf-more-frame",
        "13/framing/abnf-more",
        "13/framing/abnf-final",
    ],
    needs=["PUSH", "zmtp:1.0"],
)
@pytest.mark.parametrize("parts", SHAPES.values(), ids=SHAPES)
def test_sends_more_on_all_but_the_last(peer: Peer, attach: Attach, judge: Judge, parts: list[bytes]) -> None:
    """Every frame of a message but its last has MORE and no other flag, the empty ones too."""
    push = peer.open("PUSH")
    raw = meet(attach(push))
    push.send(parts)
    push.send([b"fence"])
    expect_plain_frames(raw, judge, *parts, clause="13/framing/more-meaning")
    expect_plain_frames(raw, judge, b"fence", clause="13/framing/more-single")


@case(
    "zmtp10/framing/receives-every-size",
    clauses=[
        "13/framing/length-includes-flags",
        "13/framing/abnf-length",
        "13/framing/abnf-body",
        "13/framing/len-min-one",
        "13/framing/layout-short",
        "13/framing/layout-long",
    ],
    needs=["PULL", "zmtp:1.0"],
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_receives_every_size(peer: Peer, attach: Attach, seed: int, size: int) -> None:
    """A body of any size is delivered as it was sent, and so is the message behind it."""
    pull = peer.open("PULL")
    raw = meet(attach(pull))
    (octets,) = random_parts(seed, size)
    raw.send(Message(octets), Message(b"fence"))
    pull.expect(octets)
    pull.expect(b"fence")


@case(
    "zmtp10/framing/accepts-the-long-form",
    clauses=["13/framing/len-long-for-short"],
    needs=["PULL", "zmtp:1.0"],
)
@pytest.mark.parametrize("size", [0, 1, 253])
def test_accepts_the_long_form(peer: Peer, attach: Attach, seed: int, size: int) -> None:
    """A length of eight octets is taken for small frames as well, on every frame of a message."""
    pull = peer.open("PULL")
    raw = meet(attach(pull))
    parts = random_parts(seed, size, size)
    raw.send(Message(*parts).serialize(1, long=True), Message(b"fence"))
    pull.expect(*parts)
    pull.expect(b"fence")


@case(
    "zmtp10/framing/receives-every-number-of-frames",
    clauses=["13/framing/more-meaning", "13/framing/abnf-message", "13/framing/abnf-more-frame"],
    needs=["PULL", "zmtp:1.0"],
)
@pytest.mark.parametrize("parts", SHAPES.values(), ids=SHAPES)
def test_receives_every_number_of_frames(peer: Peer, attach: Attach, parts: list[bytes]) -> None:
    """A message is delivered with all its frames, the empty ones too, and no more."""
    pull = peer.open("PULL")
    raw = meet(attach(pull))
    raw.send(Message(*parts), Message(b"fence"))
    pull.expect(*parts)
    pull.expect(b"fence")


@case(
    "zmtp10/framing/waits-for-the-last-frame", clauses=["13/framing/all-or-none"], needs=["PULL", "zmtp:1.0"]
)
def test_waits_for_the_last_frame(peer: Peer, attach: Attach) -> None:
    """Nothing of a message is delivered before its last frame has come; then all of it is."""
    pull = peer.open("PULL")
    raw, other = meet(attach(pull)), meet(attach(pull))
    *unfinished, last = Message(b"first", b"second", b"last").frames()
    raw.send(*(frame.serialize(1) for frame in unfinished))
    other.send(Message(b"meanwhile"))
    pull.expect(b"meanwhile")
    raw.send(last.serialize(1))
    pull.expect(b"first", b"second", b"last")


@case(
    "zmtp10/framing/cut-message-is-not-delivered",
    clauses=["13/framing/all-or-none"],
    needs=["PULL", "zmtp:1.0"],
)
@pytest.mark.parametrize("leave", LEAVES.values(), ids=LEAVES)
@pytest.mark.parametrize("octets", CUTS.values(), ids=CUTS)
def test_cut_message_is_not_delivered(
    peer: Peer, attach: Attach, octets: bytes, leave: Callable[[RawPeer], None]
) -> None:
    """A message whose sender leaves before its last octet is not delivered in part; the next one arrives."""
    pull = peer.open("PULL")
    raw = meet(attach(pull))
    raw.send(Message(b"before"))
    pull.expect(b"before")
    raw.send(octets)
    leave(raw)
    meet(attach(pull)).send(Message(b"next", b"whole"))
    pull.expect(b"next", b"whole")
    pull.expect_empty()


@case(
    "zmtp10/framing/octet-by-octet",
    clauses=["13/connection/abnf-connection", "13/framing/abnf-message"],
    needs=["DEALER", "zmtp:1.0"],
)
def test_octet_by_octet(peer: Peer, attach: Attach, seed: int) -> None:
    """Greeting and messages are understood when every octet comes by itself."""
    dealer = peer.open("DEALER")
    parts = random_parts(seed, 0, 1, 5, 254, 0)
    expect_octet_by_octet(attach(dealer), dealer, LegacyGreeting(None, None, b"slow"), parts)


@case(
    "zmtp10/framing/length-zero-is-passed-over",
    clauses=["13/framing/len-zero-discard"],
    needs=["PULL", "zmtp:1.0"],
)
@pytest.mark.parametrize("octets", BESIDE_INVALID.values(), ids=BESIDE_INVALID)
def test_length_zero_is_passed_over(peer: Peer, attach: Attach, octets: bytes) -> None:
    """A frame of length zero, which is invalid, is passed over, and what stands beside it is delivered."""
    pull = peer.open("PULL")
    raw = meet(attach(pull))
    raw.send(octets, Message(b"fence"))
    end, came = closed_or_served(raw, pull, b"fence")
    if (end, came) != ("served", [[b"one", b"two"]]):
        raise Mismatch(
            "the message beside it, and the connection goes on",
            f"{end}, delivered: {', '.join(map(show_parts, came)) or 'nothing'}",
        )


@case(
    "zmtp10/framing/reserved-flags",
    clauses=["13/framing/flags-one-octet", "13/framing/reserved-zero"],
    needs=["PULL", "zmtp:1.0"],
)
@pytest.mark.parametrize("bit", range(1, 8))
def test_reserved_flags(peer: Peer, attach: Attach, judge: Judge, bit: int) -> None:
    """A reserved flag is passed over or ends the connection; it never makes another message of the frame."""
    pull = peer.open("PULL")
    raw = meet(attach(pull))
    raw.send(malformed.frame_of_1_0(1 << bit, b"reserved"))
    tolerated_or_closed(raw, pull, [], [[b"reserved"]], judge=judge, clause="13/framing/flags-one-octet")
    meet(attach(pull)).send(Message(b"next"))
    pull.expect(b"next")
