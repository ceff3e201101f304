"""Frames and messages: sizes, forms, flags, and that a message is whole (RFC 37 and 23, Framing)."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from conformance.pipeline.ends import small_window
from conformance.zmtp.framing import (
    LEAVES,
    SHAPES,
    begin_body,
    bystander,
    expect_body,
    expect_frames,
    finish_body,
    random_parts,
    tolerated_or_closed,
)
from conformance.zmtp.partners import send_in_pieces
from harness.case import Judge, case
from harness.control.flood import body, flood_digest
from harness.exchange import expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Command, Message, Ping, Subscribe, malformed

SIZES = {
    "0": 0, "1": 1, "255": 255, "256": 256, "65535": 65_535, "65536": 65_536, "8-MiB": 8 << 20,
}  # fmt: skip
FIRST, SECOND, LAST = (frame.serialize() for frame in Message(b"first", bytes(300), b"last").frames())
CUTS = {
    "inside-first-header": FIRST[:1],
    "inside-first-body": FIRST[:4],
    "after-first-frame": FIRST,
    "inside-second-size": FIRST + SECOND[:5],
    "inside-second-body": FIRST + SECOND[:99],
    "after-second-frame": FIRST + SECOND,
    "one-octet-missing": FIRST + SECOND + LAST[:-1],
}
BETWEEN = {
    "ping": Ping(0, b"between").serialize(),
    "subscribe": Subscribe(b"between").serialize(),
    "unknown": Command(b"UNKNOWN", b"between").serialize(),
}
IMPOSSIBLE = {
    "two-to-the-63": malformed.negative_size(),
    "all-ones": malformed.oversized_frame((1 << 64) - 1),
}
ENORMOUS = {"two-to-the-40": 1 << 40, "two-to-the-63-less-one": (1 << 63) - 1}
COUNT = 1000
LIMIT_OCTETS = 1000
LARGE_OCTETS = 1 << 20


@case(
    "zmtp/framing/receives-every-size",
    clauses=[
        "37/abnf/message-last",
        "37/abnf/message-body",
        "37/abnf/short-size",
        "37/abnf/long-size",
        "37/framing/not-altered",
        "37/framing/long-bit",
    ],
    needs=["PULL"],
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_receives_every_size(peer: Peer, attach: Attach, seed: int, size: int) -> None:
    """A body of any size is delivered as it was sent, and so is the message behind it."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    (octets,) = random_parts(seed, size)
    raw.send(Message(octets), Message(b"fence"))
    expect_body(pull, octets)
    pull.expect(b"fence")


