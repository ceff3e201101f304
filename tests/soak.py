"""`python -m tests.soak`: the whole suite again and again; no verdict may change.

Every third run has all cores kept busy by idle loops. Prints each verdict that differs from the first run's
and exits with 1 if there is one. What a known.toml calls a race may come out PASS or KNOWN.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.known import Asked, Entry, find, load_known

ROOT = Path(__file__).resolve().parent.parent
Verdicts = dict[str, str]


def _spin() -> None:
    while os.getppid() != 1:
        pass


@contextmanager
def load(busy: bool) -> Iterator[None]:
    """Keep every core busy in this block, if asked to."""
    spinners = [
        multiprocessing.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1) if busy
    ]
    for spinner in spinners:
        spinner.start()
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.terminate()
            spinner.join()


def outcome_of(result: dict[str, Any], known: dict[str, list[Entry]]) -> str:
    """What must not change: the verdict, and where it is worth something the clause that is blamed."""
    verdict = str(result["verdict"])
    listed = find(known, Asked(result["id"], result["param"], result["peers"], result["cast"]))
    if verdict in ("PASS", "KNOWN") and any(entry.race for entry in listed):
        return "PASS or KNOWN, a race"
    return verdict if verdict == "INFO" else f"{verdict} {result['blamed']}"


def run_once(options: list[str], timeout_s: float) -> tuple[Verdicts, dict[str, str], float]:
    """By peer, case and parameters the verdicts and what was seen; how long the run took in seconds."""
    known = {folder.name: load_known(folder) for folder in (ROOT / "peers").iterdir() if folder.is_dir()}
    with tempfile.TemporaryDirectory() as report:
        command = [sys.executable, "-m", "pytest", "conformance/", "-q", "--report", report, *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s)
        if not (Path(report) / "results.json").exists():
            sys.exit(f"the run left no results:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        loaded = json.loads((Path(report) / "results.json").read_text("utf-8"))
    verdicts: Verdicts = {}
    seen = {}
    for n, result in enumerate(loaded["results"]):
        key = f"{'+'.join(result['peers'])} {result['id']}[{result['param']}]"
        key = f"{key}#{n}" if key in verdicts else key
        verdicts[key] = outcome_of(result, known)
        found = f" (expected {result['expected']}, actual {result['actual']})"
        seen[key] = found if result["expected"] else ""
    return verdicts, seen, float(loaded["duration_s"])


def main() -> int:
    """Run, compare, complain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--timeout-s", type=float, default=600.0)
    parser.add_argument("options", nargs="*", help="for pytest, behind --; by default -n auto")
    options = parser.parse_args()
    first: Verdicts = {}
    seen_first: dict[str, str] = {}
    changed = 0
    for number in range(1, options.runs + 1):
        busy = number % 3 == 0
        with load(busy):
            verdicts, seen, took_s = run_once(options.options or ["-n", "auto"], options.timeout_s)
        if not first:
            first, seen_first = verdicts, seen
        odd = [k for k in sorted(first | verdicts) if first.get(k) != verdicts.get(k)]
        changed += len(odd)
        print(
            f"run {number}{' (busy)' if busy else ''}: {len(verdicts)} verdicts, {took_s:.1f} s", flush=True
        )
        for key in odd:
            was = f"{first.get(key)}{seen_first.get(key, '')}"
            print(f"  {key}: {was} -> {verdicts.get(key)}{seen.get(key, '')}", flush=True)
    print(f"{changed} verdicts changed in {options.runs} runs")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
