"""Clients that do not wait for ever: they ask again, on a new socket (ZeroMQ guide, chapter 4)."""

from __future__ import annotations

from itertools import count

from harness.deadlines import Deadline
from harness.peer import Outcome, Parts, RemoteSocket
from harness.stage.play import offer, pause, poll
from harness.stage.stage import Leg, Stage

Tried = list[bytes]


async def insist(
    stage: Stage, role: str, leg: Leg, request: bytes, tried: Tried, tries: int, patience_s: float
) -> Parts | None:
    """Ask as often as `tries`, each time with a REQ of its own; the answer, None without any.

    The first try lasts so many seconds, each other one twice as long as the one before: else a slow machine
    might never catch up with its tries. The request says the number of its try in a second frame; `tried`
    gets it before it is sent.
    """
    for number in range(tries):
        sock = stage.open(role, "REQ")
        leg.join(sock, wait=False)
        tried.append(request)
        answer = await attempt(sock, request, b"%d" % number, patience_s=patience_s * 2**number)
        sock.close()
        if answer is not None:
            return answer
    return None


async def attempt(sock: RemoteSocket, *request: bytes, patience_s: float) -> Parts | None:
    """One request and its answer; None where the time is over, with the request sent or not."""
    deadline = Deadline("patience", patience_s)
    if await offer(sock, *request, within_s=patience_s) is not Outcome.ACCEPTED:
        await pause(deadline.remaining_s())
        return None
    return sock.recv() if await poll(sock, within_s=deadline.remaining_s()) else None


def lasting_s(tries: int, patience_s: float) -> float:
    """How long so many tries take together."""
    return patience_s * (2.0**tries - 1)


def patient(stage: Stage, patience_s: float) -> int:
    """How many tries last as long as a reconnection may take."""
    return next(tries for tries in count(1) if lasting_s(tries, patience_s) > stage.deadlines.reconnect_s)