@case(
    "zmtp/framing/sends-every-size",
    clauses=[
        "37/abnf/message-last",
        "37/abnf/message-body",
        "37/abnf/short-size",
        "37/abnf/long-size",
        "37/framing/size-excludes-header",
        "37/framing/long-bit",
        "37/framing/command-bit",
        "37/framing/reserved-zero",
        "37/framing/not-altered",
        "37/wire/clear-as-messages",
    ],
    needs=["PUSH"],
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_sends_every_size(peer: Peer, attach: Attach, judge: Judge, seed: int, size: int) -> None:
    """A body of any size goes out as it is, in one frame that says its size; the note says in which form."""
    push = peer.open("PUSH")
    raw = attach(push).handshake("PULL")
    octets, sending = begin_body(push, seed, size)
    (frame,) = expect_frames(raw, octets, clause="37/abnf/message-last")
    finish_body(sending)
    push.send([b"fence"])
    raw.expect_message(b"fence", clause="37/framing/size-excludes-header")
    judge.note("long form" if frame.long else "short form")


@case(
    "zmtp/framing/accepts-the-long-form",
    clauses=["37/framing/size-ranges", "37/abnf/long-size", "37/abnf/message-more", "37/abnf/message-last"],
    needs=["PULL"],
)
@pytest.mark.parametrize("size", [0, 1, 255])
def test_accepts_the_long_form(peer: Peer, attach: Attach, seed: int, size: int) -> None:
    """A size of eight octets is taken for small bodies as well, on every frame of a message."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    parts = random_parts(seed, size, size)
    raw.send(Message(*parts).serialize(long=True))
    pull.expect(*parts)


@case(
    "zmtp/framing/sends-more-on-all-but-the-last",
    clauses=[
        "37/framing/more-bit",
        "37/abnf/message",
        "37/abnf/message-more",
        "37/abnf/message-last",
        "37/framing/reserved-zero",
    ],
    needs=["PUSH"],
)
@pytest.mark.parametrize("parts", SHAPES.values(), ids=SHAPES)
def test_sends_more_on_all_but_the_last(peer: Peer, attach: Attach, parts: list[bytes]) -> None:
    """Every frame of a message but its last has MORE, the empty ones too, and commands stay outside."""
    push = peer.open("PUSH")
    raw = attach(push).handshake("PULL")
    push.send(parts)
    push.send([b"fence"])
    expect_frames(raw, *parts, clause="37/framing/more-bit")
    raw.expect_message(b"fence")


@case(
    "zmtp/framing/receives-every-number-of-frames",
    clauses=["37/framing/more-bit", "37/abnf/message", "37/abnf/message-more", "37/framing/not-altered"],
    needs=["PULL"],
)
@pytest.mark.parametrize("parts", SHAPES.values(), ids=SHAPES)
def test_receives_every_number_of_frames(peer: Peer, attach: Attach, parts: list[bytes]) -> None:
    """A message is delivered with all its frames, the empty ones too, and no more."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    raw.send(Message(*parts), Message(b"fence"))
    pull.expect(*parts)
    pull.expect(b"fence")


@case("zmtp/framing/does-not-alter-messages", clauses=["37/framing/not-altered"], needs=["DEALER"])
def test_does_not_alter_messages(peer: Peer, attach: Attach, seed: int) -> None:
    """Every octet value, and bodies that look like frames, come through both ways as they are."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("DEALER")
    lookalikes = [Message(b"a", b"b").serialize(), Ping(0, b"").serialize(), b"\0", b"\xff", bytes(9)]
    parts = [bytes(range(256)), *lookalikes, *random_parts(seed, *range(0, 600, 37)), b"\0\0"]
    raw.send(Message(*parts))
    dealer.expect(*parts)
    dealer.send(parts)
    raw.expect_message(*parts)


@case(
    "zmtp/framing/waits-for-the-last-frame",
    clauses=["37/framing/atomic"],
    needs=["PULL"],
)
def test_waits_for_the_last_frame(peer: Peer, attach: Attach, dial: Dial) -> None:
    """Nothing of a message is delivered before its last frame has come; then all of it is."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/framing/atomic"):
        raw.send(malformed.unfinished_message(b"first", b"second"))
    raw.send(Message(b"last"))
    pull.expect(b"first", b"second", b"last")


