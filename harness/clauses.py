"""The ledger: every normative statement of the specifications in scope, as immutable values.

The clause files are data (``specs/**/*.toml``): a head that names the specification and one ``[[clause]]``
table for each statement. This module reads them, refuses what is not well formed with a one-line
`LedgerError`, and answers questions about them. It knows nothing of cases or verdicts; which cases cover a
clause is for ``harness.report.coverage``.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

Level = Literal[
    "MUST", "MUST NOT", "SHALL", "SHALL NOT", "REQUIRED", "SHOULD", "SHOULD NOT", "RECOMMENDED",
    "MAY", "MAY NOT", "OPTIONAL", "GRAMMAR", "LAYOUT", "PROSE",
]  # fmt: skip
"""The RFC 2119 word of a statement; else GRAMMAR (ABNF), LAYOUT (a table, a picture), PROSE (plain words)."""

Status = Literal["permission", "implied", "unobservable", "ambiguous", "optional"]
"""Why a clause needs no case of its own; a clause without a status must be covered by cases."""

Judged = Literal["strict", "non-strict", "informational"]
"""What a mismatch blamed on a clause comes to: FAIL, NON_STRICT or INFO."""

Witness = Literal["wire", "api"]
"""Where a clause can be observed: in the octets of a connection, or in the answers of the socket API."""

SPECS = Path(__file__).resolve().parent.parent / "specs"
"""The clause files of this project."""

_HEAD_KEYS = ("spec", "edition", "subject")
_NEEDED_KEYS = ("id", "level", "where", "text")
_OPTIONAL_KEYS = ("status", "by", "why", "reading", "judged", "same_as")
_CLAUSE_KEYS = frozenset((*_NEEDED_KEYS, "seen", *_OPTIONAL_KEYS))
_REASON_KEY: Mapping[Status, str] = {
    "implied": "by",
    "unobservable": "why",
    "ambiguous": "reading",
    "optional": "why",
}
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9-]+/[A-Za-z0-9]+([-_][A-Za-z0-9]+)*")


class LedgerError(ValueError):
    """A clause file that breaks the rules; one line that names the file, the clause and the field."""

    def __init__(self, file: str, clause: str, field: str, problem: str) -> None:
        self.file = file
        self.clause = clause
        self.field = field
        self.problem = problem
        super().__init__(f"{file}: {clause}: {field}: {problem}")


class UnknownClause(KeyError):
    """An id that no clause file has."""

    def __init__(self, clause: str, near: tuple[str, ...] = ()) -> None:
        self.clause = clause
        self.near = near
        super().__init__(clause)

    def __str__(self) -> str:
        """One line, with the ids that look alike."""
        hint = f"; did you mean {', '.join(self.near)}?" if self.near else ""
        return f"no clause has the id {self.clause!r}{hint}"


@dataclass(frozen=True, slots=True)
class Clause:
    """One normative statement.

    `text` is our paraphrase, `where` says where the original stands (heading and position), `reading` what
    must be accepted and why. `by` (status implied) names the clause that implies this one; `same_as` names
    the clause of another edition that says the same, whose status and cases count for this one where it has
    none of its own. `file` is relative to the specs.
    """

    id: str
    level: Level
    where: str
    text: str
    seen: tuple[Witness, ...]
    status: Status | None
    by: str | None
    why: str | None
    reading: str | None
    judged: Judged
    same_as: str | None
    spec: str
    edition: str
    subject: str
    file: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """All clauses by id, in the order of the specifications' numbers, then file, then place in the file."""

    clauses: Mapping[str, Clause]

    @classmethod
    def load(cls, root: Path = SPECS) -> Ledger:
        """Read and check every ``*.toml`` below `root`; raises `LedgerError` at the first problem."""
        found: dict[str, Clause] = {}
        for path in sorted(root.rglob("*.toml")):
            for clause in _read_file(path, path.relative_to(root).as_posix()):
                if clause.id in found:
                    raise LedgerError(clause.file, clause.id, "id", f"also in {found[clause.id].file}")
                found[clause.id] = clause
        ordered = sorted(found.values(), key=_spec_order)
        _check_references(found)
        return cls(MappingProxyType({clause.id: clause for clause in ordered}))

    def __iter__(self) -> Iterator[Clause]:
        return iter(self.clauses.values())

    def __len__(self) -> int:
        return len(self.clauses)

    def __contains__(self, clause_id: object) -> bool:
        return clause_id in self.clauses

    def get(self, clause_id: str) -> Clause:
        """The clause with this id; raises `UnknownClause`, which names ids that look alike."""
        try:
            return self.clauses[clause_id]
        except KeyError:
            near = difflib.get_close_matches(clause_id, self.clauses, n=3)
            raise UnknownClause(clause_id, tuple(near)) from None

    def matching(self, glob: str) -> tuple[Clause, ...]:
        """The clauses whose id matches a shell pattern, where ``*`` also crosses slashes; maybe none."""
        return tuple(clause for clause in self if fnmatch.fnmatchcase(clause.id, glob))

    def twin(self, clause: Clause) -> Clause:
        """The clause that `same_as` leads to in the end, or the clause itself."""
        while clause.same_as is not None:
            clause = self.get(clause.same_as)
        return clause


def default_judgement(level: Level, status: Status | None) -> Judged:
    """How a clause is judged that does not say so itself (RFC 2119, sections 1 to 5)."""
    if status == "permission" or level in ("MAY", "OPTIONAL"):
        return "informational"
    if level in ("SHOULD", "SHOULD NOT", "RECOMMENDED"):
        return "non-strict"
    return "strict"


