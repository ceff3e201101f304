"""Values and traces as text: one line for a value, the annotated wire for a trace.

Nothing that a peer sent can break a line or reach a terminal as a control character: octets show
as quoted printable ASCII or as hexadecimal, long ones shortened, with their size in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.control.messages import OCTET_OPTIONS
from harness.verdict import Place
from harness.zmtp import (
    Boxed,
    Cancel,
    Command,
    CurveHello,
    CurveInitiate,
    CurveMessage,
    CurveReady,
    CurveWelcome,
    Error,
    Greeting,
    Hello,
    Initiate,
    Introduction,
    Join,
    Leave,
    LegacyGreeting,
    Message,
    Ping,
    Pong,
    Ready,
    Subscribe,
    Undecodable,
    Welcome,
)
from harness.zmtp.websocket import CLASS_WORDS

from .trace import SENDERS, ApiCall, Closed, Decoded, Note, Octets, Record, Sender, Trace

QUOTED_MAX_OCTETS = 40
HEAD_OCTETS = 12
PARTS_MAX = 8
LINE_MAX = 400
EVENTS_MAX = 40
EVENTS_AFTER = 3
COLUMN = 44
DUMP_MAX_OCTETS = 4096
HERE = "<-- here"
OCTETS = OCTET_OPTIONS | {"parts", "prefix", "plain-passwords"}


def show_octets(octets: bytes) -> str:
    """Octets as text: `"hello"`, `00ff`, or `300 octets ab..` where they are many."""
    size = len(octets)
    printable = _printable(octets[:QUOTED_MAX_OCTETS])
    if size <= (QUOTED_MAX_OCTETS if printable else 2 * HEAD_OCTETS):
        return _quote(octets) if printable else octets.hex()
    head = octets[:HEAD_OCTETS]
    return f"{size} octets {_quote(head) if printable else head.hex()}.."


def show_text(text: str) -> str:
    """Text without anything that could break or disguise a line."""
    safe = "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text[:LINE_MAX])
    return safe + (".." if len(text) > LINE_MAX else "")


def describe(value: object, fields: Mapping[str, Any] | None = None) -> str:
    """One line for a value of the codec, a class of it (with the `fields` wanted), octets or a list."""
    if isinstance(value, type):
        return _describe_class(value, fields or {})
    if isinstance(value, bytes | bytearray | memoryview):
        return show_octets(bytes(value))
    if isinstance(value, list | tuple):
        return _describe_list(value)
    describer = _DESCRIBERS.get(type(value))
    return show_text(str(value)) if describer is None else describer(value)


def _printable(octets: bytes) -> bool:
    return all(0x20 <= octet <= 0x7E for octet in octets)


def _quote(octets: bytes) -> str:
    return '"' + octets.decode("ascii").replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bare(octets: bytes) -> str:
    """A name without quotes, where it is a plain word; any other as octets."""
    plain = 0 < len(octets) <= QUOTED_MAX_OCTETS and all(0x21 <= octet <= 0x7E for octet in octets)
    return octets.decode("ascii") if plain else show_octets(octets)


def _describe_list(values: Sequence[object]) -> str:
    shown = [describe(value) for value in values[:PARTS_MAX]]
    if len(values) > PARTS_MAX:
        shown.append(f".. {len(values)} in all")
    return f"[{', '.join(shown)}]"


_CLASSES: dict[type, str] = {
    Greeting: "greeting",
    LegacyGreeting: "greeting of ZMTP 1.0 or 2.0",
    Message: "message",
    Command: "command",
    Undecodable: "octets that are no ZMTP",
    object: "anything",
}
_CLASSES.update(CLASS_WORDS)
_BOXED: tuple[type[Boxed], ...] = (CurveHello, CurveWelcome, CurveInitiate, CurveReady, CurveMessage)
_CLASSES.update({kind: f"{kind.NAME.decode()} of CURVE" for kind in _BOXED})


def _describe_class(value: type, fields: Mapping[str, Any]) -> str:
    name = _CLASSES.get(value, value.__name__.upper())
    wanted = ", ".join(f"{field.replace('_', '-')} {describe(content)}" for field, content in fields.items())
    return f"{name} with {wanted}" if wanted else name


def _describe_greeting(value: Greeting) -> str:
    major, minor = value.version
    words = ["greeting", f"{major}.{minor}", _bare(value.mechanism.encode("latin-1"))]
    if value.as_server:
        words.append(f"as-server {value.as_server:02x}")
    if any(value.filler):
        words.append(f"filler {show_octets(value.filler)}")
    return " ".join(words)


def _describe_legacy_greeting(value: LegacyGreeting) -> str:
    words = ["greeting", "1.0" if value.socket_type is None else "2.0"]
    if value.socket_type is not None:
        words.append(show_text(value.socket_type))
    return " ".join([*words, show_octets(value.identity)])


def _describe_introduction(value: Introduction) -> str:
    words = [value.NAME.decode()]
    if value.socket_type is not None:
        words.append(_bare(value.socket_type.encode("latin-1")))
    if value.identity is not None:
        words.append(show_octets(value.identity))
    rest = [each for each in value.properties if each[0].lower() not in (b"socket-type", b"identity")]
    words += [f"{_bare(name)}={show_octets(content)}" for name, content in rest[:PARTS_MAX]]
    if len(rest) > PARTS_MAX:
        words.append(f".. {len(value.properties)} properties in all")
    return " ".join(words)


def _describe_command(value: Command) -> str:
    words = [_bare(value.name)]
    if value.data:
        words.append(show_octets(value.data))
    return " ".join(words)


def _describe_ping(value: Ping) -> str:
    words = ["PING"]
    if value.ttl_ds:
        words.append(f"ttl {value.ttl_ds / 10:g} s")
    if value.context:
        words.append(show_octets(value.context))
    return " ".join(words)


_DESCRIBERS: dict[type, Callable[[Any], str]] = {
    Greeting: _describe_greeting,
    LegacyGreeting: _describe_legacy_greeting,
    Ready: _describe_introduction,
    Hello: lambda value: f"HELLO {show_octets(value.username)} {show_octets(value.password)}",
    Welcome: lambda value: "WELCOME",
    Initiate: _describe_introduction,
    Error: lambda value: f"ERROR {show_octets(value.reason)}",
    Subscribe: lambda value: f"SUBSCRIBE {show_octets(value.prefix)}",
    Cancel: lambda value: f"CANCEL {show_octets(value.prefix)}",
    Join: lambda value: f"JOIN {show_octets(value.group)}",
    Leave: lambda value: f"LEAVE {show_octets(value.group)}",
    Ping: _describe_ping,
    Pong: lambda value: f"PONG {show_octets(value.context)}" if value.context else "PONG",
    Command: _describe_command,
    Message: lambda value: f"message {_describe_list(value.parts)}",
    Undecodable: lambda value: f"octets that are no ZMTP ({show_text(value.reason.message)})",
}
_DESCRIBERS.update(dict.fromkeys(_BOXED, lambda value: f"{value.NAME.decode()} of CURVE"))


# -- traces --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, as text. `sender` is None for what no end of a connection did.

    [start, end) are the octets of the stream that it shows; both -1 where it shows none.
    """

    at_s: float
    text: str
    connection: int = 0
    sender: Sender | None = None
    start: int = -1
    end: int = -1

    def shows(self, mark: Place) -> bool:
        """Whether the marked place lies in it."""
        same = self.connection == mark.connection and self.sender == mark.sender
        return same and self.start <= mark.offset < self.end


