"""A load balancer whose workers may die (ZeroMQ guide, chapter 4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from conformance.guide.balance import answer, balance, work
from conformance.guide.pirate import Tried, insist, patient
from harness.peer import show_parts
from harness.stage.play import until
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

PATIENCE = 2.5
REQUESTS = 4
SERVED = "guide/simple-pirate/served"
LIVING = "guide/simple-pirate/served-by-the-living"


@scenario(
    "guide/reliability/simple-pirate",
    clauses=[SERVED, LIVING],
    legs={
        "requests": "client REQ -> broker ROUTER",
        "mortal-tasks": "mortal REQ -> broker ROUTER",
        "other-tasks": "survivor REQ -> broker ROUTER",
    },
)
def test_simple_pirate(stage: Stage) -> None:
    """A worker dies while the broker counts on it: whoever asks again is served by the other one."""
    front, back = stage.open("broker", "ROUTER"), stage.open("broker", "ROUTER")
    requests, idle = stage.empty_leg("requests").listen(front), deque[bytes]()
    mortal, survivor = stage.open("mortal", "REQ"), stage.open("survivor", "REQ")
    stage.leg("tasks", back, mortal, survivor)
    stage.play(
        "client",
        broker=balance(front, back, idle, SERVED),
        workers=[work(mortal, b"mortal", SERVED), work(survivor, b"survivor", SERVED)],
        client=ask(stage, requests, idle, [b"mortal", b"survivor"], SERVED),
    )
    stage.kill("mortal")
    stage.play(
        "client",
        broker=balance(front, back, idle, SERVED),
        workers=answer(survivor, b"survivor", SERVED),
        client=ask(stage, requests, idle, [b"survivor"], LIVING),
    )


async def ask(stage: Stage, leg: Leg, idle: Sequence[bytes], alive: Sequence[bytes], clause: str) -> None:
    """Ask until all workers were idle once; each request is answered, in the end, by one that lives."""
    await until(lambda: len(idle) >= len(alive), "all workers are there", clause)
    patience_s = stage.seconds(PATIENCE)
    for number in range(REQUESTS):
        request, tried = b"request %d" % number, Tried()
        reply = await insist(stage, "client", leg, request, tried, patient(stage, patience_s), patience_s)
        if reply is None:
            raise Mismatch(f"an answer to {request.decode()}", f"none in {len(tried)} tries", clause)
        if reply[0] not in alive or reply[1:] != [request, b"%d" % (len(tried) - 1)]:
            expected = f"an answer of {b' or '.join(alive).decode()} to the last try"
            raise Mismatch(expected, show_parts(reply), clause)
    await until(lambda: len(idle) >= len(alive), "no request is left", clause)
