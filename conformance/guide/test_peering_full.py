"""Three clusters that do each other's work (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.guide.balance import READY
from conformance.guide.barrier import meet
from conformance.guide.clusters import Broker
from conformance.guide.routes import MARK, find
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

BROKERS = ("east", "west", "north")
OTHERS = {one: [other for other in BROKERS if other != one] for one in BROKERS}
BUSY = "east"
ROUNDS = 3
ONCE = "guide/peering-full/answered-once"
LOCAL = "guide/peering-full/local-first"
OVERFLOW = "guide/peering-full/overflow"
Clouds = list[tuple[str, RemoteSocket, Leg]]


@scenario(
    "guide/routing/peering-full",
    clauses=[ONCE, LOCAL, OVERFLOW],
    legs={
        "requests": f"client REQ -> {BUSY} ROUTER",
        **{f"tasks-{one}": f"worker REQ -> {one} ROUTER" for one in BROKERS},
        **{f"{one}-{other}": f"{one} ROUTER -> {other} ROUTER" for one in BROKERS for other in OTHERS[one]},
        **{f"{one}-hears-{other}": f"{one} SUB -> {other} PUB" for one in BROKERS for other in OTHERS[one]},
    },
    needs={name: ["option:identity"] for name in BROKERS},
)
def test_peering_full(stage: Stage) -> None:
    """Requests are done at home while somebody is free there, else where somebody is; each is answered."""
    brokers = {name: open_broker(stage, name) for name in BROKERS}
    clouds = join(stage, brokers)
    workers = {name: stage.open("worker", "REQ") for name in BROKERS}
    for name, sock in workers.items():
        stage.leg(f"tasks of {name}", brokers[name].local_back, sock)
    clients = [stage.open("client", "REQ") for _ in BROKERS]
    stage.leg("requests", brokers[BUSY].local_front, *clients)
    held = Held()
    try:
        stage.play(
            "clients",
            brokers=[made.run([other.encode() for other in OTHERS[name]]) for name, made in brokers.items()],
            workers=[work(sock, name.encode(), held) for name, sock in workers.items()],
            clients=ask_all(clients, brokers[BUSY], held),
        )
    finally:
        expect_one_step(clouds)


class Held:
    """Whether the worker of the busy cluster keeps what it has, and whether it has it."""

    wanted = reached = False


def open_broker(stage: Stage, name: str) -> Broker:
    """A broker's six sockets; the others know those for the cloud by its name."""
    own = name.encode()
    local_front, local_back = stage.open(name, "ROUTER"), stage.open(name, "ROUTER")
    cloud_front = stage.open(name, "ROUTER", identity=own)
    cloud_back = stage.open(name, "ROUTER", identity=own)
    state_front, state_back = stage.open(name, "SUB"), stage.open(name, "PUB")
    state_front.subscribe(b"")
    return Broker(own, local_front, local_back, cloud_front, cloud_back, state_front, state_back, ONCE)


def join(stage: Stage, brokers: Mapping[str, Broker]) -> Clouds:
    """Let each broker dial the others, until they reach each other; the legs by who dials."""
    clouds: Clouds = []
    for name, made in brokers.items():
        others = [brokers[other] for other in OTHERS[name]]
        stage.leg(f"state of {name}", made.state_back, *(other.state_front for other in others))
        leg = stage.leg(f"cloud of {name}", made.cloud_front, *(other.cloud_back for other in others))
        clouds += [(other.name.decode(), other.cloud_back, leg) for other in others]
        for other in others:
            stage.play(meet=find(other.cloud_back, made.name, made.cloud_front, clause=OVERFLOW))
    for name, made in brokers.items():
        stage.play(meet=meet(made.state_back, *(brokers[other].state_front for other in OTHERS[name])))
    return clouds


async def work(sock: RemoteSocket, name: bytes, held: Held) -> None:
    """Sign each request and give it back; the busy cluster's worker keeps one as long as is wanted."""
    await say(sock, READY)
    while True:
        *route, request = await receive(sock, ONCE)
        if held.wanted and name == BUSY.encode():
            held.reached = True
            await until(lambda: not held.wanted, "the worker may go on")
        await say(sock, *route, name, request)


async def ask_all(clients: Sequence[RemoteSocket], broker: Broker, held: Held) -> None:
    """At first one asks at a time; then one is kept waiting and the others must be served elsewhere."""
    first, *others = clients
    everywhere = [other.encode() for other in OTHERS[BUSY]]
    await until(
        lambda: broker.idle and all(broker.free.get(name) for name in everywhere), "all are there", ONCE
    )
    for number in range(ROUNDS):
        await say(first, b"home %d" % number)
        await expect_done(first, b"home %d" % number, [broker.name], LOCAL)
    for number in range(ROUNDS):
        held.wanted = True
        await say(first, b"kept %d" % number)
        await until(lambda: held.reached, "the worker has the request", LOCAL)
        for client, sock in enumerate(others):
            await say(sock, b"overflow %d of %d" % (number, client))
        for client, sock in enumerate(others):
            await expect_done(sock, b"overflow %d of %d" % (number, client), everywhere, OVERFLOW)
        held.wanted = held.reached = False
        await expect_done(first, b"kept %d" % number, [broker.name], LOCAL)


async def expect_done(sock: RemoteSocket, request: bytes, where: Sequence[bytes], clause: str) -> None:
    """The answer is to this request, and was made in one of these clusters."""
    heard = await receive(sock, ONCE)
    if heard[1:] != [request]:
        raise Mismatch(f"an answer to {show_parts([request])}", show_parts(heard), ONCE)
    if heard[0] not in where:
        raise Mismatch(f"an answer from {b' or '.join(where).decode()}", show_parts(heard), clause)


def expect_one_step(clouds: Clouds) -> None:
    """What a broker asks another has one client's name before the delimiter, and goes to one of them only."""
    seen = set[bytes]()
    for asker, sock, leg in clouds:
        for parts in leg.sent(sock):
            if parts[-1].startswith(MARK):
                continue
            if len(parts) != 3 or parts[1] != b"" or parts[2] in seen or asker != BUSY:
                raise Mismatch(f"{BUSY} asks one other broker", f"{asker} asks {show_parts(parts)}", OVERFLOW)
            seen.add(parts[2])
