"""Faults in talking by name."""

from __future__ import annotations

from conformance.guide import test_router_to_router as talking
from conformance.guide.test_router_to_router import BY_NAME, SENDER, test_router_to_router
from harness.peer import Parts, RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_router_to_router, BY_NAME, "talk")
async def talker_says_the_same_always(sock: RemoteSocket, own: bytes, other: bytes) -> None:
    """The second message is the first one again."""
    for _ in range(talking.ROUNDS):
        await say(sock, other, b"%s says 0" % own)
    for number in range(talking.ROUNDS):
        heard = await receive(sock)
        talking.expect_said(heard, other, number)


@broken(test_router_to_router, SENDER, "receive")
async def names_are_confused(sock: RemoteSocket, clause: str | None = None) -> Parts:
    """Messages come under the receiver's own name."""
    return [b"NOBODY", *(await receive(sock, clause))[1:]]
