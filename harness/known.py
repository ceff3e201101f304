"""Known deviations: listed with the peer, still run, and red when they change.

known.toml stands beside peer.toml; a list of the same form can be given with `--expect`. Each [[known]]
names a case (a glob), perhaps parameters (a glob, or a list of globs, of which those that begin with "!"
leave out), the clause that is blamed, a regular expression that the actual outcome matches, the reason, and
a link where it is discussed or documented. An entry for a case of interop may name its partners (such a
list); its parameter reads as if the peer that the list belongs to were the first of the two. `race = true`
says that a fault shows in some runs only: then the case may pass, too, and the clause may be a glob, as a
race hits cases of several rules; so may that of a scenario, which one cause may end anywhere. `security =
true` says that a stranger can do harm with it: the conversation is kept out of what a run writes
(SECURITY.md). Where it is both, the peer is started anew behind the case, as the harm may show later.

`since` is the date on which an entry was listed, `until` the last day on which it may stand: after it the
entry is red. `versions` are those of the library that it speaks of (globs, as of `param`): for others it is
not there.

`include` names lists of other peers with the same library, relative to the file: their entries count behind
the file's own. `except` names cases (globs): the included entries of these do not hold for this peer. Of
several entries of a list that speak of a case the first counts.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from harness.pairs import seen_from_second

FILE_NAME = "known.toml"
MOST_CASES = 20
INTEROP = "interop/"
GUIDE = "guide/"
_TEXTS = {"case", "clause", "message", "reason", "link"}
_FLAGS = {"race", "security"}
_DATES = {"since", "until"}
_LISTS = {"partners", "versions"}
_KEYS = _TEXTS | _FLAGS | _DATES | _LISTS | {"param"}


class KnownError(ValueError):
    """A known.toml that cannot be used; one line names the file, the entry and the field."""


class _Globs:
    """What a list speaks of: one of its globs fits, or there is none, and none that begins with "!" does."""

    def __init__(self, globs: Sequence[str]) -> None:
        """The globs as expressions: each result of a run is held against each entry."""
        self._wanted = [self._expression(glob) for glob in globs if not glob.startswith("!")]
        self._left_out = [self._expression(glob[1:]) for glob in globs if glob.startswith("!")]

    @staticmethod
    def _expression(glob: str) -> re.Pattern[str]:
        return re.compile(fnmatch.translate(glob))

    def fit(self, text: str) -> bool:
        """Whether the list speaks of this text."""
        if any(glob.match(text) for glob in self._left_out):
            return False
        return not self._wanted or any(glob.match(text) for glob in self._wanted)


@dataclass(slots=True)
class Entry:
    """One known deviation, which cases it spoke of in this run, and which of them came out KNOWN.

    `number` counts the entries of its file from 1 on.
    """

    case: str
    clause: str
    message: str
    reason: str
    link: str
    param: str | Sequence[str] = "*"
    partners: Sequence[str] = ()
    file: str = ""
    race: bool = False
    security: bool = False
    since: date | None = None
    until: date | None = None
    versions: Sequence[str] = ()
    included: bool = False
    number: int = 0
    cases_met: set[str] = field(default_factory=set)
    cases_swallowed: set[str] = field(default_factory=set)
    _case: re.Pattern[str] = field(init=False, repr=False)
    _clause: re.Pattern[str] = field(init=False, repr=False)
    _param: _Globs = field(init=False, repr=False)
    _partners: _Globs = field(init=False, repr=False)
    _versions: _Globs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """The globs as expressions: each result of a run is held against each entry."""
        self._case = re.compile(fnmatch.translate(self.case))
        self._clause = re.compile(fnmatch.translate(self.clause))
        self._param = _Globs([self.param] if isinstance(self.param, str) else self.param)
        self._partners = _Globs(self.partners)
        self._versions = _Globs(self.versions)

    @property
    def is_guide(self) -> bool:
        """Whether this entry speaks of scenarios."""
        return self.case.startswith(GUIDE)

    @property
    def is_interop(self) -> bool:
        """Whether this entry speaks of cases that are asked of two peers."""
        return self.case.startswith(INTEROP)

    def meets(self, partner: str) -> bool:
        """Whether this entry speaks of that partner."""
        return self._partners.fit(partner)

    def fits(self, version: str) -> bool:
        """Whether this entry is there for a version of the library; "" is one that nobody could ask for."""
        return not version or self._versions.fit(version)

    def is_overdue(self, today: date) -> bool:
        """Whether the day has passed until which this entry may stand."""
        return self.until is not None and today > self.until

    def covers(self, case_id: str, param: str, partners: Sequence[str] = ()) -> bool:
        """Whether this entry speaks of a case with these parameters and, if any, one of these partners."""
        if self._case.match(case_id) is None or not self._param.fit(param):
            return False
        return not partners or any(map(self.meets, partners))

    def agrees(self, blamed: str, actual: str) -> str | None:
        """None where clause and message are as listed, else what has changed."""
        if self._clause.match(blamed) is None:
            return f"listed with clause {self.clause}, now {blamed}"
        if not re.search(self.message, actual):
            return f"listed with message {self.message!r}, now {actual!r}"
        return None


def today_utc() -> date:
    """The day that `until` is held against."""
    return datetime.now(UTC).date()


def load_known(folder: Path) -> list[Entry]:
    """The entries beside a peer's manifest; none where there is no file. Raises KnownError."""
    path = folder / FILE_NAME
    return load_list(path) if path.exists() else []


