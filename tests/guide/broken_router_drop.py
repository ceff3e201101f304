"""Faults of a ROUTER that is given a name that nobody has."""

from __future__ import annotations

from typing import Any

from conformance.guide.test_router_drop import (
    DROPPED,
    OTHERS,
    TOLD,
    greet,
    test_router_drop,
    test_router_drop_told,
)
from harness.peer import RemoteSocket
from harness.stage.play import hear, receive, say
from tests.guide.mutants import broken, played_by

played_by(test_router_drop, DROPPED, "router", "always-tells-of-no-route")
played_by(test_router_drop, DROPPED, "router", "router-waits-for-unknown-peer")
played_by(test_router_drop, OTHERS, "router", "router-sends-unroutable-to-anyone")
played_by(test_router_drop_told, TOLD, "router", "router-never-reports")


@broken(test_router_drop, DROPPED, "greet")
async def router_kept_what_it_could_not_deliver(
    router: RemoteSocket, dealer: RemoteSocket, name: bytes, clause: str = OTHERS
) -> None:
    """Who comes late finds what was for its name."""
    if name == b"late":
        await say(dealer, b"here")
        await say(router, (await receive(router))[0], b"lost 0")
    await greet(router, dealer, name, clause)


@broken(test_router_drop_told, OTHERS, "hear")
async def resident_hears_nothing(sock: RemoteSocket, *parts: bytes, clause: Any = None) -> None:
    """What is for who is there gets lost on the way."""
    await hear(sock, b"nothing", clause=clause)
