"""Faults in handing out work by name."""

from __future__ import annotations

from conformance.guide.test_router_to_dealer import END, OWN, TASKS, test_router_to_dealer
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_router_to_dealer, OWN, "boss")
async def boss_confuses_the_names(sock: RemoteSocket) -> None:
    """All work goes to A."""
    for _ in range(2):
        await receive(sock)
    for _, task in TASKS:
        await say(sock, b"A", task)


@broken(test_router_to_dealer, END, "boss")
async def boss_hands_out_one_too_many(sock: RemoteSocket) -> None:
    """Where END should be there is another task."""
    for _ in range(2):
        await receive(sock)
    for name, task in [*TASKS, (b"A", b"more"), (b"B", b"more")]:
        await say(sock, name, task)
