"""`python -m tests.kill_table`: which case catches which mutant, written as a table.

With `--whole` every mutant is asked with every case (a long run, nothing is written): of a mutant's own cases
all items until one catches it, of every other case the first. A case of another family may stumble over a
fault, but must blame a rule of the mutant's own cases, or one that the mutant says it breaks
besides, or say what fails already in a plain talk. `--whole NAME ...` asks these mutants alone.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from harness.case import Case
from harness.catalogue import collect_cases
from harness.pytest_blame import IN_PLAIN_TALK
from harness.stage.scenario import Scenario
from tests.kills import catches, run_cases, run_own, write_peers
from tests.mutants.registry import Mutant, load_mutants

BATCH = 10
OPTIONS = ["-p", "no:hypothesispytest", "--time-scale", "0.3"]
# The draft types are built of the parts that the stable ones have, under clauses of their own.
RESTATED = ("41/*", "48/*", "49/*", "51/*", "52/*")
TABLE = Path(__file__).resolve().parent / "mutants" / "kill-table.txt"


def own_cases() -> list[Case]:
    """All cases but the scenarios, which have mutants of their own (tests/guide)."""
    return [case for case in collect_cases() if not isinstance(case, Scenario)]


def head_of(cases: Iterable[Case], mutants: Mapping[str, Mutant]) -> str:
    """The first lines: what the table is of, so that a stale one shows."""
    names = sorted(case.id for case in cases) + sorted(mutants)
    mark = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    count = len(names) - len(mutants)
    return f"# {len(mutants)} mutants against {count} cases [{mark}]; made by `make kill-table`\n"


def rules_of(mutants: Mapping[str, Mutant], cases: Iterable[Case]) -> dict[str, tuple[str, ...]]:
    """What each mutant can be blamed on, as globs: the rules of its own cases, and what it breaks besides."""
    clauses = {case.id: case.clauses for case in cases}
    return {
        name: (*(one for case_id in mutant.kills for one in clauses[case_id]), *mutant.breaks, *RESTATED)
        for name, mutant in mutants.items()
    }


def by_mutant(results: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The results of each mutant, by its name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        found.setdefault(result["peers"][0].removeprefix("mutant-"), []).append(result)
    return found


def row(mutant: Mutant, results: list[dict[str, Any]]) -> str:
    """The mutant's row: what it does wrong, and which of its own cases have caught it."""
    caught = {r["id"] for r in results if catches(r)}
    lines = [mutant.name, f"    fault     {mutant.fault}"]
    return "\n".join([*lines, *(f"    caught by {i}" for i in mutant.kills if i in caught)]) + "\n"


def survived(mutant: Mutant, results: list[dict[str, Any]]) -> list[str]:
    """Which of its own cases have not caught it."""
    caught = {r["id"] for r in results if catches(r)}
    return [f"{mutant.name}: not caught by {i}" for i in mutant.kills if i not in caught]


def misblamed(mutant: Mutant, results: list[dict[str, Any]], rules: Sequence[str]) -> list[str]:
    """Which cases of other families have blamed its fault on something else."""
    families = {_family(case_id) for case_id in mutant.kills}
    return [
        f"{mutant.name}: {r['id']}[{r['param']}] blames {r['blamed']}: {r['actual']}"
        for r in results
        if catches(r) and _family(r["id"]) not in families and not _is_fair(r, rules)
    ]


def _family(case_id: str) -> str:
    return case_id.rsplit("/", 1)[0]


def _is_fair(result: Mapping[str, Any], rules: Sequence[str]) -> bool:
    """Whether a case that stumbled blames one of these rules, or what fails in a plain talk, too."""
    return IN_PLAIN_TALK in result["expected"] or any(fnmatchcase(result["blamed"], rule) for rule in rules)


def run_batch(batch: list[Mutant]) -> list[dict[str, Any]]:
    """Judge some mutants with every case."""
    with tempfile.TemporaryDirectory() as scratch:
        write_peers(batch, Path(scratch) / "peers")
        options = ["-p", "tests.mutants.sample", *OPTIONS]
        return run_cases(Path(scratch) / "peers", Path(scratch) / "report", *options)


def run_whole(mutants: Mapping[str, Mutant], rules: Mapping[str, Sequence[str]]) -> list[str]:
    """Ask every mutant with every case, many batches side by side (a broken peer is mostly waited for).

    What is blamed on something else, which is printed as soon as a batch has ended.
    """
    names = sorted(mutants)
    batches = [[mutants[name] for name in names[at : at + BATCH]] for at in range(0, len(names), BATCH)]
    problems: list[str] = []
    with ThreadPool(6 * (os.cpu_count() or 1)) as pool:
        for done, batch in enumerate(pool.imap_unordered(run_batch, batches), 1):
            found = by_mutant(batch)
            wrong = [line for name in found for line in misblamed(mutants[name], found[name], rules[name])]
            print(f"{done} of {len(batches)} batches", *wrong, sep="\n", flush=True)
            problems += wrong
    return problems


def _asked_whole(mutants: Mapping[str, Mutant]) -> list[str] | None:
    """The names behind --whole, none for all mutants; None without it."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill_table")
    parser.add_argument("--whole", nargs="*", metavar="NAME", help="ask with every case; no NAME: all")
    names: list[str] | None = parser.parse_args().whole
    if unknown := set(names or ()).difference(mutants):
        parser.error(f"--whole: no mutant {', '.join(sorted(unknown))}")
    return names


def main() -> int:
    """Run, write the table, and complain where a mutant survives or is blamed on something else."""
    mutants, cases = load_mutants(), own_cases()
    whole = _asked_whole(mutants)
    mutants = {name: mutants[name] for name in sorted(whole or mutants)}
    with tempfile.TemporaryDirectory() as scratch:
        own = by_mutant(run_own(mutants.values(), Path(scratch), "-p", "no:hypothesispytest"))
    problems = [line for name in mutants for line in survived(mutants[name], own.get(name, []))]
    print(*problems, sep="\n", flush=True)
    if whole is not None:
        problems += run_whole(mutants, rules_of(mutants, cases))
    else:
        rows = [row(mutants[name], own.get(name, [])) for name in mutants]
        TABLE.write_text("\n".join([head_of(cases, mutants), *rows]), encoding="utf-8")
    print(f"{len(mutants)} mutants, " + (f"{len(problems)} things are wrong" if problems else "each caught"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
