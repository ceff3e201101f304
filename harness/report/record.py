"""What a run has found, as it is stored: `results.json` (specs/result.schema.json) and `results.jsonl`.

While a run goes, each verdict is appended to `results.jsonl` as one line: at 20,000 results that costs one
short write each, where writing one JSON file anew now and then would cost megabytes each time, or lose what
came in between. A killed process leaves all lines but perhaps a torn last one, since they are in the
system's hands at once; what nobody does is to force them to the disk, so that a machine that loses power
may lose the last ones. `results.json` is made of the same values at the end. Whoever reads, reads either:
without its last line, `end`, a run counts as broken off and incomplete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.report.model import Result
from harness.schema import Fault, fault_in

SCHEMA = 1
SCHEMA_FILE = "result.schema.json"
FILE = "results.json"
LINES = "results.jsonl"
_KINDS = ("run", "peer", "result", "end")


class RecordError(ValueError):
    """Results that cannot be read or are not what the schema says; one line names the file and the field."""


class InvalidRecord(RecordError):
    """The file can be read, but is not what the schema says."""


@dataclass(slots=True)
class Record:
    """One run with all its verdicts; `source` is the file that it was read from, if any.

    `complete` says that no case was left out, `ended` that the run was not broken off, `shard` ("K/N") that
    it asked a part of the peers or pairs.
    """

    version: str
    started: str
    seed: int
    strict: bool
    duration_s: float = 0.0
    complete: bool = False
    ended: bool = False
    shard: str | None = None
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    merged: list[dict[str, Any]] = field(default_factory=list)
    source: Path | None = None

    def head(self) -> dict[str, Any]:
        """What is known of a run before its first verdict."""
        return {
            "schema": SCHEMA,
            "suite": {"name": "zconform", "version": self.version},
            "started": self.started,
            "seed": self.seed,
            "strict": self.strict,
            "shard": self.shard,
        }

    def end(self) -> dict[str, Any]:
        """What is known of a run at its end only."""
        return {
            "duration_s": self.duration_s,
            "complete": self.complete,
            "ended": self.ended,
            "problems": list(self.problems),
            **({"merged": self.merged} if self.merged else {}),
        }

    def as_json(self) -> dict[str, Any]:
        """The run as results.json has it."""
        made = self.head() | self.end()
        made["peers"] = [self.peers[name] for name in sorted(self.peers)]
        made["results"] = [result.as_json() for result in self.results]
        return made

    def versions(self) -> dict[str, str]:
        """The library's version of each peer; "" where it never ran."""
        return {name: str(about["version"]) for name, about in self.peers.items()}


def write_record(record: Record, folder: Path) -> Path:
    """Write results.json, whole or not at all: what was there before stands until it is. Raises OSError."""
    path = folder / FILE
    making = path.with_suffix(".json.part")
    making.write_text(_text(record.as_json()), encoding="utf-8")
    making.replace(path)
    return path


def write_lines(record: Record, folder: Path) -> Path:
    """Write results.jsonl as a run leaves it. Raises OSError."""
    path = folder / LINES
    lines = [line("run", record.head())]
    lines += [line("peer", record.peers[name]) for name in sorted(record.peers)]
    lines += [line("result", result.as_json()) for result in record.results]
    path.write_text("".join([*lines, line("end", record.end())]), encoding="utf-8")
    return path


def line(kind: str, value: Mapping[str, Any]) -> str:
    """A line of results.jsonl; `kind` is run, peer, result or end."""
    return _flat({kind: value}) + "\n"


def read_record(path: Path) -> Record:
    """The results in a file, or in a report's folder: its results.json, else its results.jsonl.

    Raises RecordError, and of these InvalidRecord where the file can be read but breaks the schema.
    """
    if path.is_dir():
        there = [path / name for name in (FILE, LINES) if (path / name).exists()]
        if not there:
            raise RecordError(f"{path}: neither {FILE} nor {LINES} is there")
        path = there[0]
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: {error}") from None
    data = _of_lines(path, text) if path.suffix == ".jsonl" else _parse(path, text)
    fault = record_fault(data)
    if fault is not None:
        raise InvalidRecord(f"{path}: {fault.field or 'the whole file'}: {fault.detail}")
    return _record(data, path)


def record_fault(data: Any) -> Fault | None:
    """What of a document is not as results.json has it; the schema's number is looked at first."""
    number = data.get("schema", SCHEMA) if isinstance(data, dict) else SCHEMA
    if number != SCHEMA:
        return Fault("schema", f"{number!r} is not the one that this suite reads, {SCHEMA}")
    return fault_in(data, SCHEMA_FILE)


def _record(data: Mapping[str, Any], source: Path) -> Record:
    return Record(
        version=data["suite"]["version"],
        started=data["started"],
        seed=data["seed"],
        strict=data["strict"],
        duration_s=data["duration_s"],
        complete=data["complete"],
        ended=data.get("ended", True),
        shard=data.get("shard"),
        peers={about["name"]: about for about in data["peers"]},
        problems=data["problems"],
        results=[Result(**result) for result in data["results"]],
        merged=data.get("merged", []),
        source=source,
    )


def _of_lines(path: Path, text: str) -> dict[str, Any]:
    """The lines as one document; a last line that has no end was torn off with its run."""
    data: dict[str, Any] = {"duration_s": 0, "complete": False, "ended": False, "problems": []}
    peers: dict[Any, Any] = {}
    results: list[Any] = []
    *lines, _ = text.split("\n")
    for number, each in enumerate(lines, 1):
        where = f"{path}:{number}"
        read = _parse(where, each)
        kind = next(iter(read), "") if isinstance(read, dict) and len(read) == 1 else ""
        if kind not in _KINDS or not isinstance(read[kind], dict):
            raise InvalidRecord(f"{where}: not one of {', '.join(_KINDS)}")
        if kind == "result":
            results.append(read[kind])
        elif kind == "peer":
            peers[str(read[kind].get("name"))] = read[kind]
        else:
            data |= read[kind]
    return data | {"peers": list(peers.values()), "results": results}


def _parse(where: Path | str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRecord(f"{where}: no JSON: {error}") from None


def _flat(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _text(run: Mapping[str, Any]) -> str:
    """One JSON object, with a line for each field and for each element of a list of objects."""
    fields = []
    for name, value in sorted(run.items()):
        many = isinstance(value, list) and value
        text = "[\n  " + ",\n  ".join(map(_flat, value)) + "\n ]" if many else _flat(value)
        fields.append(f" {_flat(name)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"
