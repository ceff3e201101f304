"""Faults in giving tasks to who asks for them."""

from __future__ import annotations

from conformance.guide.test_router_to_req import ASKED, DELIMITER, OWN, TASKS, WORKERS, test_router_to_req
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken


@broken(test_router_to_req, OWN, "boss")
async def boss_answers_another(sock: RemoteSocket, tasks: int = TASKS, workers: int = WORKERS) -> None:
    """Of two that asked each gets the other's task."""
    first, second = await receive(sock), await receive(sock)
    await say(sock, *first[:2], b"for %s" % second[-1])
    await say(sock, *second[:2], b"for %s" % first[-1])


@broken(test_router_to_req, ASKED, "boss")
async def boss_answers_twice(sock: RemoteSocket, tasks: int = TASKS, workers: int = WORKERS) -> None:
    """Who asks once gets two tasks; a REQ drops the second one."""
    for number in range(tasks + workers):
        name, _, asked = await receive(sock)
        for _ in range(2):
            await say(sock, name, b"", b"for %s" % asked if number < tasks else b"END")


@broken(test_router_to_req, DELIMITER, "boss")
async def boss_forgets_the_delimiter(sock: RemoteSocket, tasks: int = TASKS, workers: int = WORKERS) -> None:
    """Tasks go out without the empty frame; a REQ drops them."""
    name, _, asked = await receive(sock)
    await say(sock, name, b"for %s" % asked)
