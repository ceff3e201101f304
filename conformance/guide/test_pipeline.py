"""Divide and conquer: a ventilator, workers, and a sink (ZeroMQ guide, chapter 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from conformance.guide.crew import HELD, Worker, hire, warm_up, work
from harness.peer import Outcome, RemoteSocket, show_parts
from harness.stage.play import receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

TASKS = 100
END = b"end"
ONCE = "guide/pipeline/each-once"
WAITS = "guide/pipeline/waits-for-workers"
SPREAD = "guide/pipeline/spread"
FAIR = "guide/pipeline/fair-queue"


@scenario(
    "guide/basics/pipeline",
    clauses=[ONCE, WAITS, SPREAD, FAIR],
    legs={
        "tasks": "worker PULL -> ventilator PUSH",
        "results": "worker PUSH -> sink PULL",
        "late-tasks": "latecomer PULL -> ventilator PUSH",
        "late-results": "latecomer PUSH -> sink PULL",
    },
)
@pytest.mark.parametrize("joining", ["at-the-start", "half-way"])
def test_pipeline(stage: Stage, joining: str) -> None:
    """A hundred tasks are shared out among all workers, and each is done once; without workers they wait."""
    ventilator, sink = stage.open("ventilator", "PUSH"), stage.open("sink", "PULL")
    tasks, results = stage.empty_leg("tasks").listen(ventilator), stage.empty_leg("results").listen(sink)
    expect_waiting(ventilator)
    crew = [hire(stage, "worker", name, tasks, results) for name in (b"first", b"second")]
    stage.play(warm_up=warm_up(ventilator, crew, SPREAD))
    half = TASKS // 2 if joining == "half-way" else 0
    if half:
        run(stage, ventilator, crew, results, range(half))
    crew.append(hire(stage, "latecomer", b"third", tasks, results))
    stage.play(warm_up=warm_up(ventilator, crew, SPREAD))
    run(stage, ventilator, crew, results, range(half, TASKS))
    done = Counter[bytes]()
    stage.play(sink=collect(sink, crew, done))
    expect_spread(done, [half, half, 0], TASKS - half)


def expect_waiting(ventilator: RemoteSocket) -> None:
    """Nobody is there to work: the socket takes no task."""
    outcome = ventilator.offer([HELD])
    if outcome is not Outcome.WOULD_BLOCK:
        raise Mismatch("a send without workers waits", outcome.value, WAITS)


def run(stage: Stage, source: RemoteSocket, crew: Sequence[Worker], results: Leg, numbers: range) -> None:
    """Let the crew do these tasks; all results are on their way to the sink then, and none is read."""

    async def all_done() -> None:
        sent = [worker.results for worker in crew]
        await until(
            lambda: sum(len(results.sent(sock)) for sock in sent) >= numbers.stop,
            "a result for each task",
            ONCE,
        )

    workers = [work(worker) for worker in crew]
    stage.play("ventilator", "done", ventilator=share_out(source, numbers), workers=workers, done=all_done())


async def share_out(sock: RemoteSocket, numbers: range) -> None:
    """Send the tasks out, whoever gets them."""
    for number in numbers:
        await say(sock, b"%d" % number, clause=ONCE)


async def collect(sink: RemoteSocket, crew: Sequence[Worker], done: Counter[bytes]) -> None:
    """Take a result for each task, whose signatures are counted: by half time all workers have been heard."""
    numbers = []
    for taken in range(TASKS):
        name, number = await receive(sink, ONCE)
        numbers.append(int(number))
        done[name] += 1
        if taken == TASKS // 2 and len(done) < len(crew):
            raise Mismatch("the sink hears all workers side by side", f"{dict(done)} of {TASKS}", FAIR)
    if sorted(numbers) != list(range(TASKS)):
        twice = [number for number, times in Counter(numbers).items() if times > 1]
        raise Mismatch("each task is done once", f"{twice} are done more than once", ONCE)
    for worker in crew:
        await say(worker.results, worker.name, END)
    for _ in crew:
        last = await receive(sink, ONCE)
        if last[1:] != [END]:
            raise Mismatch(f"no more than {TASKS} results", show_parts(last), ONCE)


def expect_spread(done: Counter[bytes], before: Sequence[int], rest: int) -> None:
    """Each worker had at least half of its fair share, in the time when it was there."""
    names = (b"first", b"second", b"third")
    for name, early in zip(names, before, strict=True):
        least = (early // 2 + rest // 3) // 2
        if done[name] < least:
            actual = f"{done[name]} of {TASKS}"
            raise Mismatch(f"{name.decode()} does at least {least} tasks", actual, SPREAD)
