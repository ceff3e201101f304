"""A broker of one cluster that shares work with those of others (ZeroMQ guide, chapter 3).

Its own clients and workers are REQs. Other brokers ask it at `cloud_front`, and it asks them by name through
`cloud_back`; that is where their answers come, too. What it tells them is how many of its workers are free.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.guide.balance import READY
from conformance.guide.routes import unwrap
from harness.peer import Parts, RemoteSocket
from harness.stage.play import poll, say


@dataclass(slots=True)
class Broker:
    """One broker: its name, its sockets, its idle workers, and what it knows of the others."""

    name: bytes
    local_front: RemoteSocket
    local_back: RemoteSocket
    cloud_front: RemoteSocket
    cloud_back: RemoteSocket
    state_front: RemoteSocket
    state_back: RemoteSocket
    clause: str
    idle: deque[bytes] = field(default_factory=deque)
    free: dict[bytes, int] = field(default_factory=dict)

    async def run(self, others: Sequence[bytes]) -> None:
        """Do what a broker does, for ever."""
        while True:
            free_elsewhere = [name for name in others if self.free.get(name, 0)]
            fronts = [self.cloud_front, self.local_front] if self.idle else []
            asked = fronts or ([self.local_front] if free_elsewhere else [])
            for sock in (await poll(self.local_back, self.cloud_back, self.state_front, *asked))[:1]:
                parts = sock.recv(clause=self.clause)
                if sock is self.state_front:
                    self.free[parts[0]] = int(parts[1])
                elif sock in (self.local_back, self.cloud_back):
                    await self.pass_back(sock, parts, others)
                else:
                    await self.pass_on(sock, parts, free_elsewhere)

    async def pass_back(self, sock: RemoteSocket, parts: Parts, others: Sequence[bytes]) -> None:
        """An answer, or that a worker is there: towards who asked, who may be another broker."""
        answer = parts[1:]
        if sock is self.local_back:
            worker, answer = unwrap(sock, parts, self.clause)
            self.idle.append(worker)
            await self.tell()
        if answer != [READY]:
            await say(self.cloud_front if answer[0] in others else self.local_front, *answer)

    async def pass_on(self, sock: RemoteSocket, parts: Parts, free_elsewhere: Sequence[bytes]) -> None:
        """A request: to a worker of one's own where one is free, else to another broker, by its name."""
        if self.idle:
            await say(self.local_back, self.idle.popleft(), b"", *parts)
            await self.tell()
        else:
            chosen = free_elsewhere[0]
            self.free[chosen] -= 1
            await say(self.cloud_back, chosen, *parts)

    async def tell(self) -> None:
        """How many workers are free now."""
        await say(self.state_back, self.name, b"%d" % len(self.idle))
