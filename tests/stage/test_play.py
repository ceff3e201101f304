"""Roles side by side."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from harness.bench import Bench
from harness.deadlines import Deadlines
from harness.peer import Parts, RemoteSocket
from harness.stage import play
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


def test_nor_does_it_stop_the_script_behind_the_play(bench: Bench) -> None:
    [near] = bench.hold("reference")
    stage = Stage({"near": near}, Trace(), bench.hub, bench.deadlines, 1)
    stage.play(leaver=end_with_a_question_open(stage.open("near", "PULL")))
    stage.open("near", "PAIR")
    stage.finish()


async def end_with_a_question_open(sock: RemoteSocket) -> None:
    """Go away before anything has come."""
    sock.start_recv(0.3)


async def hear_both(sock: RemoteSocket) -> None:
    """What the leaver and what the speaker said."""
    await hear(sock, b"owed")
    await hear(sock, b"0")


def test_nobody_is_overlooked_for_those_that_answer_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play, "LONGEST_TURN_S", 0.0)
    monkeypatch.setattr(play, "GLANCE_S", 0.1)
    idle, near, far = bench.hold("reference", "reference", "reference")
    stage = Stage({"idle": idle, "near": near, "far": far}, Trace(), bench.hub, Deadlines(0.3), 1)
    source, target = stage.open("near", "PAIR"), stage.open("far", "PAIR")
    stage.leg("line", target, source)
    waiting = receive(stage.open("idle", "PULL"))
    stage.play(
        "speaker", "listener", idle=forget(waiting), speaker=speak(source, 30), listener=listen(target, 30)
    )
    stage.finish()


async def forget(steps: Awaitable[Parts]) -> None:
    """Wait for something and do nothing with it."""
    await steps
