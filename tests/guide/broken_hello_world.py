"""Faults in saying hello."""

from __future__ import annotations

from conformance.guide import test_hello_world as hello
from conformance.guide.test_hello_world import (
    DELIMITER,
    EITHER_FIRST,
    LOCKSTEP,
    REPLY,
    WORKS_ON,
    test_hello_world,
)
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_hello_world, REPLY, "server", first="server")
async def server_answers_something_else(sock: RemoteSocket, tried: set[str]) -> None:
    """The third reply is another's."""
    tried.add("server")
    for number in range(hello.ROUNDS):
        await receive(sock)
        await say(sock, b"Earth" if number == 2 else b"World")


@broken(test_hello_world, WORKS_ON, "server", first="server")
async def server_stops_behind_the_error(sock: RemoteSocket, tried: set[str]) -> None:
    """The exchange in which somebody speaks out of turn is the last."""
    tried.add("server")
    for _ in range(hello.ROUNDS // 2 + 1):
        await receive(sock)
        await say(sock, b"World")


@broken(test_hello_world, EITHER_FIRST, "server", first="client")
async def server_never_comes(sock: RemoteSocket, tried: set[str]) -> None:
    """Nobody ever listens where the client dialled first."""


played_by(test_hello_world, LOCKSTEP, "client", "req-sends-twice", first="server")
played_by(test_hello_world, LOCKSTEP, "server", "rep-accepts-early-send", first="client")
played_by(test_hello_world, DELIMITER, "client", "req-sends-no-delimiter", first="server")
