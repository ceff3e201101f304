"""`zconform report FOLDER [--against FOLDER]`: the HTML page of a run that is over, made from its results.

Exit status 2 says that something could not be read or written; one line on stderr names file and field.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from harness.report.html import RunError, read_run, write_page

NAME = "report"


def add_command(commands: Any) -> None:
    """Add it to argparse's subparsers, for whose type argparse has no public name."""
    sub = commands.add_parser(NAME, help="make index.html from a run's folder")
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="what --report wrote, also of a killed run")
    sub.add_argument("--against", type=Path, metavar="FOLDER", help="an earlier run to compare with")
    sub.add_argument("--with-security", action="store_true", help="show what can do harm: see SECURITY.md")


def report(folder: Path, against: Path | None, with_security: bool) -> int:
    """Write the page and say where it is; 2 if that cannot be."""
    try:
        run = read_run(folder)
        before = None if against is None else read_run(against)
        path = write_page(run, before, with_security=with_security)
    except (RunError, OSError) as error:
        print(f"zconform {NAME}: {error}", file=sys.stderr)
        return 2
    state = "" if run.complete else ", incomplete" if run.ended else ", incomplete: the run was broken off"
    print(f"{path}: {len(run.results)} results of {len(run.peers)} peers{state}")
    return 0
