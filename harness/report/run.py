"""The verdicts of one run, taken as they come: each is in `results.jsonl` before the next one is asked.

`harness.report.record` says why, and reads what a killed run leaves; the other files are written at the end,
complete or not (`harness.report.outputs`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from harness.known import Entry, complaints
from harness.report.model import Result, is_red
from harness.report.outputs import clear, write_outputs
from harness.report.record import LINES, Record, line
from harness.verdict import Verdict


def note_met(known: Mapping[str, list[Entry]], result: Result, versions: Mapping[str, str]) -> None:
    """Have each entry that speaks of a result remember its case, and whether it hid it."""
    for name, partners, param in result.asked.views():
        for entry in known.get(name, []):
            if entry.covers(result.id, param, partners) and entry.fits(versions.get(name, "")):
                entry.cases_met.add(result.id)
                if result.verdict == Verdict.KNOWN:
                    entry.cases_swallowed.add(result.id)


def partners_of(peer: str, results: Iterable[Result]) -> list[str]:
    """Who a peer was asked with."""
    pairs = {tuple(result.peers) for result in results if result.is_of_pair}
    return sorted({pair[pair[0] == peer] for pair in pairs if peer in pair})


@dataclass(slots=True)
class Run:
    """Everything that one run of the suite has found. `report` is the folder to write to, or None.

    `shard` ("K/N") says which part of the peers or pairs it asks, if not all.
    """

    version: str
    seed: int
    strict: bool
    report: Path | None
    shard: str | None = None
    results: list[Result] = field(default_factory=list)
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)
    known: dict[str, list[Entry]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _began: float = field(default_factory=time.monotonic)
    _lines: TextIO | None = None

    def prepare(self) -> None:
        """Make the report's folders, clear what an earlier run left of its results, and begin."""
        if self.report is None:
            return
        clear(self.report)
        self._lines = (self.report / LINES).open("a", encoding="utf-8", buffering=1)
        self._lines.write(line("run", self.record().head()))

    def add(self, result: Result, peers: Iterable[Mapping[str, Any]]) -> None:
        """Take a verdict and who it speaks of."""
        self.results.append(result)
        for peer in peers:
            self._meet(dict(peer))
        note_met(self.known, result, self.versions())
        if self._lines is not None:
            self._lines.write(line("result", result.as_json()))

    def _meet(self, about: dict[str, Any]) -> None:
        """Keep what is told of a peer. A worker that has not started it yet does not know its version."""
        known = self.peers.get(str(about["name"]), {})
        about["version"] = about["version"] or known.get("version", "")
        about["image"] = about["image"] or known.get("image")
        if about != known:
            self.peers[str(about["name"])] = about
            if self._lines is not None:
                self._lines.write(line("peer", about))

    def versions(self) -> dict[str, str]:
        """The library's version of each peer; "" where it has not run yet."""
        return {name: str(about["version"]) for name, about in self.peers.items()}

    def finish(self, whole: bool, whole_pairs: bool = False, ended: bool = True) -> None:
        """Write the files. `whole` says that every case was asked of single peers, and `whole_pairs` that
        every case was asked of the run's pairs, so that unmet entries can be told; `ended` that nobody broke
        the run off."""
        versions = self.versions()
        singles = [result for result in self.results if not result.is_of_pair]
        judged = {result.peers[0] for result in singles if not result.cast}
        for peer, entries in self.known.items():
            partners = partners_of(peer, self.results) if whole_pairs else []
            self.problems += complaints(
                peer,
                entries,
                singly=whole and peer in judged,
                partners=partners,
                version=versions.get(peer, ""),
            )
        paired = len(singles) < len(self.results)
        complete = ended and (whole or not singles) and (whole_pairs or not paired)
        if self.report is None:
            return
        record = self.record(complete, ended)
        if self._lines is not None:
            self._lines.write(line("end", record.end()))
        self.close()
        write_outputs(record, self.report)

    def close(self) -> None:
        """Let go of the file, whether the run is over or not."""
        if self._lines is not None:
            self._lines.close()

    def record(self, complete: bool = False, ended: bool = False) -> Record:
        """The run as it stands."""
        return Record(
            self.version,
            self.started,
            self.seed,
            self.strict,
            duration_s=round(time.monotonic() - self._began, 3),
            complete=complete,
            ended=ended,
            shard=self.shard,
            peers=self.peers,
            problems=self.problems,
            results=self.results,
        )

    @property
    def red(self) -> bool:
        """Whether the run has to fail."""
        return bool(self.problems) or any(is_red(result, self.strict) for result in self.results)

    def counts(self) -> dict[str, int]:
        """How many results each verdict has, in the order of the verdicts."""
        counted = Counter(result.verdict for result in self.results)
        return {verdict.value: counted[verdict.value] for verdict in Verdict if counted[verdict.value]}