@case("zmtp/framing/cut-message-is-not-delivered", clauses=["37/framing/atomic"], needs=["PULL"])
@pytest.mark.parametrize("leave", LEAVES.values(), ids=LEAVES)
@pytest.mark.parametrize("octets", CUTS.values(), ids=CUTS)
def test_cut_message_is_not_delivered(
    peer: Peer, attach: Attach, octets: bytes, leave: Callable[[RawPeer], None]
) -> None:
    """A message whose sender leaves before its last octet is not delivered in part; the next one arrives."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    raw.send(Message(b"before"))
    pull.expect(b"before")
    raw.send(octets)
    leave(raw)
    again = attach(pull).handshake("PUSH")
    again.send(Message(b"next", b"whole"))
    pull.expect(b"next", b"whole")
    pull.expect_empty()


@case("zmtp/framing/half-sent-message-is-not-resumed", clauses=["37/framing/atomic"], needs=["PUSH"])
def test_half_sent_message_is_not_resumed(peer: Peer, listen: Listen, judge: Judge) -> None:
    """Where the link ends within a message, the next link begins with a whole one, never with a rest."""
    push, listener = peer.open("PUSH"), listen()
    push.connect(listener.endpoint)
    raw = small_window(listener.accept()).handshake("PULL")
    whole = [bytes(LARGE_OCTETS), b"middle", bytes(5 * LARGE_OCTETS)]
    sending = push.start_send(whole)  # one that writes at once waits until we read
    raw.expect_octets(LARGE_OCTETS)
    raw.reset(unread=True)
    again = listener.accept(clause="37/errors/close-reconnect").handshake("PULL")
    with suppress(Mismatch):
        sending.result()
    push.send([b"fence"])
    came = again.expect(Message)
    whole_or_next = came.parts in (tuple(whole), (b"fence",))
    judge.that(whole_or_next, "the whole message, or the next", [len(part) for part in came.parts])


@case(
    "zmtp/framing/octet-by-octet",
    clauses=["37/framing/not-altered", "37/abnf/message", "37/abnf/message-more", "37/abnf/message-last"],
    needs=["DEALER"],
)
def test_octet_by_octet(peer: Peer, attach: Attach, seed: int) -> None:
    """Messages are understood when every octet comes by itself."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("DEALER")
    parts = random_parts(seed, 0, 1, 5, 256, 0)
    octets = Message(b"first").serialize() + Message(*parts).serialize()
    send_in_pieces(raw, octets, [1] * len(octets), dealer)
    dealer.expect(b"first")
    dealer.expect(*parts)


