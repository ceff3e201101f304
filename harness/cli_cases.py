"""What `zconform` tells of cases and clauses: cases, explain, coverage."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from harness.bench import PEERS
from harness.catalogue import Found, caught_by_case, collect_cases, find_cases
from harness.clauses import SPECS, Ledger
from harness.console import as_json_option, peers_dir_option, refused, say, say_json
from harness.explain import Sources, Unexplained, as_text
from harness.known import KnownError, load_known
from harness.manifest import ManifestError, load_manifests
from harness.report.coverage import cover, render_coverage

COVERAGE = SPECS / "coverage.txt"


@click.command(help="List cases: their ids, what they need, what they judge.")
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("--clause", "clauses", multiple=True, metavar="GLOB", help="only cases that judge these")
@as_json_option()
def cases(globs: Sequence[str], clauses: Sequence[str], as_json: bool) -> int:
    """Show the cases whose ids fit one of the globs; 2 where none does."""
    chosen = [
        found
        for case_id, found in find_cases().items()
        if _fits(case_id, globs) and any(_fits(clause, clauses) for clause in found.case.clauses)
    ]
    if not chosen:
        return refused(f"GLOB: no case fits {', '.join([*globs, *clauses])}")
    if as_json:
        say_json([_as_json(found) for found in chosen])
    else:
        _show(chosen)
    return 0


def _fits(text: str, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatch.fnmatchcase(text, glob) for glob in globs)


def _as_json(found: Found) -> Mapping[str, object]:
    case = found.case
    asked = {"asked_of": found.asked_of, "place": found.place, "security": case.security}
    return {"id": case.id, "rule": case.rule, "clauses": case.clauses, "needs": case.needs, **asked}


def _show(chosen: Sequence[Found]) -> None:
    for found in chosen:
        say(f"{found.case.id}  ({found.asked_of})")
        say(f"    {found.case.rule}")
        say(f"    clauses  {', '.join(found.case.clauses)}")
        if found.case.needs:
            say(f"    needs    {', '.join(found.case.needs)}")
    say(f"{len(chosen)} cases")


@click.command(help="Tell all that is known of a case or a clause.")
@click.argument("name", metavar="CASE|CLAUSE")
@peers_dir_option
@as_json_option()
def explain(name: str, peers_dirs: Sequence[Path], as_json: bool) -> int:
    """Show all that is known of a case or a clause, who is known to break it included."""
    try:
        peers = load_manifests([PEERS, *peers_dirs])
        known = {peer: load_known(manifest.folder) for peer, manifest in peers.items()}
        told = Sources(Ledger.load(), find_cases(), caught_by_case(), known).explain(name)
    except (ManifestError, KnownError, Unexplained) as error:
        return refused(error)
    if as_json:
        say_json(told)
    else:
        for line in as_text(told):
            say(line)
    return 0


@click.command(help="Show the clauses and the cases that judge them.")
@click.option("--write", is_flag=True, help="put it into specs/coverage.txt")
@click.option("--check", is_flag=True, help="exit status 1 if that file is not true")
@as_json_option()
def coverage(write: bool, check: bool, as_json: bool) -> int:
    """Show, write or check specs/coverage.txt."""
    ledger, known_cases = Ledger.load(), collect_cases()
    text = render_coverage(ledger, known_cases)
    if write:
        COVERAGE.write_text(text, encoding="utf-8")
    elif check:
        if not COVERAGE.exists() or COVERAGE.read_text("utf-8") != text:
            return refused(f"{COVERAGE}: not what ledger and cases say: run `make coverage`", 1)
    elif as_json:
        rows = cover(ledger, known_cases)
        say_json({row.clause.id: {"state": row.state, "cases": row.cases} for row in rows})
    else:
        say(text.removesuffix("\n"))
    return 0