def load_list(path: Path) -> list[Entry]:
    """The entries of a list, those that it includes behind its own. Raises KnownError."""
    data = _read(path)
    entries = _entries(path, data)
    included: list[Entry] = []
    for name in _names(path, data, "include"):
        other = _read(path.parent / name)
        if "include" in other:
            raise KnownError(f"{path}: include: {name} includes others itself")
        included += [replace(entry, included=True) for entry in _entries(path.parent / name, other)]
    for glob in _names(path, data, "except"):
        kept = [entry for entry in included if not fnmatch.fnmatchcase(entry.case, glob)]
        if len(kept) == len(included):
            raise KnownError(f"{path}: except: {glob} is in no list that is included")
        included = kept
    return entries + included


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KnownError(f"{path}: {error}") from None
    if set(data) - {"known", "include", "except"}:
        raise KnownError(f"{path}: only include, except and [[known]] tables are allowed")
    return data


def _names(where: Path | str, data: dict[str, Any], key: str) -> list[str]:
    names = data.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise KnownError(f"{where}: {key}: not a list of names")
    return names


def _entries(path: Path, data: dict[str, Any]) -> list[Entry]:
    entries = data.get("known", [])
    if not isinstance(entries, list):
        raise KnownError(f"{path}: known: not [[known]] tables")
    return [_entry(path, number, table) for number, table in enumerate(entries, 1)]


