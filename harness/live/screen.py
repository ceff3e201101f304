"""What passes, told while it passes: what was said, the rules that it breaks, and how each talk ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.capture.findings import Report, Shown
from harness.capture.judge import Judged, Recording
from harness.capture.opening import Keys
from harness.capture.text import broken_lines, head_lines, shown_text
from harness.clauses import Ledger
from harness.wire.render import show_text
from harness.wire.trace import Closed, Note, Octets, Opened

from .spool import Lost, Spooled

LINES_MAX = 500
LOST = "the spool was full: from here on nothing of this connection was recorded"


class Screen:
    """Judges what comes out of a spool, a batch at a time, and tells each batch in one go.

    `say` is given lines; None tells nothing, and only judges.
    """

    def __init__(self, name: str, keys: Keys, ledger: Ledger, say: Callable[[str], None] | None) -> None:
        self._ledger = ledger
        self._say = say
        self._recording = Recording(name, keys, self._shown if say else None)
        self._lines: list[str] = []
        self._began_s: float | None = None
        self._closings: dict[int, int] = {}
        self._told: dict[int, int] = {}

    def take(self, batch: Iterable[Spooled]) -> None:
        """What came since the last time."""
        touched: set[int] = set()
        for record in batch:
            if len(self._lines) > LINES_MAX:
                self._flush()
            if isinstance(record, Note):
                self._lines.append(show_text(record.text))
                continue
            talk = self._recording.talks.get(record.connection)
            if isinstance(record, Lost):
                self._lines.append(f"connection {record.connection}: {LOST}")
                if talk is not None:
                    talk.lost(LOST)
                continue
            self._recording.take(record)
            if isinstance(record, Opened | Octets):
                touched.add(record.connection)
            elif self._is_over(record):
                self._end(record.connection)
                touched.discard(record.connection)
        for connection in touched:
            talk = self._recording.talks[connection]
            talk.judge()
            self._tell_broken(talk.report)
        self._flush()

    def finish(self) -> Judged:
        """All is over: the rest is judged."""
        for connection in list(self._recording.talks):
            self._end(connection)
        self._flush()
        return self._recording.finish()

    def _is_over(self, closed: Closed) -> bool:
        if closed.connection not in self._recording.talks:
            return False
        ends = self._closings[closed.connection] = self._closings.get(closed.connection, 0) + 1
        return ends == 2 or closed.how == "rst"

    def _end(self, connection: int) -> None:
        talk = self._recording.talks[connection]
        self._recording.end(connection)
        self._closings.pop(connection, None)
        if talk.report is not None:
            self._tell_broken(talk.report)
            self._lines += head_lines(talk.report)
            self._told.pop(talk.report.number, None)

    def _shown(self, shown: Shown) -> None:
        self._began_s = shown.at_s if self._began_s is None else self._began_s
        self._lines.append(shown_text(shown, self._began_s))

    def _tell_broken(self, report: Report | None) -> None:
        if report is None:
            return
        told = self._told.get(report.number, 0)
        for broken in report.broken[told:]:
            self._lines.append(f"connection {report.number} breaks a rule:")
            self._lines += broken_lines(broken, self._ledger)
        self._told[report.number] = len(report.broken)

    def _flush(self) -> None:
        if self._lines and self._say is not None:
            self._say("\n".join(self._lines))
        self._lines.clear()
