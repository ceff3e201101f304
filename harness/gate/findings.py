"""What makes a gate red, and the entry to paste, to replace or to delete for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.known import Entry
from harness.report.model import Result
from harness.report.secrecy import KEPT_OUT
from harness.report.text import printable

Table = dict[str, Any]
"""The fields of an entry, in the order in which they are written."""
_ORDER = (
    "case",
    "param",
    "partners",
    "clause",
    "message",
    "race",
    "security",
    "since",
    "until",
    "versions",
    "reason",
    "link",
)
_MESSAGE_CHARACTERS = 100
_HEAD = re.compile(r"\s*\[\[\s*known\s*\]\]")
NO_LINK = "none yet"


class Kind(StrEnum):
    """Why the gate is red."""

    FAILURE = "unexpected failure"
    ERROR = "could not be asked"
    PASS = "unexpected pass"
    SKIPPED = "listed but skipped"
    CHANGED = "changed"
    UNMATCHED = "unmatched entry"
    GREEDY = "entry hides too many cases"
    OVERDUE = "overdue entry"
    MISSING = "not judged any more"
    BROKEN_OFF = "broken off"

    @property
    def is_mended(self) -> bool:
        """Whether a list can be written anew so that it is green. A date that has passed is for humans."""
        return self in (Kind.FAILURE, Kind.PASS, Kind.SKIPPED, Kind.CHANGED, Kind.UNMATCHED)


class Remedy(StrEnum):
    """What to do with the entry of a finding, if it is the peer that is right or that stays so."""

    NONE = ""
    PASTE = "paste"
    ABOVE = "paste above"
    REPLACE = "replace"
    DELETE = "delete"
    EXCEPT = "except"


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason for red. `peer` is whose list it belongs to, `entry` the one that it speaks of, `table` the
    one to paste. `params` are the parameters that it was seen with, all the same."""

    kind: Kind
    peer: str
    what: str
    case: str = ""
    params: tuple[str, ...] = ()
    remedy: Remedy = Remedy.NONE
    entry: Entry | None = None
    table: Table | None = None
    rate: str = ""


def entry_heads(text: str) -> list[int]:
    """The lines, counted from 0, at which the entries of a list begin."""
    return [number for number, line in enumerate(text.splitlines()) if _HEAD.match(line)]


def entry_place(entry: Entry) -> str:
    """Where an entry begins, as FILE:LINE; its number in the file where that cannot be told."""
    try:
        heads = entry_heads(Path(entry.file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        heads = []
    if 0 < entry.number <= len(heads):
        return f"{entry.file}:{heads[entry.number - 1] + 1}"
    return f"{entry.file}: [[known]] #{entry.number}"


def entry_text(table: Table) -> str:
    """An entry as it stands in a list."""
    lines = [f"{key:<7} = {_value(key, table[key])}" for key in _ORDER if key in table]
    return "\n".join(["[[known]]", *lines])


def _value(key: str, value: Any) -> str:
    """A value as TOML has it: JSON has the same strings and lists, where every character can be printed."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_value(key, each) for each in value)}]"
    if isinstance(value, str):
        shown = printable(value)
        return (
            f"'{shown}'" if key == "message" and "'" not in shown else json.dumps(shown, ensure_ascii=False)
        )
    return json.dumps(value)


def new_table(
    result: Result,
    params: Sequence[str] | None,
    partner: str = "",
    race: bool = False,
    today: date | None = None,
) -> Table:
    """The entry for a failure with these parameters (None: with any) and this partner.

    Its message is what was seen, numbers left open; the reason is left for a human to find.
    """
    table: Table = {"case": result.id}
    if params is not None:
        globs = [literal(param) for param in params]
        table["param"] = globs[0] if len(globs) == 1 else globs
    if partner:
        table["partners"] = [partner]
    table |= {"clause": result.blamed, "message": message_pattern(result.actual)}
    if race:
        table["race"] = True
    if result.security:
        table["security"] = True
    if today is not None:
        table["since"] = today
    return table | {"reason": f"Not looked into yet. {result.reason}".strip(), "link": NO_LINK}


def table_of(entry: Entry, **changes: Any) -> Table:
    """An entry's fields, some of them changed; those that say nothing are left out."""
    table = {name: getattr(entry, name) for name in _ORDER} | changes
    if table["param"] == "*":
        del table["param"]
    return {
        name: value if isinstance(value, str | date | bool) else list(value)
        for name, value in table.items()
        if value
    }


def message_pattern(actual: str) -> str:
    """A regular expression for an outcome and others that differ in numbers and in what cannot be printed."""
    if actual == KEPT_OUT:
        return "."
    shown = actual[:_MESSAGE_CHARACTERS]
    parts = re.split(r"(\d+)", shown)
    pattern = "".join(r"\d+" if part.isdecimal() else _escaped(part) for part in parts)
    return f"^{pattern}" + ("$" if shown == actual else "")


def _escaped(text: str) -> str:
    return "".join(
        re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", c) if c.isprintable() else "(?s:.)" for c in text
    )


def literal(text: str) -> str:
    """A glob that fits this text alone."""
    return re.sub(r"([*?\[])", r"[\1]", text)


def shown_params(params: Iterable[str]) -> str:
    """Parameters behind a case's id: "" where it has none."""
    named = [param for param in params if param]
    return f" [{', '.join(named)}]" if named else ""
