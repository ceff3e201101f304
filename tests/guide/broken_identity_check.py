"""Faults with names."""

from __future__ import annotations

from conformance.guide.test_identity_check import (
    CHOSEN,
    ENVELOPE,
    MADE_UP,
    WAY_BACK,
    test_identity_check,
)
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by

played_by(test_identity_check, ENVELOPE, "host", "router-strips-delimiter")
played_by(test_identity_check, ENVELOPE, "stranger", "req-sends-no-delimiter")
played_by(test_identity_check, CHOSEN, "host", "router-ignores-identity")
played_by(test_identity_check, CHOSEN, "friend", "keeps-identity-to-itself")


@broken(test_identity_check, MADE_UP, "expect_same")
def names_made_up_are_text(name: bytes, seen: list[bytes]) -> None:
    """The name of who has none is like those that are chosen."""
    seen[:] = [b"guest"]


@broken(test_identity_check, WAY_BACK, "serve")
async def host_answers_the_question_before(sock: RemoteSocket, seen: list[bytes]) -> None:
    """Every answer has the number before."""
    while True:
        name, _, request = await receive(sock)
        await say(sock, name, b"", b"for %s before" % request)
