"""A forwarder between a publisher and subscribers in another network (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from conformance.guide.barrier import meet
from conformance.guide.relays import Device, both_ways, one_way
from harness.peer import RemoteSocket
from harness.stage.play import hear, say
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

WANTED, OTHER = b"wanted/", b"other/"
ROUNDS = 20
PARTS = "guide/forwarder/all-parts-in-order"
UPSTREAM = "guide/forwarder/subscriptions-travel-upstream"
CANCELLED = "guide/forwarder/cancellations-travel-upstream"
LEGS = {"inside": "forwarder XSUB -> publisher PUB", "outside": "subscriber SUB -> forwarder XPUB"}


@scenario(
    "guide/intermediaries/forwarder",
    clauses=[PARTS],
    legs={"inside": "forwarder SUB -> publisher PUB", "outside": "subscriber SUB -> forwarder PUB"},
)
def test_forwarder(stage: Stage) -> None:
    """What is published inside arrives outside, with all its parts and in order."""
    publisher, subscriber = stage.open("publisher", "PUB"), stage.open("subscriber", "SUB")
    front, back = stage.open("forwarder", "SUB"), stage.open("forwarder", "PUB")
    front.subscribe(b"")
    subscriber.subscribe(WANTED)
    stage.leg("inside", publisher, front)
    stage.leg("outside", back, subscriber)
    roles = one_way(front, back)
    stage.play("barrier", barrier=meet(publisher, subscriber, topic=WANTED, clause=PARTS), device=roles())
    ends = {"publisher": publish(publisher), "subscriber": follow(subscriber, WANTED)}
    stage.play(*ends, **ends, device=roles())


@scenario(
    "guide/intermediaries/forwarder-of-subscriptions",
    clauses=[PARTS, UPSTREAM, CANCELLED],
    legs=LEGS,
    at_least="2.0",
)
def test_forwarder_of_subscriptions(stage: Stage) -> None:
    """With XSUB and XPUB the publisher hears what the subscribers want, and what they want no more."""
    forward(stage, both_ways)


def forward(stage: Stage, device: Device) -> None:
    """A subscriber behind the device wants something, then something else."""
    publisher, subscriber = stage.open("publisher", "PUB"), stage.open("subscriber", "SUB")
    front, back = stage.open("forwarder", "XSUB"), stage.open("forwarder", "XPUB")
    inside = stage.leg("inside", publisher, front)
    stage.leg("outside", back, subscriber)
    script = change_mind(publisher, subscriber, inside, front)
    stage.play("script", script=script, device=device(front, back)())


async def change_mind(
    publisher: RemoteSocket, subscriber: RemoteSocket, inside: Leg, front: RemoteSocket
) -> None:
    """Want one thing and get it, then want another one instead; the rest does not even come to the device."""
    subscriber.subscribe(WANTED)
    await meet(publisher, subscriber, topic=WANTED, clause=UPSTREAM, alone=UPSTREAM)
    await publish(publisher)
    await follow(subscriber, WANTED)
    if came_in(inside, front, OTHER):
        raise Mismatch("what nobody has asked for is not sent to the device", "it is", UPSTREAM)
    subscriber.cancel(WANTED)  # comes to the publisher ahead of what the barrier waits for
    subscriber.subscribe(OTHER)
    await meet(publisher, subscriber, topic=OTHER, clause=UPSTREAM, alone=CANCELLED)
    before = came_in(inside, front, WANTED)
    await publish(publisher)
    await follow(subscriber, OTHER)
    if came_in(inside, front, WANTED) != before:
        raise Mismatch("what nobody wants any more is not sent to the device", "it is", CANCELLED)


async def publish(sock: RemoteSocket) -> None:
    """Publish messages of several parts on both topics."""
    for number in range(ROUNDS):
        for topic in (WANTED, OTHER):
            await say(sock, *message(topic, number), clause=PARTS)


async def follow(sock: RemoteSocket, topic: bytes) -> None:
    """Get all messages on a topic."""
    for number in range(ROUNDS):
        await hear(sock, *message(topic, number), clause=PARTS)


def message(topic: bytes, number: int) -> list[bytes]:
    """The topic with a number, and some parts behind it, of which some are empty."""
    return [topic + b"%d" % number, *(bytes(length) for length in range(number % 4))]


def came_in(inside: Leg, front: RemoteSocket, topic: bytes) -> int:
    """How many messages on a topic the publisher has sent to the device."""
    return sum(parts[0].startswith(topic) for parts in inside.sent_to(front))
