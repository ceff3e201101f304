"""Much of what is small, or without an end: commands, subscriptions, frames (RFC 37, Framing; RFC 29)."""

from __future__ import annotations

import pytest

from conformance.hostile.aftermath import (
    NOTHING_MADE_UP,
    ONLY_WHAT_WAS_SENT,
    OTHERS_SERVED,
    Scene,
    expect_legal_reactions,
)
from conformance.hostile.memory import MEMORY, Footprint
from conformance.pubsub.probe import subscriber
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Cancel, Command, Message, Ping, Pong, Ready, Subscribe, malformed

HIDDEN = "37/framing/commands-hidden"
COMMANDS = 1000
FLOODS = {
    "ping": Ping(0, b"flood").serialize(),
    "pong": Pong(b"flood").serialize(),
    "ready": Ready("PUSH").serialize(),
    "unknown": Command(b"UNKNOWN", b"flood").serialize(),
    "no-name": malformed.command_empty(),
}
TOPICS = 10_000
FRAMES = 70_000  # more than 16 bits count
PART = b"p" * 1024


@case(
    "hostile/floods/commands",
    clauses=[HIDDEN, OTHERS_SERVED, ONLY_WHAT_WAS_SENT, NOTHING_MADE_UP],
    needs=["PULL"],
)
@pytest.mark.parametrize("octets", FLOODS.values(), ids=FLOODS)
def test_commands(peer: Peer, dial: Dial, judge: Judge, octets: bytes) -> None:
    """A flood of commands shows nothing to the application and gives nothing away; others are served."""
    scene = Scene(peer, dial)
    raw = scene.meet().handshake("PUSH")
    raw.send(octets * COMMANDS)
    scene.serve_steady(HIDDEN)
    raw.send(octets * COMMANDS, Message(b"fence"))
    scene.settle(raw, judge, HIDDEN)
    scene.expect_aftermath(raw)


@case(
    "hostile/floods/subscriptions",
    clauses=["29/pub/queue", OTHERS_SERVED, "29/pub/receive-requests", NOTHING_MADE_UP, MEMORY],
    needs=["PUB"],
)
def test_subscriptions(peer: Peer, dial: Dial) -> None:
    """Ten thousand subscriptions of one subscriber take no message from another, nor does it when it goes.

    Behind them it cancels a thousand that it never had.
    """
    pub = peer.open("PUB")
    endpoint = pub.bind()
    steady = subscriber(dial(endpoint), pub, b"A")
    footprint = Footprint(peer)
    raw = dial(endpoint).handshake("SUB")
    raw.request(*(Subscribe(b"topic %d" % number) for number in range(TOPICS)))
    raw.request(*(Cancel(b"none %d" % number) for number in range(TOPICS // 10)))
    pub.send([b"A", b"meanwhile"])
    steady.expect(b"A", b"meanwhile", clause="29/pub/queue")
    raw.close()
    fresh = subscriber(dial(endpoint), pub, b"A", clause="29/pub/queue")
    pub.send([b"A", b"afterwards"])
    for one in (steady, fresh):
        one.expect(b"A", b"afterwards", clause=OTHERS_SERVED)
    expect_legal_reactions(raw)
    footprint.expect_bounded()


@case(
    "hostile/floods/empty-frames",
    clauses=["37/framing/atomic", OTHERS_SERVED],
    needs=["PULL"],
)
def test_empty_frames(peer: Peer, dial: Dial, judge: Judge) -> None:
    """A message of seventy thousand empty frames is delivered whole, or its sender is cut off."""
    scene = Scene(peer, dial)
    whole = [b""] * FRAMES
    octets = Message(*whole).serialize()
    raw = scene.meet().handshake("PUSH")
    raw.send(octets[: len(octets) // 2])
    scene.serve_steady()
    raw.send(octets[len(octets) // 2 :], Message(b"fence"))
    scene.settle(raw, judge, "37/framing/atomic", whole)
    scene.expect_aftermath(raw)


@case(
    "hostile/floods/message-without-an-end",
    clauses=["37/framing/atomic", OTHERS_SERVED],
    needs=["PULL"],
)
def test_message_without_an_end(peer: Peer, dial: Dial, attach: Attach) -> None:
    """A message of four thousand frames that never ends holds up nobody, and goes when its sender goes."""
    scene = Scene(peer, dial, attach)
    raw = scene.meet().handshake("PUSH")
    for _ in range(4):
        raw.send(malformed.unfinished_message(*[PART] * 1000))
        scene.serve_steady()
    raw.close()
    scene.expect_aftermath(raw, clause="37/framing/atomic")
