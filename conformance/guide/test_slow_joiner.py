"""Who joins late has missed what was published, and a publisher that comes back is heard again."""

from __future__ import annotations

from itertools import count

from conformance.guide.barrier import meet
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import pause, poll, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

EARLY = 10
ENOUGH = 10
SECOND_LIFE = 1_000_000
NOTHING_EARLIER = "guide/slow-joiner/nothing-earlier"
NO_GAP = "guide/slow-joiner/no-gap"
RESUMES = "guide/slow-joiner/resumes"


@scenario(
    "guide/basics/slow-joiner",
    clauses=[NOTHING_EARLIER, NO_GAP, RESUMES],
    legs={"news": "subscriber SUB -> publisher PUB"},
    at_least="2.0",
)
def test_slow_joiner(stage: Stage) -> None:
    """A subscriber gets what is published once its wish has arrived; it finds a new publisher by itself."""
    publisher, subscriber = stage.open("publisher", "PUB"), stage.open("subscriber", "SUB")
    news = stage.empty_leg("news").listen(publisher)
    interval_s = stage.seconds(0.1)
    stage.play(early=publish(publisher, range(EARLY), interval_s))
    subscriber.subscribe(b"fence")
    news.join(subscriber)
    stage.play(fence=meet(publisher, subscriber, topic=b"fence", clause=NO_GAP, alone=NOTHING_EARLIER))
    stage.play(unwanted=publish(publisher, range(EARLY, 2 * EARLY), interval_s))
    subscriber.subscribe(b"")
    stage.play("join", live=publish(publisher, count(2 * EARLY), interval_s), join=join(subscriber))
    stage.kill("publisher")
    stage.restart("publisher")
    back = stage.open("publisher", "PUB")
    news.listen(back)
    stage.play("find", live=publish(back, count(SECOND_LIFE), interval_s), find=find(subscriber, news))


async def publish(sock: RemoteSocket, numbers: range | count[int], interval_s: float) -> None:
    """A message for each number, at the publisher's own rate, whoever listens."""
    for number in numbers:
        await say(sock, b"%d" % number)
        await pause(interval_s)


async def join(sock: RemoteSocket) -> None:
    """From the first number that arrives none is missing; the first is none of those published before."""
    first = int((await receive(sock, NO_GAP))[0])
    if first < 2 * EARLY:
        raise Mismatch(f"nothing before number {2 * EARLY}", f"number {first}", NOTHING_EARLIER)
    for number in range(first + 1, first + ENOUGH):
        heard = await receive(sock, NO_GAP)
        if heard != [b"%d" % number]:
            raise Mismatch(f"number {number}", show_parts(heard), NO_GAP)


async def find(sock: RemoteSocket, news: Leg) -> None:
    """Hear of the publisher's second life, in the time that a reconnection may take."""
    deadline = sock.peer.deadlines.deadline("reconnect")
    while await poll(sock, within_s=deadline.remaining_s()):
        if int(sock.recv(clause=RESUMES)[0]) >= SECOND_LIFE:
            return
    dialled = len(news.of(sock).tap.connections)
    late = f"none within {deadline.seconds:g} s, in {dialled} connections"
    raise Mismatch("a message of the new publisher", late, RESUMES)