def render_trace(trace: Trace, mark: Place | None = None, max_events: int = EVENTS_MAX) -> str:
    """The annotated wire up to the marked place and a little beyond, at most `max_events` things.

    Times are milliseconds since the trace began. What an end sent directly after the other stands
    beside it where both are short. `mark` None shows the last things of the trace.
    """
    lines = list(timeline(trace))
    marked = marked_line(lines, mark)
    if mark is not None and marked is None:
        marked = len(lines)
        what = Line(lines[-1].at_s if lines else 0.0, "nothing more", mark.connection, _sender(mark.sender))
        lines.append(what)
    end = len(lines) if marked is None else min(len(lines), marked + 1 + EVENTS_AFTER)
    begin = max(0, end - max_events)
    numbered = len(trace.connections()) > 1
    out = [f".. {begin} earlier"] if begin else []
    out += _columns([(line, n == marked) for n, line in enumerate(lines)][begin:end], numbered)
    if end < len(lines):
        out.append(f".. {len(lines) - end} later")
    return "\n".join(out)


def timeline(trace: Trace) -> Iterator[Line]:
    """Everything in a trace as lines, in the order of its happening."""
    lines: list[Line] = []
    for opened in trace.connections():
        lines += _connection_lines(trace, opened.connection)
    for record in list(trace.records):
        lines += _record_lines(record)
    return iter(sorted(lines, key=lambda line: line.at_s))


