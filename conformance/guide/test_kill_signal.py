"""A pipeline whose sink stops all workers when the batch is done (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.guide.barrier import meet
from conformance.guide.crew import Worker, hire
from harness.peer import OperationRefused, RemoteSocket
from harness.stage.play import poll, receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

TASKS = 30
CREW = (b"first", b"second", b"third")
KILL = b"KILL"
DONE = "guide/kill-signal/batch-is-done"
STOPS = "guide/kill-signal/every-worker-stops"
CLEAN = "guide/kill-signal/nothing-left-behind"


@scenario(
    "guide/basics/kill-signal",
    clauses=[DONE, STOPS, CLEAN],
    legs={
        "tasks": "worker PULL -> ventilator PUSH",
        "results": "worker PUSH -> sink PULL",
        "control": "worker SUB -> sink PUB",
    },
)
def test_kill_signal(stage: Stage) -> None:
    """When the batch is done the sink publishes KILL; all workers stop, and what has ended leaves nothing."""
    ventilator = stage.open("ventilator", "PUSH")
    sink, control = stage.open("sink", "PULL"), stage.open("sink", "PUB")
    tasks, results = stage.empty_leg("tasks").listen(ventilator), stage.empty_leg("results").listen(sink)
    crew = [hire(stage, "worker", name, tasks, results) for name in CREW]
    orders = [stage.open("worker", "SUB") for _ in crew]
    for sock in orders:
        sock.subscribe(b"")
    stage.leg("control", control, *orders)
    stage.play(barrier=meet(control, *orders, clause=STOPS))
    stopped: set[bytes] = set()
    workers = [obey(worker, sock, stopped) for worker, sock in zip(crew, orders, strict=True)]
    stage.play(
        "ventilator",
        "sink",
        ventilator=share_out(ventilator),
        workers=workers,
        sink=finish(sink, control, crew, stopped),
    )
    for sock in [sink, control, *orders, *(sock for one in crew for sock in (one.tasks, one.results))]:
        sock.close()
    expect_free(stage, results.endpoint)


async def share_out(sock: RemoteSocket) -> None:
    """Send the tasks out."""
    for number in range(TASKS):
        await say(sock, b"%d" % number, clause=DONE)


async def obey(worker: Worker, orders: RemoteSocket, stopped: set[bytes]) -> None:
    """Work until the order comes to stop."""
    while True:
        for ready in await poll(worker.tasks, orders):
            parts = await receive(ready)
            if ready is worker.tasks:
                await say(worker.results, worker.name, *parts)
            elif parts == [KILL]:
                stopped.add(worker.name)
                return


async def finish(
    sink: RemoteSocket, control: RemoteSocket, crew: Sequence[Worker], stopped: set[bytes]
) -> None:
    """Take a result for each task, then tell all workers to stop."""
    missing = {b"%d" % number for number in range(TASKS)}
    for _ in range(TASKS):
        _, number = await receive(sink, DONE)
        if number not in missing:
            raise Mismatch("one result for each task", f"task {int(number)} is done again", DONE)
        missing.discard(number)
    await say(control, KILL, clause=STOPS)
    await until(lambda: len(stopped) == len(crew), "every worker stops", STOPS)


def expect_free(stage: Stage, endpoint: str) -> None:
    """Workers and sink exit in good order; who comes after the sink can listen where it did."""
    stage.leave("worker", CLEAN)
    stage.leave("sink", CLEAN)
    stage.restart("sink")
    sink = stage.open("sink", "PULL")
    port = endpoint.rsplit(":", 1)[1]
    try:
        sink.bind(sink.peer.hosts.wildcard.replace("*", port))
    except OperationRefused as refused:
        raise Mismatch(f"port {port} can be bound again", refused.actual, CLEAN) from None
