"""Brokers tell each other how many of their workers are free (ZeroMQ guide, chapter 3)."""

from __future__ import annotations

from collections.abc import Mapping

from harness.peer import RemoteSocket, show_parts
from harness.stage.play import pause, receive, say
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch

BROKERS = ("east", "west", "north")
SEES = "guide/peering-state/sees-all"
OTHERS = "guide/peering-state/others-alone"
STATES = 3
Seen = dict[bytes, int]


@scenario(
    "guide/routing/peering-state",
    clauses=[SEES, OTHERS],
    legs={
        f"{one}-{other}": f"{one} SUB -> {other} PUB" for one in BROKERS for other in BROKERS if one != other
    },
)
def test_peering_state(stage: Stage) -> None:
    """Each broker publishes its state and hears that of all others, again after each change."""
    states = {name: stage.open(name, "PUB") for name in BROKERS}
    views = {name: stage.open(name, "SUB") for name in BROKERS}
    for view in views.values():
        view.subscribe(b"")
    for name, state in states.items():
        stage.leg(f"state of {name}", state, *(view for other, view in views.items() if other != name))
    known: dict[str, Seen] = {name: {} for name in BROKERS}
    interval_s = stage.seconds(0.1)
    stage.play(
        "watchers",
        publishers=[publish(sock, name.encode(), known, interval_s) for name, sock in states.items()],
        watchers=[watch(sock, name.encode(), known) for name, sock in views.items()],
    )


async def publish(sock: RemoteSocket, name: bytes, known: Mapping[str, Seen], interval_s: float) -> None:
    """Say again and again how many workers are free: one more whenever all others have heard it."""
    free = 0
    while True:
        await say(sock, name, b"%d" % free)
        await pause(interval_s)
        if all(seen.get(name, -1) >= free for one, seen in known.items() if one.encode() != name):
            free += 1


async def watch(sock: RemoteSocket, name: bytes, known: Mapping[str, Seen]) -> None:
    """Hear of all others until each has told its last state."""
    seen = known[name.decode()]
    others = {other.encode() for other in BROKERS} - {name}
    deadline = sock.peer.deadlines.deadline("scene")
    while any(seen.get(other, 0) < STATES for other in others):
        heard = await receive(sock, SEES)
        if deadline.expired:
            raise Mismatch(
                f"{STATES} changes of each other broker", f"not within {deadline.seconds:g} s", SEES
            )
        if len(heard) != 2 or heard[0] not in others:
            expected = f"{name.decode()} hears the state of {' or '.join(sorted(map(bytes.decode, others)))}"
            raise Mismatch(expected, show_parts(heard), OTHERS)
        seen[heard[0]] = int(heard[1])