@case(
    "zmtp/framing/receives-in-order",
    clauses=["37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["PULL"],
)
def test_receives_in_order(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A thousand messages that come at once are delivered in their order, each one time."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    raw.send(*(Message(body(0, index, 20)) for index in range(COUNT)), Message(b"fence"))
    came = pull.drain(COUNT)
    judge.equal((came["received"], came["digest"]), (COUNT, flood_digest(0, COUNT, 20)))
    pull.expect(b"fence", clause="37/sockets/no-duplicates")


@case(
    "zmtp/framing/sends-in-order",
    clauses=["37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["PUSH"],
)
def test_sends_in_order(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A thousand messages go out in the order of sending, each one time."""
    push = peer.open("PUSH")
    raw = attach(push).handshake("PULL")
    sent = push.flood(COUNT, 20, within_s=peer.deadlines.delivery_s)
    judge.equal(sent, COUNT, clause="37/sockets/ordered")
    for index in range(COUNT):
        raw.expect_message(body(0, index, 20))
    push.send([b"fence"])
    raw.expect_message(b"fence", clause="37/sockets/no-duplicates")


@case("zmtp/framing/reserved-flags", clauses=["37/framing/reserved-zero"], needs=["PULL"])
@pytest.mark.parametrize("bit", range(3, 8))
def test_reserved_flags(peer: Peer, attach: Attach, dial: Dial, judge: Judge, bit: int) -> None:
    """A reserved flag is passed over or ends the connection; it never makes another message of the frame."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/framing/reserved-zero"):
        raw.send(malformed.reserved_flag(bit))
        tolerated_or_closed(raw, pull, [], [[b"reserved"]], judge=judge, clause="37/framing/reserved-zero")


@case("zmtp/framing/command-with-more", clauses=["37/framing/command-no-more"], needs=["PULL"])
def test_command_with_more(peer: Peer, attach: Attach, dial: Dial, judge: Judge) -> None:
    """A command with MORE is passed over or ends the connection; it never becomes part of a message."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/framing/command-no-more"):
        raw.send(malformed.command_with_more(Command(b"UNKNOWN", b"data").body()))
        tolerated_or_closed(raw, pull, [], judge=judge, clause="37/framing/command-no-more")


@case("zmtp/framing/impossible-size-is-refused", clauses=["37/framing/size-ranges"], needs=["PULL"])
@pytest.mark.parametrize("octets", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_size_is_refused(peer: Peer, attach: Attach, dial: Dial, octets: bytes) -> None:
    """A size of 2^63 or more ends the connection; others are served as before."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/framing/size-ranges"):
        raw.send(octets)
        raw.expect_closed(clause="37/framing/size-ranges")


@case(
    "zmtp/framing/enormous-size-harms-nobody",
    clauses=["37/framing/size-ranges"],
    needs=["PULL"],
    security=True,
)
@pytest.mark.parametrize("size", ENORMOUS.values(), ids=ENORMOUS)
def test_enormous_size_harms_nobody(peer: Peer, attach: Attach, dial: Dial, size: int) -> None:
    """A legal size that no memory can hold costs at most the connection; nothing of it is delivered."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/framing/size-ranges"):
        raw.send(malformed.oversized_frame(size, b"some"))
        expect_serves(pull, attach(pull).handshake("PUSH"), clause="37/framing/size-ranges")
        raw.close()


@case(
    "zmtp/framing/frame-over-the-limit-is-refused",
    clauses=["37/framing/size-ranges"],
    needs=["PULL", "option:max-message-octets"],
)
@pytest.mark.parametrize("over", [1, LIMIT_OCTETS])
def test_frame_over_the_limit_is_refused(peer: Peer, attach: Attach, dial: Dial, over: int) -> None:
    """A frame larger than the application allows ends the connection and is not delivered."""
    pull = peer.open("PULL", max_message_octets=LIMIT_OCTETS)
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/framing/size-ranges"):
        raw.send(Message(bytes(LIMIT_OCTETS + over)))
        raw.expect_closed(clause="37/framing/size-ranges")


@case(
    "zmtp/framing/frame-within-the-limit-is-delivered",
    clauses=["37/framing/not-altered"],
    needs=["PULL", "option:max-message-octets"],
)
def test_frame_within_the_limit_is_delivered(peer: Peer, attach: Attach) -> None:
    """A frame much smaller than what the application allows is delivered."""
    pull = peer.open("PULL", max_message_octets=LIMIT_OCTETS)
    raw = attach(pull).handshake("PUSH")
    raw.send(Message(bytes(LIMIT_OCTETS // 2)))
    pull.expect(bytes(LIMIT_OCTETS // 2))


@case(
    "zmtp/framing/frame-at-the-limit",
    clauses=["37/framing/size-ranges"],
    needs=["PULL", "option:max-message-octets"],
)
def test_frame_at_the_limit(peer: Peer, attach: Attach, dial: Dial, judge: Judge) -> None:
    """A frame exactly as large as the limit is delivered whole, or refused where more than bodies counts."""
    pull = peer.open("PULL", max_message_octets=LIMIT_OCTETS)
    raw = attach(pull).handshake("PUSH")
    parts = [bytes(LIMIT_OCTETS)]
    with bystander(pull, dial, clause="37/framing/size-ranges"):
        raw.send(Message(*parts))
        tolerated_or_closed(raw, pull, [parts], judge=judge, clause="37/framing/size-ranges")


@case(
    "zmtp/framing/command-between-frames",
    clauses=["37/abnf/command-not-inside-message"],
    needs=["PULL"],
)
@pytest.mark.parametrize("command", BETWEEN.values(), ids=BETWEEN)
def test_command_between_frames(peer: Peer, attach: Attach, dial: Dial, judge: Judge, command: bytes) -> None:
    """A command between the frames of a message leaves the message intact or ends the connection."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    clause = "37/abnf/command-not-inside-message"
    with bystander(pull, dial, clause=clause):
        raw.send(malformed.interrupted_message(b"before", command, b"after"))
        tolerated_or_closed(raw, pull, [[b"before", b"after"]], judge=judge, clause=clause)
