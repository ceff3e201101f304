"""A ROUTER gives tasks to REQ workers that ask for them (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.guide.routes import unwrap
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

WORKERS = 3
TASKS = 12
ASKED = "guide/router-to-req/asked-only"
OWN = "guide/router-to-req/own-task"
DELIMITER = "guide/router-to-req/delimiter"


@scenario(
    "guide/routing/router-to-req",
    clauses=[ASKED, OWN, DELIMITER],
    legs={"work": "worker REQ -> boss ROUTER"},
)
def test_router_to_req(stage: Stage) -> None:
    """Each worker that asks gets a task, and END at last; who has not asked gets nothing."""
    router = stage.open("boss", "ROUTER")
    workers = [stage.open("worker", "REQ") for _ in range(WORKERS)]
    silent = stage.open("worker", "REQ")
    leg = stage.leg("work", router, *workers, silent)
    try:
        stage.play(boss=boss(router), workers=[worker(sock, number) for number, sock in enumerate(workers)])
    finally:
        expect_asked(leg, [*workers, silent])
        expect_delimiters(leg, [*workers, silent])
    stage.play(boss=boss(router, tasks=0, workers=1), late=worker(silent, WORKERS))


async def boss(sock: RemoteSocket, tasks: int = TASKS, workers: int = WORKERS) -> None:
    """Answer whoever asks: with a task that says who asked while there are any, then with END."""
    for number in range(tasks + workers):
        name, asked = unwrap(sock, await receive(sock, DELIMITER), DELIMITER)
        await say(sock, name, b"", b"for %s" % asked[0] if number < tasks else b"END")


async def worker(sock: RemoteSocket, number: int) -> None:
    """Ask for work until there is none."""
    while True:
        await say(sock, b"worker %d" % number)
        task = await receive(sock, OWN)
        if task == [b"END"]:
            return
        if task != [b"for worker %d" % number]:
            raise Mismatch(f"a task for worker {number}", show_parts(task), OWN)


def expect_asked(leg: Leg, workers: Sequence[RemoteSocket]) -> None:
    """As many tasks came on each connection as were asked for on it."""
    for sock in workers:
        asked, answered = len(leg.sent(sock)), len(leg.sent_to(sock))
        if answered > asked:
            raise Mismatch(f"{asked} messages for a worker that asked {asked} times", str(answered), ASKED)


def expect_delimiters(leg: Leg, workers: Sequence[RemoteSocket]) -> None:
    """Whatever was said went as an empty frame and a body, both ways."""
    for sock in workers:
        for parts in [*leg.sent(sock), *leg.sent_to(sock)]:
            if len(parts) != 2 or parts[0] != b"":
                raise Mismatch("an empty frame and a body", show_parts(parts), DELIMITER)
