"""Faults in telling others how many workers are free."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.guide.test_peering_state import OTHERS, SEES, Seen, test_peering_state
from harness.peer import RemoteSocket
from harness.stage.play import pause, say
from tests.guide.mutants import broken


@broken(test_peering_state, SEES, "publish")
async def broker_tells_its_state_once(
    sock: RemoteSocket, name: bytes, known: Mapping[str, Seen], interval_s: float
) -> None:
    """A change is told to nobody."""
    await say(sock, name, b"0")
    while True:
        await pause(interval_s)


@broken(test_peering_state, OTHERS, "publish")
async def broker_speaks_for_another(
    sock: RemoteSocket, name: bytes, known: Mapping[str, Seen], interval_s: float
) -> None:
    """What it says has the name of a broker that hears it."""
    while True:
        await say(sock, b"west" if name == b"east" else b"east", b"0")
        await pause(interval_s)
