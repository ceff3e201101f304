"""Connections that break are made again by who dialled, and each type of socket keeps what it keeps.

Sources: ZeroMQ guide, chapter 1, Why We Needed ZeroMQ (peers come and go), chapter 2, Messaging Patterns;
zmq_socket of libzmq 4.3. PAIR is left out: the manual gives it no reconnection.
"""

from __future__ import annotations

from conformance.guide.barrier import meet
from conformance.guide.durable import keeps_for
from harness.peer import Outcome, RemoteSocket, show_parts
from harness.stage.play import hear, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

AWAY = 5
NAME = b"alice"
RESUMES = "guide/reconnect/resumes"
MISSED = "guide/reconnect/published-is-missed"
KEPT = "guide/reconnect/queue-is-kept"
STALE = "guide/reconnect/reply-is-dropped"
ROUTE = "guide/reconnect/route-comes-back"


@scenario(
    "guide/coordination/reconnect-pubsub",
    clauses=[RESUMES, MISSED],
    legs={"news": "subscriber SUB -> publisher PUB"},
)
def test_reconnect_pubsub(stage: Stage) -> None:
    """A subscriber is subscribed again by itself, and misses what is published while it is away."""
    publisher, subscriber = stage.open("publisher", "PUB"), stage.open("subscriber", "SUB")
    subscriber.subscribe(b"")
    news = stage.leg("news", publisher, subscriber)
    stage.play(meet=meet(publisher, subscriber, clause=RESUMES))
    news.part(RESUMES)
    for number in range(AWAY):
        stage.play(publisher=say(publisher, b"%d" % number))
    news.rejoin(RESUMES)
    stage.play(meet=meet(publisher, subscriber, clause=RESUMES, alone=MISSED))


@scenario(
    "guide/coordination/reconnect-pipeline",
    clauses=[RESUMES, KEPT],
    legs={"tasks": "source PUSH -> sink PULL"},
)
def test_reconnect_pipeline(stage: Stage) -> None:
    """What a PUSH takes while its PULL is away waits for it."""
    source, sink = stage.open("source", "PUSH"), stage.open("sink", "PULL")
    tasks = stage.leg("tasks", sink, source)
    stage.play(source=say(source, b"before"), sink=hear(sink, b"before", clause=RESUMES))
    tasks.part(RESUMES)
    waiting = [*take(source), b"after"]
    tasks.rejoin(RESUMES)
    stage.play(source=say(source, b"after", clause=RESUMES), sink=expect_all(sink, waiting))


@scenario(
    "guide/coordination/reconnect-reqrep",
    clauses=[RESUMES, STALE],
    legs={"requests": "client REQ -> server REP"},
)
def test_reconnect_reqrep(stage: Stage) -> None:
    """Requests go on; a reply for who has gone is dropped, and REP serves the next."""
    client, server = stage.open("client", "REQ"), stage.open("server", "REP")
    requests = stage.leg("requests", server, client)
    stage.play(client=ask(client, b"before"), server=answer(server, b"before"))
    requests.part(RESUMES)
    requests.rejoin(RESUMES)
    stage.play(client=ask(client, b"after"), server=answer(server, b"after"))
    stage.play(client=say(client, b"lost"), server=hear(server, b"lost", clause=RESUMES))
    requests.part(RESUMES)
    client.close()
    server.send([b"for lost"], clause=STALE)
    requests.rejoin()
    fresh = stage.open("client", "REQ")
    requests.join(fresh)
    stage.play(client=ask(fresh, b"again", STALE), server=answer(server, b"again", STALE))


@scenario(
    "guide/coordination/reconnect-routing",
    clauses=[RESUMES, KEPT, ROUTE],
    legs={"talk": "dealer DEALER -> router ROUTER"},
    needs={"dealer": ["option:identity"]},
)
def test_reconnect_routing(stage: Stage) -> None:
    """A DEALER that comes back is reached by its name; what was sent to the name meanwhile is gone."""
    router, dealer = stage.open("router", "ROUTER"), stage.open("dealer", "DEALER", identity=NAME)
    talk = stage.leg("talk", router, dealer)
    stage.play(dealer=say(dealer, b"before"), router=hear(router, NAME, b"before", clause=RESUMES))
    durable = keeps_for(router, talk.of(dealer))
    talk.part(RESUMES)
    outcomes = [router.offer([NAME, b"meanwhile"]) for _ in range(AWAY)]
    waiting = [*take(dealer), b"after"]
    talk.rejoin(RESUMES)
    stage.play(dealer=say(dealer, b"after", clause=RESUMES), router=expect_all(router, waiting, NAME))
    kept = outcomes.count(Outcome.ACCEPTED) if durable else 0
    stage.play(
        router=say(router, NAME, b"back"),
        dealer=expect_all(dealer, [b"meanwhile"] * kept + [b"back"], clause=ROUTE),
    )


def take(sock: RemoteSocket) -> list[bytes]:
    """Offer messages to a socket whose partner is away; those that it has taken."""
    numbers = [b"%d" % number for number in range(AWAY)]
    return [number for number in numbers if sock.offer([number]) is Outcome.ACCEPTED]


async def expect_all(sock: RemoteSocket, bodies: list[bytes], *name: bytes, clause: str = KEPT) -> None:
    """These arrive, in order, once."""
    for body in bodies:
        heard = await receive(sock, clause)
        if heard != [*name, body]:
            raise Mismatch(f"{sock.peer.title} gets {show_parts([*name, body])}", show_parts(heard), clause)


async def ask(sock: RemoteSocket, body: bytes, clause: str = RESUMES) -> None:
    """One exchange, as the client sees it."""
    await say(sock, body, clause=clause)
    await hear(sock, b"for " + body, clause=clause)


async def answer(sock: RemoteSocket, body: bytes, clause: str = RESUMES) -> None:
    """One exchange, as the server sees it."""
    await hear(sock, body, clause=clause)
    await say(sock, b"for " + body, clause=clause)
