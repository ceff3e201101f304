"""`zconform coverage`: which clause has which cases."""

from __future__ import annotations

import click

from harness.catalogue import collect_cases
from harness.clauses import SPECS, Ledger
from harness.console import as_json_option, refused, say, say_json
from harness.report.coverage import cover, render_coverage

COVERAGE = SPECS / "coverage.txt"


@click.command(help="Show the clauses and the cases that judge them.")
@click.option("--write", is_flag=True, help="put it into specs/coverage.txt")
@click.option("--check", is_flag=True, help="exit status 1 if that file is not true")
@as_json_option()
def coverage(write: bool, check: bool, as_json: bool) -> int:
    """Show, write or check specs/coverage.txt."""
    ledger, cases = Ledger.load(), collect_cases()
    text = render_coverage(ledger, cases)
    if write:
        COVERAGE.write_text(text, encoding="utf-8")
    elif check:
        if not COVERAGE.exists() or COVERAGE.read_text("utf-8") != text:
            return refused(f"{COVERAGE}: not what ledger and cases say: run `make coverage`", 1)
    elif as_json:
        rows = cover(ledger, cases)
        say_json({row.clause.id: {"state": row.state, "cases": row.cases} for row in rows})
    else:
        say(text.removesuffix("\n"))
    return 0
