"""What the chores of `zconform` tell, and to whom: lines on stdout, refusals on stderr, JSON for machines.

A person at a terminal sees verdicts in colour; a pipe, a file and a test get the same lines without.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.theme import Theme

UNUSABLE = 2
"""The exit status where a file or an option cannot be used, the same for all chores."""
_THEME = Theme(
    {
        "verdict.bad": "bold red",
        "verdict.soft": "yellow",
        "verdict.good": "green",
    }
)


class _Verdicts(RegexHighlighter):
    base_style = "verdict."
    highlights = [  # noqa: RUF012 (rich's own way)
        r"(?P<bad>\b(?:FAIL|ERROR|RED|red|failed)\b)",
        r"(?P<soft>\b(?:NON_STRICT|KNOWN|INFO|UNSUPPORTED|incomplete)\b)",
        r"(?P<good>\b(?:PASS|GREEN|green|all well)\b)",
    ]


@cache
def coloured() -> Console:
    """The terminal, with verdicts in colour."""
    return Console(theme=_THEME, highlighter=_Verdicts(), markup=False, emoji=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line, or several. What a peer sent has to be escaped already."""
    if sys.stdout.isatty():
        coloured().print(text)
    else:
        click.echo(text)


def say_json(value: Any) -> None:
    """Print something for a machine, on as many lines as a person can read, too."""
    click.echo(json.dumps(value, indent=1))


def complain(problem: object) -> None:
    """Say on one line of stderr what is wrong, behind the name of the running chore."""
    click.echo(f"{click.get_current_context().command_path}: {problem}", err=True)


def refused(problem: object, status: int = UNUSABLE) -> int:
    """Say what the running chore cannot do, and hand on its exit status."""
    complain(problem)
    return status


def as_json_option(says: str = "print JSON") -> Callable[[Callable[..., int]], Callable[..., int]]:
    """`--json`, which a chore takes as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=says)


peers_dir_option = click.option(
    "--peers-dir",
    "peers_dirs",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="DIR",
    help="look for peers in DIR, too (repeatable)",
)
"""Folders of peers beside the suite's own, which a chore takes as `peers_dirs`."""
