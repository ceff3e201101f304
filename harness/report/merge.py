"""Several runs' results as those of one: the shards of a run that was dealt out to several machines.

What contradicts itself is refused: another suite, another way to judge, a peer of another version, or an item
that two runs judged differently. Of an item that two runs judged alike the first run's results stay.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from os.path import relpath
from pathlib import Path
from typing import Any

from harness.report.model import Key, Result
from harness.report.outputs import clear, write_outputs
from harness.report.record import Record, write_lines

_Taken = dict[Key, tuple[int, list[Result]]]


class MergeError(ValueError):
    """Results that do not go together; one line names both files and what is different."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The runs as one, and their folders; `folders` has for each result the one of its capture.

    `remarks` are a line each.
    """

    record: Record
    sources: list[Path]
    folders: list[Path]
    remarks: list[str]


def merge(records: Sequence[Record]) -> Merged:
    """Put together what several runs found, in their order. Raises MergeError."""
    first = records[0]
    for other in records[1:]:
        _demand_same(first, other, "suite.version", lambda record: record.version)
        _demand_same(first, other, "strict", lambda record: record.strict)
    peers = _peers(records)
    taken = _taken(records)
    parts = [part for record in records for part in record.merged or [_part(record)]]
    missing = list(_missing(parts))
    results = [(at, each) for at, found in taken.values() for each in found]
    made = Record(
        version=first.version,
        started=min(record.started for record in records),
        seed=first.seed,
        strict=first.strict,
        duration_s=_duration_s(records),
        complete=not missing and all(part["complete"] for part in parts),
        ended=all(record.ended for record in records),
        peers=peers,
        problems=list(dict.fromkeys(problem for record in records for problem in record.problems)),
        results=[replace(each, notes=list(each.notes)) for _, each in results],
        merged=parts,
    )
    sources = [_folder(record) for record in records]
    return Merged(made, sources, [sources[at] for at, _ in results], [*_seeds(records), *missing])


def write_merged(merged: Merged, into: Path) -> None:
    """Write all files of the run that came of it, its captures and logs included.

    What an earlier run left in the folder goes. Raises OSError, and MergeError for a folder that is merged.
    """
    if into.resolve() in {folder.resolve() for folder in merged.sources}:
        raise MergeError(f"--into {into}: holds results that are merged")
    clear(into)
    for old in (into / "logs").glob("*.log"):
        old.unlink()
    for folder, result in zip(merged.folders, merged.record.results, strict=True):
        _bring(result, folder, into)
    for folder in dict.fromkeys(merged.sources):
        _bring_logs(folder, into)
    write_lines(merged.record, into)
    write_outputs(merged.record, into)


def _demand_same(first: Record, other: Record, field: str, of: Callable[[Record], Any]) -> None:
    if of(first) != of(other):
        raise MergeError(f"{field}: {of(first)!r} in {first.source}, {of(other)!r} in {other.source}")


def _peers(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """What is told of each peer; a run in which it never started does not know its version."""
    peers: dict[str, tuple[Record, dict[str, Any]]] = {}
    for record in records:
        for name, about in record.peers.items():
            where, known = peers.get(name, (record, about))
            merged = {field: known[field] or about[field] for field in known}
            for field in known:
                if about[field] and about[field] != merged[field]:
                    detail = f"{merged[field]!r} in {where.source}, {about[field]!r} in {record.source}"
                    raise MergeError(f"peers: {name}: {field}: {detail}")
            peers[name] = (where if known["version"] else record, merged)
    return {name: about for name, (_, about) in peers.items()}


def _taken(records: Sequence[Record]) -> _Taken:
    """Each item with the number of its run and its results, of which there are several with --repeat."""
    taken: _Taken = {}
    for at, record in enumerate(records):
        own: dict[Key, list[Result]] = {}
        for result in record.results:
            own.setdefault(result.key, []).append(result)
        for key, results in own.items():
            before, others = taken.setdefault(key, (at, results))
            if _verdicts(others) != _verdicts(results):
                told = f"{_named(others)} in {records[before].source}, {_named(results)} in {record.source}"
                raise MergeError(f"{' - '.join(key[0])} {results[0].named()}: {told}")
    return taken


def _verdicts(results: Sequence[Result]) -> Counter[str]:
    return Counter(result.verdict for result in results)


def _named(results: Sequence[Result]) -> str:
    return " and ".join(sorted(_verdicts(results)))


def _missing(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each number of shards of which not all are here."""
    there: dict[int, set[int]] = {}
    for part in parts:
        if part["shard"] is not None:
            k, n = map(int, part["shard"].split("/"))
            there.setdefault(n, set()).add(k)
    for n, found in there.items():
        gone = [f"{k}/{n}" for k in range(1, n + 1) if k not in found]
        if gone:
            yield f"shard: {', '.join(gone)} missing, so the whole is incomplete"


def _seeds(records: Sequence[Record]) -> Iterator[str]:
    seeds = {record.seed: record.source for record in reversed(records)}
    if len(seeds) > 1:
        told = ", ".join(f"{seed} in {seeds[seed]}" for seed in dict.fromkeys(r.seed for r in records))
        yield f"seed: not the same everywhere: {told}"


def _duration_s(records: Sequence[Record]) -> float:
    """From when the first began to when the last ended."""
    began = [datetime.fromisoformat(record.started) for record in records]
    ended = [at + timedelta(seconds=r.duration_s) for at, r in zip(began, records, strict=True)]
    return round((max(ended) - min(began)).total_seconds(), 3)


def _part(record: Record) -> dict[str, Any]:
    return {
        "started": record.started,
        "seed": record.seed,
        "version": record.version,
        "shard": record.shard,
        "complete": record.complete,
        "ended": record.ended,
        "results": len(record.results),
    }


def _folder(record: Record) -> Path:
    return (record.source or Path()).parent


def _bring(result: Result, folder: Path, into: Path) -> None:
    """Copy the capture, and have the script's path lead where it did; what is not there is not named."""
    if result.script:
        there = folder / result.script
        result.script = relpath(there, into) if there.is_file() else ""
    if result.trace is None:
        return
    name = Path(result.trace).name
    if result.trace != f"traces/{name}" or not (folder / result.trace).is_file():
        result.trace = None
        return
    target, again = into / result.trace, 1
    while target.exists():
        again += 1
        target = into / "traces" / f"{again}.{name}"
    shutil.copyfile(folder / result.trace, target)
    result.trace = f"traces/{target.name}"


def _bring_logs(folder: Path, into: Path) -> None:
    """Add a run's logs of its peers to what others have said of the same ones."""
    for log in sorted((folder / "logs").glob("*.log")):
        with log.open("rb") as said, (into / "logs" / log.name).open("ab") as kept:
            shutil.copyfileobj(said, kept)
