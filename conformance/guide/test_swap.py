"""A publisher of libzmq 2.x that goes on on disk (zmq_setsockopt of libzmq 2.2, ZMQ_HWM and ZMQ_SWAP)."""

from __future__ import annotations

import pytest

from conformance.guide.barrier import meet
from conformance.guide.durable import come, leave
from conformance.guide.floods import gather
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

MARK = 10
COUNT = 300
BODY_OCTETS = 1000
BEYOND = "guide/swap/beyond-the-mark"
IN_ORDER = "guide/swap/in-order"
SIZE = "guide/swap/size"


@scenario(
    "guide/coordination/swap",
    clauses=[BEYOND, IN_ORDER, SIZE],
    legs={"news": "subscriber SUB -> publisher PUB"},
    needs={
        "publisher": ["option:swap-octets", "option:send-hwm", "feature:durable-identity"],
        "subscriber": ["option:identity"],
    },
    at_most="1.0",
)
@pytest.mark.parametrize("swap_octets", [1 << 20, 100_000], ids=["roomy", "small"])
def test_swap(stage: Stage, swap_octets: int) -> None:
    """What is beyond the mark waits on disk for a subscriber that is away, as far as there is room."""
    publisher = stage.open("publisher", "PUB", send_hwm=MARK, swap_octets=swap_octets)
    news = stage.empty_leg("news").listen(publisher)
    subscriber = come(stage, news)
    stage.play(meet=meet(publisher, subscriber, clause=BEYOND))
    leave(news, subscriber)
    taken = publisher.flood(COUNT, BODY_OCTETS, stage.seed, publisher.peer.deadlines.delivery_s)
    if taken != COUNT:
        raise Mismatch(f"{COUNT} messages taken", str(taken), BEYOND)
    heard = gather(publisher, come(stage, news), clause=BEYOND)
    most = min(COUNT, MARK + swap_octets // BODY_OCTETS)
    least = COUNT if most == COUNT else MARK + 1
    if len(heard) < least:
        raise Mismatch(f"at least {least} messages", f"{len(heard)} of {COUNT}", BEYOND)
    if len(heard) > most:
        raise Mismatch(f"at most {most} messages kept", f"{len(heard)} of {COUNT}", SIZE)
    if heard != list(range(len(heard))):
        raise Mismatch("the first ones, in order", f"{heard}", IN_ORDER)
