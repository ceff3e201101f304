"""What processes have resident, and the bound that hostile cases set to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conformance.hostile.memory import FREE_OCTETS, MEMORY, MIB, PER_OCTET, Footprint
from harness.clauses import Ledger
from harness.memory import Memory, is_in_container, memory_in, memory_of
from harness.peer import Peer
from harness.verdict import Mismatch
from harness.wire.trace import Trace

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is told by Linux alone")

SPENDER = """
import sys
held = None
for line in sys.stdin:
    held = bytearray(b"x") * (int(line) << 20)
    print(len(held), flush=True)
"""
STARTER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPENDER!r}])"


class Spender:
    """A process that holds as many MiB as it was told last; it may have a child for that.

    The kernel counts in batches: some hundred KiB of it may not show.
    """

    def __init__(self, script: str) -> None:
        command = [sys.executable, "-c", script]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hold(self, size_mib: int) -> None:
        """Hold that much, and nothing else."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(size_mib, file=self.process.stdin, flush=True)
        assert int(self.process.stdout.readline()) == size_mib * MIB

    def memory(self, *, forget: bool = False) -> Memory:
        found = memory_of(self.process.pid, forget=forget)
        assert found is not None
        return found


@pytest.fixture(params=[SPENDER, STARTER], ids=["itself", "its-child"])
def spender(request: pytest.FixtureRequest) -> Iterator[Spender]:
    made = Spender(request.param)
    made.hold(0)
    yield made
    made.process.communicate(timeout=10)


def test_what_is_held_shows(spender: Spender) -> None:
    before = spender.memory(forget=True)
    spender.hold(100)
    assert 99 * MIB <= spender.memory().grown_since(before) < 110 * MIB
    assert spender.memory().now_octets >= before.now_octets + 99 * MIB


def test_what_was_held_shows_until_it_is_forgotten(spender: Spender) -> None:
    before = spender.memory(forget=True)
    spender.hold(100)
    spender.hold(0)
    assert spender.memory().now_octets < before.now_octets + 10 * MIB
    assert spender.memory().grown_since(before) >= 99 * MIB
    before = spender.memory(forget=True)
    assert spender.memory().grown_since(before) < 10 * MIB


def test_open_files_are_counted(spender: Spender) -> None:
    before = spender.memory().descriptors
    spender.hold(1)
    assert before is not None
    assert before >= 3
    assert spender.memory().descriptors == before


def test_each_open_file_counts() -> None:
    opener = "import sys; files = [open('/dev/null') for _ in range(40)]; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", opener]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = memory_of(process.pid)
        process.communicate()
    assert found is not None
    assert found.descriptors == 43


def test_a_peak_that_cannot_be_forgotten_does_not_count() -> None:
    before = Memory(50, 200)
    assert Memory(60, 200).grown_since(before) == 10
    assert Memory(60, 201).grown_since(before) == 151
    assert Memory(40, 200).grown_since(before) == -10


def test_nobody_tells_of_a_process_that_has_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(10)
    assert memory_of(process.pid) is None


def test_a_container_by_its_statistics() -> None:
    assert memory_in({}) is None
    assert memory_in({"memory_stats": {}}) is None
    second = {"memory_stats": {"usage": 100, "stats": {"inactive_file": 30}}}
    assert memory_in(second) == Memory(70, 70)
    first = {"memory_stats": {"usage": 100, "max_usage": 150, "stats": {"total_inactive_file": 30}}}
    assert memory_in(first) == Memory(70, 150)


def test_other_processes_are_no_container() -> None:
    assert not is_in_container(1, "0123456789abcdef")
    assert not is_in_container(1, "")
    assert not is_in_container(0, "0123456789abcdef")


def footprint_of(*measured: Memory | None) -> Footprint:
    """The footprint of a peer that has these sizes, one at each look."""
    sizes = iter(measured)
    fake = SimpleNamespace(memory=lambda forget=False: next(sizes), trace=Trace())
    fake.trace.octets(fake.trace.opened(("a", 1), ("b", 2)), "dialer", bytes(1000))
    return Footprint(cast(Peer, cast(Any, fake)))


def test_growth_within_the_bound_is_nothing_to_tell() -> None:
    bound = FREE_OCTETS + PER_OCTET * 1000
    for peak in (0, FREE_OCTETS, bound):
        footprint_of(Memory(5, 5), Memory(5, 5 + peak)).expect_bounded()


def test_growth_beyond_the_bound_is_told_with_what_is_kept() -> None:
    bound = FREE_OCTETS + PER_OCTET * 1000
    ended: list[str] = []
    footprint = footprint_of(Memory(5, 5), Memory(6, 6 + bound), Memory(5 + 3 * MIB, 6 + bound))
    with pytest.raises(Mismatch) as told:
        footprint.expect_bounded(lambda: ended.append("links"))
    assert ended == ["links"]
    assert told.value.clause == MEMORY
    assert told.value.expected == "at most 64 MiB more in memory, with 1000 octets on its links"
    assert told.value.actual == "up to 64 MiB more, and 3 MiB at the end"


def test_what_cannot_be_measured_is_not_judged() -> None:
    footprint_of(None, Memory(1 << 40, 1 << 40)).expect_bounded()
    footprint_of(Memory(5, 5), None).expect_bounded()


def test_the_bound_is_recorded_only() -> None:
    assert Ledger.load().get(MEMORY).judged == "informational"
