"""Judging a connection piece by piece, each with as much of what came before as the checks look back at.

So a connection of any length is judged in bounded memory, by the same checks as a stored trace.
"""

from __future__ import annotations

from collections import deque

from harness.wire.checks import RECEIVE_ONLY, Finding, run_checks
from harness.wire.trace import SENDERS, Closed, Decoded, Octets, Sender, Trace, other
from harness.zmtp import CurveMessage, Error, Introduction, Message, Ping, Pong, Received
from harness.zmtp.grammar import DRAFT_SOCKET_TYPES

FIRST_THINGS = 8
PINGS_MAX = 1000


class Window(Trace):
    """A piece of a connection as the checks want it: decoded already, its octets gone."""

    def __init__(self, things: list[Decoded], heads: dict[Sender, bytes]) -> None:
        super().__init__()
        self._things = things
        self._heads = heads

    def decoded(self, connection: int) -> list[Decoded]:
        """The things in the window."""
        return self._things

    def head(self, connection: int, sender: Sender) -> bytes:
        """The first octets of a direction."""
        return self._heads[sender]

    def wire(self, connection: int, begin: int = 0) -> list[Octets | Closed]:
        """Nothing: a window does not grow."""
        return []


class Windows:
    """The things of one connection, judged some at a time.

    `quiet` says of an end that no check looks at its well-formed messages: they need not come here.
    """

    def __init__(self, connection: int, heads: dict[Sender, bytes]) -> None:
        self.heads = heads
        self.quiet: dict[Sender, bool] = dict.fromkeys(SENDERS, False)
        self.too_many_pings = False
        self._connection = connection
        self._behind: list[Decoded] = []
        self._fresh: list[Decoded] = []
        self._introduced: dict[Sender, Introduction] = {}
        self._failed: set[Sender] = set()

    def __len__(self) -> int:
        return len(self._fresh)

    def add(self, thing: Decoded) -> None:
        """Take something that an end sent."""
        self._fresh.append(thing)
        value = thing.received.value
        if isinstance(value, Error):
            self._failed.add(thing.sender)
            self.quiet[thing.sender] = False
        if isinstance(value, Introduction) and thing.sender not in self._introduced:
            self._introduced[thing.sender] = value
            if len(self._introduced) == len(SENDERS):
                for sender, introduction in self._introduced.items():
                    self.quiet[sender] = sender not in self._failed and may_send(introduction.socket_type)

    def judge(self) -> list[Finding]:
        """What the checks find in what has come since the last time. They go on behind it."""
        if not self._fresh and self._behind:
            return []
        begins = {sender: _begin_of(self._fresh, sender) for sender in SENDERS}
        things = self._behind + self._fresh
        window = Window(things, self.heads)
        found = [
            finding
            for sender in SENDERS
            for finding in run_checks(window, self._connection, sender)
            if not self._behind or finding.place.offset >= begins[sender]
        ]
        self._behind, self._fresh = self._looked_back_at(things), []
        return found

    def _looked_back_at(self, things: list[Decoded]) -> list[Decoded]:
        """What later checks ask for: how the talk began, ERROR and what follows it, PINGs without a PONG."""
        asked: dict[Sender, deque[int]] = {sender: deque() for sender in SENDERS}
        kept: set[int] = set()
        seen: dict[Sender, int] = dict.fromkeys(SENDERS, 0)
        once: set[tuple[Sender, str]] = set()
        for n, thing in enumerate(things):
            sender, value = thing.sender, thing.received.value
            if seen[sender] < FIRST_THINGS or ((sender, "error") in once and (sender, "after") not in once):
                kept.add(n)
            if (sender, "error") in once:
                once.add((sender, "after"))
            seen[sender] += 1
            for kind, name in ((Introduction, "introduction"), (Error, "error")):
                if isinstance(value, kind) and (sender, name) not in once:
                    once.add((sender, name))
                    kept.add(n)
            if isinstance(value, Ping):
                asked[sender].append(n)
            elif isinstance(value, Pong) and asked[other(sender)]:
                kept.discard(asked[other(sender)].popleft())
                kept.discard(n)
        for pings in asked.values():
            self.too_many_pings = self.too_many_pings or len(pings) > PINGS_MAX
            kept.update(list(pings)[:PINGS_MAX])
        return [things[n] for n in sorted(kept)]


def may_send(socket_type: str | None) -> bool:
    """Whether a socket of that type may send any message: then no check looks at a well-formed one."""
    return socket_type not in RECEIVE_ONLY and socket_type not in DRAFT_SOCKET_TYPES


def is_plain(received: Received) -> bool:
    """Whether this is a message, or a closed box, without a fault."""
    return isinstance(received.value, Message | CurveMessage) and not received.faults


def _begin_of(things: list[Decoded], sender: Sender) -> float:
    return min((thing.received.start for thing in things if thing.sender == sender), default=float("inf"))
