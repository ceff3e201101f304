"""Named waits: how long the harness waits for what, scaled by one factor.

Every wait in the harness has a name, so that "it hung" reads as "no answer to
recv within 5.0 s (answer)". Nothing here sleeps; a `Deadline` only tells how
much time is left.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

SHORTEST_PROBE_S = 0.001


class DeadlineExceeded(TimeoutError):
    """What was waited for did not come in time.

    `name` is the wait's name, `seconds` its length, `what` the thing awaited.
    """

    def __init__(self, name: str, seconds: float, what: str) -> None:
        super().__init__(f"no {what} within {seconds:g} s ({name})")
        self.name = name
        self.seconds = seconds
        self.what = what


@dataclass(frozen=True, slots=True)
class Deadline:
    """One wait that has begun: `seconds` from its creation, by the monotonic clock."""

    name: str
    seconds: float
    _began: float = field(default_factory=lambda: time.monotonic(), repr=False, compare=False)

    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._began + self.seconds - time.monotonic())

    def remaining_ms(self) -> int:
        """Milliseconds left, rounded up, as poll() takes them: 0 only once expired."""
        return math.ceil(self.remaining_s() * 1000)

    @property
    def expired(self) -> bool:
        """True once no time is left."""
        return self.remaining_s() <= 0.0

    def exceeded(self, what: str) -> DeadlineExceeded:
        """The exception that says that `what` did not come before this deadline."""
        return DeadlineExceeded(self.name, self.seconds, what)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The named waits in seconds, each multiplied by `scale` (for slow machines)."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale must be a positive number, not {self.scale!r}")

    @property
    def start_s(self) -> float:
        """From the start of a peer's process to its answer to hello."""
        return 10.0 * self.scale

    @property
    def answer_s(self) -> float:
        """A control answer, beyond the operation's own timeout."""
        return 5.0 * self.scale

    @property
    def reaction_s(self) -> float:
        """The peer reacts on the wire, or closes the connection."""
        return 3.0 * self.scale

    @property
    def delivery_s(self) -> float:
        """A message reaches the application."""
        return 3.0 * self.scale

    @property
    def connect_s(self) -> float:
        """A connection is made."""
        return 3.0 * self.scale

    @property
    def scene_s(self) -> float:
        """A role of a scenario waits for others, who may wait for others again."""
        return 10.0 * self.scale

    @property
    def case_s(self) -> float:
        """All of a case, or of another talk: longer than any that ends by itself."""
        return 120.0 * self.scale

    @property
    def exit_s(self) -> float:
        """The peer's process exits after the end of its input."""
        return 3.0 * self.scale

    @property
    def reconnect_s(self) -> float:
        """A peer that lost its connection dials again."""
        return 8.0 * self.scale

    @property
    def probe_s(self) -> float:
        """Between two tries of a probe, which is repeated until it gets through.

        Never shortened: some on end without progress tell a peer that holds back from one that waits for
        a processor.
        """
        return 0.02 * max(1.0, self.scale)

    def probes_s(self) -> Iterator[float]:
        """What to wait behind each try of a probe that has no partner yet: a little at first, then `probe_s`.

        A handshake takes a few milliseconds; who waits `probe_s` for it at once mostly waits for nothing.
        """
        wait_s = SHORTEST_PROBE_S
        while wait_s < self.probe_s:
            yield wait_s
            wait_s *= 2
        while True:
            yield self.probe_s

    def deadline(self, name: str) -> Deadline:
        """Begin the wait called `name`: deadline("answer") lasts `answer_s`."""
        return Deadline(name, float(getattr(self, f"{name}_s")))
