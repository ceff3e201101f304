"""What a case is, and how it says that something held, held softly, or is merely worth telling.

A case is a test function with a rule: an id that never changes, the clauses it judges (the first one
is blamed where nothing else is named), the capabilities it needs, and its docstring, which is the
rule in our words.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.verdict import Mismatch

F = TypeVar("F", bound=Callable[..., None])
ATTRIBUTE = "__zconform_case__"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*){2}")


class CaseError(ValueError):
    """A case that is not well formed; one line names it and the field."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: `id` is pattern/subject/rule, `rule` its docstring on one line.

    `security` says that whoever breaks the rule can be harmed by a stranger (SECURITY.md).
    """

    id: str
    clauses: tuple[str, ...]
    needs: tuple[str, ...]
    rule: str
    security: bool = False

    @property
    def family(self) -> str:
        """The first two parts of the id, such as "zmtp/greeting"."""
        return self.id.rsplit("/", 1)[0]

    def needed(self, params: Mapping[str, Any]) -> list[str]:
        """The capabilities needed with these parameters: "{socket_type}" stands for a parameter."""
        return [need.format(**params) for need in self.needs]


def case(
    case_id: str, *, clauses: list[str], needs: list[str] | None = None, security: bool = False
) -> Callable[[F], F]:
    """Make a test function a case. `needs` are capabilities such as "ROUTER" or "option:handover"."""

    return mark(lambda rule: Case(case_id, tuple(clauses), tuple(needs or ()), rule, security))


def mark(make: Callable[[str], Case]) -> Callable[[F], F]:
    """Make a test function the case that `make` gives for its rule."""

    def put(function: F) -> F:
        made = make(" ".join((inspect.getdoc(function) or "").split()))
        check_case(made)
        setattr(function, ATTRIBUTE, made)
        return function

    return put


def check_case(made: Case) -> None:
    """Raise CaseError where the id, the clauses or the rule are missing or malformed."""
    if not _ID.fullmatch(made.id):
        raise CaseError(f"{made.id}: id: not pattern/subject/rule in kebab case")
    if not made.clauses:
        raise CaseError(f"{made.id}: clauses: a case judges at least one clause")
    if not made.rule:
        raise CaseError(f"{made.id}: docstring: a case states its rule")


@dataclass(slots=True)
class Judge:
    """Collects what does not end a case: soft findings, and notes on what was seen."""

    findings: list[Mismatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def soft(self) -> Iterator[None]:
        """Go on after a mismatch in this block; it still counts by its clause's level."""
        try:
            yield
        except Mismatch as mismatch:
            self.findings.append(mismatch)

    def note(self, text: str) -> None:
        """Record what was seen where several behaviours are allowed."""
        self.notes.append(text)

    @staticmethod
    def that(holds: bool, expected: str, actual: object, clause: str | None = None) -> None:
        """Raise a Mismatch unless `holds`."""
        if not holds:
            raise Mismatch(expected, str(actual), clause)

    @staticmethod
    def equal(actual: object, expected: object, clause: str | None = None) -> None:
        """Raise a Mismatch unless the two are equal."""
        if actual != expected:
            raise Mismatch(repr(expected), repr(actual), clause)
