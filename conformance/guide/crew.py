"""Workers of a pipeline: each has a socket for tasks and one for results, and both are known to work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.peer import RemoteSocket, show_parts
from harness.stage.play import poll, receive, say
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

WARM_UP = b"warm-up"
HELD = b"nobody is there"  # offered to no worker; a library that cannot take it back sends it later


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker: its name, the PULL that tasks come by, and the PUSH that results leave by."""

    name: bytes
    tasks: RemoteSocket
    results: RemoteSocket


def hire(stage: Stage, role: str, name: bytes, tasks: Leg, results: Leg) -> Worker:
    """A worker of this role that has shaken hands with both sides."""
    worker = Worker(name, stage.open(role, "PULL"), stage.open(role, "PUSH"))
    tasks.join(worker.tasks)
    results.join(worker.results)
    return worker


async def warm_up(source: RemoteSocket, crew: Sequence[Worker], clause: str) -> None:
    """Send tasks that mean nothing until each of the crew had one, and let none of them be left over.

    `clause` is broken where one gets none in the time that a connection may take.
    """
    idle, under_way = {worker.tasks: worker.name for worker in crew}, 0
    deadline = source.peer.deadlines.deadline("connect")
    while idle or under_way:
        if idle:
            await say(source, WARM_UP, clause=clause)
            under_way += 1
        for sock in await poll(*(worker.tasks for worker in crew), within_s=deadline.remaining_s()):
            task = sock.recv(clause=clause)
            if task == [HELD]:
                continue
            if task != [WARM_UP]:
                raise Mismatch(f"{sock.peer.title} gets {show_parts([WARM_UP])}", show_parts(task), clause)
            idle.pop(sock, None)
            under_way -= 1
        if under_way < 0:
            raise Mismatch("each task goes to one worker", f"{-under_way} more came than were sent", clause)
        if deadline.expired:
            missing = ", ".join(name.decode() for name in idle.values())
            late = f"none for {missing or 'anybody'} within {deadline.seconds:g} s, {under_way} lost"
            raise Mismatch("a task for each worker", late, clause)


async def work(worker: Worker) -> None:
    """Pass on each task as a result, signed, for ever."""
    while True:
        task = await receive(worker.tasks)
        await say(worker.results, worker.name, *task)
