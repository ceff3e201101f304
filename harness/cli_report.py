"""`zconform report FOLDER [--against FOLDER]`: the HTML page of a run that is over, made from its results.

Exit status 2 says that something could not be read or written; one line on stderr names file and field.
"""

from __future__ import annotations

from pathlib import Path

import click

from harness.console import as_json_option, refused, say, say_json
from harness.report.html import RunError, read_run, write_page

FOLDER = click.Path(path_type=Path)


@click.command(help="Make index.html anew from what a run left.")
@click.argument("folder", type=FOLDER, metavar="FOLDER")
@click.option("--against", type=FOLDER, metavar="FOLDER", help="an earlier run to compare with")
@click.option("--with-security", is_flag=True, help="show what can do harm: see SECURITY.md")
@as_json_option()
def report(folder: Path, against: Path | None, with_security: bool, as_json: bool) -> int:
    """Write the page and say where it is; 2 if that cannot be."""
    try:
        run = read_run(folder)
        before = None if against is None else read_run(against)
        path = write_page(run, before, with_security=with_security)
    except (RunError, OSError) as error:
        return refused(error)
    state = "" if run.complete else ", incomplete" if run.ended else ", incomplete: the run was broken off"
    if as_json:
        counts = {"results": len(run.results), "peers": len(run.peers)}
        say_json({"page": str(path), **counts, "complete": run.complete, "ended": run.ended})
    else:
        say(f"{path}: {len(run.results)} results of {len(run.peers)} peers{state}")
    return 0
