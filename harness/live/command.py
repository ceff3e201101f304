"""`zconform tap --listen ADDR --to ADDR`: what passes between two applications, decoded and judged.

Exit status as that of `trace`: 0 what was judged conforms, 1 a rule was broken (with `--strict` a SHOULD,
too), 2 an address, a key or a file cannot be used, 3 nothing could be judged.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click

from harness.capture.command import judging_options, keys_of, tell
from harness.capture.judge import Judged
from harness.clauses import Ledger
from harness.console import as_json_option, complain, refused, say

from .screen import Screen
from .spool import Spooled
from .tap import Keeper, LiveTap, TapError

BUFFER_MIB = 256
BUFFER_MOST_MIB = 1 << 14
MANNERS = 10
STATUS = "exit status: 0 conforms, 1 breaks a rule, 2 cannot be used, 3 nothing to judge; Ctrl-C ends it"


@click.command(help="Pass on what two applications say, show it and judge it, live.", epilog=STATUS)
@click.option(
    "--listen", required=True, metavar="ADDR", help="where one connects: tcp://host:port, ipc://path"
)
@click.option("--to", required=True, metavar="ADDR", help="where the other is bound")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="keep what passes, as pcapng")
@click.option(
    "--buffer",
    type=click.IntRange(1, BUFFER_MOST_MIB),
    default=BUFFER_MIB,
    show_default=True,
    metavar="MIB",
    help="memory, taken at once, for what is not judged yet; beyond it connections go on unrecorded",
)
@click.option("--wait", is_flag=True, help="rather hold the applications up than leave anything unrecorded")
@as_json_option("no text while it runs; one JSON object at the end")
@judging_options
def tap(
    listen: str,
    to: str,
    out: Path | None,
    buffer: int,
    wait: bool,
    as_json: bool,
    strict: bool,
    curve_keys: Sequence[str],
    curve_servers: Sequence[str],
) -> int:
    """Pass on until Ctrl-C, then say what it came to."""
    try:
        keys = keys_of(curve_keys, curve_servers)
        with ExitStack() as held:
            live = held.enter_context(LiveTap(listen, to, buffer << 20, wait))
            keeper = Keeper(out) if out is not None else None
            is_over = end_when_told()
            complain(f"listening on {live.endpoint}, passing on to {to}; Ctrl-C ends it")
            name = f"{live.endpoint} > {to}"
            screen = Screen(name, keys, Ledger.load(), None if as_json else say)
            judged = follow(live, screen, keeper, is_over)
    except (TapError, ValueError) as error:
        return refused(error)
    except OSError as error:
        return refused(f"{error.filename or out or 'output'}: {error.strerror or error}")
    return tell(judged, as_json, strict, with_first=False)


def follow(live: LiveTap, screen: Screen, keeper: Keeper | None, is_over: Callable[[], bool]) -> Judged:
    """Judge what passes until it is over, then the rest of it. Raises TapError and OSError."""
    os.nice(MANNERS)
    keep: Callable[[Iterator[Spooled]], Iterator[Spooled]] = iter if keeper is None else keeper.keep
    for batch in live.batches(is_over):
        screen.take(keep(batch))
    if keeper is not None:
        keeper.close()
    return screen.finish()


def end_when_told() -> Callable[[], bool]:
    """From now on Ctrl-C and SIGTERM end in good order; whether one came. A second one waits for nothing."""
    told = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if told.is_set():
            raise KeyboardInterrupt
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return told.is_set
