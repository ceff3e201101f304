"""Faults around the signal that ends a batch."""

from __future__ import annotations

import socket

from conformance.guide import test_kill_signal as kill
from conformance.guide.crew import Worker
from conformance.guide.test_kill_signal import CLEAN, DONE, STOPS, test_kill_signal
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from harness.stage.stage import Stage
from tests.guide.mutants import broken

_leave = Stage.leave
_squatters: list[socket.socket] = []


@broken(test_kill_signal, DONE, "share_out")
async def ventilator_shares_a_task_out_twice(sock: RemoteSocket) -> None:
    """Task 7 is task 6 again."""
    for number in range(kill.TASKS):
        await say(sock, b"%d" % (6 if number == 7 else number))


@broken(test_kill_signal, STOPS, "obey")
async def worker_obeys_nobody(worker: Worker, orders: RemoteSocket, stopped: set[bytes]) -> None:
    """The workers go on when they are told to stop."""
    while True:
        await say(worker.results, worker.name, *await receive(worker.tasks))


@broken(test_kill_signal, CLEAN, "leave", owner=Stage)
def somebody_goes_on_listening(self: Stage, role: str, clause: str | None = None) -> None:
    """When the sink has gone something else holds its port."""
    endpoint = next(leg.endpoint for leg in self.legs if leg.name == "results")
    _leave(self, role, clause)
    if role == "sink":
        port = int(endpoint.rsplit(":", 1)[1])
        _squatters.append(socket.create_server(("127.0.0.1", port)))
