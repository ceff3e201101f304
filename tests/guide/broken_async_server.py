"""Faults of a server with several requests in flight."""

from __future__ import annotations

from conformance.guide.test_async_server import ALL, OWN, test_async_server
from harness.peer import RemoteSocket
from harness.stage.play import poll, receive, say
from tests.guide.mutants import broken


@broken(test_async_server, ALL, "work")
async def worker_answers_each_request_once(sock: RemoteSocket) -> None:
    """Of several replies only the first is sent."""
    while True:
        await say(sock, *await receive(sock), b"reply 0")


@broken(test_async_server, OWN, "serve")
async def server_answers_who_asked_last(front: RemoteSocket, back: RemoteSocket) -> None:
    """Replies go to the client whose request came last."""
    last = b""
    while True:
        for sock in await poll(front, back):
            name, *parts = sock.recv()
            last = name if sock is front else last
            await say(back if sock is front else front, last, *parts)
