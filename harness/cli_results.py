"""What `zconform` does with the results of runs that are over: validate, gate.

RESULTS is a `results.json`, a `results.jsonl` (what a killed run leaves), or a report's folder. Exit status 2
says that a file could not be used; one line on stderr names it and the field.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.bench import PEERS
from harness.expect import Expected, parse_expected, with_expected
from harness.gate import Lists, UpdateError, as_json, judge_run, markdown, text, update
from harness.known import FILE_NAME, KnownError, load_known, today_utc
from harness.manifest import ManifestError, load_manifests
from harness.report.record import InvalidRecord, Record, RecordError, read_record

Act = Callable[[argparse.Namespace], int]
Commands = Any
"""What argparse returns for its subparsers, and gives no public name."""


def add_commands(commands: Commands) -> None:
    """Add these chores to the command line; each leaves its function in `act`."""
    sub = _command(commands, "validate", "say whether a file is what the schema of results says", validate)
    sub.add_argument("results", type=Path, metavar="RESULTS")
    sub = _command(commands, "gate", "hold results against lists, dates and an earlier run", gate)
    sub.add_argument("results", type=Path, metavar="RESULTS")
    sub.add_argument("--baseline", type=Path, metavar="RESULTS", help="what it judged has to be judged still")
    sub.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="[PEER=]FILE",
        help="known deviations of one's own peer, before those of its known.toml (repeatable)",
    )
    sub.add_argument("--peers-dir", action="append", type=Path, default=[], metavar="DIR")
    sub.add_argument("--update", action="store_true", help="write what is red for a list into --expect FILE")
    sub.add_argument("--markdown", type=Path, metavar="FILE", help="write the summary as Markdown, too")
    sub.add_argument("--json", action="store_true", help="print JSON")


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


def gate(options: argparse.Namespace) -> int:
    """0 where nothing is unexpected, 1 where something is, 2 where a file or an option cannot be used."""
    try:
        if options.update and not options.expect:
            raise UpdateError("--update: say which file it is to write: --expect FILE")
        record = read_record(options.results)
        baseline = read_record(options.baseline) if options.baseline is not None else None
        expected = parse_expected(options.expect, sorted(record.peers))
        made = judge_run(record, _lists(record, expected, options), today_utc(), baseline)
        if options.update:
            for peer, file in expected:
                count = update(made, peer, file)
                print(f"{file}: {count} changes", file=sys.stderr)
            made = judge_run(record, _lists(record, expected, options), today_utc(), baseline)
        if options.markdown is not None:
            options.markdown.write_text(markdown(made), encoding="utf-8")
    except (RecordError, ManifestError, KnownError, UpdateError, OSError) as error:
        return _told("gate", error, 2)
    print(json.dumps(as_json(made), indent=1) if options.json else text(made), end="")
    return 1 if made.red else 0


def _lists(record: Record, expected: Sequence[Expected], options: argparse.Namespace) -> Lists:
    """What is listed for the peers of a run today. Raises ManifestError or KnownError."""
    found = load_manifests([PEERS, *options.peers_dir])
    folders = {name: found[name].folder for name in record.peers if name in found}
    for name in sorted(set(record.peers) - set(folders) - {each.peer for each in expected}):
        print(
            f"zconform gate: {name}: no such folder (--peers-dir), so its list is not known", file=sys.stderr
        )
    known = {name: load_known(folder) for name, folder in folders.items()}
    there = [each for each in expected if each.file.exists() or not options.update]
    files = {name: folder / FILE_NAME for name, folder in folders.items()}
    files |= {each.peer: each.file for each in expected}
    return Lists(with_expected(known, there), files, [each.peer for each in expected])


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
