"""Faults of a client that asks again, and of its server."""

from __future__ import annotations

from conformance.guide.pirate import Tried, insist
from conformance.guide.test_lazy_pirate import ANSWERED, BACK, GIVES_UP, STALE, test_lazy_pirate
from harness.peer import Parts, RemoteSocket
from harness.stage.play import receive, say
from harness.stage.stage import Leg, Stage
from tests.guide.mutants import broken


@broken(test_lazy_pirate, ANSWERED, "serve")
async def server_keeps_silent(sock: RemoteSocket, tried: Tried) -> None:
    """Requests are taken and never answered."""
    await receive(sock)
    while True:
        await receive(sock)


@broken(test_lazy_pirate, STALE, "serve")
async def server_answers_the_first_try_always(sock: RemoteSocket, tried: Tried) -> None:
    """Every answer is to an earlier try."""
    while True:
        request = await receive(sock)
        await say(sock, request[0], b"-1")


@broken(test_lazy_pirate, GIVES_UP, "insist")
async def client_gives_up_early(
    stage: Stage, role: str, leg: Leg, request: bytes, tried: Tried, tries: int, patience_s: float
) -> Parts | None:
    """Where the server is dead, one try is made instead of three."""
    tries = 1 if request == b"late" else tries
    return await insist(stage, role, leg, request, tried, tries, patience_s)


@broken(test_lazy_pirate, BACK, "insist")
async def client_never_asks_again(
    stage: Stage, role: str, leg: Leg, request: bytes, tried: Tried, tries: int, patience_s: float
) -> Parts | None:
    """Once the server was dead it is not asked any more."""
    if request == b"back":
        return None
    return await insist(stage, role, leg, request, tried, tries, patience_s)
