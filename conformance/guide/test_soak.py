"""Sockets come and go a thousand times, and nothing of them is kept (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from harness.memory import Memory
from harness.peer import Parts, Peer, RemoteSocket, show_parts
from harness.stage.play import pause
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

CYCLES = 1_000
WARM_UP = 200
MIB = 1 << 20
MEMORY_OCTETS = 64 * MIB
"""What a peer may have grown by behind the warm-up: heaps grow in steps, collectors of garbage come late."""
OPEN_FILES = 50
"""How many descriptors more may be open: what was closed last may still be on its way out."""
SERVED = "guide/soak/every-cycle-served"
MEMORY = "guide/soak/memory-bounded"
FILES = "guide/soak/descriptors-bounded"


@scenario(
    "guide/basics/soak",
    clauses=[SERVED, MEMORY, FILES],
    legs={"requests": "client REQ -> server REP"},
)
def test_soak(stage: Stage) -> None:
    """A client opens a socket, asks, and closes it, again and again; neither end grows with that."""
    server, client = stage.open("server", "REP"), stage.open("client", "REQ")
    leg = stage.leg("requests", server, client)
    endpoint = leg.of(client).tap.endpoint
    before: dict[str, Memory | None] = {}
    for cycle in range(CYCLES):
        if cycle == WARM_UP:
            before = {role: actor.memory() for role, actor in stage.actors.items()}
            note_blind(stage, before)
        exchange(client, server, b"%d" % cycle)
        client.close()
        client = stage.open("client", "REQ")
        client.connect(endpoint)
    exchange(client, server, b"the last")
    for role, actor in stage.actors.items():
        stage.play(measure=expect_bounded(actor, before[role]))


def note_blind(stage: Stage, before: dict[str, Memory | None]) -> None:
    """Say of whom nobody can tell what it keeps."""
    for role, found in before.items():
        if found is None or found.descriptors is None:
            stage.trace.note(f"what {stage.actors[role].title} keeps cannot be told here, or not all of it")


def exchange(client: RemoteSocket, server: RemoteSocket, word: bytes) -> None:
    """Ask and answer; who waits for something does so before it is sent."""
    coming = server.start_recv()
    client.send([word], clause=SERVED)
    expect(server.received(coming, SERVED), word)
    coming = client.start_recv()
    server.send([word], clause=SERVED)
    expect(client.received(coming, SERVED), word)


def expect(parts: Parts, word: bytes) -> None:
    """Just this word."""
    if parts != [word]:
        raise Mismatch(show_parts([word]), show_parts(parts), SERVED)


async def expect_bounded(peer: Peer, before: Memory | None) -> None:
    """It has grown within the bounds, as far as anybody can tell; what was closed last may take its time."""
    deadline = peer.deadlines.deadline("reaction")
    while excess := excess_of(peer.memory(), before):
        if deadline.expired:
            raise Mismatch(f"{peer.title} keeps nothing of {CYCLES - WARM_UP} cycles", *excess)
        await pause(peer.deadlines.probe_s)  # nothing tells of a descriptor that is closed


def excess_of(now: Memory | None, before: Memory | None) -> tuple[str, str] | None:
    """What is beyond the bounds, and the clause for it; None where nothing is, or nobody can tell."""
    if now is None or before is None:
        return None
    grown = now.now_octets - before.now_octets
    if grown > MEMORY_OCTETS:
        return f"{grown // MIB} MiB more in memory, of {MEMORY_OCTETS // MIB} allowed", MEMORY
    if now.descriptors is None or before.descriptors is None:
        return None
    opened = now.descriptors - before.descriptors
    return (f"{opened} descriptors more, of {OPEN_FILES} allowed", FILES) if opened > OPEN_FILES else None
