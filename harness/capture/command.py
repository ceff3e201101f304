"""`zconform trace FILE`: a capture decoded and judged.

Exit status: 0 what was judged conforms, 1 a rule was broken (with `--strict` a SHOULD, too), 2 the file
cannot be read, or not to its end, 3 nothing in it could be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from harness.clauses import Ledger
from harness.console import as_json_option, refused, say, say_json
from harness.verdict import Verdict
from harness.wire.tracefile import DamagedTrace

from .files import DamagedCapture
from .findings import Shown
from .judge import Judged, judge_file
from .opening import Keys, parse_key
from .text import as_json as judged_json
from .text import as_text, counts_of, shown_text

CONFORMS, BREAKS, UNREADABLE, NOTHING = 0, 1, 2, 3
STATUS = "exit status: 0 conforms, 1 breaks a rule, 2 cannot be read (to its end), 3 nothing to judge"


def judging_options(chore: Callable[..., int]) -> Callable[..., int]:
    """What all have that judge: `strict`, `curve_keys` and `curve_servers`."""
    secret = "a secret key that opens CURVE: 40 characters of Z85, 64 of hexadecimal, or @FILE (repeatable)"
    public = "the public permanent key of a server of CURVE, to go with a client's transient secret key"
    for option in (
        click.option("--curve-server", "curve_servers", multiple=True, metavar="KEY", help=public),
        click.option("--curve-key", "curve_keys", multiple=True, metavar="KEY", help=secret),
        click.option("--strict", is_flag=True, help="a SHOULD that does not hold counts, too"),
    ):
        chore = option(chore)
    return chore


class Printer:
    """Prints what was said, with the time since the first of it."""

    def __init__(self) -> None:
        self._began_s: float | None = None

    def __call__(self, shown: Shown) -> None:
        """Print one thing."""
        self._began_s = shown.at_s if self._began_s is None else self._began_s
        say(shown_text(shown, self._began_s))


@click.command(help="Decode a capture (pcap, pcapng, our traces) and judge it.", epilog=STATUS)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@as_json_option("one JSON object instead of text")
@click.option("--events", is_flag=True, help="show all that was said, as it is read")
@judging_options
def trace(
    file: Path,
    as_json: bool,
    events: bool,
    strict: bool,
    curve_keys: Sequence[str],
    curve_servers: Sequence[str],
) -> int:
    """Judge a capture and say what it came to."""
    try:
        keys = keys_of(curve_keys, curve_servers)
        judged = judge_file(file, keys, Printer() if events and not as_json else None)
    except (DamagedCapture, DamagedTrace, ValueError) as error:
        return refused(error, UNREADABLE)
    except OSError as error:
        return refused(f"{file}: {error.strerror or error}", UNREADABLE)
    return tell(judged, as_json, strict, with_first=not events)


def tell(judged: Judged, as_object: bool, strict: bool, with_first: bool = True) -> int:
    """Print what a capture came to; the exit status."""
    ledger = Ledger.load()
    if as_object:
        say_json(judged_json(judged, ledger))
    else:
        for line in as_text(judged, ledger, with_first):
            say(line)
    if judged.damage:
        return refused(judged.damage, UNREADABLE)
    counts = counts_of(judged, ledger)
    if counts[Verdict.FAIL] or (strict and counts[Verdict.NON_STRICT]):
        return BREAKS
    return CONFORMS if any(report.judged for report in judged.reports) else NOTHING


def keys_of(curve_keys: Sequence[str], curve_servers: Sequence[str]) -> Keys:
    """The keys of the command line, secret ones and servers' public ones.

    Raises ValueError, and OSError for a file of a key.
    """
    try:
        secrets = [parse_key(_text(key)) for key in curve_keys]
        return Keys(secrets, [parse_key(_text(key)) for key in curve_servers])
    except ValueError as error:
        raise ValueError(f"--curve-key or --curve-server: {error}") from None


def _text(key: str) -> str:
    return Path(key[1:]).read_text("utf-8").strip() if key.startswith("@") else key
