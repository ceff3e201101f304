"""DEALER clients and a server of ROUTER and DEALER with workers behind it (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from collections import Counter

from harness.peer import RemoteSocket, show_parts
from harness.stage.play import poll, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

CLIENTS = (b"alpha", b"beta", b"gamma")
WORKERS = 3
REQUESTS = 5
REPLIES = 3
ALL = "guide/async-server/all-replies"
OWN = "guide/async-server/own-replies"


@scenario(
    "guide/routing/async-server",
    clauses=[ALL, OWN],
    legs={"requests": "client DEALER -> server ROUTER", "tasks": "worker DEALER -> server DEALER"},
)
def test_async_server(stage: Stage) -> None:
    """Clients have several requests in flight, each with several replies: all come back to who asked."""
    front, back = stage.open("server", "ROUTER"), stage.open("server", "DEALER")
    clients = {name: stage.open("client", "DEALER") for name in CLIENTS}
    workers = [stage.open("worker", "DEALER") for _ in range(WORKERS)]
    stage.leg("requests", front, *clients.values())
    stage.leg("tasks", back, *workers)
    stage.play(
        "clients",
        server=serve(front, back),
        workers=[work(sock) for sock in workers],
        clients=[client(sock, name) for name, sock in clients.items()],
    )


async def serve(front: RemoteSocket, back: RemoteSocket) -> None:
    """Pass everything on, both ways."""
    while True:
        for sock in await poll(front, back):
            parts = sock.recv()
            await say(back if sock is front else front, *parts)


async def work(sock: RemoteSocket) -> None:
    """Answer each request several times, behind the name of who asked."""
    while True:
        name, *request = await receive(sock)
        for number in range(REPLIES):
            await say(sock, name, *request, b"reply %d" % number)


async def client(sock: RemoteSocket, name: bytes) -> None:
    """Ask everything before the first look at a reply; then take all replies, each of them once."""
    for number in range(REQUESTS):
        await say(sock, name, b"request %d" % number, clause=ALL)
    due = Counter((b"request %d" % n, b"reply %d" % m) for n in range(REQUESTS) for m in range(REPLIES))
    while due:
        whose, *heard = await receive(sock, ALL)
        if whose != name:
            raise Mismatch(f"replies for {name.decode()}", show_parts([whose, *heard]), OWN)
        if len(heard) != 2 or not due[heard[0], heard[1]]:
            raise Mismatch("each reply once", show_parts([whose, *heard]), ALL)
        due -= Counter([(heard[0], heard[1])])
