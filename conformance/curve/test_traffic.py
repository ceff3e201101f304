"""MESSAGE under CURVE, either way: what arrives, and what ends the connection (RFC 26)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from conformance.curve.ends import (
    EITHER_NEEDS,
    SIDES,
    Session,
    judge_cut,
    open_as,
    opened,
    shake_hands,
)
from conformance.zmtp.secured import FORGED
from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge, case
from harness.control.flood import body
from harness.curve import OF_CLIENT, OF_SERVER, tampered
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.verdict import Mismatch
from harness.zmtp import CurveMessage, Message, malformed
from harness.zmtp.cover import in_frame

SIZES = [0, 1, 222, 223, 255, 256, 65_535, 65_536, 2**18]
MORE_THAN_AN_OCTET_CAN_COUNT = 300
FRAMES = 250  # fewer than the least that a known library can put into a message
MESSAGES = 264  # whose frames are more than two octets can count
NONCE_BITS = [16, 32, 63]
PAYLOAD = b"\0forged"

ALTERED: dict[str, Callable[[Session], bytes]] = {
    "box": lambda session: in_frame(tampered(session.seal(PAYLOAD))),
    "box-first": lambda session: in_frame(tampered(session.seal(PAYLOAD), "box", 0)),
    "nonce": lambda session: in_frame(tampered(session.seal(PAYLOAD), "nonce", -1, 0x40)),
    "cut": lambda session: malformed.frame(0, session.seal(b"\0").to_command().body()[:-1]),
    "box-cut": lambda session: malformed.frame(0, session.seal(PAYLOAD).to_command().body()[:-1]),
    "name-alone": lambda session: malformed.frame(0, b"\7MESSAGE"),
}
PREFIXES: dict[str, Callable[[Session], bytes]] = {
    "of-the-other-role": lambda session: OF_SERVER if session.own == OF_CLIENT else OF_CLIENT,
    "with-a-dash": lambda session: b"CurveZMQMESSAGE-",
}
UNBOXED = {
    "message": FORGED.serialize(),
    "of-two-frames": Message(b"forged", b"twice").serialize(),
    "empty": Message(b"").serialize(),
}
RULES_OF_NONCES = {
    "curve-server": "26/ready/server-nonce-incrementing",
    "curve-server-key": "26/hello/nonce-incrementing",
}
RULES = {"curve-server": "26/hello/server", "curve-server-key": "26/ready/client"}


def boxed(session: Session, payload: bytes, nonce: int | None = None) -> bytes:
    """A MESSAGE in a message frame, as every known library takes it."""
    octets = None if nonce is None else nonce.to_bytes(8, "big")
    return in_frame(session.seal(payload, octets))


@case(
    "curve/traffic/messages-of-many-sizes",
    clauses=["26/differences/payload-size", "26/abnf/payload-data", "26/message/more-bit"],
    needs=["DEALER", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("size", SIZES)
def test_messages_of_many_sizes(peer: Peer, attach: Attach, side: str, size: int) -> None:
    """Frames of any size arrive as they were sent, alone and with others, both ways."""
    sock = open_as(peer, side, "DEALER")
    raw = attach(sock)
    shake_hands(raw, side, "DEALER")
    octets = body(3, 7, size) if size >= 8 else b"s" * size
    for parts in ([octets], [octets, b"", octets]):
        raw.send(Message(*parts))
        sock.expect(*parts, clause="26/differences/payload-size")
        sock.send(parts)
        raw.expect_message(*parts, clause="26/differences/payload-size")


@case(
    "curve/traffic/many-messages",
    clauses=["26/hello/nonce-incrementing", "26/ready/server-nonce-incrementing"],
    needs=["PUSH", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_many_messages(peer: Peer, attach: Attach, judge: Judge, side: str) -> None:
    """More messages than one octet can count come in order, and each one opens."""
    sock = open_as(peer, side, "PUSH")
    raw = attach(sock)
    shake_hands(raw, side, "PULL")
    sock.flood(MORE_THAN_AN_OCTET_CAN_COUNT, 8, within_s=peer.deadlines.delivery_s)
    for n in range(MORE_THAN_AN_OCTET_CAN_COUNT):
        raw.expect_message(body(0, n, 8))


@case(
    "curve/traffic/many-more-messages",
    clauses=["26/hello/nonce-incrementing", "26/ready/server-nonce-incrementing"],
    needs=["PUSH", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_many_more_messages(peer: Peer, dial: Dial, judge: Judge, side: str) -> None:
    """Of more MESSAGEs than two octets can count each has a larger short nonce, and those opened open."""
    sock = open_as(peer, side, "PUSH")
    raw = dial(sock.bind())
    session = shake_hands(raw, side, "PULL")
    raw.cover = None  # what comes is looked at before it is opened
    clause, before = RULES_OF_NONCES[side], 0
    for _ in range(MESSAGES):
        sock.send([b"part"] * FRAMES)  # each frame has a box of its own
        for _ in range(FRAMES):
            message = raw.expect(CurveMessage, clause=clause)
            nonce = int.from_bytes(message.nonce, "big")
            if nonce <= before:
                raise raw.mismatch(f"a short nonce above {before}", str(nonce), clause, raw.last_start)
            before = nonce
        payload = opened(raw, partial(session.open, message), clause)
        judge.equal(payload[1:], b"part", clause)


@case(
    "curve/traffic/takes-large-short-nonces",
    clauses=["26/message/recipient-rejects", "26/abnf/message-nonce"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("bits", NONCE_BITS)
def test_takes_large_short_nonces(peer: Peer, dial: Dial, judge: Judge, side: str, bits: int) -> None:
    """MESSAGEs are taken whose short nonces count beyond 16, 32 or 63 bits.

    The specification names no first number; who refuses the handshake of a partner that does not begin
    with 1 is noted.
    """
    sock = open_as(peer, side)
    raw = dial(sock.bind())
    try:
        session = shake_hands(raw, side, sent=2**bits - 10)
    except Mismatch as seen:
        judge.note(f"no handshake with short nonces from {2**bits - 9}: {seen.actual}")
        return
    count = 20
    raw.send(b"".join(boxed(session, b"\0" + body(0, n, 8)) for n in range(count)))
    drained = sock.drain(count)
    judge.equal(drained["received"], count, "26/message/recipient-rejects")
    judge.equal(drained["last"], count - 1)


@case(
    "curve/traffic/message-in-pieces",
    clauses=["26/differences/atomic-messages"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_message_in_pieces(peer: Peer, attach: Attach, side: str) -> None:
    """A message of three frames arrives whole however TCP cuts its MESSAGEs."""
    sock = open_as(peer, side)
    raw = attach(sock)
    shake_hands(raw, side)
    raw.send(Message(b"one", b"", b"three"), pieces=1)
    sock.expect(b"one", b"", b"three", clause="26/differences/atomic-messages")


@case(
    "curve/traffic/half-a-message-is-not-delivered",
    clauses=["26/differences/atomic-messages"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_half_a_message_is_not_delivered(peer: Peer, attach: Attach, side: str) -> None:
    """Of a message whose last frame never came nothing is delivered."""
    sock = open_as(peer, side)
    raw = attach(sock)
    session = shake_hands(raw, side)
    raw.send(Message(b"whole"))
    sock.expect(b"whole")
    raw.send(boxed(session, b"\1half"))
    raw.close()
    healthy = attach(sock)
    shake_hands(healthy, side)
    healthy.send(Message(b"next"))
    sock.expect(b"next", clause="26/differences/atomic-messages")


@case(
    "curve/traffic/altered-message-is-refused",
    clauses=[
        "26/message/recipient-rejects",
        "26/message/no-error-for-message",
        "26/overview/client-no-error",
        "37/errors/close-is-temporary",
    ],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED)
def test_altered_message_is_refused(
    peer: Peer, attach: Attach, judge: Judge, altered: Callable[[Session], bytes], side: str
) -> None:
    """A MESSAGE that is too short or does not open ends the connection without ERROR, undelivered."""
    sock = open_as(peer, side)
    raw = attach(sock)
    session = shake_hands(raw, side)
    raw.send(altered(session))
    judge_cut(judge, raw, sock, attach, side, "26/message/recipient-rejects")


@case(
    "curve/traffic/prefix-is-that-of-the-role",
    clauses=["26/message/nonce-prefix", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_prefix_is_that_of_the_role(
    peer: Peer, attach: Attach, judge: Judge, prefix: Callable[[Session], bytes], side: str
) -> None:
    """A MESSAGE made under the prefix of the other role, or under neither, is refused."""
    sock = open_as(peer, side)
    raw = attach(sock)
    session = shake_hands(raw, side)
    raw.send(in_frame(session.seal(PAYLOAD, prefix=prefix(session))))
    judge_cut(judge, raw, sock, attach, side, "26/message/nonce-prefix")


@case(
    "curve/traffic/message-again",
    clauses=["26/hello/server-drops-reuse", "26/ready/client-drops-reuse", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_message_again(peer: Peer, attach: Attach, judge: Judge, side: str) -> None:
    """A MESSAGE that is sent again as it was ends the connection, and is not delivered twice."""
    sock = open_as(peer, side)
    raw = attach(sock)
    once = boxed(shake_hands(raw, side), b"\0once")
    raw.send(once)
    sock.expect(b"once")
    raw.send(once)
    judge_cut(judge, raw, sock, attach, side, f"{RULES[side]}-drops-reuse")


@case(
    "curve/traffic/nonce-of-the-handshake-again",
    clauses=["26/hello/server-drops-reuse", "26/ready/client-drops-reuse", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_nonce_of_the_handshake_again(peer: Peer, attach: Attach, judge: Judge, side: str) -> None:
    """A MESSAGE with the short nonce of INITIATE, or of READY, is refused."""
    sock = open_as(peer, side)
    raw = attach(sock)
    session = shake_hands(raw, side)
    raw.send(boxed(session, PAYLOAD, nonce=2 if side == "curve-server" else 1))
    judge_cut(judge, raw, sock, attach, side, f"{RULES[side]}-drops-reuse")


@case(
    "curve/traffic/nonce-goes-back",
    clauses=["26/hello/server-checks-nonce", "26/ready/client-checks-nonce", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("lower", [9, 0], ids=["by-one", "to-zero"])
def test_nonce_goes_back(peer: Peer, attach: Attach, judge: Judge, side: str, lower: int) -> None:
    """A MESSAGE with a short nonce below that of the last one, and used by none, is refused."""
    sock = open_as(peer, side)
    raw = attach(sock)
    session = shake_hands(raw, side)
    raw.send(boxed(session, b"\0ahead", nonce=10))
    sock.expect(b"ahead")
    raw.send(boxed(session, PAYLOAD, nonce=lower))
    judge_cut(judge, raw, sock, attach, side, f"{RULES[side]}-checks-nonce")


@case(
    "curve/traffic/unboxed-is-not-delivered",
    clauses=["26/abnf/curvezmq", "37/errors/close-is-temporary"],
    needs=["PULL", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("unboxed", UNBOXED.values(), ids=UNBOXED)
def test_unboxed_is_not_delivered(
    peer: Peer, attach: Attach, judge: Judge, unboxed: bytes, side: str
) -> None:
    """A message in the clear behind the handshake is not delivered; whether it is passed over is recorded."""
    sock = open_as(peer, side)
    raw = attach(sock)
    session = shake_hands(raw, side)
    raw.send(unboxed, boxed(session, b"\0fence"))
    end, came = closed_or_served(raw, sock, b"fence", clause="26/abnf/curvezmq")
    judge.note(end)
    judge.equal(came, [])
