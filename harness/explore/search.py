"""Looks for conversations that go wrong, makes each as short as it can be, and asks it again.

Whatever comes of one conversation changes no other: they are numbered, and number and seed say all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from harness.clauses import Ledger
from harness.deadlines import Deadlines
from harness.peer import LivePeer

from .grammar import conversation
from .judge import judge
from .play import Finding, Played, play
from .steps import Conversation, Offer, Open, Receive

Key = tuple[str, str]
PATIENCE = 1 / 3
REPLAYS = 3
MOST_TRIES = 300
MOST_DOUBTS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, the shortest conversation that has it, and one record of it.

    `number` is that of the conversation that it was first seen in.
    """

    finding: Finding
    number: int
    conversation: Conversation
    played: Played


@dataclass(slots=True)
class Search:
    """One search. `over` says when no other conversation is to begin; `deadlines` are for a last word.

    `doubts` are findings that did not come again, with the conversation's number; `seen` says in how many
    conversations each finding was.
    """

    live: LivePeer
    ledger: Ledger
    deadlines: Deadlines
    over: Callable[[], bool]
    found: list[Found] = field(default_factory=list)
    doubts: list[tuple[int, Finding]] = field(default_factory=list)
    seen: dict[Key, int] = field(default_factory=dict)
    conversations: int = 0

    def run(self, seed: int, numbers: Iterator[int], types: Sequence[str]) -> Iterator[Found]:
        """Each finding as soon as it has come again each time. Raises PeerUnavailable."""
        for number in numbers:
            if self.over():
                return
            asked = conversation(seed, number, types)
            self.conversations += 1
            yield from self._look(number, asked)

    def _look(self, number: int, asked: Conversation) -> Iterator[Found]:
        keys = dict.fromkeys(finding.key for finding in self._ask(asked)[1])
        for key in keys:
            self.seen[key] = self.seen.get(key, 0) + 1
            doubted = sum(finding.key == key for _, finding in self.doubts)
            if doubted >= MOST_DOUBTS or any(found.finding.key == key for found in self.found):
                continue
            found = self._certain(number, asked, key)
            if found is not None:
                self.found.append(found)
                yield found

    def _ask(self, asked: Conversation, scale: float = PATIENCE) -> tuple[Played, list[Finding]]:
        played = play(asked, self.live, Deadlines(self.deadlines.scale * scale))
        return played, judge(played, self.ledger)

    def _has(self, asked: Conversation, key: Key) -> bool:
        return any(finding.key == key for finding in self._ask(asked)[1])

    def shortest(self, asked: Conversation, key: Key) -> Conversation:
        """Leave out and simplify until nothing can go without the finding, or the time is over."""
        place, better = 0, False
        for _ in range(MOST_TRIES):
            shorter = next(itertools.islice(simpler(asked), place, None), None)
            if self.over() or (shorter is None and not better):
                break
            if shorter is None:  # what could not go at first may go now
                place, better = 0, False
            elif self._has(shorter, key):
                asked, better = shorter, True
            else:
                place += 1
        return asked

    def _certain(self, number: int, asked: Conversation, key: Key) -> Found | None:
        """The finding at its shortest, where it comes again each time."""
        if self._again(number, asked, key) is not None:
            asked = self.shortest(asked, key)
            again = [self._again(number, asked, key) for _ in range(REPLAYS)]
            if again[-1] is not None and all(again):
                return again[-1]
        self.doubts.append((number, Finding(*key)))
        return None

    def _again(self, number: int, asked: Conversation, key: Key) -> Found | None:
        """Ask with all patience a process that knows of nothing."""
        self.live.kill()
        played, findings = self._ask(asked, 1.0)
        again = [finding for finding in findings if finding.key == key]
        return Found(again[0], number, asked, played) if again else None


def simpler(asked: Conversation) -> Iterator[Conversation]:
    """The conversation with less in it: what comes behind goes first, then each step is made simpler."""
    steps = asked.steps
    for size in (len(steps) // 2, len(steps) // 4, 1):
        for at in range(len(steps) - size, -1, -size) if size else ():
            yield replace(asked, steps=steps[:at] + steps[at + size :])
    for at, step in enumerate(steps):
        for other in step.simpler():
            yield replace(asked, steps=(*steps[:at], other, *steps[at + 1 :]))
    yield from _renumbered(asked)


def _renumbered(asked: Conversation) -> Iterator[Conversation]:
    """The links as 1, 2, 3 in the order of their coming, where they are not."""
    order = list(dict.fromkeys(step.link for step in asked.steps if isinstance(step, Open)))
    names = {link: n for n, link in enumerate(order, 1)}
    if all(link == n for link, n in names.items()):
        return
    steps = tuple(
        step if isinstance(step, Receive | Offer) else replace(step, link=names.get(step.link, step.link))
        for step in asked.steps
    )
    yield replace(asked, steps=steps)
