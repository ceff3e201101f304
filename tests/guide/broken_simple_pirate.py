"""Faults of workers behind a load balancer."""

from __future__ import annotations

from conformance.guide.balance import READY
from conformance.guide.routes import unwrap
from conformance.guide.test_simple_pirate import LIVING, SERVED, test_simple_pirate
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_simple_pirate, SERVED, "work")
async def pirates_worker_answers_what_nobody_asked(sock: RemoteSocket, name: bytes, clause: str) -> None:
    """Every answer is the same."""
    await say(sock, READY)
    while True:
        client, _ = unwrap(sock, await receive(sock), clause)
        await say(sock, client, b"", name, b"something else")


@broken(test_simple_pirate, LIVING, "answer")
async def survivor_poses_as_the_dead(sock: RemoteSocket, name: bytes, clause: str) -> None:
    """Answers come in the name of the worker that has died."""
    while True:
        client, request = unwrap(sock, await receive(sock), clause)
        await say(sock, client, b"", b"mortal", *request)
