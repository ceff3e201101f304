"""A subscriber with a name leaves and comes back while the publisher goes on (ZeroMQ guide of libzmq 2.x).

What became of that is each version's own rule: libzmq 2.x keeps for a name all that it publishes, later
versions forget who has gone.
"""

from __future__ import annotations

from conformance.guide.barrier import meet
from conformance.guide.durable import come, leave
from harness.peer import RemoteSocket
from harness.stage.play import hear, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage

AWAY = 50
LOST = "guide/durable-subscriber/nothing-lost"
GONE = "guide/durable-subscriber/gone"
LEGS = {"news": "subscriber SUB -> publisher PUB"}
NEEDS = {"subscriber": ["option:identity"]}
KEEPS = {**NEEDS, "publisher": ["feature:durable-identity"]}


@scenario("guide/coordination/durable-subscriber", clauses=[LOST], legs=LEGS, needs=KEEPS, at_most="1.0")
def test_durable_subscriber(stage: Stage) -> None:
    """What is published while it is away is there when it comes back, in order, and then all the rest."""
    publisher, back = absence(stage, LOST)
    stage.play(back=hear_out(back))
    stage.play(meet=meet(publisher, back, clause=LOST, alone=LOST))


@scenario(
    "guide/coordination/durable-subscriber-gone", clauses=[GONE], legs=LEGS, needs=NEEDS, at_least="2.0"
)
def test_durable_subscriber_gone(stage: Stage) -> None:
    """In later versions nothing of that is there, and the subscriber gets what is published from then on."""
    publisher, back = absence(stage, GONE)
    stage.play(meet=meet(publisher, back, clause=GONE, alone=GONE))


def absence(stage: Stage, clause: str) -> tuple[RemoteSocket, RemoteSocket]:
    """A publisher, and a subscriber that has come back to it and missed some messages."""
    publisher = stage.open("publisher", "PUB")
    news = stage.empty_leg("news").listen(publisher)
    subscriber = come(stage, news)
    stage.play(meet=meet(publisher, subscriber, clause=clause))
    leave(news, subscriber)
    stage.play(publisher=publish(publisher))
    return publisher, come(stage, news)


async def publish(sock: RemoteSocket) -> None:
    """Go on, whoever listens."""
    for number in range(AWAY):
        await say(sock, b"%d" % number)


async def hear_out(sock: RemoteSocket) -> None:
    """All that was missed, in order."""
    for number in range(AWAY):
        await hear(sock, b"%d" % number, clause=LOST)