def render_dump(trace: Trace, max_octets: int = DUMP_MAX_OCTETS) -> str:
    """The long form: every record with offsets and a hexadecimal dump, `max_octets` a direction at most."""
    offsets: dict[tuple[int, Sender], int] = {}
    out: list[str] = []
    for record in list(trace.records):
        if isinstance(record, Octets):
            key = (record.connection, record.sender)
            start = offsets.get(key, 0)
            offsets[key] = start + len(record.octets)
            title = f"sent octets {start} to {offsets[key] - 1}"
            out.append(_plain(Line(record.at_s, title, record.connection, record.sender)))
            out += _dump(record.octets[: max(0, max_octets - start)], start)
        else:
            out += [_plain(line) for line in _record_lines(record)]
            if not isinstance(record, ApiCall | Closed | Note):
                where = f"{record.dialer[0]} {record.dialer[1]} to {record.listener[0]} {record.listener[1]}"
                label = f" ({show_text(record.label)})" if record.label else ""
                out.append(f"{_ms(record.at_s)} connection {record.connection}: {show_text(where)}{label}")
    return "\n".join(out)


def record_text(record: Record) -> list[str]:
    """A record that holds no octets as lines of text: a close, an API call or a note."""
    return [line.text for line in _record_lines(record)]


def _connection_lines(trace: Trace, connection: int) -> Iterator[Line]:
    decoded, decoders = trace.decode(connection)
    for each in decoded:
        yield _decoded_line(trace, each)
    for sender in SENDERS:
        decoder = decoders[sender]
        rest = b"" if decoder.stopped else decoder.pending
        at_s = max((r.at_s for r in trace.octets_of(connection) if r.sender == sender), default=0.0)
        total = decoder.total_octets
        if decoder.open_message:
            frames = decoder.open_message
            text = f"unfinished message {_describe_list([frame.body for frame in frames])}"
            yield Line(at_s, text, connection, sender, frames[0].offset, total - len(rest))
        if rest:
            text = f"unfinished octets {_hex(rest)}"
            yield Line(at_s, text, connection, sender, total - len(rest), total)


def _decoded_line(trace: Trace, decoded: Decoded) -> Line:
    received = decoded.received
    text = describe(received.value)
    end = received.end
    if isinstance(received.value, Undecodable):
        stream = trace.stream(decoded.connection, decoded.sender)
        if not received.frames:
            end = len(stream)
        text += f": {_hex(stream[received.start : end])}"
    return Line(decoded.at_s, text, decoded.connection, decoded.sender, received.start, end)


