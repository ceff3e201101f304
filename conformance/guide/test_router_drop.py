"""A ROUTER and a name that nobody has (ZeroMQ guide, chapter 3, ROUTER Error Handling)."""

from __future__ import annotations

from conformance.guide.barrier import MARK
from harness.peer import Outcome, RemoteSocket, show_parts
from harness.stage.play import hear, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

LOST = 5
DROPPED = "guide/router-drop/dropped-silently"
OTHERS = "guide/router-drop/others-are-served"
TOLD = "guide/router-drop/told-if-mandatory"
LEGS = {"here": "resident DEALER -> router ROUTER", "late": "newcomer DEALER -> router ROUTER"}
NEEDS = {"resident": ["option:identity"], "newcomer": ["option:identity"]}
TELLS = {**NEEDS, "router": ["option:mandatory"]}


@scenario("guide/coordination/router-drop", clauses=[DROPPED, OTHERS], legs=LEGS, needs=NEEDS)
def test_router_drop(stage: Stage) -> None:
    """What is sent to a name that nobody has is gone, without a word, also for who comes with it later."""
    router = stage.open("router", "ROUTER", **option(stage, mandatory=False))
    expect_dropped(stage, router, Outcome.ACCEPTED, DROPPED)


@scenario("guide/coordination/router-drop-told", clauses=[TOLD, OTHERS], legs=LEGS, needs=TELLS)
def test_router_drop_told(stage: Stage) -> None:
    """If routing is mandatory, the ROUTER says that nobody has the name; later it reaches who has it."""
    expect_dropped(stage, stage.open("router", "ROUTER", mandatory=True), Outcome.UNROUTABLE, TOLD)


def expect_dropped(stage: Stage, router: RemoteSocket, told: Outcome, clause: str) -> None:
    """Messages for a name have this outcome until somebody has it, who hears of none of them."""
    leg, resident = stage.empty_leg("here").listen(router), stage.open("resident", "DEALER", identity=b"here")
    leg.join(resident)
    stage.play(here=greet(router, resident, b"here"))
    for number in range(LOST):
        outcome = router.offer([b"late", b"lost %d" % number], router.peer.deadlines.probe_s)
        if outcome is not told:
            raise Mismatch(f"a message for nobody is {told.value}", outcome.value, clause)
        stage.play(
            router=say(router, b"here", b"%d" % number), here=hear(resident, b"%d" % number, clause=OTHERS)
        )
    newcomer = stage.open("newcomer", "DEALER", identity=b"late")
    leg.join(newcomer)
    stage.play(late=greet(router, newcomer, b"late", clause))
    stage.play(here=greet(router, resident, b"here"))


async def greet(router: RemoteSocket, dealer: RemoteSocket, name: bytes, clause: str = OTHERS) -> None:
    """A DEALER is heard under its name, and the next that it hears is the answer."""
    await say(dealer, MARK)
    heard = await receive(router, OTHERS)
    if heard != [name, MARK]:
        raise Mismatch(f"a message from {name.decode()}", show_parts(heard), OTHERS)
    await say(router, name, b"welcome", clause=OTHERS)
    await hear(dealer, b"welcome", clause=clause)


def option(stage: Stage, **wanted: bool) -> dict[str, bool]:
    """Those options that the router's peer has: one without them does as the pattern has it."""
    peer = stage.actors["router"]
    return {name: value for name, value in wanted.items() if peer.claims(f"option:{name}")}
