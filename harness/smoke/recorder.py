"""What is said between harness and adapter, line by line, and what is wrong with it by the schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.deadlines import Deadline
from harness.memory import Memory
from harness.schema import Fault, answer_fault

if TYPE_CHECKING:
    from harness.launch.attached import ContainerChannel
    from harness.launch.process import ProcessChannel

KEPT_OCTETS = 4096


@dataclass(slots=True)
class Exchange:
    """A request line, the first KEPT_OCTETS of its answer line (None: there was none), the answer's fault."""

    request: bytes
    answer: bytes | None = None
    fault: Fault | None = None


class Recorder:
    """A channel that remembers: `exchanges` are all of them."""

    def __init__(self, channel: ProcessChannel | ContainerChannel) -> None:
        self.exchanges: list[Exchange] = []
        self.hosts = channel.hosts
        self.image = channel.image
        self._channel = channel
        self._told = 0

    @property
    def name(self) -> str:
        """The peer's name."""
        return self._channel.name

    def faulty(self) -> Sequence[Exchange]:
        """All exchanges up to the first since the last call that breaks the schema; none if none does."""
        told, self._told = self._told, len(self.exchanges)
        for at in range(told, self._told):
            if self.exchanges[at].fault is not None:
                return self.exchanges[: at + 1]
        return ()

    def write_line(self, line: bytes, deadline: Deadline) -> None:
        """Write `line` whole. Raises DeadlineExceeded or OSError."""
        self.exchanges.append(Exchange(line))
        self._channel.write_line(line, deadline)

    def read_line(self, deadline: Deadline, limit_octets: int) -> bytes:
        """Read one line; what it breaks of the schema is kept with it. Raises DeadlineExceeded."""
        line = self._channel.read_line(deadline, limit_octets)
        exchange = self.exchanges[-1]
        exchange.answer = line[:KEPT_OCTETS] or None
        exchange.fault = _fault(line, json.loads(exchange.request)["op"])
        return line

    def close(self, deadline: Deadline) -> None:
        """End the peer's input. Raises DeadlineExceeded, after a kill, if it does not exit in time."""
        self._channel.close(deadline)

    def kill(self) -> None:
        """End the peer at once."""
        self._channel.kill()

    def exit_status(self, deadline: Deadline) -> str | None:
        """How the peer ended, or None if it still runs at the deadline."""
        return self._channel.exit_status(deadline)

    def memory(self, *, forget: bool = False) -> Memory | None:
        """What the peer has resident."""
        return self._channel.memory(forget=forget)


def log_size(log: Path) -> int:
    """How many octets of standard error were kept; 0 where there is no log."""
    return log.stat().st_size if log.exists() else 0


def _fault(line: bytes, op: str) -> Fault | None:
    """What the schema says of a line; of one that is no JSON the client says more."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return answer_fault(answer, op)
