"""Faults in a queue, scripted and built in."""

from __future__ import annotations

from collections import Counter

from conformance.guide import test_queue as queue
from conformance.guide.test_built_in_proxy import test_built_in_queue
from conformance.guide.test_queue import ENVELOPE, OWN, TURN, WARM_UP, test_queue
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_queue, OWN, "serve")
async def service_answers_something_else(sock: RemoteSocket, name: bytes, done: Counter[bytes]) -> None:
    """The fifth reply of a service has nothing to do with its request."""
    while True:
        [request] = await receive(sock)
        done[name] += 1
        await say(sock, name + b" " + (b"another" if request != WARM_UP and done[name] == 5 else request))


@broken(test_built_in_queue, OWN, "serve", owner=queue)
async def service_answers_something_else_to_a_proxy(
    sock: RemoteSocket, name: bytes, done: Counter[bytes]
) -> None:
    """The fifth reply of a service has nothing to do with its request."""
    await service_answers_something_else(sock, name, done)


played_by(test_queue, TURN, "queue", "dealer-prefers-one-peer")
played_by(test_built_in_queue, TURN, "queue", "dealer-prefers-one-peer")
played_by(test_queue, ENVELOPE, "client", "req-sends-no-delimiter")
played_by(test_built_in_queue, ENVELOPE, "service", "rep-loses-envelope")
