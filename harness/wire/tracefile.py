"""Traces as files: JSON lines, one record a line, without loss, so that verdicts can be drawn again.

The first line says how many records follow. Octets are base64; octets and tuples inside an API call
are marked as such. `save` and `load` raise OSError as files do, `load` DamagedTrace for the content.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from .trace import SENDERS, Address, ApiCall, Closed, Note, Octets, Opened, Record, Trace

T = TypeVar("T")
FORMAT = "zconform-trace"
VERSION = 1
_KINDS: dict[type, str] = {
    Opened: "opened",
    Octets: "octets",
    Closed: "closed",
    ApiCall: "call",
    Note: "note",
}


class DamagedTrace(ValueError):
    """A file that is no trace, or no longer: path, line and what is wrong there."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        super().__init__(f"{path}, line {line}: {what}")
        self.line = line


def save(trace: Trace, path: Path) -> None:
    """Write a trace."""
    records = list(trace.records)
    head = {"format": FORMAT, "version": VERSION, "epoch_s": trace.epoch_s, "records": len(records)}
    with path.open("w", encoding="ascii") as file:
        file.write(json.dumps(head) + "\n")
        file.writelines(json.dumps(_pack_record(record)) + "\n" for record in records)


def load(path: Path) -> Trace:
    """Read a trace. Raises DamagedTrace where a line is not what `save` writes."""
    records: list[Record] = []
    count, epoch_s, number = 0, 0.0, 0
    with path.open(encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                content = json.loads(line)
                if number == 1:
                    count, epoch_s = _read_head(content)
                else:
                    records.append(_unpack_record(content))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise DamagedTrace(path, number, _reason(error)) from None
    if number == 0 or len(records) != count:
        raise DamagedTrace(path, number, f"{len(records)} records, not {count}" if number else "empty")
    return Trace.of(records, epoch_s)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON ({error.msg})"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _read_head(content: Any) -> tuple[int, float]:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("not a trace of zconform")
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']}, not {VERSION}")
    return _int(content["records"]), _seconds(content["epoch_s"])


# -- records -------------------------------------------------------------------------------------


def _pack_record(record: Record) -> dict[str, Any]:
    content = {name: getattr(record, name) for name in type(record).__slots__}
    if isinstance(record, Octets):
        content["octets"] = base64.b64encode(record.octets).decode("ascii")
    elif isinstance(record, ApiCall):
        content |= {"request": _pack(record.request), "answer": _pack(record.answer)}
    return {"kind": _KINDS[type(record)], **content}


def _unpack_record(content: Any) -> Record:
    if not isinstance(content, dict):
        raise ValueError("not an object")
    reader = _READERS.get(content["kind"])
    if reader is None:
        raise ValueError(f"unknown kind {content['kind']!r}")
    return reader(content)


def _read_opened(content: dict[str, Any]) -> Opened:
    return Opened(
        _seconds(content["at_s"]),
        _int(content["connection"]),
        _address(content["dialer"]),
        _address(content["listener"]),
        _text(content["label"]),
    )


def _read_octets(content: dict[str, Any]) -> Octets:
    octets = _octets(content["octets"])
    sender = _one_of(content["sender"], SENDERS)
    return Octets(_seconds(content["at_s"]), _int(content["connection"]), sender, octets)


def _read_closed(content: dict[str, Any]) -> Closed:
    return Closed(
        _seconds(content["at_s"]),
        _int(content["connection"]),
        _one_of(content["sender"], SENDERS),
        _one_of(content["how"], ("fin", "rst")),
    )


def _read_call(content: dict[str, Any]) -> ApiCall:
    request, answer = _unpack(content["request"]), _unpack(content["answer"])
    if not isinstance(request, dict) or not isinstance(answer, dict | None):
        raise ValueError("request or answer is no object")
    return ApiCall(
        _seconds(content["at_s"]),
        _text(content["peer"]),
        _text(content["op"]),
        request,
        answer,
        _seconds(content["took_s"]),
    )


_READERS: dict[str, Callable[[dict[str, Any]], Record]] = {
    "opened": _read_opened,
    "octets": _read_octets,
    "closed": _read_closed,
    "call": _read_call,
    "note": lambda content: Note(_seconds(content["at_s"]), _text(content["text"])),
}


# -- values --------------------------------------------------------------------------------------


def _pack(value: Any) -> Any:
    """A value of an API call as JSON has it; `$` marks what JSON does not have."""
    if isinstance(value, bytes):
        return {"$octets": base64.b64encode(value).decode("ascii")}
    if isinstance(value, tuple):
        return {"$tuple": [_pack(each) for each in value]}
    if isinstance(value, list):
        return [_pack(each) for each in value]
    if isinstance(value, Mapping):
        return {f"${name}" if name.startswith("$") else name: _pack(each) for name, each in value.items()}
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$octets" in value:
        return _octets(value["$octets"])
    if "$tuple" in value:
        return tuple(_unpack(each) for each in value["$tuple"])
    return {name.removeprefix("$"): _unpack(each) for name, each in value.items()}


def _octets(value: Any) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except binascii.Error as error:
        raise ValueError(f"octets are not base64 ({error})") from None


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no time")
    return float(value)


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _one_of(value: Any, allowed: tuple[T, ...]) -> T:
    for each in allowed:
        if value == each:
            return each
    raise ValueError(f"{value!r} is none of {allowed}")


def _address(value: Any) -> Address:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{value!r} is no address")
    return _text(value[0]), _int(value[1])
