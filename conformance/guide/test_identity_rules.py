"""Which names may be had, from when they count, and what becomes of two with one name.

Sources: ZeroMQ guide, chapter 3, Identities and Addresses; zmq_setsockopt of libzmq 4.3, ZMQ_ROUTING_ID and
ZMQ_ROUTER_HANDOVER.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.peer import OperationRefused, Outcome, Parts, RemoteSocket, show_parts
from harness.stage.play import hear, poll, receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

NAME = b"alice"
FENCE = b"fence"
LENGTH = "guide/identity-rules/up-to-255-octets"
BEFORE = "guide/identity-rules/set-before-connecting"
HELD = "guide/identity-rules/second-is-refused"
TAKEN_OVER = "guide/identity-rules/taken-over"
TWO = {"holds": "holder DEALER -> router ROUTER", "comes": "newcomer DEALER -> router ROUTER"}
NEEDS = {"holder": ["option:identity"], "newcomer": ["option:identity"]}


@scenario(
    "guide/coordination/identity-rules",
    clauses=[LENGTH, BEFORE],
    legs={"talk": "dealer DEALER -> router ROUTER"},
    needs={"dealer": ["option:identity"]},
)
def test_identity_rules(stage: Stage) -> None:
    """A name has 255 octets at most, and counts on connections that are made once it has been set."""
    if not is_refused(lambda: stage.open("dealer", "DEALER", identity=b"x" * 256)):
        raise Mismatch("an identity of 256 octets is refused", "it is taken", LENGTH)
    before, longest = stage.open("router", "ROUTER"), b"x" * 255
    dealer = stage.open("dealer", "DEALER", identity=longest)
    stage.leg("before", before, dealer)
    stage.play(named=introduce(dealer, before, longest, LENGTH))
    if is_refused(lambda: dealer.set("identity", NAME)):
        return
    stage.play(before=introduce(dealer, before, longest, BEFORE))
    after = stage.open("router", "ROUTER")
    stage.leg("after", after, dealer)
    stage.play(named=until_heard(dealer, after, NAME))


@scenario("guide/coordination/identity-held", clauses=[HELD], legs=TWO, needs=NEEDS)
@pytest.mark.parametrize("name", [NAME, b""], ids=["chosen", "made-up"])
def test_identity_held(stage: Stage, name: bytes) -> None:
    """Who comes with a name that another has, be it one that the ROUTER has made up, does not get it."""
    no = {"handover": False} if stage.actors["router"].claims("option:handover") else {}
    router = stage.open("router", "ROUTER", **no)
    holder = stage.open("holder", "DEALER", **({"identity": name} if name else {}))
    stage.leg("holds", router, holder)
    held: list[bytes] = []
    stage.play(meet=greet(holder, router, held))
    taken: list[RemoteSocket] = []
    if is_refused(lambda: taken.append(stage.open("newcomer", "DEALER", identity=held[0]))):
        return
    stage.play(newcomer=knock(stage, router, taken[0]))
    expect_only_fence(stage, router)
    for number in range(3):
        stage.play(
            answer=say(router, held[0], b"%d" % number), holder=hear(holder, b"%d" % number, clause=HELD)
        )
    stage.play(holder=say(holder, b"still mine"), router=hear(router, held[0], b"still mine", clause=HELD))


@scenario(
    "guide/coordination/identity-taken-over",
    clauses=[TAKEN_OVER],
    legs=TWO,
    needs={**NEEDS, "router": ["option:handover"]},
)
def test_identity_taken_over(stage: Stage) -> None:
    """Where names are handed over, who comes with one that another has gets it, and all that is for it."""
    router, holder = (
        stage.open("router", "ROUTER", handover=True),
        stage.open("holder", "DEALER", identity=NAME),
    )
    holds = stage.leg("holds", router, holder)
    stage.play(meet=introduce(holder, router, NAME, TAKEN_OVER))
    holds.shut()  # or a holder that is cut off would come again, and take the name over in its turn
    newcomer = stage.open("newcomer", "DEALER", identity=NAME)
    stage.leg("comes", router, newcomer)
    stage.play(meet=introduce(newcomer, router, NAME, TAKEN_OVER))
    for number in range(3):
        stage.play(
            answer=say(router, NAME, b"%d" % number),
            newcomer=hear(newcomer, b"%d" % number, clause=TAKEN_OVER),
        )
    if holds.sent_to(holder):
        raise Mismatch(
            "nothing for who had the name before", show_parts(holds.sent_to(holder)[0]), TAKEN_OVER
        )


def is_refused(act: Callable[[], object]) -> bool:
    """Whether the library does not do it, or has no way to say it."""
    try:
        act()
    except OperationRefused:
        return True
    return False


async def introduce(dealer: RemoteSocket, router: RemoteSocket, name: bytes, clause: str) -> None:
    """The ROUTER hears a DEALER under this name."""
    await say(dealer, b"hello")
    await hear(router, name, b"hello", clause=clause)


async def until_heard(dealer: RemoteSocket, router: RemoteSocket, name: bytes) -> None:
    """Messages go to all ROUTERs by turns; one reaches this one, under this name."""
    deadline = dealer.peer.deadlines.deadline("connect")
    for wait_s in dealer.peer.deadlines.probes_s():
        await say(dealer, b"hello")
        if await poll(router, within_s=wait_s) or deadline.expired:
            break
    await hear(router, name, b"hello", clause=BEFORE)


async def greet(dealer: RemoteSocket, router: RemoteSocket, held: list[bytes]) -> None:
    """Learn what the ROUTER calls a DEALER."""
    await say(dealer, b"hello")
    held[:] = await receive(router, HELD)
    await say(router, held[0], b"welcome")
    await hear(dealer, b"welcome", clause=HELD)


async def knock(stage: Stage, router: RemoteSocket, newcomer: RemoteSocket) -> None:
    """Come, and say something if that is possible; the wire has it, or the connection has been closed."""
    leg = stage.empty_leg("comes").listen(router).join(newcomer, wait=False)
    joint = leg.of(newcomer)
    await until(
        lambda: joint.has_ended() or any(map(joint.shaken_hands, joint.tap.connections)), "a connection"
    )
    if newcomer.offer([b"mine now"], newcomer.peer.deadlines.probe_s) is Outcome.ACCEPTED:
        await until(lambda: joint.has_ended() or leg.sent(newcomer), "a message or the end of the connection")


def expect_only_fence(stage: Stage, router: RemoteSocket) -> None:
    """What the ROUTER hears up to a message of somebody else is that message alone."""
    other = stage.open("holder", "DEALER", identity=FENCE)
    stage.leg("fence", router, other)
    heard: list[Parts] = []

    async def listen() -> None:
        while not heard or heard[-1] != [FENCE, b"hello"]:
            heard.append(await receive(router, HELD))

    stage.play(fence=say(other, b"hello"), router=listen())
    if len(heard) > 1:
        raise Mismatch("nothing of who came with a name in use", show_parts(heard[0]), HELD)