def _entry(path: Path, number: int, table: Any) -> Entry:
    where = f"{path}: known #{number}"
    if not isinstance(table, dict):
        raise KnownError(f"{where}: not a table")
    for key in sorted(set(table) - _KEYS):
        raise KnownError(f"{where}: {key}: no such field")
    for key in sorted(_TEXTS):
        if not isinstance(table.get(key), str) or not table[key].strip():
            raise KnownError(f"{where}: {key}: missing, or no text")
    for key in sorted(_FLAGS):
        if not isinstance(table.get(key, False), bool):
            raise KnownError(f"{where}: {key}: neither true nor false")
    if "partners" in table and not table["case"].startswith((INTEROP, GUIDE)):
        raise KnownError(f"{where}: partners: only for cases of {INTEROP} and {GUIDE}")
    if not isinstance(table.get("param"), str):
        _names(where, table, "param")
    for key in sorted(_LISTS):
        _names(where, table, key)
    for key in sorted(_DATES & set(table)):
        if type(table[key]) is not date:
            raise KnownError(f"{where}: {key}: no date such as 2026-12-31")
    if "*" in table["clause"] and not table.get("race") and not table["case"].startswith(GUIDE):
        raise KnownError(f"{where}: clause: a glob is for races and {GUIDE} only")
    try:
        re.compile(table["message"])
    except re.error as error:
        raise KnownError(f"{where}: message: {error}") from None
    return Entry(**table, file=str(path), number=number)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom: a case, its parameters, its peers, and in a scenario who played which role."""

    case_id: str
    param: str
    peers: Sequence[str]
    cast: Mapping[str, str] = field(default_factory=dict)

    def views(self) -> list[tuple[str, list[str], str]]:
        """Who judges the result by its list: name, partners, and the parameter as that peer has it.

        In a scenario that is the parameter and the roles that it plays, such as "client-first-client".
        """
        if self.cast:
            return [self._in_its_roles(name) for name in dict.fromkeys(self.cast.values())]
        if len(self.peers) == 1:
            return [(self.peers[0], [], self.param)]
        first, second = self.peers
        return [(first, [second], self.param), (second, [first], seen_from_second(self.param))]

    def _in_its_roles(self, name: str) -> tuple[str, list[str], str]:
        roles = [role for role, peer in self.cast.items() if peer == name]
        own = self.param.removeprefix(cast_name(self.cast)).strip("-")
        others = [peer for peer in dict.fromkeys(self.cast.values()) if peer != name]
        return name, others, "-".join([*([own] if own else []), *roles])


def cast_name(cast: Mapping[str, str]) -> str:
    """Who plays which role in one word, such as "client=jeromq,server=pyzmq"."""
    return ",".join(f"{role}={peer}" for role, peer in cast.items())


def find(
    known: Mapping[str, list[Entry]], asked: Asked, versions: Mapping[str, str] | None = None
) -> list[Entry]:
    """Of each peer's list the first entry that speaks of this case, and of that peer's version."""
    there = versions or {}
    covering = (
        next(
            (
                one
                for one in known.get(name, [])
                if one.covers(asked.case_id, viewed, partners) and one.fits(there.get(name, ""))
            ),
            None,
        )
        for name, partners, viewed in asked.views()
    )
    return [entry for entry in covering if entry is not None]


def unmatched(entries: Sequence[Entry], singly: bool, partners: Sequence[str], version: str) -> list[Entry]:
    """After a whole run: the entries that met nothing though what they speak of was asked.

    An included entry may meet nothing, as a binding may not reach all of its library. `singly` says that the
    peer was asked by itself; `partners` are those that it was asked with.
    """
    return [
        entry
        for entry in entries
        if not entry.cases_met
        and not entry.included
        and entry.fits(version)
        and (any(map(entry.meets, partners)) if entry.is_interop else singly)
        and not (entry.is_guide and entry.partners)  # who meets whom there is the seed's matter
    ]


def greedy(entries: Sequence[Entry]) -> list[Entry]:
    """The entries that hide more cases than one of them may."""
    return [entry for entry in entries if len(entry.cases_swallowed) > MOST_CASES]


def overdue(entries: Sequence[Entry], today: date) -> list[Entry]:
    """The entries that met a case and may no longer stand."""
    return [entry for entry in entries if entry.cases_met and entry.is_overdue(today)]


def complaints(
    peer: str,
    entries: list[Entry],
    *,
    singly: bool = True,
    partners: Sequence[str] = (),
    version: str = "",
    today: date | None = None,
) -> list[str]:
    """What is wrong with a peer's list after a run: see `unmatched`, `greedy` and `overdue`.

    Where neither `singly` nor any of `partners` is given, the run was not whole, and no entry is unmatched.
    """
    unmet = unmatched(entries, singly, partners, version)
    late, eager = overdue(entries, today or today_utc()), greedy(entries)
    return [
        *(
            f"{peer}: {entry.file}: {entry.case} [{entry.param}] matches no case that was run"
            for entry in unmet
        ),
        *(f"{peer}: {entry.file}: {entry.case} swallows more than {MOST_CASES} cases" for entry in eager),
        *(
            f"{peer}: {entry.file}: {entry.case} [{entry.param}] was to stand until {entry.until}"
            for entry in late
        ),
    ]
