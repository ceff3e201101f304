"""The load balancer: work goes to the worker that has been idle for longest (ZeroMQ guide, chapter 3).

Workers are REQs: READY asks for the first task, and each answer for the next one.
"""

from __future__ import annotations

from collections import deque

from conformance.guide.routes import post, unwrap
from harness.peer import RemoteSocket
from harness.stage.play import poll, receive, say

READY = b"READY"


async def balance(front: RemoteSocket, back: RemoteSocket, idle: deque[bytes], clause: str) -> None:
    """Share out the requests of a ROUTER's clients among the workers of another, for ever.

    `idle` has the workers' names, the longest idle first. `clause` is broken where a message of either side
    is not a name, an empty frame and more.
    """
    while True:
        for sock in await poll(back, *([front] if idle else [])):
            parts = sock.recv(clause=clause)
            name, rest = unwrap(sock, parts, clause)
            if sock is back:
                idle.append(name)
                if rest != [READY]:
                    await post(front, *rest)
            else:
                await post(back, idle.popleft(), b"", name, b"", *rest)


async def work(sock: RemoteSocket, name: bytes, clause: str) -> None:
    """A worker: it says that it is there, and answers each request with its own name in front, for ever."""
    await say(sock, READY)
    await answer(sock, name, clause)


async def answer(sock: RemoteSocket, name: bytes, clause: str) -> None:
    """What a worker does that has said that it is there."""
    while True:
        client, request = unwrap(sock, await receive(sock, clause), clause)
        await say(sock, client, b"", name, *request)
