"""Faults in asking REPs with an envelope made by hand."""

from __future__ import annotations

from conformance.guide.test_router_to_rep import BODY, ENVELOPE, NAMES, ROUNDS, test_router_to_rep
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_router_to_rep, BODY, "ask", envelope=[b"hop", b""])
async def asker_puts_the_envelope_behind_the_delimiter(router: RemoteSocket, envelope: list[bytes]) -> None:
    """The delimiter comes first, so that the rest of the envelope is part of the question."""
    for number in range(ROUNDS):
        for name in NAMES:
            await say(router, name, b"", b"hop", b"%s, question %d" % (name, number))
        for _ in NAMES:
            await receive(router)


@broken(test_router_to_rep, ENVELOPE, "answer", envelope=[b""])
async def answerer_adds_a_frame_of_its_own(sock: RemoteSocket, name: bytes) -> None:
    """The answer has an empty frame more than its envelope."""
    await receive(sock)
    await say(sock, b"", b"%s answers 0" % name)
