"""Faults with subscribers that come back."""

from __future__ import annotations

from conformance.guide.barrier import meet
from conformance.guide.test_durable_subscriber import (
    GONE,
    LOST,
    test_durable_subscriber,
    test_durable_subscriber_gone,
)
from harness.peer import RemoteSocket
from harness.stage.play import say
from tests.guide.mutants import broken, played_by

played_by(test_durable_subscriber, LOST, "publisher", "forgets-whoever-leaves")
played_by(test_durable_subscriber, LOST, "publisher", "delivers-what-was-kept-from-its-end")
played_by(test_durable_subscriber, LOST, "publisher", "keeps-every-other-message")


@broken(test_durable_subscriber_gone, GONE, "meet")
async def publisher_keeps_for_a_name(
    publisher: RemoteSocket, subscriber: RemoteSocket, clause: str, alone: str | None = None
) -> None:
    """Who comes back is told what it has missed, between two probes."""
    await meet(publisher, subscriber, clause=clause)
    if alone is not None:
        await say(publisher, b"0")
    await meet(publisher, subscriber, clause=clause, alone=alone)
