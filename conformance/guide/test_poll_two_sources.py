"""One reader polls a source of tasks and a source of weather (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from conformance.guide.barrier import meet
from harness.peer import RemoteSocket, show_parts
from harness.stage.play import poll, say, until
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

EACH = 50
BOTH = "guide/poll-two-sources/both-served"
NEITHER = "guide/poll-two-sources/neither-starves"


@scenario(
    "guide/basics/poll-two-sources",
    clauses=[BOTH, NEITHER],
    legs={"tasks": "reader PULL -> ventilator PUSH", "weather": "reader SUB -> publisher PUB"},
)
def test_poll_two_sources(stage: Stage) -> None:
    """Who polls two sockets with messages is told of both, and gets all of both, each in order."""
    ventilator, publisher = stage.open("ventilator", "PUSH"), stage.open("publisher", "PUB")
    tasks, weather = stage.open("reader", "PULL"), stage.open("reader", "SUB")
    weather.subscribe(b"")
    tasks_leg, weather_leg = stage.leg("tasks", ventilator, tasks), stage.leg("weather", publisher, weather)
    stage.play(barrier=meet(publisher, weather, clause=BOTH))
    before = len(weather_leg.sent_to(weather))
    stage.play(ventilator=speak(ventilator), publisher=speak(publisher))

    async def under_way() -> None:
        sent = [(tasks_leg, tasks, EACH), (weather_leg, weather, EACH + before)]
        await until(
            lambda: all(len(leg.sent_to(sock)) >= count for leg, sock, count in sent), "all messages", BOTH
        )

    stage.play(under_way=under_way())
    got: list[RemoteSocket] = []
    stage.play(reader=read(tasks, weather, got))
    expect_side_by_side(tasks, weather, got)


async def speak(sock: RemoteSocket) -> None:
    """Say all numbers at once."""
    for number in range(EACH):
        await say(sock, b"%d" % number, clause=BOTH)


async def read(tasks: RemoteSocket, weather: RemoteSocket, got: list[RemoteSocket]) -> None:
    """Take one message of each source that has any, until all are there; whose they are is noted."""
    numbers = {tasks: 0, weather: 0}
    while left := [sock for sock in numbers if numbers[sock] < EACH]:
        ready = await poll(*left, within_s=tasks.peer.deadlines.delivery_s)
        if not ready:
            missing = ", ".join(sock.socket_type for sock in left)
            raise Mismatch(f"{EACH} messages of each source", f"{numbers[left[0]]} for {missing}", BOTH)
        for sock in ready:
            heard = sock.recv(clause=BOTH)
            if heard != [b"%d" % numbers[sock]]:
                raise Mismatch(f"number {numbers[sock]}", show_parts(heard), BOTH)
            numbers[sock] += 1
            got.append(sock)


def expect_side_by_side(tasks: RemoteSocket, weather: RemoteSocket, got: list[RemoteSocket]) -> None:
    """By the time that one source is read to its end, the other has been read for a good part, too."""
    for sock, other in ((tasks, weather), (weather, tasks)):
        last = max(at for at, each in enumerate(got) if each is sock)
        heard = got[:last].count(other)
        if heard < EACH // 4:
            expected = f"{EACH // 4} messages of {other.socket_type} beside {EACH} of {sock.socket_type}"
            raise Mismatch(expected, str(heard), NEITHER)
