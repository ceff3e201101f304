"""What `zconform` does with the results of runs that are over: validate.

RESULTS is a `results.json`, a `results.jsonl` (what a killed run leaves), or a report's folder. Exit status 2
says that a file could not be used; one line on stderr names it and the field.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.report.record import InvalidRecord, Record, RecordError, read_record

Act = Callable[[argparse.Namespace], int]
Commands = Any
"""What argparse returns for its subparsers, and gives no public name."""


def add_commands(commands: Commands) -> None:
    """Add these chores to the command line; each leaves its function in `act`."""
    sub = _command(commands, "validate", "say whether a file is what the schema of results says", validate)
    sub.add_argument("results", type=Path, metavar="RESULTS")


def validate(options: argparse.Namespace) -> int:
    """0 where the file keeps to the schema, 1 where it breaks it, 2 where it cannot be read."""
    try:
        record = read_record(options.results)
    except InvalidRecord as error:
        return _told("validate", error, 1)
    except RecordError as error:
        return _told("validate", error, 2)
    print(f"{record.source}: valid: {_described(record)}")
    return 0


def _described(record: Record) -> str:
    verdicts = Counter(result.verdict for result in record.results)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    whole = "complete" if record.complete else "incomplete" if record.ended else "broken off, incomplete"
    return f"{len(record.results)} results of {len(record.peers)} peers, {whole}" + (
        f": {counts}" * bool(counts)
    )


def _command(commands: Commands, name: str, says: str, act: Act) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
    sub.set_defaults(act=act)
    return sub


def _told(command: str, problem: object, status: int) -> int:
    print(f"zconform {command}: {problem}", file=sys.stderr)
    return status
