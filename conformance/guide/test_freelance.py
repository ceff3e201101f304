"""Clients that know several servers and no broker, models one and two (ZeroMQ guide, chapter 4)."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.guide.pirate import attempt
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import receive, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Leg, Stage
from harness.verdict import Mismatch

SERVERS = ("dead", "mute", "living")
PROMPT, LATE, DEAD = "prompt", "late", "dead"
PATIENCE = 2.5
ROUNDS = 5
LIVING = "guide/freelance-1/first-living"
NOBODY = "guide/freelance-1/nobody-answers"
FIRST = "guide/freelance-2/first-answer"
STALE = "guide/freelance-2/no-stale-reply"


@scenario(
    "guide/reliability/freelance-1",
    clauses=[LIVING, NOBODY],
    legs={f"to-{name}": f"client REQ -> {name} REP" for name in SERVERS},
)
def test_freelance_1(stage: Stage) -> None:
    """The client tries one server after the other: who answers first in that order serves it."""
    servers = {name: stage.open(name, "REP") for name in SERVERS}
    legs = [stage.empty_leg(name).listen(sock) for name, sock in servers.items()]
    stage.kill("dead")
    stage.play(
        "client", server=serve(servers["living"], b"living"), client=find(stage, legs, LIVING, b"living")
    )
    stage.kill("living")
    stage.play(client=find(stage, legs, NOBODY, None))


async def serve(sock: RemoteSocket, name: bytes) -> None:
    """Give each request back, with a signature in front of its last frame."""
    while True:
        *number, request = await receive(sock)
        await say(sock, *number, name, request)


async def find(stage: Stage, legs: Sequence[Leg], clause: str, expected: bytes | None) -> None:
    """Ask each server in turn, with a socket for each, until one answers."""
    patience_s = stage.seconds(PATIENCE)
    answer, tried = None, 0
    while answer is None and tried < len(legs):
        last = tried == len(legs) - 1 and expected is not None
        sock = stage.open("client", "REQ")
        legs[tried].join(sock, wait=False)
        answer = await attempt(sock, b"who", patience_s=stage.deadlines.scene_s if last else patience_s)
        sock.close()
        tried += 1
    wanted = None if expected is None else [expected, b"who"]
    if answer != wanted:
        say_so = "no answer" if wanted is None else f"the answer {show_parts(wanted)}"
        raise Mismatch(say_so, "none" if answer is None else show_parts(answer), clause)


@scenario(
    "guide/reliability/freelance-2",
    clauses=[FIRST, STALE],
    legs={f"to-{name}": f"client DEALER -> {name} REP" for name in (PROMPT, LATE, DEAD)},
)
def test_freelance_2(stage: Stage) -> None:
    """The client asks all servers at once and takes the first answer; late ones are told by their number."""
    client = stage.open("client", "DEALER")
    servers = {name: stage.open(name, "REP") for name in (PROMPT, LATE, DEAD)}
    for name, sock in servers.items():
        stage.leg(name, sock, client)
    stage.kill(DEAD)
    taken: list[bytes] = []
    stage.play(
        "client",
        prompt=serve(servers[PROMPT], PROMPT.encode()),
        late=serve_late(servers[LATE], taken),
        client=ask_all(client, taken),
    )


async def serve_late(sock: RemoteSocket, taken: Sequence[bytes]) -> None:
    """Answer a request when its client has been served by another."""
    while True:
        number, request = await receive(sock, FIRST)
        await until(lambda at=int(number): len(taken) > at, "the client has an answer", FIRST)  # type: ignore[misc]
        await say(sock, number, LATE.encode(), request)


async def ask_all(sock: RemoteSocket, taken: list[bytes]) -> None:
    """A numbered request to every server; what comes first with its number is the answer."""
    for number in range(ROUNDS):
        request = b"request %d" % number
        for _ in (PROMPT, LATE, DEAD):
            await say(sock, b"", b"%d" % number, request, clause=FIRST)
        heard = await receive(sock, FIRST)
        while is_stale(heard, number):
            heard = await receive(sock, FIRST)
        taken.append(heard[-1])
        if heard[-1] != request:
            raise Mismatch(f"an answer to {show_parts([request])}", show_parts(heard), STALE)
        if heard != [b"", b"%d" % number, PROMPT.encode(), request]:
            raise Mismatch("an empty frame, the number, who it is, and the request", show_parts(heard), FIRST)


def is_stale(heard: Sequence[bytes], number: int) -> bool:
    """Whether an answer is to an earlier request."""
    return len(heard) > 1 and heard[1] != b"%d" % number
