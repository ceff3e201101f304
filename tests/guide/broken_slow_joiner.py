"""Faults around a subscriber that joins late."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.guide import test_slow_joiner as slow
from conformance.guide.test_slow_joiner import NO_GAP, NOTHING_EARLIER, RESUMES, test_slow_joiner
from harness.peer import RemoteSocket
from harness.stage.play import pause, say
from harness.stage.stage import Stage
from tests.guide.mutants import broken, played_by

_open = Stage.open


@broken(test_slow_joiner, NOTHING_EARLIER, "open", owner=Stage)
def subscriber_has_asked_for_all_before(self: Stage, role: str, socket_type: str) -> RemoteSocket:
    """The subscriber wants everything from the beginning: what was published meanwhile waits."""
    sock = _open(self, role, socket_type)
    if role == "subscriber":
        sock.subscribe(b"")
    return sock


@broken(test_slow_joiner, NO_GAP, "publish")
async def publisher_leaves_every_seventh_out(
    sock: RemoteSocket, numbers: Iterable[int], interval_s: float
) -> None:
    """Some numbers are not published."""
    for number in numbers:
        if number % 7:
            await say(sock, b"%d" % number)
        await pause(interval_s)


@broken(test_slow_joiner, RESUMES, "publish")
async def publisher_is_silent_in_its_second_life(
    sock: RemoteSocket, numbers: Iterable[int], interval_s: float
) -> None:
    """Who has come back says nothing any more."""
    for number in numbers:
        if number >= slow.SECOND_LIFE:
            return
        await say(sock, b"%d" % number)
        await pause(interval_s)


played_by(test_slow_joiner, RESUMES, "subscriber", "never-dials-again")
