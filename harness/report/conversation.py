"""The steps of a recorded conversation with one peer, as our side would do them again.

Our ends wait for what the peer sent before they go on: each wait names how many octets had come until then.
A trace does not tell since when we listened; the player does so from the beginning.
The operations that were asked of the peer stand among the steps in plain words.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from harness.wire.render import describe
from harness.wire.trace import ApiCall, Closed, Octets, Opened, Trace

WHOLE_OCTETS = 256
LEAST_WAIT_S = 2.0
SOCKETS = frozenset({"socket", "sockets", "readable", "frontend", "backend"})
QUIET = frozenset({"open", "bind", "connect", "close", "set", "subscribe", "cancel", "unbind", "disconnect"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the player takes it; `remark` is what is being sent, for people."""

    what: str
    connection: int
    value: str
    remark: str = ""


class Conversation:
    """A trace of one peer, read as what our side did; `sides` are the places where ends met: role, words."""

    def __init__(self, trace: Trace) -> None:
        self.sides: list[tuple[str, str]] = []
        self._trace = trace
        self._records = sorted(trace.records, key=lambda record: record.at_s)
        self._sockets: dict[str, str] = {}
        self._places: dict[tuple[str, int], int] = {}
        self._roles: dict[int, str] = {}
        self._remarks = _remarks(trace)
        self._steps: list[Step] = []
        self._came: dict[int, int] = {}
        self._waited: dict[int, int] = {}
        self._find_places()

    def is_own(self, connection: int, sender: str) -> bool:
        """Whether that end of a connection is ours."""
        return sender == ("dialer" if self._roles.get(connection) == "dial" else "listener")

    def is_ours(self, record: Octets | Closed) -> bool:
        """Whether our end did this."""
        return self.is_own(record.connection, record.sender)

    def wait_s(self) -> float:
        """How long is long enough: twice what anything took."""
        times = [record.at_s for record in self._records]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        gaps += [record.took_s for record in self._records if isinstance(record, ApiCall)]
        return float(math.ceil(max([LEAST_WAIT_S, *(2 * gap for gap in gaps)])))

    def steps(self) -> list[Step]:
        """Everything in order."""
        self._steps, self._came, self._waited, self._sockets = [], {}, {}, {}
        number = 0
        for record in self._records:
            if isinstance(record, ApiCall):
                number += 1
                self._do(Step("application", 0, f"{number}. {self._words(record)}"))
            elif isinstance(record, Opened):
                role = self._roles[record.connection]
                place = self._places[role, record.listener[1]]
                self._do(Step("dial" if role == "dial" else "accept", record.connection, str(place)))
            elif isinstance(record, Octets):
                self._octets(record)
            elif isinstance(record, Closed):
                self._do(Step(record.how if self.is_ours(record) else "end", record.connection, ""))
        self._flush()
        return self._steps

    def _octets(self, record: Octets) -> None:
        if not self.is_ours(record):
            self._came[record.connection] = self._came.get(record.connection, 0) + len(record.octets)
            return
        remark = self._remarks.get(id(record), "")
        self._do(Step("send", record.connection, record.octets.hex(), remark))

    def _do(self, step: Step) -> None:
        """A step of ours, behind what had come until then."""
        self._flush()
        self._steps.append(step)

    def _flush(self) -> None:
        for connection, octets in self._came.items():
            if self._waited.get(connection) != octets:
                self._waited[connection] = octets
                self._steps.append(Step("until", connection, str(octets)))

    # -- who dials where -------------------------------------------------------------------------

    def _find_places(self) -> None:
        bound: dict[int, str] = {}
        for record in self._records:
            if isinstance(record, ApiCall):
                sock = self._socket(record.request.get("socket"))
                if record.op == "open":
                    self._open(record.answer)
                elif record.op == "bind" and record.answer is not None:
                    bound[_port(record.answer.get("endpoint"))] = sock
                elif record.op == "connect" and (port := _port(record.request.get("endpoint"))) not in bound:
                    self._place("listen", port, f"where {sock} connects to")
            elif isinstance(record, Opened):
                port = record.listener[1]
                role = "listen" if ("listen", port) in self._places and port not in bound else "dial"
                self._roles[record.connection] = role
                self._place(role, port, f"where {bound.get(port, 'the application')} is bound")

    def _place(self, role: str, port: int, what: str) -> None:
        if (role, port) not in self._places:
            self._places[role, port] = len(self.sides)
            self.sides.append((role, what))

    def _place_of(self, role: str, endpoint: object) -> str:
        number = self._places.get((role, _port(endpoint)))
        return _value("endpoint", endpoint) if number is None else f"place {number + 1}"

    # -- words -----------------------------------------------------------------------------------

    def _words(self, call: ApiCall) -> str:
        """An operation for people, and what came of it."""
        request = self._named(call.request)
        sock = str(request.pop("socket", ""))
        answer = None if call.answer is None else self._named(call.answer)
        if call.op == "open":
            made = self._open(call.answer)
            options = request.get("options") or {}
            words = f"open a {describe(request.get('type'))} socket: {made}"
            words += f", with {_fields(options)}" if options else ""
        elif call.op == "bind":
            words = f"bind {sock} to {_value('endpoint', request.get('endpoint'))}"
            place = self._place_of("dial", (answer or {}).get("endpoint"))
            words += f", which is {place}" if place.startswith("place") else ""
        elif call.op == "connect":
            words = f"connect {sock} to {self._place_of('listen', request.get('endpoint'))}"
        else:
            words = " ".join(part for part in (call.op, sock, _fields(request)) if part)
        if answer is None:
            return f"{words}; no answer came"
        return (
            words
            if call.op in QUIET and "error" not in answer
            else f"{words}; it answered {_fields(answer) or 'ok'}"
        )

    def _named(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a request or an answer, with our names for the sockets."""
        out = dict(fields)
        for name in SOCKETS & out.keys():
            ids = out[name]
            out[name] = list(map(self._socket, ids)) if isinstance(ids, list) else self._socket(ids)
        return out

    def _open(self, answer: Mapping[str, Any] | None) -> str:
        if answer is None or "socket" not in answer:
            return "none was made"
        self._sockets[str(answer["socket"])] = f"s{len(self._sockets) + 1}"
        return self._sockets[str(answer["socket"])]

    def _socket(self, number: object) -> str:
        return self._sockets.get(str(number), f"socket {number}")


def plain(text: str) -> str:
    """Printable ASCII on one line; everything else, whoever sent it, as escapes."""
    return "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text)


def _port(endpoint: object) -> int:
    port = str(endpoint).rpartition(":")[2].partition("/")[0]
    return int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else -1


def _fields(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(name, value)}" for name, value in fields.items() if value != "")


def _value(name: str, value: Any) -> str:
    """A value of the control protocol; octets whole where they are few, else with their digest."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(name, each) for each in value) + "]"
    if isinstance(value, Mapping):
        return "{" + _fields(value) + "}"
    if isinstance(value, bytes | bytearray):
        if len(value) <= WHOLE_OCTETS:
            return repr(bytes(value))
        return f"{describe(value)} (SHA-256 {hashlib.sha256(value).hexdigest()})"
    return str(value)


def _remarks(trace: Trace) -> dict[int, str]:
    """What each record of octets completes, by the record's id()."""
    remarks: dict[int, str] = {}
    for opened in trace.connections():
        number = opened.connection
        decoded = trace.decode(number)[0]
        for sender in ("dialer", "listener"):
            mine = [each for each in decoded if each.sender == sender]
            total = taken = 0
            for record in trace.octets_of(number):
                if record.sender != sender:
                    continue
                total += len(record.octets)
                words = []
                while taken < len(mine) and mine[taken].received.end <= total:
                    words.append(describe(mine[taken].received.value))
                    taken += 1
                remarks[id(record)] = ", ".join(words)
    return remarks
