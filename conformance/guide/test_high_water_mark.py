"""Queues that are full (ZeroMQ guide, chapter 2, High-Water Marks; zmq_socket, each type's mute state).

The network stands still, so that nothing leaves but what it takes itself: `NETWORK` messages at the most, in
the buffers of the two ends of a connection and of the library.
"""

from __future__ import annotations

from conformance.guide.barrier import meet
from conformance.guide.floods import gather
from harness.peer import Outcome, RemoteSocket
from harness.stage.play import hear, say
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

MARK = 5
BODY_OCTETS = 1 << 20
NETWORK = 12
FLOOD = 60
NAME = b"alice"
LIMIT = "guide/high-water-mark/limit"
BLOCKS = "guide/high-water-mark/blocks"
DROPS = "guide/high-water-mark/drops"
KEEPS = "guide/high-water-mark/keeps-what-it-took"


@scenario(
    "guide/coordination/high-water-mark-push",
    clauses=[BLOCKS, LIMIT, KEEPS],
    legs={"tasks": "sink PULL -> source PUSH"},
    needs={"source": ["option:send-hwm"]},
)
def test_push(stage: Stage) -> None:
    """PUSH takes as much as its mark says while nobody reads, and loses none of it."""
    source, sink = stage.open("source", "PUSH", send_hwm=MARK), stage.open("sink", "PULL")
    expect_block(stage, stage.leg("tasks", source, sink), source, sink)


@scenario(
    "guide/coordination/high-water-mark-dealer",
    clauses=[BLOCKS, LIMIT, KEEPS],
    legs={"talk": "listener DEALER -> talker DEALER"},
    needs={"talker": ["option:send-hwm"]},
)
def test_dealer(stage: Stage) -> None:
    """So does DEALER."""
    talker, listener = stage.open("talker", "DEALER", send_hwm=MARK), stage.open("listener", "DEALER")
    expect_block(stage, stage.leg("talk", talker, listener), talker, listener)


@scenario(
    "guide/coordination/high-water-mark-req",
    clauses=[BLOCKS],
    legs={"requests": "server REP -> client REQ"},
)
def test_req(stage: Stage) -> None:
    """REQ takes no request while nobody is there, and no second one before the reply."""
    client, server = stage.open("client", "REQ"), stage.open("server", "REP")
    requests = stage.empty_leg("requests").listen(client)
    expect_not_taken(client.offer([b"too early"]))
    requests.join(server)
    stage.play(client=say(client, b"first", clause=BLOCKS), server=hear(server, b"first", clause=BLOCKS))
    expect_not_taken(client.offer([b"second"]))
    stage.play(server=say(server, b"reply"), client=hear(client, b"reply", clause=BLOCKS))


@scenario(
    "guide/coordination/high-water-mark-pub",
    clauses=[DROPS, LIMIT, KEEPS],
    legs={"news": "subscriber SUB -> publisher PUB"},
    needs={"publisher": ["option:send-hwm"]},
)
def test_pub(stage: Stage) -> None:
    """PUB takes everything at once, and what is beyond its mark is dropped for who does not read."""
    publisher, subscriber = stage.open("publisher", "PUB", send_hwm=MARK), stage.open("subscriber", "SUB")
    subscriber.subscribe(b"")
    news = stage.leg("news", publisher, subscriber)
    stage.play(meet=meet(publisher, subscriber, clause=KEEPS))
    expect_drop(stage, news, publisher, subscriber)


@scenario(
    "guide/coordination/high-water-mark-router",
    clauses=[DROPS, LIMIT, KEEPS],
    legs={"talk": "dealer DEALER -> router ROUTER"},
    needs={"router": ["option:send-hwm"], "dealer": ["option:identity"]},
)
def test_router(stage: Stage) -> None:
    """So does ROUTER, for a name."""
    router = stage.open("router", "ROUTER", send_hwm=MARK)
    dealer = stage.open("dealer", "DEALER", identity=NAME)
    talk = stage.leg("talk", router, dealer)
    stage.play(dealer=say(dealer, b"hello"), router=hear(router, NAME, b"hello", clause=KEEPS))
    expect_drop(stage, talk, router, dealer, NAME)


def expect_not_taken(outcome: Outcome) -> None:
    """The socket waits, or refuses."""
    if outcome not in (Outcome.WOULD_BLOCK, Outcome.REFUSED):
        raise Mismatch("a message that is not taken", outcome.value, BLOCKS)


def expect_block(stage: Stage, leg: Leg, sender: RemoteSocket, receiver: RemoteSocket) -> None:
    """The sender stops at its mark, and what it has taken arrives."""
    stage.play(sender=say(sender, b"hello", clause=KEEPS), receiver=hear(receiver, b"hello", clause=KEEPS))
    leg.hold()
    numbers = fill(sender, stage.seed)
    leg.release()
    expect_between(len(numbers), "messages taken")
    heard = gather(sender, receiver, clause=KEEPS)
    if heard != numbers:
        raise Mismatch(f"all {len(numbers)} messages, in order", f"{len(heard)}: {heard}", KEEPS)


def fill(sender: RemoteSocket, seed: int) -> list[int]:
    """Send until there is no room for a while; the numbers of the messages that were taken."""
    numbers: list[int] = []
    while len(numbers) < FLOOD:
        taken = sender.flood(FLOOD, BODY_OCTETS, seed, sender.peer.deadlines.probe_s)
        if not taken:
            return numbers
        numbers += range(taken)
    raise Mismatch("no room in the end", f"{len(numbers)} messages taken", BLOCKS)


def expect_drop(stage: Stage, leg: Leg, sender: RemoteSocket, receiver: RemoteSocket, *head: bytes) -> None:
    """The sender takes all of a flood, and the beginning of it arrives."""
    leg.hold()
    taken = sender.flood(FLOOD, BODY_OCTETS, stage.seed, sender.peer.deadlines.delivery_s, head)
    leg.release()
    if taken != FLOOD:
        raise Mismatch(f"{FLOOD} messages taken", f"{taken}", DROPS)
    heard = gather(sender, receiver, *head, clause=KEEPS)
    if heard != sorted(set(heard)):
        raise Mismatch("messages once and in order", f"{heard}", KEEPS)
    expect_between(len(heard), "messages kept")


def expect_between(count: int, what: str) -> None:
    """At least the mark, and at most what the network takes besides."""
    if not MARK <= count <= MARK + NETWORK:
        raise Mismatch(f"from {MARK} to {MARK + NETWORK} {what}", f"{count} of {FLOOD}", LIMIT)
