"""A request through several queues, one behind the other (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from itertools import cycle, islice, pairwise

from conformance.guide.relays import both_ways
from harness.peer import Parts, RemoteSocket, show_parts
from harness.stage.play import hear, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

ROUNDS = 3
STACK = "guide/chained-routers/one-id-per-hop"
UNWINDS = "guide/chained-routers/reply-unwinds"


@scenario(
    "guide/intermediaries/chained-routers",
    clauses=[STACK, UNWINDS],
    legs={
        "request": "client REQ -> near ROUTER",
        "there": "near DEALER -> far ROUTER",
        "back": "far DEALER -> near ROUTER",
        "service": "service REP -> near DEALER",
        "far-service": "service REP -> far DEALER",
    },
)
def test_chained_routers(stage: Stage) -> None:
    """Each queue puts the id of who asked in front of a request, and takes it off the reply."""
    for queues in (1, 2, 3, 4):
        ask_through(stage, queues)


def ask_through(stage: Stage, queues: int) -> None:
    """A client asks a service behind so many queues."""
    client, service = stage.open("client", "REQ"), stage.open("service", "REP")
    roles = islice(cycle(["near", "far"]), queues)
    hops = [(stage.open(role, "ROUTER"), stage.open(role, "DEALER")) for role in roles]
    wires = [Wire(stage.leg("request", hops[0][0], client), client)]
    for (_, back), (front, _) in pairwise(hops):
        wires.append(Wire(stage.leg("onward", front, back), back))
    wires.append(Wire(stage.leg("service", hops[-1][1], service), service, upstream=False))
    devices = [role for front, back in hops for role in both_ways(front, back)()]
    try:
        stage.play("client", client=ask(client), devices=devices, service=answer(service))
    finally:
        expect_stacks(wires)


class Wire:
    """What went over one leg; `upstream` says whether the dialer is at the client's side."""

    def __init__(self, leg: Leg, dialer: RemoteSocket, *, upstream: bool = True) -> None:
        self._leg = leg
        self._dialer = dialer
        self._upstream = upstream

    def requests(self) -> list[Parts]:
        """The messages towards the service."""
        return self._leg.sent(self._dialer) if self._upstream else self._leg.sent_to(self._dialer)

    def replies(self) -> list[Parts]:
        """The messages towards the client."""
        return self._leg.sent_to(self._dialer) if self._upstream else self._leg.sent(self._dialer)


async def ask(sock: RemoteSocket) -> None:
    """Ask, and get the reply."""
    for number in range(ROUNDS):
        await say(sock, b"request %d" % number, clause=STACK)
        await hear(sock, b"reply %d" % number, clause=UNWINDS)


async def answer(sock: RemoteSocket) -> None:
    """Answer each request, for ever."""
    while True:
        [request] = await receive(sock)
        await say(sock, request.replace(b"request", b"reply"))


def expect_stacks(wires: list[Wire]) -> None:
    """On each leg a request has one id more than on the leg before, and the reply has the same ones."""
    for hop, wire in enumerate(wires):
        for number, parts in enumerate(wire.requests()):
            before = wires[hop - 1].requests()[number] if hop else [b"", b"request %d" % number]
            if parts[bool(hop) :] != before or (hop and parts[0] == b""):
                raise Mismatch(f"{'an id and ' if hop else ''}{show_parts(before)}", show_parts(parts), STACK)
    for wire in wires:
        for request, parts in zip(wire.requests(), wire.replies(), strict=False):
            expected = [*request[:-1], request[-1].replace(b"request", b"reply")]
            if parts != expected:
                raise Mismatch(show_parts(expected), show_parts(parts), UNWINDS)
