"""Faults in polling two sources."""

from __future__ import annotations

from conformance.guide.test_poll_two_sources import BOTH, EACH, NEITHER, test_poll_two_sources
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_poll_two_sources, BOTH, "speak")
async def sources_stop_before_the_end(sock: RemoteSocket) -> None:
    """The last message is an earlier one again."""
    for number in range(EACH):
        await say(sock, b"%d" % min(number, EACH - 2))


@broken(test_poll_two_sources, NEITHER, "read")
async def reader_empties_one_source_first(
    tasks: RemoteSocket, weather: RemoteSocket, got: list[RemoteSocket]
) -> None:
    """The weather is read when there are no tasks left."""
    for sock in (tasks, weather):
        for _ in range(EACH):
            await receive(sock)
            got.append(sock)