def _spec_order(clause: Clause) -> tuple[bool, int, str]:
    number = clause.spec.partition("/")[0]
    return (not number.isdigit(), int(number) if number.isdigit() else 0, clause.spec)


def _read_file(path: Path, file: str) -> Iterator[Clause]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LedgerError(file, "(file)", "TOML", str(error)) from error
    unknown = document.keys() - {*_HEAD_KEYS, "clause"}
    if unknown:
        raise LedgerError(file, "(head)", min(unknown), "unknown key")
    head = {key: _text_of(document, key, file, "(head)") for key in _HEAD_KEYS}
    tables = document.get("clause")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise LedgerError(file, "(file)", "clause", "needs at least one [[clause]] table")
    for position, table in enumerate(tables, start=1):
        yield _read_clause(table, head, file, f"clause {position}")


def _read_clause(table: Mapping[str, Any], head: Mapping[str, str], file: str, place: str) -> Clause:
    name = table["id"] if isinstance(table.get("id"), str) and table["id"] else place
    unknown = table.keys() - _CLAUSE_KEYS
    if unknown:
        raise LedgerError(file, name, min(unknown), "unknown key")
    texts = {key: _text_of(table, key, file, name) for key in _NEEDED_KEYS}
    maybe = {key: _text_of(table, key, file, name) if key in table else None for key in _OPTIONAL_KEYS}
    _check_id(texts["id"], head["spec"], file)
    level = cast(Level, _one_of(texts["level"], get_args(Level), file, name, "level"))
    status = cast("Status | None", _one_of(maybe.pop("status"), get_args(Status), file, name, "status"))
    judged = cast("Judged | None", _one_of(maybe.pop("judged"), get_args(Judged), file, name, "judged"))
    _check_reasons(status, maybe, file, name)
    return Clause(
        id=texts["id"],
        level=level,
        where=texts["where"],
        text=texts["text"],
        seen=_witnesses(table, file, name, status),
        status=status,
        by=maybe["by"],
        why=maybe["why"],
        reading=maybe["reading"],
        judged=judged or default_judgement(level, status),
        same_as=maybe["same_as"],
        spec=head["spec"],
        edition=head["edition"],
        subject=head["subject"],
        file=file,
    )


def _text_of(table: Mapping[str, Any], key: str, file: str, name: str) -> str:
    value = table.get(key)
    if value is None:
        raise LedgerError(file, name, key, "missing")
    if not isinstance(value, str) or not value.strip():
        raise LedgerError(file, name, key, "must be a text that is not empty")
    return value


def _one_of(value: str | None, allowed: tuple[str, ...], file: str, name: str, field: str) -> str | None:
    if value is not None and value not in allowed:
        raise LedgerError(file, name, field, f"{value!r} is none of {', '.join(allowed)}")
    return value


def _check_id(clause_id: str, spec: str, file: str) -> None:
    if not _ID.fullmatch(clause_id):
        raise LedgerError(file, clause_id, "id", "must read RFC/subject/rule")
    number = spec.partition("/")[0]
    if clause_id.partition("/")[0] != number:
        raise LedgerError(file, clause_id, "id", f"must begin with {number}/ in a file of {spec}")


def _check_reasons(status: Status | None, maybe: Mapping[str, str | None], file: str, name: str) -> None:
    needed = _REASON_KEY.get(status) if status is not None else None
    if needed is not None and maybe[needed] is None:
        raise LedgerError(file, name, needed, f"missing, and the status is {status}")
    if maybe["by"] is not None and status != "implied":
        raise LedgerError(file, name, "by", "belongs to the status implied only")
    if maybe["why"] is not None and status is None:
        raise LedgerError(file, name, "why", "excuses nothing, for there is no status")


def _witnesses(table: Mapping[str, Any], file: str, name: str, status: Status | None) -> tuple[Witness, ...]:
    seen = table.get("seen")
    if not isinstance(seen, list):
        raise LedgerError(file, name, "seen", "must be a list" if "seen" in table else "missing")
    for witness in seen:
        if witness not in get_args(Witness):
            raise LedgerError(file, name, "seen", f"{witness!r} is none of {', '.join(get_args(Witness))}")
    if len(set(seen)) != len(seen):
        raise LedgerError(file, name, "seen", "names a witness twice")
    if not seen and status is None and "same_as" not in table:
        raise LedgerError(file, name, "seen", "is empty, so a status must say why no case can show it")
    return tuple(seen)


def _check_references(clauses: Mapping[str, Clause]) -> None:
    for clause in clauses.values():
        _follow(clauses, clause, "same_as")
        end = _follow(clauses, clause, "by")
        if end is not clause and end.status in ("permission", "unobservable", "optional"):
            problem = f"leads to {end.id}, which has the status {end.status} and is shown by no case"
            raise LedgerError(clause.file, clause.id, "by", problem)


def _follow(clauses: Mapping[str, Clause], start: Clause, field: str) -> Clause:
    """The end of a chain of `by` or `same_as`, in which every link must exist and none may close a ring."""
    visited = {start.id}
    current = start
    while (target := cast("str | None", getattr(current, field))) is not None:
        if target not in clauses:
            raise LedgerError(current.file, current.id, field, f"no clause has the id {target!r}")
        if target in visited:
            raise LedgerError(start.file, start.id, field, f"leads in a ring through {target!r}")
        visited.add(target)
        current = clauses[target]
    return current
