"""`zconform`, or `python -m harness.cli`: the chores around the suite.

A chore is a click command whose function returns the exit status; it stands in COMMANDS, and what it prints
goes through `harness.console`. Exit statuses are each chore's own, except that 2 is a file or an option that
cannot be used (one line on stderr says which), and 130 a chore that was broken off with Ctrl-C.
"""

from __future__ import annotations

import sys

import click

from harness.capture.command import trace
from harness.cli_cases import cases, coverage, explain
from harness.cli_peers import build_peers, explore_peer, make_peer, try_adapter
from harness.cli_report import report
from harness.cli_results import diff, gate, merge, validate
from harness.cli_run import run
from harness.live.command import tap
from harness.rejudge.command import rejudge_results

COMMANDS: tuple[click.Command, ...] = (
    build_peers,
    cases,
    coverage,
    diff,
    explain,
    explore_peer,
    gate,
    make_peer,
    merge,
    rejudge_results,
    report,
    run,
    tap,
    trace,
    try_adapter,
    validate,
)
BROKEN_OFF = 130
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(
    "zconform",
    commands=COMMANDS,
    context_settings=SETTINGS,
    help="Judge implementations of ZeroMQ, and what is known of them. `pytest conformance/` asks the cases.",
)
@click.version_option(package_name="zconform")
def zconform() -> None:
    """All chores."""


def main(argv: list[str] | None = None) -> int:
    """Read the command line and do the chore; its exit status."""
    try:
        return zconform.main(argv, prog_name="zconform", standalone_mode=False) or 0
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "zconform"
        click.echo(f"{where}: {error.format_message()}", err=True)
        return error.exit_code
    except click.Abort:
        return BROKEN_OFF


if __name__ == "__main__":
    sys.exit(main())
