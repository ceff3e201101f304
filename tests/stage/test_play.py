"""Roles side by side."""

from __future__ import annotations

from harness.bench import Bench
from harness.peer import RemoteSocket
from harness.stage.play import hear, receive, say
from harness.stage.stage import Stage
from harness.wire.trace import Trace


async def repeat(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """Pass everything on."""
    while True:
        await say(outlet, *await receive(inlet))


async def speak(sock: RemoteSocket, count: int) -> None:
    """Say numbers."""
    for number in range(count):
        await say(sock, b"%d" % number)


async def listen(sock: RemoteSocket, count: int) -> None:
    """Hear them in order."""
    for number in range(count):
        await hear(sock, b"%d" % number)


def test_several_roles_may_have_sockets_of_one_peer(bench: Bench) -> None:
    near, middle, far = bench.hold("reference", "reference", "reference")
    cast = {"near": near, "middle": middle, "far": far}
    stage = Stage(cast, Trace(), bench.hub, bench.deadlines, 1)
    speakers, listeners, repeaters = [], [], []
    for _ in range(3):
        inlet, outlet = stage.open("middle", "PAIR"), stage.open("middle", "PAIR")
        source, target = stage.open("near", "PAIR"), stage.open("far", "PAIR")
        stage.leg("in", inlet, source)
        stage.leg("out", target, outlet)
        speakers.append(speak(source, 30))
        listeners.append(listen(target, 30))
        repeaters.append(repeat(inlet, outlet))
    stage.play("speakers", "listeners", speakers=speakers, listeners=listeners, repeaters=repeaters)
    stage.finish()


async def end_with_an_answer_owed(sock: RemoteSocket) -> None:
    """Go away before it is known what became of a message."""
    sock.start_send([b"owed"])


def test_an_answer_that_nobody_waits_for_stops_nobody(bench: Bench) -> None:
    near, far = bench.hold("reference", "reference")
    stage = Stage({"near": near, "far": far}, Trace(), bench.hub, bench.deadlines, 1)
    source, target = stage.open("near", "PAIR"), stage.open("far", "PAIR")
    stage.leg("line", target, source)
    stage.play(leaver=end_with_an_answer_owed(source))
    stage.play(speaker=speak(source, 1), listener=hear_both(target))
    stage.finish()


async def hear_both(sock: RemoteSocket) -> None:
    """What the leaver and what the speaker said."""
    await hear(sock, b"owed")
    await hear(sock, b"0")
