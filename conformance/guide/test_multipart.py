"""Messages of several parts arrive whole or not at all (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from harness.peer import OperationRefused, RemoteSocket, show_parts
from harness.stage.play import receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

SIZES = (0, 1, 255, 256, 65_535, 65_536)
LARGE_OCTETS = 8 * 1024 * 1024
SOME_OCTETS = 65_536
FENCE = (b"fence", b"last fence")
IN_ORDER = "guide/multipart/whole-and-in-order"
MORE = "guide/multipart/more-on-all-but-the-last"
NOTHING_HALF = "guide/multipart/nothing-half"


@scenario(
    "guide/basics/multipart",
    clauses=[IN_ORDER, MORE],
    legs={"parts": "sender PUSH -> receiver PULL"},
)
@pytest.mark.parametrize("shape", ["one", "thousand", "empty", "sizes", "large"])
def test_multipart(stage: Stage, shape: str) -> None:
    """A message arrives with all its parts, in their order, whatever their number and sizes."""
    sender, receiver = stage.open("sender", "PUSH"), stage.open("receiver", "PULL")
    leg = stage.leg("parts", receiver, sender)
    parts = message(shape, stage.seed)
    try:
        stage.play(sender=give(sender, parts), receiver=take(receiver, parts))
    finally:
        expect_frames(leg, sender, parts)


@scenario(
    "guide/basics/multipart-cut",
    clauses=[NOTHING_HALF],
    legs={"parts": "receiver PULL -> sender PUSH", "fence": "receiver PULL -> sender PUSH"},
)
def test_multipart_cut(stage: Stage) -> None:
    """Where the connection breaks in the middle of a message no part of it arrives without the others."""
    sender, receiver = stage.open("sender", "PUSH"), stage.open("receiver", "PULL")
    leg = stage.leg("parts", sender, receiver)
    parts = [b"head", bytes(LARGE_OCTETS), b"tail"]
    pending = sender.start_send(parts)
    cut_in_the_middle(stage, leg, receiver)
    with suppress(OperationRefused):  # the sender may say that it could not go on
        pending.result()
    sender.close()
    another = stage.open("sender", "PUSH")
    stage.leg("fence", another, receiver)
    stage.play(sender=fence(another), receiver=take_whole(receiver, parts))


def cut_in_the_middle(stage: Stage, leg: Leg, receiver: RemoteSocket) -> None:
    """Close the connection when the beginning of the message is on its way to the receiver."""
    joint = leg.of(receiver)

    def has_begun() -> bool:
        [connection] = joint.tap.connections
        return len(stage.trace.stream(connection, "listener")) > SOME_OCTETS

    joint.wait_for(has_begun, "the beginning of the message", NOTHING_HALF, "delivery")
    leg.cut("fin")


def message(shape: str, seed: int) -> list[bytes]:
    """The parts of a message of this shape; what they hold is from the seed."""
    dice = random.Random(f"{seed}/{shape}")
    sizes = {
        "one": [5],
        "thousand": [dice.randrange(20) for _ in range(1_000)],
        "empty": [0, 0, 3, 0, 0],
        "sizes": [*SIZES, *reversed(SIZES)],
        "large": [1, LARGE_OCTETS, 1],
    }
    return [dice.randbytes(octets) for octets in sizes[shape]]


async def give(sock: RemoteSocket, parts: list[bytes]) -> None:
    """Send it."""
    await say(sock, *parts, clause=IN_ORDER)


async def take(sock: RemoteSocket, parts: list[bytes]) -> None:
    """Get just this."""
    heard = await receive(sock, IN_ORDER)
    if heard != parts:
        pairs = zip(heard, parts, strict=False)
        alike = next((at for at, pair in enumerate(pairs) if pair[0] != pair[1]), len(heard))
        actual = f"{len(heard)} parts, the first {alike} as sent: {show_parts(heard[alike : alike + 1])}"
        raise Mismatch(f"{len(parts)} parts as sent", actual, IN_ORDER)


async def fence(sock: RemoteSocket) -> None:
    """Send what has to come behind everything, twice: a reader takes its senders in turn."""
    for mark in FENCE:
        await say(sock, mark, clause=NOTHING_HALF)


async def take_whole(sock: RemoteSocket, parts: list[bytes]) -> None:
    """Get the message with all its parts or not at all, and what was sent behind it."""
    left = list(FENCE)
    while left:
        heard = await receive(sock, NOTHING_HALF)
        if heard == left[:1]:
            left.pop(0)
        elif heard != parts:
            raise Mismatch("all parts or none", f"{len(heard)} parts: {show_parts(heard[:3])}", NOTHING_HALF)


def expect_frames(leg: Leg, sender: RemoteSocket, parts: list[bytes]) -> None:
    """On the wire the parts are one message: each frame but the last says that there are more."""
    for sent in leg.sent(sender):
        if len(sent) != len(parts):
            raise Mismatch(f"a message of {len(parts)} frames", f"one of {len(sent)}", MORE)
