"""A signal is passed from one step to the next between PAIR sockets (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.hosts import LOOPBACK
from harness.peer import RemoteSocket
from harness.stage.play import hear, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage

SIGNAL = b"READY"
FENCE = (b"fence", b"last fence")
BOTH_HOPS = "guide/pair-relay/signal-arrives"
EXCLUSIVE = "guide/pair-relay/second-peer-unserved"
LEGS = {"to-second": "first PAIR -> second PAIR", "to-third": "second PAIR -> third PAIR"}
INSIDE = {"inside": "relay PAIR -> relay PAIR"}


@scenario("guide/basics/pair-relay", clauses=[BOTH_HOPS, EXCLUSIVE], legs=LEGS)
def test_pair_relay(stage: Stage) -> None:
    """The signal comes through both hops; who dials a PAIR that has a partner is not served."""
    first, second = stage.open("first", "PAIR"), stage.open("second", "PAIR")
    onward, third = stage.open("second", "PAIR"), stage.open("third", "PAIR")
    leg = stage.leg("to-second", second, first)
    stage.leg("to-third", third, onward)
    relay(stage, first, second, onward, third)
    intruder = stage.open("first", "PAIR")
    leg.join(intruder, wait=False)
    intruder.offer([b"intruder"])
    joint = leg.of(intruder)
    joint.wait_for(lambda: joint.tap.connections and joint.seen_of(second), "the intruder is met", EXCLUSIVE)
    stage.play(first=send_fence(first), second=expect_fence(second))


@scenario(
    "guide/basics/pair-relay-ipc",
    clauses=[BOTH_HOPS],
    legs=LEGS,
    needs={role: ["transport:ipc"] for role in ("first", "second", "third")},
)
def test_pair_relay_ipc(stage: Stage) -> None:
    """The same between processes of one machine."""
    if any(actor.hosts != LOOPBACK for actor in stage.actors.values()):
        pytest.skip("peers in containers share no files")
    first, second = stage.open("first", "PAIR"), stage.open("second", "PAIR")
    onward, third = stage.open("second", "PAIR"), stage.open("third", "PAIR")
    with endpoints("ipc") as (near, far):
        join(near, second, first)
        join(far, third, onward)
        relay(stage, first, second, onward, third)


@scenario(
    "guide/basics/pair-relay-inproc",
    clauses=[BOTH_HOPS],
    legs=INSIDE,
    needs={"relay": ["transport:inproc"]},
)
def test_pair_relay_inproc(stage: Stage) -> None:
    """The same between parts of one process."""
    first, second, onward, third = (stage.open("relay", "PAIR") for _ in range(4))
    join("inproc://to-second", second, first)
    join("inproc://to-third", third, onward)
    relay(stage, first, second, onward, third)


@contextmanager
def endpoints(transport: str) -> Iterator[tuple[str, str]]:
    """Two of them, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="zconform-") as folder:
        yield f"{transport}://{Path(folder) / 'near'}", f"{transport}://{Path(folder) / 'far'}"


def join(endpoint: str, listener: RemoteSocket, dialer: RemoteSocket) -> None:
    """Connect the two where no tap can stand."""
    dialer.connect(listener.bind(endpoint))


def relay(
    stage: Stage, first: RemoteSocket, second: RemoteSocket, onward: RemoteSocket, third: RemoteSocket
) -> None:
    """The first step signals to the second, that to the third."""
    stage.play(first=signal(first), second=pass_signal(second, onward), third=await_signal(third))


async def signal(sock: RemoteSocket) -> None:
    """Say that one is ready."""
    await say(sock, SIGNAL, clause=BOTH_HOPS)


async def pass_signal(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """Say so when the step before is ready."""
    await hear(inlet, SIGNAL, clause=BOTH_HOPS)
    await say(outlet, SIGNAL, clause=BOTH_HOPS)


async def await_signal(sock: RemoteSocket) -> None:
    """The step before is ready."""
    await hear(sock, SIGNAL, clause=BOTH_HOPS)


async def send_fence(sock: RemoteSocket) -> None:
    """Say more, behind what the intruder has said."""
    for mark in FENCE:
        await say(sock, mark, clause=EXCLUSIVE)


async def expect_fence(sock: RemoteSocket) -> None:
    """Hear the partner, and nobody else."""
    for mark in FENCE:
        await hear(sock, mark, clause=EXCLUSIVE)
