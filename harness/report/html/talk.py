"""The conversation of one case as the page shows it: events in order, each with its octets and what they are.

Pure functions from a trace to lists that travel as JSON. Everything has a bound: a page is to open at once.
The parts of a greeting are those of RFC 37, "Greeting"; of frames RFC 37 and 23, "Framing", and RFC 13, "The
Framing Layer"; of commands RFC 37, "Commands".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from harness.verdict import Place
from harness.wire.render import Line, marked_line, timeline
from harness.wire.trace import SENDERS, Decoded, Note, Sender, Trace
from harness.zmtp.frames import Frame
from harness.zmtp.greeting import Greeting

HEAD_EVENTS = 12
MOST_EVENTS = 60
MOST_EVENT_OCTETS = 128
MOST_PARTS = 24
NEITHER = 2
_GREETING = ((0, 10, "signature"), (10, 2, "version"), (12, 20, "mechanism"), (32, 1, "as-server"),
             (33, 31, "filler"))  # fmt: skip
_MEETS = re.compile(r"(\S+): (bind|connect) .*endpoint=(?:tcp|ws)://\S*?:(\d+)(?![0-9])")

Part = tuple[int, int, str]
"""Octets of an event: where they begin in it, how many, what they are."""


def talk_of(trace: Trace, whole: bool, place: Place | None) -> dict[str, Any]:
    """What the page shows of a trace; `whole` says that nothing of it is missing.

    `events` are lists: milliseconds (None for what has no time), connection, sender (0 dialer, 1 listener,
    2 neither), text, where in its stream it begins, how many octets, the first of these in base64, their
    parts. `mark` is the event where the verdict shows, or -1. `left` counts the events that are left out
    after the first `gap` (-1: none), and behind the last; `cut` says that the capture has more.
    """
    lines = list(timeline(trace))
    marked = marked_line(lines, place)
    last = len(lines) if marked is None or len(lines) <= MOST_EVENTS else min(len(lines), marked + 12)
    first = max(0, last - MOST_EVENTS)
    kept = [*range(min(first, HEAD_EVENTS)), *range(first + min(first, HEAD_EVENTS), last)]
    parts = _Parts(trace)
    began = min((opened.at_s for opened in trace.connections()), default=0.0)
    return {
        "ends": [end_names(trace, opened.connection) for opened in trace.connections()],
        "events": [_event(lines[n], parts, began) for n in kept],
        "mark": kept.index(marked) if marked in kept else -1,
        "gap": min(first, HEAD_EVENTS) if first else -1,
        "left": [first, len(lines) - last],
        "cut": not whole,
    }


def end_names(trace: Trace, connection: int) -> list[str]:
    """Dialer and listener of a connection, as far as the API calls tell; "" for who is not known."""
    opened = next(one for one in trace.connections() if one.connection == connection)
    port = str(opened.listener[1])
    names = ["", ""]
    for record in trace.records:
        found = _MEETS.match(record.text) if isinstance(record, Note) else None
        if found is not None and found[3] == port:
            names[found[2] == "bind"] = found[1]
    return names


def _event(line: Line, parts: _Parts, began: float) -> list[Any]:
    text = line.text.removeprefix("-- ") if line.sender is None else line.text
    sender = NEITHER if line.sender is None else SENDERS.index(line.sender)
    at_ms = None if line.sender is None else round((line.at_s - began) * 1000, 1)
    if line.sender is None or line.start < 0:
        return [at_ms, line.connection, sender, text]
    octets = parts.octets(line.connection, line.sender)[line.start : line.end]
    shown = base64.b64encode(octets[:MOST_EVENT_OCTETS]).decode("ascii")
    return [at_ms, line.connection, sender, text, line.start, len(octets), shown, parts.of(line)]


class _Parts:
    """The octets of a trace and what they are; each connection is decoded once."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._streams: dict[tuple[int, Sender], bytes] = {}
        self._decoded: dict[tuple[int, Sender, int], tuple[Decoded, int | None]] = {}
        for opened in trace.connections():
            decoded, decoders = trace.decode(opened.connection)
            for each in decoded:
                version = None if trace.is_websocket(opened.connection) else decoders[each.sender].version
                self._decoded[opened.connection, each.sender, each.received.start] = (each, version)

    def octets(self, connection: int, sender: Sender) -> bytes:
        """All that one end sent."""
        key = (connection, sender)
        if key not in self._streams:
            self._streams[key] = self._trace.stream(connection, sender)
        return self._streams[key]

    def of(self, line: Line) -> list[Part]:
        """The parts of an event's octets that are shown; none where nobody knows them."""
        assert line.sender is not None
        decoded, version = self._decoded.get((line.connection, line.sender, line.start), (None, None))
        if decoded is None:
            return []
        if isinstance(decoded.received.value, Greeting):
            return list(_GREETING)
        if version is None or not decoded.received.frames:
            return []
        made = _frame_parts(decoded, version)
        return [part for part in made if part[0] < MOST_EVENT_OCTETS][:MOST_PARTS]


def _frame_parts(decoded: Decoded, version: int) -> Iterator[Part]:
    received = decoded.received
    frames = received.frames
    ends = [*(frame.offset for frame in frames[1:]), received.end]
    for n, (frame, end) in enumerate(zip(frames, ends, strict=True)):
        at = frame.offset - received.start
        if n == 0 and at > 0:
            yield 0, at, "greeting"
        head = end - frame.offset - len(frame.body)
        yield from _head_parts(at, head, version)
        yield from _body_parts(frame, at + head, version)


def _head_parts(at: int, head: int, version: int) -> Iterator[Part]:
    """Flags and size, in the order of the version; `head` octets in all."""
    if version == 1:
        yield at, head - 1, "size"
        yield at + head - 1, 1, "flags"
    else:
        yield at, 1, "flags"
        yield at + 1, head - 1, "size"


def _body_parts(frame: Frame, at: int, version: int) -> Iterator[Part]:
    body = frame.body
    if version == 3 and frame.command and body and body[0] < len(body):
        yield at, 1 + body[0], "name"
        if len(body) > 1 + body[0]:
            yield at + 1 + body[0], len(body) - 1 - body[0], "data"
    elif body:
        yield at, len(body), "body"
