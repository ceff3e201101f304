"""A broker between REQ clients and REQ workers (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from conformance.guide.balance import READY, balance, work
from harness.peer import Parts, RemoteSocket, show_parts
from harness.stage.play import receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

WORKERS = (b"first", b"second", b"third")
CLIENTS = (b"alpha", b"beta", b"gamma")
TURNS = WORKERS * 2
REQUESTS = 6
ANSWERED = "guide/load-balancer/answered"
LONGEST = "guide/load-balancer/longest-idle"
ENVELOPE = "guide/load-balancer/envelope"


@scenario(
    "guide/routing/load-balancer",
    clauses=[ANSWERED, LONGEST, ENVELOPE],
    legs={"requests": "client REQ -> broker ROUTER", "tasks": "worker REQ -> broker ROUTER"},
)
def test_load_balancer(stage: Stage) -> None:
    """Each client is answered; work goes to the longest idle; each leg has the envelope that it needs."""
    front, back = stage.open("broker", "ROUTER"), stage.open("broker", "ROUTER")
    clients = [stage.open("client", "REQ") for _ in CLIENTS]
    workers = [stage.open("worker", "REQ") for _ in WORKERS]
    requests, tasks = stage.leg("requests", front, *clients), stage.leg("tasks", back, *workers)
    idle, turns = deque[bytes](), list[bytes]()
    try:
        stage.play(
            "clients",
            broker=balance(front, back, idle, ENVELOPE),
            crew=[come(workers[place], place, idle) for place in range(len(WORKERS))],
            clients=[client(clients[place], place, idle, turns) for place in range(len(CLIENTS))],
        )
    finally:
        expect_inner(requests, clients)
        expect_outer(tasks, workers)


async def come(sock: RemoteSocket, place: int, idle: Sequence[bytes]) -> None:
    """Begin to work when all those before have."""
    await until(lambda: len(idle) == place, "the worker before is there", LONGEST)
    await work(sock, WORKERS[place], ENVELOPE)


async def client(sock: RemoteSocket, place: int, idle: Sequence[bytes], turns: list[bytes]) -> None:
    """The first client asks alone, and sees who answers; then all ask side by side."""
    if place == 0:
        await until(lambda: len(idle) == len(WORKERS), "all workers are there", LONGEST)
        for expected in TURNS:
            worker, _ = await ask(sock, b"%s, turn %d" % (CLIENTS[place], len(turns)))
            if worker != expected:
                raise Mismatch(f"{expected.decode()} is idle for longest", show_parts([worker]), LONGEST)
            turns.append(worker)
    await until(lambda: len(turns) == len(TURNS), "the first client has asked alone")
    for number in range(REQUESTS):
        await ask(sock, b"%s, request %d" % (CLIENTS[place], number))


async def ask(sock: RemoteSocket, request: bytes) -> Parts:
    """The answer to a request: who did it, and the request."""
    await say(sock, request)
    heard = await receive(sock, ANSWERED)
    if len(heard) != 2 or heard[0] not in WORKERS or heard[1] != request:
        raise Mismatch(f"a worker's name and {show_parts([request])}", show_parts(heard), ANSWERED)
    return heard


def expect_inner(requests: Leg, clients: Iterable[RemoteSocket]) -> None:
    """Clients send an empty frame and a request, and get an empty frame, a name and the request."""
    for sock in clients:
        for parts in requests.sent(sock):
            expect_shape(parts, [b"", None])
        for parts in requests.sent_to(sock):
            expect_shape(parts, [b"", None, None])


def expect_outer(tasks: Leg, workers: Iterable[RemoteSocket]) -> None:
    """Workers get the client's name between two empty frames, and give it back."""
    for sock in workers:
        ready, *answers = tasks.sent(sock) or [[b"", READY]]
        expect_shape(ready, [b"", READY])
        for parts in tasks.sent_to(sock):
            expect_shape(parts, [b"", None, b"", None])
        for parts in answers:
            expect_shape(parts, [b"", None, b"", None, None])


def expect_shape(parts: Sequence[bytes], shape: Sequence[bytes | None]) -> None:
    """As many frames, and those that are given; None stands for any that is not empty."""
    fits = [
        part == wanted if wanted is not None else part != b""
        for part, wanted in zip(parts, shape, strict=False)
    ]
    if len(parts) != len(shape) or not all(fits):
        wanted = ", ".join("..." if frame is None else f'"{frame.decode()}"' for frame in shape)
        raise Mismatch(f"message [{wanted}] on the wire", show_parts(parts), ENVELOPE)
