"""Faults in waiting for subscribers."""

from __future__ import annotations

from conformance.guide.test_node_coordination import (
    ANSWERED,
    HELLO,
    MESSAGES,
    NONE_MISSED,
    test_node_coordination,
)
from harness.peer import RemoteSocket
from harness.stage.play import poll, receive, say
from tests.guide.mutants import broken, played_by


@broken(test_node_coordination, NONE_MISSED, "publish")
async def publisher_waits_for_the_first_alone(
    sock: RemoteSocket, desk: RemoteSocket, expected: int, interval_s: float
) -> None:
    """What the others should have had is published before they are answered; one message is left out."""
    while not await poll(desk, within_s=interval_s):
        await say(sock, HELLO)
    await say(desk, b"welcome", *desk.recv())
    for number in range(1, MESSAGES):
        await say(sock, b"%d" % number)


@broken(test_node_coordination, ANSWERED, "publish")
async def publisher_welcomes_somebody_else(
    sock: RemoteSocket, desk: RemoteSocket, expected: int, interval_s: float
) -> None:
    """Who reports is answered by another's name."""
    while not await poll(desk, within_s=interval_s):
        await say(sock, HELLO)
    await receive(desk)
    await say(desk, b"welcome", b"nobody")


played_by(test_node_coordination, NONE_MISSED, "publisher", "serves-only-one-at-a-time")
