"""REQ and REP say hello (ZeroMQ guide, chapter 1)."""

from __future__ import annotations

import pytest

from harness.case import Judge
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import hear, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

ROUNDS = 10
EITHER_FIRST = "guide/hello-world/either-first"
REPLY = "guide/hello-world/every-reply"
DELIMITER = "guide/hello-world/delimiter"
LOCKSTEP = "guide/hello-world/lockstep"
WORKS_ON = "guide/hello-world/works-on"


@scenario(
    "guide/basics/hello-world",
    clauses=[REPLY, DELIMITER, EITHER_FIRST, LOCKSTEP, WORKS_ON],
    legs={"requests": "client REQ -> server REP"},
)
@pytest.mark.parametrize("first", ["client", "server"])
def test_hello_world(stage: Stage, judge: Judge, first: str) -> None:
    """Ten times "Hello" is answered by "World", whoever is there first; who speaks out of turn is refused."""
    requester, replier = stage.open("client", "REQ"), stage.open("server", "REP")
    leg, tried = stage.empty_leg("requests"), set[str]()
    if first == "server":
        leg.listen(replier)
    leg.join(requester, wait=False)
    if first == "client":
        leg.listen(replier)
    try:
        stage.play(client=client(requester, tried), server=server(replier, tried))
    finally:
        expect_delimiters(leg, requester)


async def client(sock: RemoteSocket, tried: set[str]) -> None:
    """Ask, ask again too early, and take the reply."""
    for number in range(ROUNDS):
        if number == ROUNDS // 2:
            await until(lambda: "server" in tried, "the server has spoken out of turn")
        await say(sock, b"Hello", clause=blamed(number))
        if number == ROUNDS // 2:
            sock.expect_send_refused(b"Hello?", clause=LOCKSTEP)
            tried.add("client")
        await hear(sock, b"World", clause=blamed(number))


async def server(sock: RemoteSocket, tried: set[str]) -> None:
    """Speak too early, and answer each request."""
    for number in range(ROUNDS):
        if number == ROUNDS // 2:
            sock.expect_send_refused(b"World?", clause=LOCKSTEP)
            tried.add("server")
        await hear(sock, b"Hello", clause=blamed(number))
        if number == ROUNDS // 2:
            await until(lambda: "client" in tried, "the client has spoken out of turn")
        await say(sock, b"World")


def blamed(number: int) -> str:
    """What is broken where the exchange of this number fails."""
    if number == 0:
        return EITHER_FIRST
    return REPLY if number <= ROUNDS // 2 else WORKS_ON


def expect_delimiters(leg: Leg, requester: RemoteSocket) -> None:
    """Whatever was said went as an empty frame and a body, both ways."""
    for parts in [*leg.sent(requester), *leg.sent_to(requester)]:
        if len(parts) != 2 or parts[0] != b"":
            raise Mismatch("an empty frame and a body", show_parts(parts), DELIMITER)
