"""A publisher puts a key in front of its data (ZeroMQ guide, chapter 2, Pub-Sub Message Envelopes)."""

from __future__ import annotations

from conformance.guide.barrier import meet
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

KEY = b"B"
WANTED = (
    [KEY, b"from", b"to"],
    [KEY, b"", b"", b"empty frames in between", b""],
    [KEY],
    [b"B, and more of a key", b"A"],
    [KEY, bytes(300)],
)
UNWANTED = (
    [b"A", b"B"],
    [b"", b"B"],
    [b"AB", b"B", b"B"],
    [b"b", KEY],
)
ROUNDS = 10
END = [KEY, b"end"]
FIRST_FRAME = "guide/envelope-pubsub/first-frame-only"
TOGETHER = "guide/envelope-pubsub/parts-together"


@scenario(
    "guide/coordination/envelope-pubsub",
    clauses=[FIRST_FRAME, TOGETHER],
    legs={"news": "subscriber SUB -> publisher PUB"},
)
def test_envelope_pubsub(stage: Stage) -> None:
    """A filter looks at the key alone, and behind the key comes all that belongs to it."""
    publisher, subscriber = stage.open("publisher", "PUB"), stage.open("subscriber", "SUB")
    subscriber.subscribe(KEY)
    stage.leg("news", publisher, subscriber)
    stage.play(barrier=meet(publisher, subscriber, topic=KEY, clause=FIRST_FRAME))
    stage.play(publisher=publish(publisher), subscriber=subscribe(subscriber))


async def publish(sock: RemoteSocket) -> None:
    """Messages with the key and others, by turns."""
    for _ in range(ROUNDS):
        for number, message in enumerate(WANTED):
            await say(sock, *UNWANTED[number % len(UNWANTED)])
            await say(sock, *message)
    await say(sock, *END)


async def subscribe(sock: RemoteSocket) -> None:
    """Get the messages whose first frame begins with the key, with all their frames."""
    for message in [*WANTED * ROUNDS, END]:
        heard = await receive(sock, FIRST_FRAME)
        if heard != message:
            clause = TOGETHER if heard[0] == message[0] else FIRST_FRAME
            raise Mismatch(f"{sock.peer.title} gets {show_parts(message)}", show_parts(heard), clause)
