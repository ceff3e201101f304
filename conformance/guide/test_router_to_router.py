"""Two ROUTERs talk by name (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from conformance.guide.routes import find
from harness.peer import Parts, RemoteSocket, show_parts
from harness.stage.play import receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

ROUNDS = 10
BY_NAME = "guide/router-to-router/by-name"
SENDER = "guide/router-to-router/sender-is-told"


@scenario(
    "guide/routing/router-to-router",
    clauses=[BY_NAME, SENDER],
    legs={"talk": "dialer ROUTER -> listener ROUTER"},
    needs={"dialer": ["option:identity"], "listener": ["option:identity"]},
)
def test_router_to_router(stage: Stage) -> None:
    """Once the names are known, each reaches the other by name, and knows from whom a message is."""
    listener = stage.open("listener", "ROUTER", identity=b"LISTENER")
    dialer = stage.open("dialer", "ROUTER", identity=b"DIALER")
    stage.leg("talk", listener, dialer)
    stage.play(there=find(dialer, b"LISTENER", listener, clause=BY_NAME))
    stage.play(back=find(listener, b"DIALER", dialer, clause=BY_NAME))
    stage.play(dialer=talk(dialer, b"DIALER", b"LISTENER"), listener=talk(listener, b"LISTENER", b"DIALER"))


async def talk(sock: RemoteSocket, own: bytes, other: bytes) -> None:
    """Say something and hear something, in turn, without waiting for an answer to what was said."""
    for number in range(ROUNDS):
        await say(sock, other, b"%s says %d" % (own, number), clause=BY_NAME)
    for number in range(ROUNDS):
        expect_said(await receive(sock, BY_NAME), other, number)


def expect_said(heard: Parts, other: bytes, number: int) -> None:
    """This is what the other one said with this number, and says so."""
    if heard[:1] != [other]:
        raise Mismatch(f"a message from {show_parts([other])}", show_parts(heard), SENDER)
    if heard[1:] != [b"%s says %d" % (other, number)]:
        raise Mismatch(f"message {number} of {other.decode()}", show_parts(heard), BY_NAME)
