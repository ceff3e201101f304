"""A whole capture judged: the file, its connections, what of it could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from harness.wire import tracefile
from harness.wire.trace import Address, Closed, Octets, Opened, Record, Trace
from harness.zmtp.zws import LABEL

from .files import CaptureFile, DamagedCapture, Packet
from .findings import End, Report
from .opening import Keys, Opener
from .segments import Unread, segment_of
from .streams import Table
from .talk import Show, Talk

SKIPPED_KINDS_MAX = 20


@dataclass(slots=True)
class Judged:
    """What a capture came to. `cut` and `damage` say why not all of the file was read, "" if it was.

    `unread` counts packets that may have held parts of connections, by why they could not be read.
    """

    file: str
    packets: int = 0
    others: int = 0
    reports: list[Report] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)
    cut: str = ""
    damage: str = ""


class Judging:
    """Takes the packets of a capture one after the other; `show` is told of everything that was said."""

    def __init__(self, name: str, keys: Keys, show: Show | None = None) -> None:
        self.judged = Judged(name)
        self._keys = keys
        self._show = show
        self._talks = 0
        self._table = Table(self.begin)

    def packet(self, packet: Packet) -> None:
        """The next packet."""
        self.judged.packets += 1
        segment = segment_of(packet)
        if segment is None:
            return
        if isinstance(segment, Unread):
            if segment.why in self.judged.unread or len(self.judged.unread) < SKIPPED_KINDS_MAX:
                self.judged.unread[segment.why] += 1
            return
        self._table.take(segment, packet.at_s, packet.number)

    def begin(self, dialer: Address, listener: Address, known: bool) -> Talk:
        """A talk between two addresses; it is among the reports if it turns out to be ZMTP."""
        self._talks += 1
        blank = Report(0, {"dialer": End(dialer), "listener": End(listener)}, known)
        return Talk(
            blank, lambda: self._number(blank), Opener(self._keys) if self._keys else None, self._show
        )

    def _number(self, report: Report) -> int:
        self.judged.reports.append(report)
        return len(self.judged.reports)

    def finish(self) -> Judged:
        """The capture is over."""
        self._table.finish()
        self.judged.others = self._talks - len(self.judged.reports)
        if self._table.dropped:
            self.judged.unread["connections too many to be followed at once"] = self._table.dropped
        return self.judged


def judge_file(path: Path, keys: Keys, show: Show | None = None) -> Judged:
    """Judge a capture, or a trace of ours.

    Raises OSError, DamagedCapture where the file is neither, and DamagedTrace. What is wrong further on in a
    capture is its `damage`, and what came before is judged.
    """
    if is_trace(path):
        return judge_trace(tracefile.load(path), str(path), keys, show)
    judging = Judging(str(path), keys, show)
    capture = CaptureFile(path)
    damage = ""
    try:
        for packet in capture:
            judging.packet(packet)
    except DamagedCapture as error:
        if not capture.packets:
            raise
        damage = str(error)
    judged = judging.finish()
    judged.cut, judged.damage = capture.cut, damage
    return judged


def is_trace(path: Path) -> bool:
    """Whether a file begins as our own traces do."""
    with path.open("rb") as file:
        return file.read(1) == b"{"


class Recording:
    """Takes the records of a trace of ours one by one. It has no packets, and all of it is in order."""

    def __init__(self, name: str, keys: Keys, show: Show | None = None) -> None:
        self.talks: dict[int, Talk] = {}
        self._judging = Judging(name, keys, show)

    @property
    def judged(self) -> Judged:
        """What it has come to so far."""
        return self._judging.judged

    def take(self, record: Record, epoch_s: float = 0.0) -> None:
        """The next record; its time counts from `epoch_s`, in seconds since 1970."""
        if isinstance(record, Opened) and record.label == LABEL:
            self.judged.unread["connections of ZMTP over WebSocket, whose rules are not asked here"] += 1
        elif isinstance(record, Opened):
            self.talks[record.connection] = self._judging.begin(record.dialer, record.listener, True)
        elif isinstance(record, Octets | Closed) and record.connection in self.talks:
            talk, at_s = self.talks[record.connection], epoch_s + record.at_s
            if isinstance(record, Closed):
                talk.closed(record.sender, record.how, at_s)
            else:
                talk.octets(record.sender, record.octets, at_s, 0, 0)

    def end(self, connection: int) -> None:
        """Nothing more comes of a connection."""
        self.talks.pop(connection).finish()

    def finish(self) -> Judged:
        """The trace is over."""
        for connection in list(self.talks):
            self.end(connection)
        return self._judging.finish()


def judge_trace(trace: Trace, name: str, keys: Keys, show: Show | None = None) -> Judged:
    """Judge a trace of ours."""
    recording = Recording(name, keys, show)
    for record in trace.records:
        recording.take(record, trace.epoch_s)
    return recording.finish()
