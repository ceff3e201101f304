"""A queue between those who ask and those who answer (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from conformance.guide.relays import Device, both_ways
from harness.peer import Parts, RemoteSocket, show_parts
from harness.stage.play import Role, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

CLIENTS = (b"anna", b"boris", b"clara")
SERVICES = (b"first", b"second")
ROUNDS = 10
WARM_UP = b"warm-up"
OWN = "guide/queue/own-replies"
TURN = "guide/queue/services-in-turn"
ENVELOPE = "guide/queue/envelope"
LEGS = {"requests": "client REQ -> queue ROUTER", "replies": "service REP -> queue DEALER"}


@scenario("guide/intermediaries/queue", clauses=[OWN, TURN, ENVELOPE], legs=LEGS)
def test_queue(stage: Stage) -> None:
    """Each client gets the replies to its own requests, and the services are asked by turns."""
    ask_through(stage, both_ways)


def ask_through(stage: Stage, device: Device) -> None:
    """Clients ask services through the device."""
    front, back = stage.open("queue", "ROUTER"), stage.open("queue", "DEALER")
    clients = [stage.open("client", "REQ") for _ in CLIENTS]
    services = [stage.open("service", "REP") for _ in SERVICES]
    requests, replies = stage.leg("requests", front, *clients), stage.leg("replies", back, *services)
    roles, done = device(front, back), Counter[bytes]()

    def serving() -> list[Role]:
        return [serve(sock, name, done) for sock, name in zip(services, SERVICES, strict=True)]

    try:
        stage.play("warm_up", warm_up=warm_up(clients[0], SERVICES, TURN), device=roles(), services=serving())
        done.clear()
        asking = [ask(sock, name) for sock, name in zip(clients, CLIENTS, strict=True)]
        stage.play("clients", clients=asking, device=roles(), services=serving())
    finally:
        expect_envelopes(requests, clients, replies, services)
    if max(done.values()) - min(done[name] for name in SERVICES) > 1:
        raise Mismatch("services are asked by turns", str(dict(done)), TURN)


async def warm_up(sock: RemoteSocket, services: Sequence[bytes], clause: str) -> None:
    """Ask until every service has answered; `clause` is broken where one never does."""
    missing = set(services)
    deadline = sock.peer.deadlines.deadline("connect")
    while missing:
        await say(sock, WARM_UP, clause=clause)
        missing.discard(signature(await receive(sock, clause)))
        if missing and deadline.expired:
            late = f"not {b', '.join(sorted(missing)).decode()} within {deadline.seconds:g} s"
            raise Mismatch("each service is asked", late, clause)


async def ask(sock: RemoteSocket, name: bytes) -> None:
    """Ask, and get the reply that a service gave to this."""
    for number in range(ROUNDS):
        request = b"%s %d" % (name, number)
        await say(sock, request, clause=OWN)
        reply = await receive(sock, OWN)
        if reply != [signature(reply) + b" " + request]:
            raise Mismatch(
                f"{sock.peer.title} gets the reply to {show_parts([request])}", show_parts(reply), OWN
            )


async def serve(sock: RemoteSocket, name: bytes, done: Counter[bytes]) -> None:
    """Answer each request with its own words, signed, for ever."""
    while True:
        [request] = await receive(sock)
        done[name] += 1
        await say(sock, name + b" " + request)


def signature(parts: Parts) -> bytes:
    """Who has answered: the first word."""
    return parts[-1].split(b" ")[0]


def expect_envelopes(
    requests: Leg, clients: Sequence[RemoteSocket], replies: Leg, services: Sequence[RemoteSocket]
) -> None:
    """A client's messages have a delimiter; a service's have in front of it the client's id, one for each."""
    for sock in clients:
        for parts in [*requests.sent(sock), *requests.sent_to(sock)]:
            if len(parts) != 2 or parts[0] != b"":
                raise Mismatch("an empty frame and a body for a client", show_parts(parts), ENVELOPE)
    ids: dict[bytes, set[bytes]] = {name: set() for name in CLIENTS}
    for sock in services:
        for parts in [*replies.sent_to(sock), *replies.sent(sock)]:
            if len(parts) != 3 or parts[0] == b"" or parts[1] != b"":
                raise Mismatch("an id, an empty frame, and a body for a service", show_parts(parts), ENVELOPE)
            for name in CLIENTS:
                if name in parts[2].split(b" "):
                    ids[name].add(parts[0])
    seen = [each for own in ids.values() for each in own]
    if len(seen) != len(set(seen)) or any(len(own) > 1 for own in ids.values()):
        raise Mismatch("one id for each client", show_parts(seen), ENVELOPE)
