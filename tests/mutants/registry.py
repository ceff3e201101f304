"""What a mutant is, and the list of all of them.

A mutant is a function that patches one decision of the reference peer or of the codec it stands on.
It runs in a process of its own, so nothing is ever patched back.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.zmtp import Connection, Greeting

Apply = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`kills` are the ids of the cases that must find it; `fault` is what it does wrong.

    `breaks` are the rules (clause globs) that the fault breaks besides those that its own cases cite: what
    else it can be blamed on.
    """

    name: str
    kills: tuple[str, ...]
    fault: str
    apply: Apply
    breaks: tuple[str, ...] = ()


MUTANTS: dict[str, Mutant] = {}


def mutant(*kills: str, breaks: Sequence[str] = ()) -> Callable[[Apply], Apply]:
    """Register a function as a mutant; its name (with dashes) and docstring describe the fault."""

    def register(apply: Apply) -> Apply:
        name = apply.__name__.replace("_", "-")
        assert name not in MUTANTS, f"two mutants are called {name}"
        assert apply.__doc__, f"mutant {name} does not say what it does wrong"
        MUTANTS[name] = Mutant(name, kills, " ".join(apply.__doc__.split()), apply, tuple(breaks))
        return apply

    return register


def patch(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replace `owner.name` by the decorated function, which gets the original as first argument."""
    original = getattr(owner, name)

    def replace(function: Callable[..., Any]) -> Callable[..., Any]:
        def patched(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, property(patched) if isinstance(original, property) else patched)
        return function

    return replace


def speaks_null(connection: Connection) -> bool:
    """Whether it has met a partner of ZMTP 3 under NULL: others have handshakes, and rules, of their own."""
    return connection.config.mechanism == "NULL" and isinstance(connection.partner, Greeting)


def load_mutants() -> dict[str, Mutant]:
    """Every mutant of every module beside this one."""
    import tests.mutants as package

    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if module not in ("faults", "registry", "run", "only_own", "sample"):
            importlib.import_module(f"tests.mutants.{module}")
    return MUTANTS
