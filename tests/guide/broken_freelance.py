"""Faults of clients and servers without a broker."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.guide.test_freelance import (
    FIRST,
    LIVING,
    NOBODY,
    STALE,
    find,
    test_freelance_1,
    test_freelance_2,
)
from harness.peer import RemoteSocket
from harness.stage.play import until
from harness.stage.stage import Leg, Stage
from tests.guide.mutants import broken


@broken(test_freelance_1, LIVING, "find")
async def client_tries_two_servers(
    stage: Stage, legs: Sequence[Leg], clause: str, expected: bytes | None
) -> None:
    """The last server is never asked."""
    await find(stage, legs[:2], clause, expected)


@broken(test_freelance_1, NOBODY, "find")
async def client_makes_an_answer_up(
    stage: Stage, legs: Sequence[Leg], clause: str, expected: bytes | None
) -> None:
    """Where nobody answers the client expects that somebody has."""
    await find(stage, legs, clause, expected or b"living")


@broken(test_freelance_2, STALE, "is_stale")
def client_takes_whatever_comes(heard: Sequence[bytes], number: int) -> bool:
    """Numbers are not looked at."""
    return False


@broken(test_freelance_2, FIRST, "serve")
async def prompt_server_is_silent(sock: RemoteSocket, name: bytes) -> None:
    """Nobody answers while the client has no answer."""
    while True:
        await until(lambda: None, "nothing")
