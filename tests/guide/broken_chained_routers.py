"""Faults in a chain of queues."""

from __future__ import annotations

from conformance.guide import relays
from conformance.guide.test_chained_routers import STACK, UNWINDS, test_chained_routers
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_chained_routers, STACK, "pass_on", owner=relays)
async def queue_turns_the_ids_round(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """What has two ids goes on with the older one in front."""
    while True:
        parts = await receive(inlet)
        turned = inlet.socket_type == "ROUTER" and len(parts) > 4
        await say(outlet, *([parts[1], parts[0], *parts[2:]] if turned else parts))


played_by(test_chained_routers, UNWINDS, "service", "rep-loses-envelope")
