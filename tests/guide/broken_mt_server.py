"""Faults in a server of several workers."""

from __future__ import annotations

from collections import Counter

from conformance.guide.test_mt_server import CONCURRENT, OWN, ROUNDS, test_mt_server
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_mt_server, OWN, "work")
async def worker_answers_something_else(sock: RemoteSocket, name: bytes, served: Counter[bytes]) -> None:
    """The replies have nothing to do with the requests."""
    for _ in range(ROUNDS):
        await receive(sock)
        await say(sock, b"something else")


played_by(test_mt_server, CONCURRENT, "server", "dealer-prefers-one-peer")
