"""Control messages: requests to octets, lines to answers (specs/control-protocol.md).

A request or an answer is one JSON object on one line. Octets travel as
lower-case hex; here they are `bytes`. Answers are checked by hand, field by
field, because a schema validator would cost more than the peer's own work;
specs/control.schema.json says the same and the tests hold the two together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTROL_VERSION = "1"
MAX_LINE_OCTETS = 64 * 2**20
ROUTING_ID_OCTETS = 4
OUTCOMES = frozenset({"accepted", "would-block", "unroutable", "refused"})
ERROR_KINDS = frozenset({"unsupported", "timeout", "failed"})
OCTET_OPTIONS = frozenset(
    {
        "identity",
        "plain-username",
        "plain-password",
        "curve-public-key",
        "curve-secret-key",
        "curve-server-key",
        "zap-domain",
    }
)

_COMPACT = json.JSONEncoder(separators=(",", ":"))

SocketId = int | str
Check = Callable[[Any], Any]


class MalformedAnswer(ValueError):
    """A line that is no answer to the request: `field` names the part that is wrong."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `fields` as the caller gave them, octets as `bytes`."""

    id: int
    op: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The request as one line, newline included."""
        body = {"id": self.id, "op": self.op, **{k: _plain(v) for k, v in self.fields.items()}}
        return _COMPACT.encode(body).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Ok:
    """A successful answer; `fields` hold octets as `bytes`."""

    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error answer: `kind` is unsupported, timeout or failed."""

    kind: str
    detail: str


def parse_answer(line: bytes, request: Request) -> Ok | Failure:
    """The answer in `line`, or MalformedAnswer if it does not answer `request`."""
    answer = _object_from(line)
    if type(answer.get("id")) is not int or answer["id"] != request.id:
        raise MalformedAnswer("id", f"expected {request.id}, got {_show(answer.get('id'))}")
    if ("ok" in answer) == ("error" in answer):
        raise MalformedAnswer("ok", "expected either ok or error, and only one of them")
    if "error" in answer:
        return _failure(answer["error"])
    return Ok(_ok_fields(answer["ok"], request))


def _object_from(line: bytes) -> dict[str, Any]:
    """The JSON object of one complete line."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise MalformedAnswer("line", f"not JSON: {_show_octets(line)}") from None
    if not isinstance(answer, dict):
        raise MalformedAnswer("line", f"not a JSON object: {_show_octets(line)}")
    return answer


def _failure(error: Any) -> Failure:
    if not isinstance(error, dict):
        raise MalformedAnswer("error", f"expected an object, got {_show(error)}")
    kind, detail = error.get("kind"), error.get("detail")
    if not isinstance(kind, str) or kind not in ERROR_KINDS:
        raise MalformedAnswer("error.kind", f"expected one of {sorted(ERROR_KINDS)}, got {_show(kind)}")
    if not isinstance(detail, str):
        raise MalformedAnswer("error.detail", f"expected text, got {_show(detail)}")
    return Failure(kind, detail)


def _ok_fields(ok: Any, request: Request) -> dict[str, Any]:
    """The checked fields of a success; fields nobody knows are kept as they came."""
    if not isinstance(ok, dict):
        raise MalformedAnswer("ok", f"expected an object, got {_show(ok)}")
    required = ANSWERS.get(request.op, {})
    for name, check in (required | MORE_ANSWERS.get(request.op, {})).items():
        if name not in ok:
            if name not in required:
                continue
            raise MalformedAnswer(f"ok.{name}", "missing")
        try:
            ok[name] = check(ok[name])
        except (ValueError, TypeError) as error:
            raise MalformedAnswer(f"ok.{name}", f"{error}, got {_show(ok[name])}") from None
    if request.op == "get" and request.fields.get("option") in OCTET_OPTIONS:
        ok["value"] = _hex_value(ok["value"])
    return ok


def _hex_value(value: Any) -> bytes:
    try:
        return _octets(value)
    except ValueError as error:
        raise MalformedAnswer("ok.value", f"{error}, got {_show(value)}") from None


def _plain(value: Any) -> Any:
    """`value` as JSON holds it: octets become hex, wherever they stand."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return value.hex()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("expected a whole number from 0 up")
    return value


def _index(value: Any) -> int | None:
    return None if value is None else _count(value)


def _socket(value: Any) -> SocketId:
    if type(value) is int or (isinstance(value, str) and value):
        return value
    raise ValueError("expected a whole number or a non-empty text")


def _octets(value: Any) -> bytes:
    try:
        octets = bytes.fromhex(value)
    except (ValueError, TypeError):
        octets = None
    if octets is None or len(value) != 2 * len(octets) or value != value.lower():
        raise ValueError("expected octets in lower-case hex")
    return octets


def _routing_id(value: Any) -> bytes:
    octets = _octets(value)
    if len(octets) != ROUTING_ID_OCTETS:
        raise ValueError(f"expected {ROUTING_ID_OCTETS} octets in lower-case hex")
    return octets


def _parts(value: Any) -> list[bytes]:
    if not isinstance(value, list) or not value:
        raise ValueError("expected a list of one or more parts in lower-case hex")
    return [_octets(part) for part in value]


def _sockets(value: Any) -> list[SocketId]:
    if not isinstance(value, list):
        raise ValueError("expected a list of sockets")
    return [_socket(item) for item in value]


def _outcome(value: Any) -> str:
    if not isinstance(value, str) or value not in OUTCOMES:
        raise ValueError(f"expected one of {sorted(OUTCOMES)}")
    return value


def _scalar(value: Any) -> Any:
    if value is not None and not isinstance(value, (bool, int, str)):
        raise ValueError("expected a whole number, true, false, text or null")
    return value


def _digest(value: Any) -> str:
    if len(_octets(value)) != 32:
        raise ValueError("expected the 64 hex digits of a SHA-256")
    return _text(value)


def _events(value: Any) -> list[dict[str, Any]]:
    good = isinstance(value, list) and all(
        isinstance(event, dict)
        and isinstance(event.get("event"), str)
        and isinstance(event.get("endpoint"), str)
        for event in value
    )
    if not good:
        raise ValueError("expected a list of objects with texts event and endpoint")
    return list(value)


ANSWERS: dict[str, dict[str, Check]] = {
    "hello": dict.fromkeys(("peer", "library", "version", "language", "control"), _text),
    "open": {"socket": _socket},
    "close": {},
    "set": {},
    "get": {"value": _scalar},
    "bind": {"endpoint": _text},
    "connect": {"endpoint": _text},
    "unbind": {},
    "disconnect": {},
    "subscribe": {},
    "cancel": {},
    "send": {"outcome": _outcome},
    "recv": {"parts": _parts},
    "poll": {"readable": _sockets},
    "flood": {"accepted": _count},
    "drain": {"received": _count, "digest": _digest, "first": _index, "last": _index},
    "proxy": {},
    "monitor": {"events": _events},
}
"""Each operation's answer: the fields it must hold and how each is read."""

MORE_ANSWERS: dict[str, dict[str, Check]] = {"connect": {"routing_id": _routing_id}}
"""Fields that an answer may hold beside those."""


def _show(value: Any) -> str:
    return _shorten(json.dumps(value))


def _show_octets(line: bytes) -> str:
    return _shorten(repr(line[:200].decode("utf-8", "backslashreplace")))


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
