"""A publisher of the weather, and who asks for one place only (ZeroMQ guide, chapter 1)."""

from __future__ import annotations

import random

from conformance.guide.barrier import meet
from harness.peer import RemoteSocket
from harness.stage.play import hear, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage

PLACE = b"10001"
PLACES = (PLACE, b"10002", b"11000", b"01000", b"1000", b"20001", b"")
ROUNDS = 10
END = PLACE + b" end"
MATCHING = "guide/weather/matching-only"
SILENCE = "guide/weather/nothing-without-subscription"
ONE_WAY = "guide/weather/one-way"


@scenario(
    "guide/basics/weather",
    clauses=[MATCHING, SILENCE, ONE_WAY],
    legs={"updates": "subscriber SUB -> publisher PUB", "silence": "bystander SUB -> publisher PUB"},
)
def test_weather(stage: Stage) -> None:
    """A subscriber gets what begins with its filter, all of it and nothing else; without a filter nothing."""
    publisher, subscriber = stage.open("publisher", "PUB"), stage.open("subscriber", "SUB")
    bystander = stage.open("bystander", "SUB")
    subscriber.subscribe(PLACE)
    stage.leg("updates", publisher, subscriber, bystander)
    publisher.expect_recv_refused(clause=ONE_WAY)
    subscriber.expect_send_refused(b"upstream", clause=ONE_WAY)
    stage.play(barrier=meet(publisher, subscriber, topic=PLACE, clause=MATCHING))
    updates = weather(stage.seed)
    stage.play(publisher=forecast(publisher, updates), subscriber=watch(subscriber, updates))
    bystander.subscribe(b"fence")
    stage.play(fence=meet(publisher, bystander, topic=b"fence", clause=SILENCE, alone=SILENCE))


def weather(seed: int) -> list[bytes]:
    """Updates "place temperature humidity", those of all places in each round, in an order from the seed."""
    dice = random.Random(seed)
    rounds = (dice.sample(PLACES, len(PLACES)) for _ in range(ROUNDS))
    return [b"%s %d %d" % (at, dice.randint(-80, 135), dice.randint(10, 60)) for one in rounds for at in one]


async def forecast(sock: RemoteSocket, updates: list[bytes]) -> None:
    """Publish all of it, whoever wants it."""
    for update in updates:
        await say(sock, update)
    await say(sock, END)


async def watch(sock: RemoteSocket, updates: list[bytes]) -> None:
    """Get what is about the one place."""
    for update in updates:
        if update.startswith(PLACE):
            await hear(sock, update, clause=MATCHING)
    await hear(sock, END, clause=MATCHING)
