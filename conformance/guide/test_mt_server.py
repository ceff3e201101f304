"""A server of several workers, which get their requests inside the process (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from collections import Counter
from functools import partial

from conformance.guide.relays import both_ways
from conformance.guide.test_queue import serve, warm_up
from harness.peer import RemoteSocket
from harness.stage.play import hear, receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Stage

WORKERS = (b"first", b"second", b"third", b"fourth")
ROUNDS = 3
INSIDE = "inproc://workers"
OWN = "guide/mt-server/own-replies"
CONCURRENT = "guide/mt-server/served-concurrently"


@scenario(
    "guide/intermediaries/mt-server",
    clauses=[OWN, CONCURRENT],
    legs={"requests": "client REQ -> server ROUTER", "inside": "server REP -> server DEALER"},
    needs={"server": ["transport:inproc"]},
)
def test_mt_server(stage: Stage) -> None:
    """As many clients as there are workers are served at the same time, and each gets its own replies."""
    front, back = stage.open("server", "ROUTER"), stage.open("server", "DEALER")
    back.bind(INSIDE)
    workers = [stage.open("server", "REP") for _ in WORKERS]
    for sock in workers:
        sock.connect(INSIDE)
    clients = [stage.open("client", "REQ") for _ in WORKERS]
    stage.leg("requests", front, *clients)
    served, roles = Counter[bytes](), both_ways(front, back)
    warming = [serve(sock, name, served) for sock, name in zip(workers, WORKERS, strict=True)]
    stage.play("client", client=warm_up(clients[0], WORKERS, CONCURRENT), device=roles(), workers=warming)
    served.clear()
    working = [work(sock, name, served) for sock, name in zip(workers, WORKERS, strict=True)]
    asking = [ask(sock, number) for number, sock in enumerate(clients)]
    stage.play("clients", clients=asking, device=roles(), workers=working)


async def ask(sock: RemoteSocket, number: int) -> None:
    """Ask, and get the reply to this."""
    for again in range(ROUNDS):
        await say(sock, b"request %d/%d" % (number, again), clause=OWN)
        await hear(sock, b"reply %d/%d" % (number, again), clause=OWN)


async def work(sock: RemoteSocket, name: bytes, served: Counter[bytes]) -> None:
    """Answer a request when every other worker has one, too."""
    for again in range(ROUNDS):
        [request] = await receive(sock, CONCURRENT)
        served[name] += 1
        await until(partial(all_have, served, again + 1), "all workers have requests at once", CONCURRENT)
        await say(sock, request.replace(b"request", b"reply"))


def all_have(served: Counter[bytes], count: int) -> bool:
    """Whether each worker has had so many requests."""
    return all(served[name] >= count for name in WORKERS)
