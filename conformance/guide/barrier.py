"""Publishers and subscribers meet before anything counts: PUB drops what nobody has asked it for yet."""

from __future__ import annotations

from harness.peer import RemoteSocket, show_parts
from harness.stage.play import poll, receive, say
from harness.verdict import Mismatch

MARK = b"~barrier-"


async def meet(
    publisher: RemoteSocket,
    *subscribers: RemoteSocket,
    topic: bytes = b"",
    clause: str | None = None,
    alone: str | None = None,
) -> None:
    """Publish numbered probes that begin with `topic` until each subscriber had one; none is left over.

    All of them have to want the topic. `clause` is broken where no probe gets through in the time that a
    reconnection may take, `alone` where one of them gets something else than probes.
    """
    last = b""
    for place, subscriber in enumerate(subscribers):
        deadline = subscriber.peer.deadlines.deadline("reconnect")
        for number, wait_s in enumerate(subscriber.peer.deadlines.probes_s()):
            last = topic + MARK + b"%d/%d" % (place, number)
            await say(publisher, last)
            if await poll(subscriber, within_s=wait_s):
                break
            if deadline.expired:
                late = f"none within {deadline.seconds:g} s"
                raise Mismatch(f"a message for {subscriber.peer.title}", late, clause)
    for subscriber in subscribers:
        await hear_out(subscriber, last, topic, clause, alone)


async def hear_out(
    subscriber: RemoteSocket, last: bytes, topic: bytes, clause: str | None, alone: str | None
) -> None:
    """Take all probes up to this one; what else comes breaks `alone`."""
    heard = await receive(subscriber, clause)
    while heard != [last]:
        if not heard[0].startswith(topic + MARK):
            expected = f"{subscriber.peer.title} gets what begins with {show_parts([topic])} alone"
            raise Mismatch(expected, show_parts(heard), alone)
        heard = await receive(subscriber, clause)
