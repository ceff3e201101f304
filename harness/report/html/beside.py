"""What belongs to single results beside their fields: capture, script, conversation; and what is kept out.

Paths come from a file that anybody may have written: only those are used that lead to a file below the report
(for a script: beside it), and only captures are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.report.html.source import PastRun
from harness.report.html.talk import talk_of
from harness.report.html.texts import Texts
from harness.report.model import Result
from harness.report.secrecy import keep_out
from harness.verdict import Place, Verdict
from harness.wire.captured import CaptureError, read_capture
from harness.wire.trace import SENDERS

MOST_CAPTURE_OCTETS = 1 << 18
MOST_TALK_CHARACTERS = 6_000_000
TALKS_BOUND = "the page holds no more conversations: see the capture"
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.NON_STRICT, Verdict.KNOWN, Verdict.INFO)
_DIED = re.compile(r"[a-z]+: (exited with status -?\d+|died of (SIG[A-Z0-9]+ \(signal \d+\)|signal \d+))")
_PATH = re.compile(r"[A-Za-z0-9._+@/-]+")


def keep_harm_out(run: PastRun) -> PastRun:
    """The run as it may be published: what a stranger could do harm with has lost its conversation.

    How a peer ended is told (SECURITY.md); whatever does not read so is taken for the conversation's.
    """
    return replace(run, results=[_harmless(result) if result.security else result for result in run.results])


def _harmless(result: Result) -> Result:
    made = replace(result, notes=list(result.notes))
    keep_out(made, result.actual if _DIED.fullmatch(result.actual) else "")
    return made


class Beside:
    """Captures, scripts and conversations, read for one page and bounded for all of it together."""

    def __init__(self, folder: Path, texts: Texts, most_characters: int = MOST_TALK_CHARACTERS) -> None:
        self.talks: list[dict[str, Any]] = []
        self._folder = folder
        self._texts = texts
        self._left = most_characters

    def rows(self, results: Sequence[Result]) -> Mapping[int, Mapping[str, Any]]:
        """By the `id()` of a result: `trace`, `script` (paths), `talk` (a number) or `why` there is none."""
        rows: dict[int, dict[str, Any]] = {}
        bad = [one for one in results if one.verdict in _WORST_FIRST and (one.trace or one.script)]
        for result in sorted(bad, key=lambda one: _WORST_FIRST.index(Verdict(one.verdict))):
            row: dict[str, Any] = {}
            if self._is_there(result.script):
                row["script"] = result.script
            if self._is_there(result.trace) and ".." not in Path(str(result.trace)).parts:
                row["trace"] = result.trace
                self._add_talk(row, result)
            if row:
                rows[id(result)] = row
        return rows

    def log_of(self, peer: str) -> str:
        """The path of a peer's log; "" where none is there."""
        path = f"logs/{peer}.log"
        return path if self._is_there(path) else ""

    def _is_there(self, path: str | None) -> bool:
        return bool(path) and _PATH.fullmatch(str(path)) is not None and (
            not str(path).startswith("/") and (self._folder / str(path)).is_file()
        )  # fmt: skip

    def _add_talk(self, row: dict[str, Any], result: Result) -> None:
        if self._left <= 0:
            row["why"] = TALKS_BOUND
            return
        try:
            trace, whole = read_capture(self._folder / str(result.trace), MOST_CAPTURE_OCTETS)
        except (CaptureError, OSError) as error:
            row["why"] = f"the capture cannot be read: {str(error).rpartition(': ')[2]}"
            return
        known = len(self._texts.all)
        talk = self._flat(talk_of(trace, whole, _place(result.place)))
        self._left -= len(json.dumps([talk, self._texts.all[known:]]))
        row["talk"] = len(self.talks)
        self.talks.append(talk)

    def _flat(self, talk: dict[str, Any]) -> dict[str, Any]:
        """A conversation whose texts, octets and parts are numbers of texts."""
        number = self._texts.number
        events = []
        for at_ms, connection, sender, text, *octets in talk["events"]:
            event = [at_ms, connection, sender, number(text)]
            if octets:
                start, size, shown, parts = octets
                event += [start, size, number(shown), number(";".join(",".join(map(str, p)) for p in parts))]
            events.append(event)
        return {**talk, "events": events}


def _place(value: Mapping[str, Any] | None) -> Place | None:
    """A place as results.json has it; None where it is none."""
    if value is None:
        return None
    connection, sender, offset = (value.get(name) for name in ("connection", "sender", "offset"))
    if not isinstance(connection, int) or not isinstance(offset, int) or sender not in SENDERS:
        return None
    return Place(connection, str(sender), offset)
