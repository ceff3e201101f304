"""What processes have resident in memory, and open files, as Linux counts them; elsewhere nobody can tell.

Resident is what is really kept in memory: room that was asked for and never touched does not count.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")
_FORGET_PEAK = "5"  # what proc(5) has for clear_refs


@dataclass(frozen=True, slots=True)
class Memory:
    """What is resident now, and the most that ever was, or was since the peak was forgotten.

    `descriptors` are the open ones, sockets included; None where that cannot be told.
    """

    now_octets: int
    peak_octets: int
    descriptors: int | None = None

    def grown_since(self, before: Memory) -> int:
        """By how many octets it grew at most above what was resident before.

        A peak of old times, which could not be forgotten, does not count.
        """
        most = self.peak_octets if self.peak_octets > before.peak_octets else self.now_octets
        return max(most, self.now_octets) - before.now_octets


def memory_of(pid: int, *, forget: bool = False) -> Memory | None:
    """The memory of a process and of all that it started, or None where the system does not tell.

    With `forget` the peak counts from here on, where we are allowed to say so.
    """
    now = peak = 0
    descriptors: int | None = 0
    for process in _family(pid):
        if forget:
            with contextlib.suppress(OSError):
                (PROC / str(process) / "clear_refs").write_text(_FORGET_PEAK, "ascii")
        found = _status_of(process)
        now += found.now_octets
        peak += found.peak_octets
        opened = _descriptors_of(process)
        descriptors = None if opened is None or descriptors is None else descriptors + opened
    return Memory(now, peak, descriptors) if now else None


def memory_in(stats: Mapping[str, Any]) -> Memory | None:
    """The memory of a container by its engine's statistics, or None where they do not tell.

    Files that the kernel could drop at once are not counted. Not every engine knows the peak.
    """
    memory = stats.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    files = details.get("inactive_file", details.get("total_inactive_file", 0))
    now = max(int(memory["usage"]) - int(files), 0)
    return Memory(now, max(now, int(memory.get("max_usage", 0))))


def is_in_container(pid: int, container: str) -> bool:
    """Whether this number means, to us, a process of that container: it may be one of another machine's."""
    try:
        return bool(container) and container in (PROC / str(pid) / "cgroup").read_text("ascii", "replace")
    except OSError:
        return False


def _family(pid: int) -> Iterator[int]:
    """The process and its descendants; a kernel may not tell those."""
    yield pid
    with contextlib.suppress(OSError):
        for thread in (PROC / str(pid) / "task").iterdir():
            for child in (thread / "children").read_text("ascii").split():
                yield from _family(int(child))


def _descriptors_of(pid: int) -> int | None:
    """How many files a process has open, where we are allowed to look."""
    try:
        return sum(1 for _ in (PROC / str(pid) / "fd").iterdir())
    except OSError:
        return None


def _status_of(pid: int) -> Memory:
    """Of one process, zero where it has gone or this is no Linux."""
    sizes = {b"VmRSS": 0, b"VmHWM": 0}
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "status").read_bytes().splitlines():
            name, _, rest = line.partition(b":")
            if name in sizes:
                sizes[name] = int(rest.split()[0]) * 1024
    now_octets = sizes[b"VmRSS"]
    return Memory(now_octets, max(now_octets, sizes[b"VmHWM"]))
