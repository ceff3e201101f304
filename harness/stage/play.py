"""Roles that run side by side, each a coroutine over sockets of its peer, on one thread of ours.

A role is written as in the guide: it receives, sends, polls. Where it has to wait it says so with `await`,
and the others go on. All peers are asked at once what can be received, in short turns, so that a role that a
timer wakes finds its peer free.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.control.client import ControlError, PeerGone, PendingCall
from harness.deadlines import Deadline, Deadlines
from harness.peer import LivePeer, Outcome, Parts, Peer, Pending, RemoteSocket, show_parts
from harness.verdict import Mismatch
from harness.wire.hub import TapHub
from harness.wire.trace import Trace

T = TypeVar("T")
Role = Coroutine[Any, Any, None]
LONGEST_TURN_S = 0.008
SHORTEST_TURN_S = 0.0
GLANCE_S = 0.0005


class Actor(Peer):
    """A peer in one role. It may be asked what can be received while nothing else is asked of it."""

    def __init__(self, live: LivePeer, trace: Trace, deadlines: Deadlines, role: str) -> None:
        super().__init__(live, trace, deadlines, f"{role} ({live.manifest.name})")
        self.role = role
        self.ready: set[int | str] = set()
        self.turn_s = SHORTEST_TURN_S
        self._poll: PendingCall | None = None

    def start(self, op: str, timeout_s: float | None = None, **fields: Any) -> Pending:
        """As of any peer; what is under way is answered first: a question, or what another role has asked."""
        self.settle()
        if self._client.pending is not None:
            self._client.pending.arrived(self.deadlines.delivery_s)
        self.ready.discard(fields.get("socket", ""))  # what is taken now may be all that there was
        return super().start(op, timeout_s, **fields)

    @property
    def is_asked(self) -> bool:
        """Whether the question what can be received is under way."""
        return self._poll is not None

    @property
    def is_busy(self) -> bool:
        """Whether an operation is under way: no answer has come yet, whoever waits for it."""
        call = self._client.pending
        return call is not None and self._poll is None and not call.arrived()

    def ask(self, sockets: Iterable[RemoteSocket]) -> None:
        """Begin to ask what can be received: an answer comes at the end of the turn at the latest."""
        ids = [sock.id for sock in sockets]
        try:
            self._poll = self._client.start("poll", timeout_s=self.turn_s, sockets=ids)
        except PeerGone as gone:
            raise self._died("poll", gone) from None

    def glance(self, within_s: float = 0.0) -> bool:
        """Whether the answer is there."""
        if self._poll is not None and self._poll.arrived(within_s):
            self.settle()
        return self._poll is None

    def settle(self) -> None:
        """Wait for the answer, at most the turn. The operations of a scenario are recorded, these are not."""
        if self._poll is None:
            return
        poll, self._poll = self._poll, None
        try:
            with self.trace.waiting():
                self.ready |= set(poll.result()["readable"])
        except PeerGone as gone:
            raise self._died("poll", gone) from None
        except ControlError as error:
            raise Mismatch("poll succeeds", str(error)) from None

    def forget(self) -> None:
        """Wait for no answer any more: the peer is about to be ended."""
        self._poll = None

    def finish(self) -> str:
        """Close what the scenario left open."""
        with suppress(Mismatch):  # where the peer has gone, the rest finds out
            self.settle()
        return super().finish()


@dataclass(slots=True)
class Wait:
    """What a role waits for: one of the sockets, or that `ready` holds. `what` and `clause` are what is said
    and blamed where it never comes."""

    what: str
    sockets: tuple[RemoteSocket, ...] = ()
    ready: Callable[[], object] = lambda: False
    deadline: Deadline | None = None
    gives_up: bool = False
    clause: str | None = None
    late: str = "none in time"

    def __await__(self) -> Generator[Wait, Any, Any]:
        return (yield self)


async def receive(sock: RemoteSocket, clause: str | None = None) -> Parts:
    """The next message of a socket. A role that the scenario waits for raises Mismatch where none comes."""
    await Wait(f"a message for {sock.socket_type} of {sock.peer.title}", (sock,), clause=clause)
    return sock.recv(clause=clause)


async def hear(sock: RemoteSocket, *parts: bytes, clause: str | None = None) -> None:
    """The next message has exactly these parts."""
    heard = await receive(sock, clause)
    if heard != list(parts):
        raise Mismatch(f"{sock.peer.title} gets {show_parts(parts)}", show_parts(heard), clause)


async def poll(*sockets: RemoteSocket, within_s: float | None = None) -> list[RemoteSocket]:
    """Which of the sockets can be received from; none where the time is over."""
    deadline = None if within_s is None else Deadline("poll", within_s)
    found = await Wait("a message", sockets, deadline=deadline, gives_up=within_s is not None)
    return list(found or [])


async def offer(sock: RemoteSocket, *parts: bytes, within_s: float | None = None) -> Outcome:
    """Send a message, and say what became of it; the others go on meanwhile."""
    await Wait("an answer to what another role asked of the peer", ready=lambda: not _is_busy(sock))
    pending = sock.start_send(parts, within_s)
    await Wait("the socket accepts the message", ready=pending.arrived)
    return Outcome(pending.result()["outcome"])


async def say(sock: RemoteSocket, *parts: bytes, clause: str | None = None) -> None:
    """Send a message that the socket has to accept in reasonable time."""
    outcome = await offer(sock, *parts)
    if outcome is not Outcome.ACCEPTED:
        raise Mismatch(f"{sock.peer.title} sends {show_parts(parts)}", outcome.value, clause)


async def until(ready: Callable[[], T], what: str, clause: str | None = None) -> T:
    """Wait until `ready()` is true, and give it back: something on the wire, or in another role."""
    value: T = await Wait(what, ready=ready, clause=clause, late="not in time")
    return value


async def pause(seconds: float) -> None:
    """Let a pattern's own interval pass: its heartbeat, its time to live. Never to wait for somebody."""
    await Wait("the end of the interval", deadline=Deadline("interval", seconds), gives_up=True)