def _record_lines(record: Record) -> Iterator[Line]:
    if isinstance(record, Closed):
        text = "closed by reset" if record.how == "rst" else "closed"
        yield Line(record.at_s, text, record.connection, record.sender)
    elif isinstance(record, ApiCall):
        yield Line(record.at_s, f"{show_text(record.peer)}: {_call(record)}")
    elif isinstance(record, Note):
        yield Line(record.at_s, f"-- {show_text(record.text)}")


def _call(call: ApiCall) -> str:
    request = " ".join(f"{show_text(name)}={_api(name, value)}" for name, value in call.request.items())
    answer = "no answer" if call.answer is None else _answer(call.answer)
    return f"{show_text(call.op)} {request}".rstrip() + f" -> {answer} ({call.took_s * 1000:.1f} ms)"


def _answer(answer: Mapping[str, Any]) -> str:
    return " ".join(f"{show_text(name)}={_api(name, value)}" for name, value in answer.items()) or "ok"


def _api(name: str, value: Any) -> str:
    """A value of the control protocol; the octets that it writes as hexadecimal read as octets."""
    if isinstance(value, Mapping):
        return "{" + _answer(value) + "}"
    if isinstance(value, list | tuple):
        shown = [_api(name, each) for each in value[:PARTS_MAX]]
        return "[" + ", ".join(shown + [".."] * (len(value) > PARTS_MAX)) + "]"
    if name in OCTETS and isinstance(value, str):
        try:
            return show_octets(bytes.fromhex(value))
        except ValueError:
            return show_text(value)
    return show_octets(value) if isinstance(value, bytes) else show_text(str(value))


def marked_line(lines: Sequence[Line], mark: Place | None) -> int | None:
    """Which line (its index) holds the mark: the one with that octet, or the close where the octets end."""
    if mark is None:
        return None
    for n, line in enumerate(lines):
        if line.shows(mark):
            return n
    sent = max((line.end for line in lines if _same(line, mark)), default=0)
    closes = [n for n, line in enumerate(lines) if _same(line, mark) and line.end < 0]
    return closes[0] if closes and mark.offset >= sent else None


def _same(line: Line, mark: Place) -> bool:
    return line.connection == mark.connection and line.sender == mark.sender


def _sender(name: str) -> Sender:
    return "dialer" if name == "dialer" else "listener"


def _columns(lines: Sequence[tuple[Line, bool]], numbered: bool) -> list[str]:
    """Lines, with a listener's thing beside the dialer's that it follows, where there is room."""
    out: list[str] = []
    left: Line | None = None
    for line, marked in lines:
        text = _plain(line, numbered) + (f"     {HERE}" if marked else "")
        fits = left is not None and left.connection == line.connection and line.sender == "listener"
        if fits and len(out[-1]) < COLUMN:
            out[-1] = f"{out[-1]:<{COLUMN}}{text}"
            left = None
            continue
        out.append(text)
        left = line if line.sender == "dialer" and not marked else None
    return out


def _plain(line: Line, numbered: bool = False) -> str:
    if line.sender is None:
        return f"            {_ms(line.at_s)} {line.text}"
    number = f"{line.connection:<3} " if numbered else ""
    arrow = ">" if line.sender == "dialer" else "<"
    return f"{number}{line.sender:<9} {arrow} {_ms(line.at_s)} {line.text}"


def _ms(at_s: float) -> str:
    return f"{at_s * 1000:.1f} ms"


def _hex(octets: bytes) -> str:
    return octets.hex() if len(octets) <= 2 * HEAD_OCTETS else f"{len(octets)} octets {octets[:16].hex()}.."


def _dump(octets: bytes, start: int) -> Iterator[str]:
    for at in range(0, len(octets), 16):
        row = octets[at : at + 16]
        text = "".join(chr(octet) if 0x20 <= octet <= 0x7E else "." for octet in row)
        yield f"    {start + at:08x}  {row.hex(' '):<47}  {text}"
