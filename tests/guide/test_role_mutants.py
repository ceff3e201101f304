"""Every rule of every scenario of the guide is broken once, and the scenario blames that rule."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import conformance.guide
from harness.bench import PEERS, Bench, Wishes
from harness.case import ATTRIBUTE, Judge
from harness.deadlines import Deadlines
from harness.stage.scenario import Scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch
from harness.wire.trace import Trace
from tests.guide.mutants import RoleMutant, load_role_mutants
from tests.kills import write_peer, write_peers
from tests.mutants.registry import load_mutants

MUTANTS = load_role_mutants()
IMPATIENT = Deadlines(0.3)
OLD = "tests/guide/old.py"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("peers")
    players = {mutant for made in MUTANTS.values() for mutant in made.cast.values()}
    write_peers([load_mutants()[name] for name in sorted(players)], folder)
    write_peer(folder, "old-reference", OLD)
    for name in sorted(
        {name for made in MUTANTS.values() if is_old(made.scenario) for name in made.cast.values()}
    ):
        write_peer(folder, f"old-mutant-{name}", OLD, name)
    made = Bench.make([PEERS / "reference", folder], Wishes(), IMPATIENT, 1, None)
    made.self_tests = False
    yield made
    made.stop()


def is_old(function: Callable[..., None]) -> bool:
    """Whether a scenario is about ZMTP 1.0 alone."""
    made: Scenario = getattr(function, ATTRIBUTE)
    return made.at_most == "1.0"


def scenarios() -> Iterator[tuple[Scenario, Callable[..., None]]]:
    for info in pkgutil.iter_modules(conformance.guide.__path__):
        module = importlib.import_module(f"conformance.guide.{info.name}")
        for function in vars(module).values():
            made = getattr(function, ATTRIBUTE, None)
            if isinstance(made, Scenario):
                yield made, function


def perform(bench: Bench, function: Callable[..., None], params: dict[str, Any], cast: dict[str, str]) -> str:
    """Play a scenario on the reference; the rule that is blamed, "" where all holds."""
    made: Scenario = getattr(function, ATTRIBUTE)
    names = [f"mutant-{cast[role]}" if role in cast else "reference" for role in made.roles]
    if is_old(function):
        names = [f"old-{name}" for name in names]
    live = bench.hold(*names, spare=4)
    stage = Stage(dict(zip(made.roles, live, strict=True)), Trace(), bench.hub, bench.deadlines, 1)
    judge = Judge()
    given = {"stage": stage, "judge": judge, **params}
    try:
        function(**{name: given[name] for name in inspect.signature(function).parameters})
    except Mismatch as seen:
        return seen.clause or made.clauses[0]
    finally:
        stage.finish()
    return judge.findings[0].clause or made.clauses[0] if judge.findings else ""


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_broken_role_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch, mutant: RoleMutant) -> None:
    if mutant.replacement is not None:
        monkeypatch.setattr(mutant.owner, mutant.attribute, mutant.replacement)
    assert perform(bench, mutant.scenario, mutant.params, mutant.cast) == mutant.clause


@pytest.mark.parametrize(("made", "function"), list(scenarios()), ids=lambda value: getattr(value, "id", ""))
def test_every_rule_of_a_scenario_is_broken_by_a_mutant(
    made: Scenario, function: Callable[..., None]
) -> None:
    broken = {mutant.clause for mutant in MUTANTS.values() if mutant.scenario is function}
    assert broken == set(made.clauses)


def runs() -> list[tuple[Callable[..., None], dict[str, Any]]]:
    """Every scenario with every parameters that a mutant is run with."""
    asked = [(mutant.scenario, mutant.params) for mutant in MUTANTS.values()]
    return [pair for at, pair in enumerate(asked) if pair not in asked[:at]]


@pytest.mark.parametrize(("function", "params"), runs(), ids=lambda value: getattr(value, "__name__", None))
def test_without_a_mutant_all_holds(
    bench: Bench, function: Callable[..., None], params: dict[str, Any]
) -> None:
    assert perform(bench, function, params, {}) == ""
