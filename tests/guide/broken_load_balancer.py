"""Faults of brokers and workers."""

from __future__ import annotations

from collections import deque

from conformance.guide.balance import READY
from conformance.guide.routes import unwrap
from conformance.guide.test_load_balancer import ANSWERED, ENVELOPE, LONGEST, test_load_balancer
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_load_balancer, LONGEST, "deque")
class IdleWorkersAreAStack(deque[bytes]):
    """Work goes to the worker that has been idle for the shortest time."""

    def popleft(self) -> bytes:
        """The last one."""
        return self.pop()


@broken(test_load_balancer, ANSWERED, "work")
async def worker_answers_what_nobody_asked(sock: RemoteSocket, name: bytes, clause: str) -> None:
    """Every answer is the same."""
    await say(sock, READY)
    while True:
        client, _ = unwrap(sock, await receive(sock), clause)
        await say(sock, client, b"", name, b"something else")


@broken(test_load_balancer, ENVELOPE, "work")
async def worker_leaves_out_the_inner_delimiter(sock: RemoteSocket, name: bytes, clause: str) -> None:
    """Behind the client's name comes the answer at once; a REQ drops that."""
    await say(sock, READY)
    client, request = unwrap(sock, await receive(sock), clause)
    await say(sock, client, name, *request)
