"""Faults with connections that break."""

from __future__ import annotations

from conformance.guide.barrier import meet
from conformance.guide.test_reconnect import (
    KEPT,
    MISSED,
    RESUMES,
    ROUTE,
    STALE,
    test_reconnect_pipeline,
    test_reconnect_pubsub,
    test_reconnect_reqrep,
    test_reconnect_routing,
)
from harness.peer import RemoteSocket
from harness.stage.play import say
from tests.guide.mutants import broken, played_by


@broken(test_reconnect_pubsub, MISSED, "meet")
async def publisher_says_it_again(
    publisher: RemoteSocket, subscriber: RemoteSocket, clause: str, alone: str | None = None
) -> None:
    """Who comes back is told what it has missed, between two probes."""
    await meet(publisher, subscriber, clause=clause)
    if alone is not None:
        await say(publisher, b"0")
    await meet(publisher, subscriber, clause=clause, alone=alone)


@broken(test_reconnect_routing, ROUTE, "say")
async def router_says_it_again(sock: RemoteSocket, *parts: bytes, clause: str | None = None) -> None:
    """Who comes back is told what it has missed."""
    if parts[-1] == b"back":
        await say(sock, parts[0], b"meanwhile")
    await say(sock, *parts, clause=clause)


played_by(test_reconnect_pubsub, RESUMES, "subscriber", "greets-a-publisher-once")
played_by(test_reconnect_pubsub, RESUMES, "subscriber", "never-dials-again")
played_by(test_reconnect_pipeline, RESUMES, "source", "never-dials-again")
played_by(test_reconnect_pipeline, KEPT, "source", "push-forgets-what-waits-for-reconnection")
played_by(test_reconnect_reqrep, RESUMES, "client", "never-dials-again")
played_by(test_reconnect_reqrep, STALE, "server", "rep-waits-for-its-asker")
played_by(test_reconnect_routing, RESUMES, "dealer", "never-dials-again")
played_by(test_reconnect_routing, KEPT, "dealer", "repeats-last-message-after-reconnect")
