"""What a scenario is: a case whose roles are played by several peers.

It declares the legs between its roles, such as {"requests": "client REQ -> server REP"}: the client dials,
the server listens. From these come the roles, what each must be able to open, who has to understand whom, and
the picture for people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harness.case import Case, CaseError, mark

F = TypeVar("F", bound=Callable[..., None])
_LEG = re.compile(
    r"(?P<dialer>[a-z][a-z0-9-]*) (?P<dials>[A-Z]+) -> (?P<listener>[a-z][a-z0-9-]*) (?P<listens>[A-Z]+)"
)


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One leg: a role's socket dials another's. Both roles may be the same: then it stays within one peer."""

    name: str
    dialer: str
    dials: str
    listener: str
    listens: str

    def __str__(self) -> str:
        return f"{self.dialer} {self.dials} -> {self.listener} {self.listens}"


@dataclass(frozen=True, slots=True)
class Scenario(Case):
    """A case with roles: its legs, what each role needs, and between which versions of ZMTP it has to be that
    the two ends of a leg come to speak."""

    legs: tuple[PlannedLeg, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at_least: str = "1.0"
    at_most: str = "3.1"

    @property
    def name(self) -> str:
        """The last part of its id, by which people call it."""
        return self.id.rsplit("/", 1)[1]


def scenario(
    case_id: str,
    *,
    clauses: list[str],
    legs: Mapping[str, str],
    needs: Mapping[str, Sequence[str]] | None = None,
    at_least: str = "1.0",
    at_most: str = "3.1",
) -> Callable[[F], F]:
    """Make a test function a scenario; it takes the fixture `stage`.

    `needs` are further capabilities of roles, such as {"client": ["option:identity"]}. Raises CaseError.
    """
    planned = tuple(_leg(case_id, name, text) for name, text in legs.items())
    roles: dict[str, list[str]] = {}
    for leg in planned:
        for role, socket_type in ((leg.dialer, leg.dials), (leg.listener, leg.listens)):
            roles.setdefault(role, [])
            if socket_type not in roles[role]:
                roles[role].append(socket_type)
    for role, further in (needs or {}).items():
        if role not in roles:
            raise CaseError(f"{case_id}: needs: {role} is no role of its legs")
        roles[role] += further
    known = {role: tuple(needed) for role, needed in roles.items()}
    fixed = (planned, known, at_least, at_most)
    return mark(lambda rule: Scenario(case_id, tuple(clauses), (), rule, False, *fixed))


def _leg(case_id: str, name: str, text: str) -> PlannedLeg:
    found = _LEG.fullmatch(text)
    if found is None:
        raise CaseError(f'{case_id}: legs: {name}: {text!r} is not "role TYPE -> role TYPE"')
    return PlannedLeg(name, **found.groupdict())
