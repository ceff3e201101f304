"""A ROUTER hands out work to two DEALERs by name (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from harness.peer import RemoteSocket
from harness.stage.play import hear, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage

OWN = "guide/router-to-dealer/own-work"
END = "guide/router-to-dealer/end"
TASKS = [(name, b"task %d" % number) for number, name in enumerate([b"A", b"A", b"B"] * 4)]


@scenario(
    "guide/routing/router-to-dealer",
    clauses=[OWN, END],
    legs={"a-work": "a DEALER -> boss ROUTER", "b-work": "b DEALER -> boss ROUTER"},
    needs={"a": ["option:identity"], "b": ["option:identity"]},
)
def test_router_to_dealer(stage: Stage) -> None:
    """Work goes by name to A and B, two to one; each gets exactly its own, and END."""
    router = stage.open("boss", "ROUTER")
    first = stage.open("a", "DEALER", identity=b"A")
    second = stage.open("b", "DEALER", identity=b"B")
    stage.leg("work", router, first, second)
    stage.play(boss=boss(router), a=worker(first, b"A"), b=worker(second, b"B"))


async def boss(sock: RemoteSocket) -> None:
    """Wait until both have spoken, since who is not known yet gets nothing; then share out."""
    for _ in range(2):
        await receive(sock)
    for name, task in TASKS:
        await say(sock, name, task)
    for name in (b"A", b"B"):
        await say(sock, name, b"END")


async def worker(sock: RemoteSocket, name: bytes) -> None:
    """Say that it is there, and take what has its name until the end."""
    await say(sock, b"here")
    for task in [task for owner, task in TASKS if owner == name]:
        await hear(sock, task, clause=OWN)
    await hear(sock, b"END", clause=END)
