"""`zconform trace FILE`: a capture decoded and judged.

Exit status: 0 what was judged conforms, 1 a rule was broken (with `--strict` a SHOULD, too), 2 the file
cannot be read, or not to its end, 3 nothing in it could be judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from harness.clauses import Ledger
from harness.verdict import Verdict
from harness.wire.tracefile import DamagedTrace

from .files import DamagedCapture
from .findings import Shown
from .judge import Judged, judge_file
from .opening import Keys, parse_key
from .text import as_json, as_text, counts_of, shown_text

CONFORMS, BREAKS, UNREADABLE, NOTHING = 0, 1, 2, 3
STATUS = "exit status: 0 conforms, 1 breaks a rule, 2 cannot be read (to its end), 3 nothing to judge"


def add_trace(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of `trace`."""
    sub = commands.add_parser(
        "trace", help="decode a capture (pcap, pcapng, our traces), judge it", epilog=STATUS
    )
    sub.add_argument("file", type=Path, metavar="FILE")
    sub.add_argument("--json", action="store_true", help="one JSON object instead of text")
    sub.add_argument("--events", action="store_true", help="show all that was said, as it is read")
    judging_options(sub)
    sub.set_defaults(act=trace)


def judging_options(sub: argparse.ArgumentParser) -> None:
    """What all have that judge."""
    sub.add_argument("--strict", action="store_true", help="a SHOULD that does not hold counts, too")
    secret = "a secret key that opens CURVE: 40 characters of Z85, 64 of hexadecimal, or @FILE (repeatable)"
    sub.add_argument("--curve-key", action="append", default=[], metavar="KEY", help=secret)
    public = "the public permanent key of a server of CURVE, to go with a client's transient secret key"
    sub.add_argument("--curve-server", action="append", default=[], metavar="KEY", help=public)


class Printer:
    """Prints what was said, with the time since the first of it."""

    def __init__(self) -> None:
        self._began_s: float | None = None

    def __call__(self, shown: Shown) -> None:
        """Print one thing."""
        self._began_s = shown.at_s if self._began_s is None else self._began_s
        print(shown_text(shown, self._began_s), flush=True)


def trace(options: argparse.Namespace) -> int:
    """Judge a capture and say what it came to."""
    try:
        keys = keys_of(options)
        live = options.events and not options.json
        judged = judge_file(options.file, keys, Printer() if live else None)
    except (DamagedCapture, DamagedTrace, ValueError) as error:
        print(f"zconform {options.command}: {error}", file=sys.stderr)
        return UNREADABLE
    except OSError as error:
        print(f"zconform {options.command}: {options.file}: {error.strerror or error}", file=sys.stderr)
        return UNREADABLE
    return tell(judged, options.json, options.strict, with_first=not options.events)


def tell(judged: Judged, as_object: bool, strict: bool, with_first: bool = True) -> int:
    """Print what a capture came to; the exit status."""
    ledger = Ledger.load()
    if as_object:
        print(json.dumps(as_json(judged, ledger), indent=1))
    else:
        for line in as_text(judged, ledger, with_first):
            print(line)
    if judged.damage:
        print(f"zconform: {judged.damage}", file=sys.stderr)
        return UNREADABLE
    counts = counts_of(judged, ledger)
    if counts[Verdict.FAIL] or (strict and counts[Verdict.NON_STRICT]):
        return BREAKS
    return CONFORMS if any(report.judged for report in judged.reports) else NOTHING


def keys_of(options: argparse.Namespace) -> Keys:
    """The keys of the command line. Raises ValueError, and OSError for a file of a key."""
    try:
        secrets = [parse_key(_text(key)) for key in options.curve_key]
        return Keys(secrets, [parse_key(_text(key)) for key in options.curve_server])
    except ValueError as error:
        raise ValueError(f"--curve-key or --curve-server: {error}") from None


def _text(key: str) -> str:
    return Path(key[1:]).read_text("utf-8").strip() if key.startswith("@") else key
