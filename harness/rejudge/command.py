"""`zconform rejudge RESULTS`. Exit status: 0 nothing differs, 1 something does, 2 the results cannot be read,
3 nothing in them could be judged again."""

from __future__ import annotations

from pathlib import Path

import click

from harness.clauses import Ledger
from harness.console import as_json_option, refused, say, say_json
from harness.report.record import RecordError, read_record

from .judge import as_json as rejudged_json
from .judge import as_text, rejudge

SAME, DIFFERS, NOTHING = 0, 1, 3
STATUS = "exit status: 0 nothing differs, 1 something does, 2 cannot be read, 3 nothing to judge again"


@click.command(
    "rejudge", help="Judge the stored conversations of a past run by today's checks.", epilog=STATUS
)
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS")
@as_json_option()
def rejudge_results(results: Path, as_json: bool) -> int:
    """Say what comes out otherwise, and what could not be judged again."""
    try:
        record = read_record(results)
    except RecordError as error:
        return refused(error)
    outcomes = rejudge(record, Ledger.load())
    if as_json:
        say_json(rejudged_json(record, outcomes))
    else:
        say("\n".join(as_text(record, outcomes)))
    if any(each.differs for each in outcomes):
        return DIFFERS
    return SAME if any(each.looked_at for each in outcomes) else NOTHING
