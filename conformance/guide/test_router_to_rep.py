"""A ROUTER asks REPs by name, with envelopes that it has made itself (ZeroMQ guide, chapter 3).

The guide's first edition joins the two directly. Since ZMTP 2.0 a ROUTER and a REP do not talk (RFC 15 and
37, socket types), so a DEALER stands between them for each REP and passes on all that comes.
"""

from __future__ import annotations

import pytest

from conformance.guide.routes import find
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import hear, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

ROUNDS = 5
NAMES = (b"A", b"B")
BODY = "guide/router-to-rep/body-only"
ENVELOPE = "guide/router-to-rep/same-envelope"
ENVELOPES: dict[str, list[bytes]] = {"delimiter-alone": [b""], "two-hops": [b"near hop", b"far hop", b""]}


@scenario(
    "guide/routing/router-to-rep",
    clauses=[BODY, ENVELOPE],
    legs={"streets": "post DEALER -> asker ROUTER", "doors": "answerer REP -> post DEALER"},
    needs={"post": ["option:identity"]},
)
@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_router_to_rep(stage: Stage, envelope: list[bytes]) -> None:
    """Each REP gets the body alone of what is for it, and its answer comes behind the same envelope."""
    router, posts, answering = stage.open("asker", "ROUTER"), [], []
    streets = stage.empty_leg("streets").listen(router)
    for name in NAMES:
        street, door = stage.open("post", "DEALER", identity=name), stage.open("post", "DEALER")
        answerer = stage.open("answerer", "REP")
        streets.join(street)
        stage.leg("doors", door, answerer)
        stage.play("meet", meet=find(router, name, street, envelope, BODY))
        posts += [deliver(street, door), deliver(door, street)]
        answering.append(answer(answerer, name))
    stage.play("asker", "answerers", asker=ask(router, envelope), posts=posts, answerers=answering)


async def deliver(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """Pass on whatever comes, as it comes."""
    while True:
        await say(outlet, *await receive(inlet))


async def ask(router: RemoteSocket, envelope: list[bytes]) -> None:
    """Ask all of them, and only then look at the answers."""
    for number in range(ROUNDS):
        for name in NAMES:
            await say(router, name, *envelope, b"%s, question %d" % (name, number))
        expected = [[name, *envelope, b"%s answers %d" % (name, number)] for name in NAMES]
        for _ in NAMES:
            heard = await receive(router, ENVELOPE)
            if heard not in expected:
                raise Mismatch(f"one of {', '.join(map(show_parts, expected))}", show_parts(heard), ENVELOPE)
            expected.remove(heard)


async def answer(sock: RemoteSocket, name: bytes) -> None:
    """Answer each question; the envelope is none of the application's business."""
    for number in range(ROUNDS):
        await hear(sock, b"%s, question %d" % (name, number), clause=BODY)
        await say(sock, b"%s answers %d" % (name, number))
