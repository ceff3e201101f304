"""Sockets come and go a thousand times, and nothing of them is kept (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from harness.memory import Memory
from harness.peer import Peer, RemoteSocket
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
        exchange(client, server, b"%d" % cycle)
        client.close()
        client = stage.open("client", "REQ")
        client.connect(endpoint)
    exchange(client, server, b"the last")
    for role, actor in stage.actors.items():
        expect_bounded(actor, before[role])


def exchange(client: RemoteSocket, server: RemoteSocket, word: bytes) -> None:
    """Ask and answer."""
    client.send([word], clause=SERVED)
    server.expect(word, clause=SERVED)
    server.send([word], clause=SERVED)
    client.expect(word, clause=SERVED)


def expect_bounded(peer: Peer, before: Memory | None) -> None:
    """It has grown within the bounds, as far as anybody can tell."""
    now = peer.memory()
    if now is None or before is None:
        peer.trace.note(f"what {peer.title} has in memory cannot be told here")
        return
    grown = now.now_octets - before.now_octets
    if grown > MEMORY_OCTETS:
        expected = f"{peer.title} grows by at most {MEMORY_OCTETS // MIB} MiB in {CYCLES - WARM_UP} cycles"
        raise Mismatch(expected, f"{grown // MIB} MiB", MEMORY)
    if now.descriptors is None or before.descriptors is None:
        peer.trace.note(f"what {peer.title} has open cannot be told here")
    elif now.descriptors - before.descriptors > OPEN_FILES:
        expected = f"{peer.title} has at most {OPEN_FILES} descriptors more open"
        raise Mismatch(expected, f"{now.descriptors - before.descriptors} more", FILES)
