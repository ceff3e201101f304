"""Chores around the suite: `python -m harness.cli coverage` shows which clause has which cases.

`--write` puts it into specs/coverage.txt; `--check` says with its exit status whether that file is true.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from harness.case import ATTRIBUTE, Case
from harness.clauses import SPECS, Ledger
from harness.report.coverage import render_coverage

CASES = SPECS.parent / "conformance"
COVERAGE = SPECS / "coverage.txt"


def collect_cases(folder: Path = CASES) -> list[Case]:
    """Every case below a folder, by id; the files are loaded as pytest would load them."""
    found: dict[str, Case] = {}
    for path in sorted(folder.rglob("test_*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for value in vars(module).values():
            made = getattr(value, ATTRIBUTE, None)
            if isinstance(made, Case):
                found[made.id] = made
    return [found[case_id] for case_id in sorted(found)]


def coverage(write: bool, check: bool) -> int:
    """Show, write or check specs/coverage.txt."""
    text = render_coverage(Ledger.load(), collect_cases())
    if write:
        COVERAGE.write_text(text, encoding="utf-8")
    elif check:
        if not COVERAGE.exists() or COVERAGE.read_text("utf-8") != text:
            print(f"{COVERAGE}: not what ledger and cases say: run `make coverage`", file=sys.stderr)
            return 1
    else:
        print(text, end="")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Read the command line and do the chore."""
    parser = argparse.ArgumentParser(prog="python -m harness.cli", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("coverage", help="clauses and the cases that judge them")
    sub.add_argument("--write", action="store_true")
    sub.add_argument("--check", action="store_true")
    options = parser.parse_args(argv)
    return coverage(options.write, options.check)


if __name__ == "__main__":
    sys.exit(main())
