"""The results of one run, written as they come and gathered in one file at the end.

`results.jsonl` grows with each verdict, so that a killed run leaves what it knew; `results.json`
(specs/result.schema.json) is written at the end, complete or not, and so are junit.xml and index.html.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from harness.known import Entry, complaints
from harness.report.html import past_run, write_page
from harness.report.junit import write_junit
from harness.report.model import Result, is_red
from harness.verdict import Verdict

SCHEMA = 1


@dataclass(slots=True)
class Run:
    """Everything that one run of the suite has found. `report` is the folder to write to, or None."""

    version: str
    seed: int
    strict: bool
    report: Path | None
    results: list[Result] = field(default_factory=list)
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)
    known: dict[str, list[Entry]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _began: float = field(default_factory=time.monotonic)
    _lines: TextIO | None = None

    def prepare(self) -> None:
        """Make the report's folders and clear what an earlier run left of its results."""
        if self.report is None:
            return
        (self.report / "traces").mkdir(parents=True, exist_ok=True)
        (self.report / "logs").mkdir(exist_ok=True)
        for name in ("results.jsonl", "results.json", "junit.xml", "index.html"):
            (self.report / name).unlink(missing_ok=True)
        for old in (self.report / "traces").iterdir():
            old.unlink()

    def add(self, result: Result, peers: Iterable[Mapping[str, Any]]) -> None:
        """Take a verdict and who it speaks of."""
        self.results.append(result)
        for peer in peers:
            self.peers[str(peer["name"])] = dict(peer)
        for name, partners, param in result.asked.views():
            for entry in self.known.get(name, []):
                if entry.covers(result.id, param, partners):
                    entry.cases_met.add(result.id)
                    if result.verdict == Verdict.KNOWN:
                        entry.cases_swallowed.add(result.id)
        if self.report is not None:
            if self._lines is None:
                self._lines = (self.report / "results.jsonl").open("a", encoding="utf-8", buffering=1)
            self._lines.write(_line(result.as_json()) + "\n")

    def finish(self, whole: bool, whole_pairs: bool = False) -> None:
        """Write the files. `whole` says that every case was asked of single peers, and `whole_pairs` that
        every case was asked of the run's pairs, so that unmet entries can be told."""
        alone = {result.peers[0] for result in self.results if len(result.peers) == 1 and not result.cast}
        for peer, entries in self.known.items():
            partners = self.partners_of(peer) if whole_pairs else []
            singly = whole and peer in alone
            if singly or partners:
                self.problems += complaints(peer, entries, singly=singly, partners=partners)
        if self.report is None:
            return
        if self._lines is not None:
            self._lines.close()
        data = self.as_json(whole or whole_pairs)
        (self.report / "results.json").write_text(_file(data), encoding="utf-8")
        write_junit(self.results, self.report / "junit.xml", self.strict)
        # What was to be kept out of the results is not in them any more.
        write_page(past_run(data, self.report), with_security=True)

    def partners_of(self, peer: str) -> list[str]:
        """Who a peer was asked with."""
        pairs = {tuple(result.peers) for result in self.results if result.is_of_pair}
        return sorted({pair[pair[0] == peer] for pair in pairs if peer in pair})

    def as_json(self, complete: bool) -> dict[str, Any]:
        """The run as results.json has it."""
        return {
            "schema": SCHEMA,
            "suite": {"name": "zconform", "version": self.version},
            "started": self.started,
            "duration_s": round(time.monotonic() - self._began, 3),
            "seed": self.seed,
            "strict": self.strict,
            "complete": complete,
            "peers": [self.peers[name] for name in sorted(self.peers)],
            "problems": list(self.problems),
            "results": [result.as_json() for result in self.results],
        }

    @property
    def red(self) -> bool:
        """Whether the run has to fail."""
        return bool(self.problems) or any(is_red(result, self.strict) for result in self.results)

    def counts(self) -> dict[str, int]:
        """How many results each verdict has, in the order of the verdicts."""
        counted = Counter(result.verdict for result in self.results)
        return {verdict.value: counted[verdict.value] for verdict in Verdict if counted[verdict.value]}


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _file(run: Mapping[str, Any]) -> str:
    """One JSON object, with a line for each field and for each element of a list of objects."""
    fields = []
    for name, value in sorted(run.items()):
        many = isinstance(value, list) and value
        text = "[\n  " + ",\n  ".join(map(_line, value)) + "\n ]" if many else _line(value)
        fields.append(f" {_line(name)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"
