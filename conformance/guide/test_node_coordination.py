"""A publisher waits until all its subscribers have reported (ZeroMQ guide, chapter 2, Node Coordination)."""

from __future__ import annotations

from harness.peer import RemoteSocket, show_parts
from harness.stage.play import hear, poll, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

MESSAGES = 50
HELLO = b"hello"
END = b"end"
NONE_MISSED = "guide/node-coordination/none-missed"
ANSWERED = "guide/node-coordination/each-is-answered"


@scenario(
    "guide/coordination/node-coordination",
    clauses=[NONE_MISSED, ANSWERED],
    legs={
        "news": "subscriber SUB -> publisher PUB",
        "reports": "subscriber REQ -> publisher REP",
        "other-news": "latecomer SUB -> publisher PUB",
        "other-reports": "latecomer REQ -> publisher REP",
    },
)
def test_node_coordination(stage: Stage) -> None:
    """The publisher says hello until all have reported, and then publishes: nobody misses anything."""
    publisher, desk = stage.open("publisher", "PUB"), stage.open("publisher", "REP")
    news, reports = stage.empty_leg("news").listen(publisher), stage.empty_leg("reports").listen(desk)
    nodes = {b"first": "subscriber", b"second": "subscriber", b"third": "latecomer"}
    subscribers = []
    for name, role in nodes.items():
        listener, reporter = stage.open(role, "SUB"), stage.open(role, "REQ")
        listener.subscribe(b"")
        news.join(listener, wait=False)
        reports.join(reporter, wait=False)
        subscribers.append(subscribe(listener, reporter, name))
    stage.play(publisher=publish(publisher, desk, len(nodes), stage.seconds(1)), subscribers=subscribers)


async def publish(sock: RemoteSocket, desk: RemoteSocket, expected: int, interval_s: float) -> None:
    """Say hello again and again until as many as are expected have heard it; then publish."""
    reported = 0
    while reported < expected:
        await say(sock, HELLO)
        while reported < expected and await poll(desk, within_s=interval_s):
            name = desk.recv(clause=ANSWERED)
            await say(desk, b"welcome", *name)
            reported += 1
    for number in range(MESSAGES):
        await say(sock, b"%d" % number)
    await say(sock, END)


async def subscribe(sock: RemoteSocket, reporter: RemoteSocket, name: bytes) -> None:
    """Report once hello has come: who hears it is subscribed. Then hear everything."""
    await hear(sock, HELLO, clause=NONE_MISSED)
    await say(reporter, name)
    await hear(reporter, b"welcome", name, clause=ANSWERED)
    heard = [HELLO]
    while heard == [HELLO]:
        heard = await receive(sock, NONE_MISSED)
    for number in range(MESSAGES):
        if heard != [b"%d" % number]:
            raise Mismatch(f"{name.decode()} gets number {number}", show_parts(heard), NONE_MISSED)
        heard = await receive(sock, NONE_MISSED)
    if heard != [END]:
        raise Mismatch(f"{name.decode()} gets the end", show_parts(heard), NONE_MISSED)