@dataclass(slots=True)
class _Task:
    role: str
    steps: Role
    awaited: bool
    patience_s: float
    wait: Wait | None = None
    done: bool = False
    given_up: Deadline | None = None

    def resume(self, value: object = None, late: Mismatch | None = None) -> None:
        """Run the role to its next wait or its end. Its Mismatch says who it was."""
        try:
            self.wait = self.steps.throw(late) if late is not None else self.steps.send(value)
        except StopIteration:
            self.done, self.wait = True, None
            return
        self.given_up = self.wait.deadline
        if self.given_up is None and self.awaited:
            self.given_up = Deadline("scene", self.patience_s)

    def look(self, ready: set[tuple[int, int | str]]) -> bool:
        """Resume where what is waited for is there or the time is over; whether it has gone on."""
        wait = self.wait
        if wait is None:
            self.resume()
            return True
        found = [sock for sock in wait.sockets if _key(sock) in ready]
        if found:
            ready.difference_update(map(_key, found))
            self.resume(found)
            return True
        if value := wait.ready():
            self.resume(value)
            return True
        if self.given_up is not None and self.given_up.expired:
            self.resume(None, None if wait.gives_up else Mismatch(wait.what, wait.late, wait.clause))
            return True
        return False


def _key(sock: RemoteSocket) -> tuple[int, int | str]:
    return id(sock.peer), sock.id


def play(
    roles: Mapping[str, Role | Sequence[Role]],
    ends: Sequence[str],
    deadlines: Deadlines,
    trace: Trace,
    hub: TapHub,
) -> None:
    """Run roles side by side until those that are named in `ends` (all where none is) have come to their end.

    Who is not waited for may wait for ever, and is broken off. Raises what a role raises.
    """
    tasks = [
        _Task(name, steps, not ends or name in ends, deadlines.scene_s)
        for name, given in roles.items()
        for steps in (given if isinstance(given, Sequence) else [given])
    ]
    try:
        while any(task.awaited and not task.done for task in tasks):
            trace.check_end(deadlines.case_s)
            if not _go_on(tasks):
                _wait(tasks, hub)
    finally:
        for task in tasks:
            task.steps.close()


def _go_on(tasks: Sequence[_Task]) -> bool:
    """Let every role go on that can; whether any did."""
    gone_on = False
    for task in tasks:
        if not task.done:
            ready = {_key(sock) for sock in _sockets([task]) if _take(sock)}
            gone_on |= task.look(ready)
    for actor in {sock.peer for sock in _sockets(tasks)}:
        if gone_on and isinstance(actor, Actor):
            actor.turn_s = SHORTEST_TURN_S
    return gone_on


def _is_busy(sock: RemoteSocket) -> bool:
    """Whether the peer still owes an answer to a role: several may have sockets of one peer."""
    return isinstance(sock.peer, Actor) and sock.peer.is_busy


def _take(sock: RemoteSocket) -> bool:
    """Whether the last answer said that this socket can be received from, and its peer can be asked; it is
    said once."""
    if _is_busy(sock):
        return False
    ready = sock.peer.ready if isinstance(sock.peer, Actor) else set()
    if sock.id in ready:
        ready.discard(sock.id)
        return True
    return False


def _wait(tasks: Sequence[_Task], hub: TapHub) -> None:
    """Ask every peer whose sockets are waited for, and wait a little for the first answers."""
    wanted: dict[Actor, list[RemoteSocket]] = {}
    for sock in _sockets(tasks):
        if isinstance(sock.peer, Actor):
            wanted.setdefault(sock.peer, []).append(sock)
    asked = []
    for actor, sockets in wanted.items():
        if not actor.is_busy:
            if not actor.is_asked:
                actor.ask(dict.fromkeys(sockets))
                actor.turn_s = min(LONGEST_TURN_S, 2 * actor.turn_s or GLANCE_S * 2)
            asked.append(actor)
    if not asked:
        hub.wait_change(hub.changes, GLANCE_S)
    answered = False
    for actor in asked:  # who answers soon each time must not keep us from looking at the others
        answered |= actor.glance(0.0 if answered else GLANCE_S)


def _sockets(tasks: Iterable[_Task]) -> list[RemoteSocket]:
    return [sock for task in tasks if task.wait is not None for sock in task.wait.sockets]
