"""A device between the two ends of a pipeline (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from collections import Counter

from conformance.guide.relays import Device, one_way
from harness.peer import Parts, RemoteSocket, show_parts
from harness.stage.play import receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

SOURCES = (b"left", b"right")
EACH = 50
ONCE = "guide/streamer/each-once"
ORDER = "guide/streamer/in-order"
LEGS = {"in": "source PUSH -> streamer PULL", "out": "sink PULL -> streamer PUSH"}


@scenario("guide/intermediaries/streamer", clauses=[ONCE, ORDER], legs=LEGS)
def test_streamer(stage: Stage) -> None:
    """What several sources push arrives behind the device, each message once, whole and in order."""
    stream(stage, one_way)


def stream(stage: Stage, device: Device) -> None:
    """Two sources, the device, and a sink."""
    front, back = stage.open("streamer", "PULL"), stage.open("streamer", "PUSH")
    sources = [stage.open("source", "PUSH") for _ in SOURCES]
    sink = stage.open("sink", "PULL")
    stage.leg("in", front, *sources)
    stage.leg("out", back, sink)
    roles = device(front, back)
    speakers = [speak(sock, name) for sock, name in zip(sources, SOURCES, strict=True)]
    got: list[Parts] = []
    stage.play("speakers", "sink", speakers=speakers, device=roles(), sink=collect(sink, got))
    expect_each_once(got)


async def speak(sock: RemoteSocket, name: bytes) -> None:
    """Push numbered messages of three parts, and the end."""
    for number in range(EACH):
        await say(sock, name, b"", b"%d" % number, clause=ONCE)
    await say(sock, name, b"", b"end", clause=ONCE)


async def collect(sock: RemoteSocket, got: list[Parts]) -> None:
    """Take what comes until all sources have said that it is the end."""
    ended = 0
    while ended < len(SOURCES):
        got.append(await receive(sock, ONCE))
        ended += got[-1][-1] == b"end"


def expect_each_once(got: list[Parts]) -> None:
    """Nothing is lost, doubled or changed, and what one source said is in order."""
    bodies = [*(b"%d" % number for number in range(EACH)), b"end"]
    wanted: Counter[tuple[bytes, ...]] = Counter((name, b"", body) for name in SOURCES for body in bodies)
    counted = Counter(map(tuple, got))
    for parts in wanted | counted:
        if counted[parts] != wanted[parts]:
            expected = f"{show_parts(parts)} {wanted[parts]} times behind the device"
            raise Mismatch(expected, f"{counted[parts]} times", ONCE)
    for name in SOURCES:
        numbers = [int(parts[2]) for parts in got if parts[0] == name and parts[2] != b"end"]
        if numbers != sorted(numbers):
            raise Mismatch(f"the messages of {name.decode()} in order", str(numbers), ORDER)
