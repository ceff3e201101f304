"""`zconform run [PEER...]`: what pytest does, for who does not know pytest.

pytest takes the place of this process, so that signals and the exit status are its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from harness.catalogue import CASES
from harness.options import OPTIONS, Option

WORKERS_PER_CORE = 3
"""Cases wait for peers and timers most of the time."""
WITHOUT = ("hypothesispytest", "cacheprovider", "logging")
"""Plugins of pytest that cases have no use for."""
STATUS = (
    "Exit status, as pytest's: 0 nothing is red, 1 something is, 2 broken off, 3 pytest itself failed, "
    "4 an option cannot be used, 5 nothing was selected. What stands behind -- goes to pytest as it is."
)
_OWN = [option for option in OPTIONS if option.name != "--peer"]


def _suite_options(chore: Callable[..., int]) -> Callable[..., int]:
    """The suite's own options, in their order."""
    for option in reversed(_OWN):
        chore = click.option(option.name, **_as_click_has_it(option))(chore)
    return chore


def _as_click_has_it(option: Option) -> dict[str, Any]:
    if option.metavar is None:
        return {"is_flag": True, "help": option.help}
    kind = click.Choice(option.choices) if option.choices else option.type
    shown = {} if option.choices else {"metavar": option.metavar}
    return {"type": kind, "multiple": option.kind == "many", "help": option.help, **shown}


@click.command(help="Ask peers the cases, all that can run here if none is named.", epilog=STATUS)
@click.argument("peers", nargs=-1, metavar="[PEER]...")
@_suite_options
@click.option("--strict", is_flag=True, help="NON_STRICT is red, too")
@click.option("-k", "named", metavar="WORDS", help="only cases whose names fit, as of pytest")
@click.option("-n", "workers", type=int, metavar="N", help=f"N workers (default: {WORKERS_PER_CORE} a core)")
def run(peers: Sequence[str], strict: bool, named: str | None, workers: int | None, **suite: Any) -> int:
    """Have pytest take this process's place; names with a leading - were behind --."""
    asked, more = [name for name in peers if name[0] != "-"], [name for name in peers if name[0] == "-"]
    own = ["--strict"] * strict + ([] if named is None else ["-k", named])
    command = pytest_command(asked, suite, workers) + own + more
    sys.stdout.flush()
    os.execv(command[0], command)


def pytest_command(peers: Sequence[str], suite: Mapping[str, Any], workers: int | None) -> list[str]:
    """The command line of pytest; `suite` has the suite's options as click gives them."""
    count = WORKERS_PER_CORE * (os.cpu_count() or 1) if workers is None else workers
    spread = ["-n", str(count), "--dist", "worksteal"] if count and not suite.get("list") else ["-n", "0"]
    without = [word for plugin in WITHOUT for word in ("-p", f"no:{plugin}")]
    chosen = [word for peer in peers for word in ("--peer", peer)]
    asked = [word for option in _OWN for word in _words(option, suite.get(_field(option)))]
    return [
        sys.executable, "-m", "pytest", str(CASES), "-q", "--no-header", *without, *spread, *chosen, *asked
    ]  # fmt: skip


def _field(option: Option) -> str:
    return option.name.removeprefix("--").replace("-", "_")


def _words(option: Option, value: Any) -> Iterator[str]:
    if option.metavar is None:
        yield from [option.name] if value else []
    elif value is not None:
        for each in value if option.kind == "many" else [value]:
            yield f"{option.name}={each}"
