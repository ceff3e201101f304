"""Faults in a pipeline."""

from __future__ import annotations

from conformance.guide.crew import Worker
from conformance.guide.test_pipeline import FAIR, ONCE, SPREAD, WAITS, test_pipeline
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_pipeline, ONCE, "work", joining="at-the-start")
async def worker_does_a_task_twice(worker: Worker) -> None:
    """Task 7 leaves two results, and task 8 none."""
    while True:
        task = await receive(worker.tasks)
        await say(worker.results, worker.name, b"7" if task == [b"8"] else task[0])


played_by(test_pipeline, WAITS, "ventilator", "push-drops-without-peer", joining="at-the-start")
played_by(test_pipeline, SPREAD, "ventilator", "push-ignores-late-joiners", joining="half-way")
played_by(test_pipeline, FAIR, "sink", "pull-hears-one-peer-out", joining="at-the-start")
played_by(test_pipeline, ONCE, "ventilator", "push-copies-every-hundredth-message", joining="at-the-start")
