"""A run that is over, read again from what it left in its report's folder.

`results.json` is what a run writes at its end. Where it was killed there is only `results.jsonl`, which
`harness.report.record` reads: such a run is shown as one that did not end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.report.model import Result
from harness.report.record import RecordError, read_record
from harness.verdict import Verdict

FILE, LINES = "results.json", "results.jsonl"
SCHEMA = 1
_HEAD = {"started": str, "seed": int, "strict": bool, "complete": bool, "peers": list, "problems": list}
_VERDICTS = frozenset(verdict.value for verdict in Verdict)
_ABOUT = ("library", "version", "language", "runtime")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "str": str, "list[str]": list, "bool": bool, "float": (int, float), "int": int,
    "str | None": (str, type(None)), "dict[str, str]": dict, "dict[str, Any] | None": (dict, type(None)),
}  # fmt: skip
_FIELDS = {one.name: _TYPES[str(one.type)] for one in fields(Result)}
_NEEDED = {one.name for one in fields(Result) if one.default is MISSING and one.default_factory is MISSING}


class RunError(ValueError):
    """Results that cannot be read; one line names the file and the field."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run with all its verdicts. `folder` is where its captures and logs lie.

    `complete` says that no case was left out, `ended` that it was not broken off. `peers` has for each name
    what is known of it: library, version, language, runtime, each "" where nobody said.
    """

    folder: Path
    results: list[Result]
    version: str = ""
    started: str = ""
    duration_s: float = 0.0
    seed: int = 0
    strict: bool = False
    complete: bool = False
    ended: bool = False
    peers: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_run(folder: Path) -> PastRun:
    """The run in a report's folder, or in its results.json or results.jsonl. Raises RunError."""
    path = folder
    if folder.is_dir():
        path = next((folder / name for name in (FILE, LINES) if (folder / name).exists()), folder)
        if path == folder:
            raise RunError(f"{folder}: neither {FILE} nor {LINES} is there")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: {error}") from None
    if path.suffix == ".jsonl":
        try:
            return past_run(read_record(path).as_json(), path.parent, path)
        except RecordError as error:
            raise RunError(str(error)) from None
    data = _parse(str(path), text)
    _check_head(data, path)
    return past_run(data, path.parent, path)


def past_run(data: Mapping[str, Any], folder: Path, source: Path | None = None) -> PastRun:
    """The run that a document of results.json tells of. Raises RunError for a verdict that is none."""
    where = source or folder
    results = [_result(value, f"{where}: results[{n}]") for n, value in enumerate(data["results"])]
    named = {name for result in results for name in result.peers}
    about = {name: dict.fromkeys(_ABOUT, "") for name in sorted(named)}
    for peer in data.get("peers", ()):
        about[str(peer["name"])] = {key: str(peer.get(key) or "") for key in _ABOUT}
    return PastRun(
        folder=folder,
        results=results,
        version=str(data["suite"]["version"]) if "suite" in data else "",
        started=data.get("started", ""),
        duration_s=float(data.get("duration_s", 0.0)),
        seed=data["seed"] if "seed" in data else next((one.seed for one in results), 0),
        strict=data.get("strict", False),
        complete=data.get("complete", False),
        ended=data.get("ended", "complete" in data),
        peers=about,
        problems=[str(problem) for problem in data.get("problems", ())],
    )


def _parse(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where}: no JSON: {error}") from None


def _check_head(data: Any, path: Path) -> None:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        number = data.get("schema", "missing") if isinstance(data, dict) else "missing"
        raise RunError(f"{path}: schema: {number!r}, not {SCHEMA}")
    suite = data.get("suite")
    if not isinstance(suite, dict) or not isinstance(suite.get("version"), str):
        raise RunError(f"{path}: suite.version: missing, or no text")
    for name, kind in {**_HEAD, "results": list}.items():
        if not isinstance(data.get(name), kind):
            raise RunError(f"{path}: {name}: missing, or no {kind.__name__}")
    if not isinstance(data.get("duration_s", 0.0), int | float):
        raise RunError(f"{path}: duration_s: no number")
    for n, peer in enumerate(data["peers"]):
        if not isinstance(peer, dict) or not isinstance(peer.get("name"), str):
            raise RunError(f"{path}: peers[{n}].name: missing, or no text")


def _result(value: Any, where: str) -> Result:
    """A verdict; fields that this suite does not know are passed over."""
    if not isinstance(value, dict):
        raise RunError(f"{where}: no object")
    for name in _NEEDED - value.keys():
        raise RunError(f"{where}.{name}: missing")
    known = {name: each for name, each in value.items() if name in _FIELDS}
    for name, each in known.items():
        if not isinstance(each, _FIELDS[name]) or not _is_text(each):
            raise RunError(f"{where}.{name}: {type(each).__name__} is not what belongs there")
    result = Result(**known)
    for name, good in (
        ("verdict", result.verdict in _VERDICTS),
        ("peers", bool(result.peers)),
        ("id", "/" in result.id),
    ):
        if not good:
            raise RunError(f"{where}.{name}: {known[name]!r} is none")
    return result


def _is_text(value: Any) -> bool:
    """Whether the elements of a list, or of a cast, are texts; true for anything else."""
    elements: Iterable[Any] = value if isinstance(value, list) else ()
    if isinstance(value, dict) and not {"connection", "ends"} & value.keys():
        elements = value.values()
    return all(isinstance(each, str) for each in elements)
