"""What breaks a scenario on purpose: a role that does wrong, or a broken peer that plays it.

`broken` puts another function in the place of one of a scenario's module (a role, or what a role uses);
`played_by` gives a role to a mutant of the reference (tests/mutants). Either says which rule has to be
blamed, and with which parameters the scenario is run.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class RoleMutant:
    """One fault: where it is put (`owner.attribute`), or who plays which role, and what it breaks."""

    name: str
    scenario: Callable[..., None]
    clause: str
    params: dict[str, Any]
    owner: ModuleType | type | None = None
    attribute: str = ""
    replacement: Callable[..., Any] | None = None
    cast: dict[str, str] = field(default_factory=dict)


MUTANTS: dict[str, RoleMutant] = {}


def broken(
    scenario: Callable[..., None],
    clause: str,
    attribute: str,
    *,
    owner: ModuleType | type | None = None,
    **params: Any,
) -> Callable[[F], F]:
    """Let the decorated function stand for `attribute` of the scenario's module, or of `owner`."""

    def register(function: F) -> F:
        place = owner or importlib.import_module(scenario.__module__)
        assert hasattr(place, attribute), f"{place.__name__} has no {attribute}"
        assert function.__doc__, f"{function.__name__} does not say what it does wrong"
        _add(RoleMutant(_name(function), scenario, clause, params, place, attribute, function))
        return function

    return register


def played_by(scenario: Callable[..., None], clause: str, role: str, mutant: str, **params: Any) -> None:
    """Let a mutant of the reference play a role, or each of several ("dialer+listener")."""
    cast = dict.fromkeys(role.split("+"), mutant)
    _add(RoleMutant(f"{scenario.__name__}-{role}-{mutant}", scenario, clause, params, cast=cast))


def _name(function: Callable[..., Any]) -> str:
    return function.__name__.replace("_", "-")


def _add(made: RoleMutant) -> None:
    assert made.name not in MUTANTS, f"two mutants are called {made.name}"
    MUTANTS[made.name] = made


def load_role_mutants() -> dict[str, RoleMutant]:
    """Every mutant of every module beside this one whose name begins with `broken_`."""
    import tests.guide as package

    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if module.startswith("broken_"):
            importlib.import_module(f"tests.guide.{module}")
    return MUTANTS
