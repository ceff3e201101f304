"""`python -m tests.kill_table`: which case catches which mutant, written as a table.

With `--whole` every mutant is asked with every case (a long run, nothing is written): of a mutant's own cases
all items until one catches it, of every other case the first. A case of another family may stumble over a
fault, but must blame a rule of the mutant's own cases, or one that the mutant says it breaks
besides, or say what fails already in a plain talk.
"""

from __future__ import annotations

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
from harness.cli import collect_cases
from harness.pytest_blame import IN_PLAIN_TALK
from tests.kills import catches, run_cases, run_own, write_peers
from tests.mutants.registry import Mutant, load_mutants

BATCH = 10
OPTIONS = ["-p", "no:hypothesispytest", "--time-scale", "0.3"]
TABLE = Path(__file__).resolve().parent / "mutants" / "kill-table.txt"


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
        name: (*(clause for case_id in mutant.kills for clause in clauses[case_id]), *mutant.breaks)
        for name, mutant in mutants.items()
    }


def row(mutant: Mutant, results: list[dict[str, Any]], rules: Sequence[str]) -> tuple[str, list[str]]:
    """The mutant's row, and what is wrong with it."""
    caught = {r["id"] for r in results if catches(r)}
    families = {case_id.rsplit("/", 1)[0] for case_id in mutant.kills}
    beside = {i for i in caught if i.rsplit("/", 1)[0] in families} - set(mutant.kills)
    stumbled = caught - set(mutant.kills) - beside
    problems = [f"{mutant.name}: not caught by {i}" for i in mutant.kills if i not in caught]
    problems += [
        f"{mutant.name}: {r['id']}[{r['param']}] blames {r['blamed']}: {r['actual']}"
        for r in results
        if r["id"] in stumbled and catches(r) and not _is_fair(r, rules)
    ]
    lines = [mutant.name, f"    fault     {mutant.fault}"]
    lines += [f"    {label:<9} {i}" for label, ids in _groups(mutant, caught, beside, stumbled) for i in ids]
    return "\n".join(lines) + "\n", problems


def _is_fair(result: Mapping[str, Any], rules: Sequence[str]) -> bool:
    """Whether a case that stumbled blames one of these rules, or what fails in a plain talk, too."""
    return IN_PLAIN_TALK in result["expected"] or any(fnmatchcase(result["blamed"], rule) for rule in rules)


def _groups(
    mutant: Mutant, caught: set[str], beside: set[str], stumbled: set[str]
) -> list[tuple[str, list[str]]]:
    own = [i for i in mutant.kills if i in caught]
    return [("caught by", own), ("beside", sorted(beside)), ("stumbled", sorted(stumbled))]


def run_batch(batch: list[Mutant]) -> list[dict[str, Any]]:
    """Judge some mutants with every case."""
    with tempfile.TemporaryDirectory() as scratch:
        write_peers(batch, Path(scratch) / "peers")
        options = ["-p", "tests.mutants.sample", *OPTIONS]
        return run_cases(Path(scratch) / "peers", Path(scratch) / "report", *options)


def run_whole(mutants: Mapping[str, Mutant], rules: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Judge every mutant with every case, many batches side by side (a broken peer is mostly waited for).

    What is wrong is printed as soon as a batch has ended.
    """
    names = sorted(mutants)
    batches = [[mutants[name] for name in names[at : at + BATCH]] for at in range(0, len(names), BATCH)]
    results: list[dict[str, Any]] = []
    with ThreadPool(6 * (os.cpu_count() or 1)) as pool:
        for done, batch in enumerate(pool.imap_unordered(run_batch, batches), 1):
            print(f"{done} of {len(batches)} batches", *wrong_in(batch, mutants, rules), sep="\n", flush=True)
            results += batch
    return results


def wrong_in(
    results: list[dict[str, Any]], mutants: Mapping[str, Mutant], rules: Mapping[str, Sequence[str]]
) -> list[str]:
    """What is wrong with the mutants that were asked."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_name.setdefault(result["peers"][0].removeprefix("mutant-"), []).append(result)
    return [line for name, own in sorted(by_name.items()) for line in row(mutants[name], own, rules[name])[1]]


def main() -> int:
    """Run, write the table, and complain where a mutant survives or is blamed on something else."""
    mutants, cases, whole = load_mutants(), collect_cases(), "--whole" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        own = run_own(mutants.values(), Path(scratch), "-p", "no:hypothesispytest")
    rules = rules_of(mutants, cases)
    results = [*own, *(run_whole(mutants, rules) if whole else [])]
    rows: list[str] = []
    problems: list[str] = []
    for name in sorted(mutants):
        mine = [r for r in results if r["peers"][0] == f"mutant-{name}"]
        text, wrong = row(mutants[name], mine, rules[name])
        rows.append(text)
        problems += wrong
    if not whole:
        TABLE.write_text("\n".join([head_of(cases, mutants), *rows]), encoding="utf-8")
    print("\n".join(problems) or f"{len(mutants)} mutants, each caught")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
