"""The cases that there are, read from the files below `conformance/`, and the mutants that each has caught.

The mutants stand in a file of the suite's own tests, which an installation may lack.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.case import ATTRIBUTE, Case
from harness.clauses import SPECS

ROOT = SPECS.parent
CASES = ROOT / "conformance"
KILL_TABLE = ROOT / "tests" / "mutants" / "kill-table.txt"


@dataclass(frozen=True, slots=True)
class Found:
    """A case and where it stands: `place` is FILE:LINE, `asked_of` says who it is asked of."""

    case: Case
    place: str
    asked_of: str


@dataclass(frozen=True, slots=True)
class Caught:
    """A mutant of the reference peer: its name, its fault in words, the cases that have caught it."""

    name: str
    fault: str
    cases: tuple[str, ...]


def collect_cases(folder: Path = CASES) -> list[Case]:
    """Every case below a folder, by id; the files are loaded as pytest would load them."""
    return [found.case for found in find_cases(folder).values()]


def find_cases(folder: Path = CASES) -> Mapping[str, Found]:
    """Every case below a folder with its place, by id, in the order of the ids."""
    found = {each.case.id: each for path in sorted(folder.rglob("test_*.py")) for each in _in(path, folder)}
    return {case_id: found[case_id] for case_id in sorted(found)}


def caught_by_case(table: Path = KILL_TABLE) -> Mapping[str, list[Caught]] | None:
    """The mutants by the id of each case that has caught them; None where the table is not there."""
    if not table.exists():
        return None
    by_case: dict[str, list[Caught]] = {}
    for mutant in _mutants(table.read_text("utf-8")):
        for case_id in mutant.cases:
            by_case.setdefault(case_id, []).append(mutant)
    return by_case


def _in(path: Path, folder: Path) -> Iterator[Found]:
    name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for value in vars(module).values():
        made = getattr(value, ATTRIBUTE, None)
        if isinstance(made, Case):
            line = inspect.unwrap(value).__code__.co_firstlineno
            place = f"{path.relative_to(folder.parent).as_posix()}:{line}"
            yield Found(made, place, _asked_of(value))


def _asked_of(function: Callable[..., object]) -> str:
    fixtures = inspect.signature(function).parameters
    if "stage" in fixtures:
        return "several peers, each in a role"
    return "two peers" if "pair" in fixtures else "one peer"


def _mutants(text: str) -> Iterator[Caught]:
    """What tests/kill_table.py writes: blocks of a name, its fault, and the cases that have caught it."""
    for block in text.split("\n\n")[1:]:
        name, fault, *caught = block.strip().splitlines()
        cases = tuple(line.strip().removeprefix("caught by ") for line in caught)
        yield Caught(name, fault.strip().removeprefix("fault").strip(), cases)
