"""A client whose server is slow, dies, and comes back (ZeroMQ guide, chapter 4)."""

from __future__ import annotations

import time

from conformance.guide.pirate import Tried, insist, lasting_s, patient
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

TRIES = 3
PATIENCE = 2.5
ANSWERED = "guide/lazy-pirate/answered"
STALE = "guide/lazy-pirate/no-stale-reply"
GIVES_UP = "guide/lazy-pirate/gives-up"
BACK = "guide/lazy-pirate/back"


@scenario(
    "guide/reliability/lazy-pirate",
    clauses=[ANSWERED, STALE, GIVES_UP, BACK],
    legs={"requests": "client REQ -> server REP"},
)
def test_lazy_pirate(stage: Stage) -> None:
    """The client asks again on a new socket, takes no answer to an earlier try, and gives up in the end."""
    server = stage.open("server", "REP")
    leg, tried = stage.empty_leg("requests").listen(server), Tried()
    stage.play("client", server=serve(server, tried), client=trust(stage, leg, tried))
    stage.kill("server")
    stage.play(client=give_up(stage, leg, tried))
    stage.restart("server")
    back = stage.open("server", "REP")
    leg.listen(back)
    stage.play("client", server=serve(back, tried), client=succeed(stage, leg, b"back", tried, BACK))


async def serve(sock: RemoteSocket, tried: Tried) -> None:
    """Give each request back; a slow one when its client has lost patience."""
    while True:
        request = await receive(sock)
        if request[0] == b"slow":
            await until(lambda: tried.count(b"slow") > 1, "the client asks again", ANSWERED)
        await say(sock, *request)


async def trust(stage: Stage, leg: Leg, tried: Tried) -> None:
    """The server is there, and answers even if it is slow."""
    for request in (b"early", b"slow"):
        await succeed(stage, leg, request, tried, ANSWERED)


async def succeed(stage: Stage, leg: Leg, request: bytes, tried: Tried, clause: str) -> None:
    """Ask until there is an answer: it is to the last try."""
    patience_s = stage.seconds(PATIENCE)
    answer = await insist(stage, "client", leg, request, tried, patient(stage, patience_s), patience_s)
    if answer is None:
        raise Mismatch(f"an answer to {request.decode()}", f"none in {tried.count(request)} tries", clause)
    expected = [request, b"%d" % (tried.count(request) - 1)]
    if answer != expected:
        raise Mismatch(f"the answer {show_parts(expected)}", show_parts(answer), STALE)


async def give_up(stage: Stage, leg: Leg, tried: Tried) -> None:
    """Nobody answers: all tries are made, and take their time."""
    patience_s, began = stage.seconds(PATIENCE), time.monotonic()
    answer = await insist(stage, "client", leg, b"late", tried, TRIES, patience_s)
    took_s = time.monotonic() - began
    if answer is not None:
        raise Mismatch("no answer of a server that has gone", show_parts(answer), GIVES_UP)
    least_s = lasting_s(TRIES, patience_s)
    most_s = least_s + TRIES * stage.deadlines.delivery_s
    if tried.count(b"late") != TRIES or not least_s <= took_s <= most_s:
        expected = f"{TRIES} tries in {least_s:g} to {most_s:g} s"
        raise Mismatch(expected, f"{tried.count(b'late')} in {took_s:.3f} s", GIVES_UP)
