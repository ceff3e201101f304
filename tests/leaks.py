"""`python -m tests.leaks -- PYTEST OPTIONS`: runs of the suite, two in three broken off; nothing may stay.

Of three runs one ends by itself, one is interrupted by SIGINT or SIGTERM and one killed by SIGKILL, each at a
chosen number of outcomes. Afterwards no process that the run has started, no container and no network may be
left, and so no port: a port ends with its process. What only the next run can remove (the network of a killed
one) is looked for after the last run, which ends by itself. Prints each thing that is left; exits with 1 if
there is one.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from harness.deadlines import Deadline
from tests.engine import labelled

ROOT = Path(__file__).resolve().parent.parent
MARK = "ZCONFORM_LEAKS"
GRACE_S = 15.0
TIMEOUT_S = 600.0
LATEST = 400
"""At most so many outcomes come before a run is broken off."""


def processes_of(mark: str) -> list[str]:
    """Processes that have inherited the mark of a run: pid and command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                found.append(f"process {folder.name}: {' '.join(words)[:100]!r}")
        except OSError:  # gone meanwhile, or not ours
            continue
    return found


def things_of(pids: list[int], *kinds: str) -> list[str]:
    """What the engine has of the runs of these processes, where an engine answers."""
    names = tuple(f"zconform-{pid}-" for pid in pids)
    try:
        found = labelled("zconform.run", kinds)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    return [f"{thing.kind} {thing.value} {thing.id}" for thing in found if thing.value.startswith(names)]


def left(mark: str, pids: list[int], networks: bool) -> list[str]:
    """What is left of the last run, and of containers of all, once it has had its time to go."""
    deadline = Deadline("leaving nothing", GRACE_S)
    while True:
        kinds = ("container", "network") if networks else ("container",)
        found = [*processes_of(mark), *things_of(pids, *kinds)]
        if not found or deadline.expired:
            return found


def run(options: list[str], mark: str, end: signal.Signals | None, outcomes: int) -> tuple[int, str]:
    """One run, sent `end` after so many outcomes: its process's id, and how it ended."""
    with tempfile.TemporaryDirectory() as report:
        command = [sys.executable, "-m", "pytest", "conformance/", "-q", "--report", report, *options]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {MARK: mark},
        )
        assert process.stdout is not None
        seen = 0
        while seen < outcomes and (octet := process.stdout.read(1)):
            seen += octet in b".kiunF"
        if end is not None and process.poll() is None:
            os.killpg(process.pid, end) if end == signal.SIGINT else process.send_signal(end)
        try:
            process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.pid, f"did not end within {TIMEOUT_S:g} s"
    how = f"{end.name} after {outcomes} outcomes" if end else "to its end"
    return process.pid, f"{how}, exit status {process.returncode}"


def main() -> int:
    """Run, break off, look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("options", nargs="*", help="for pytest, behind --")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    kept = 0
    pids: list[int] = []
    for number in range(1, options.runs + 1):
        last = number == options.runs
        gently = chance.choice([signal.SIGINT, signal.SIGTERM])
        end = None if last else [None, gently, signal.SIGKILL][number % 3]
        outcomes = chance.randint(1, LATEST) if end else sys.maxsize
        mark = uuid.uuid4().hex
        pid, how = run(options.options or ["-n", "auto"], mark, end, outcomes)
        pids.append(pid)
        found = left(mark, pids, networks=last)
        kept += len(found)
        print(f"run {number}: {how}: {len(found)} left", flush=True)
        for thing in found:
            print(f"  {thing}", flush=True)
    print(f"{kept} things left by {options.runs} runs")
    return 1 if kept else 0


if __name__ == "__main__":
    sys.exit(main())
