"""Faults of brokers that share work with others, and of their workers."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.guide.balance import READY
from conformance.guide.clusters import Broker
from conformance.guide.test_peering_full import LOCAL, ONCE, OVERFLOW, Held, test_peering_full
from harness.peer import Parts, RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_peering_full, LOCAL, "pass_on", owner=Broker)
async def broker_prefers_others(
    self: Broker, sock: RemoteSocket, parts: Parts, free_elsewhere: Sequence[bytes]
) -> None:
    """A request of its own clients goes to another broker though a worker is free at home."""
    if sock is self.local_front and free_elsewhere:
        await say(self.cloud_back, free_elsewhere[0], *parts)
    else:
        await say(self.local_back, self.idle.popleft(), b"", *parts)


@broken(test_peering_full, OVERFLOW, "pass_on", owner=Broker)
async def broker_asks_all_others(
    self: Broker, sock: RemoteSocket, parts: Parts, free_elsewhere: Sequence[bytes]
) -> None:
    """What cannot be done at home is done by every other cluster; a REQ drops the second answer."""
    if self.idle:
        await say(self.local_back, self.idle.popleft(), b"", *parts)
    else:
        for name in self.free:
            await say(self.cloud_back, name, *parts)


@broken(test_peering_full, ONCE, "work")
async def cluster_answers_what_nobody_asked(sock: RemoteSocket, name: bytes, held: Held) -> None:
    """Every answer is the same."""
    await say(sock, READY)
    while True:
        *route, _ = await receive(sock)
        await say(sock, *route, name, b"something else")
