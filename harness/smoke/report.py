"""What smoke prints: a line for each step, and for one that failed all that is needed to see it again.

Whatever comes from the peer is untrusted: it is shortened, and what could move a terminal is escaped.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.launch.log import LOG_LIMIT_OCTETS
from harness.manifest import Manifest

from .recorder import Exchange, log_size

SHOWN_CHARACTERS = 400
LOG_TAIL_OCTETS = 2000
LOG_TAIL_LINES = 5
WIRE_LINES = 20
PACE_S = "0.5"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a step expected and what there was instead, each one line; `wire` is the rendered trace so far."""

    expected: str
    actual: str
    wire: Sequence[str] = ()


class Report:
    """Prints through `say`, a line at a time, and counts: `steps` in all, `failed` of them."""

    def __init__(self, manifest: Manifest, log: Path, say: Callable[[str], None]) -> None:
        self.steps = 0
        self.failed = 0
        self._manifest = manifest
        self._log = log
        self._say = say
        self._noisy = False

    def title(self, text: str) -> None:
        """What the next steps are about."""
        self._say(text)

    def passed(self, name: str) -> None:
        """A step that held."""
        self.steps += 1
        self._say(f"  ok    {name}")
        self._noise()

    def skipped(self, name: str, reason: str) -> None:
        """Something that was not asked, and why."""
        self._say(f"  --    {name}: {reason}")

    def fail(self, name: str, failure: Failure, said: Sequence[Exchange], image: str | None) -> None:
        """A step that did not hold; `said` is what this process of the peer was asked, the last is blamed."""
        self.steps += 1
        self.failed += 1
        self._say(f"  FAIL  {name}")
        if said:
            answer = said[-1].answer
            self._fact("asked", shown(said[-1].request))
            self._fact("answered", "nothing" if answer is None else shown(answer))
        self._fact("expected", shown(failure.expected))
        self._fact("actual", shown(failure.actual))
        for line in failure.wire[-WIRE_LINES:]:
            self._fact("wire", shown(line))
        for last in tail(self._log):
            self._fact("stderr", shown(last))
        if said:
            self._fact("again", again(self._manifest, [each.request for each in said], image))
        self._noise()

    def _noise(self) -> None:
        """Say so, once, where the peer writes very much to its standard error."""
        if not self._noisy and log_size(self._log) >= LOG_LIMIT_OCTETS:
            self._noisy = True
            mebioctets = LOG_LIMIT_OCTETS >> 20
            self._say(
                f"  note  more than {mebioctets} MiB on standard error: the rest is dropped, as in a run"
            )

    def _fact(self, name: str, text: str) -> None:
        self._say(f"          {name:<9} {text}")


def shown(text: str | bytes) -> str:
    """Text of unknown origin in one line: bounded, and with escapes for all that cannot be printed."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    text = text.rstrip("\n")
    more = f" ... ({len(text)} characters)" if len(text) > SHOWN_CHARACTERS else ""
    kept = text[:SHOWN_CHARACTERS]
    plain = (each if each.isprintable() else each.encode("unicode_escape").decode() for each in kept)
    return "".join(plain) + more


def tail(log: Path) -> list[bytes]:
    """The last lines of the peer's standard error."""
    if log_size(log) == 0:
        return []
    with log.open("rb") as file:
        file.seek(max(0, log_size(log) - LOG_TAIL_OCTETS))
        return [line for line in file.read().splitlines() if line.strip()][-LOG_TAIL_LINES:]


def again(manifest: Manifest, requests: Sequence[bytes], image: str | None) -> str:
    """A command for a POSIX shell that asks the adapter the same again, at a pace at which it can be watched.

    The raw end of the wire is not there then: it shows what the adapter says, not what the wire carries.
    """
    # DEL is printable for json.dumps, and no terminal should see it.
    lines = [request.decode("ascii").rstrip("\n").replace("\x7f", "\\u007f") for request in requests]
    asked = " ".join(shlex.quote(line) for line in lines)
    loop = f"for line in {asked}; do printf '%s\\n' \"$line\"; sleep {PACE_S}; done"
    if image is not None:
        adapter = f"docker run --rm -i {shlex.quote(image.split()[0])}"
    else:
        adapter = f"(cd {shlex.quote(_relative(manifest.folder))} && {shlex.join(manifest.command)})"
    return f'{loop} | {adapter}; echo "exit status $?"'


def _relative(folder: Path) -> str:
    """The folder as it is called from here, where it lies below."""
    here = Path.cwd()
    return os.fspath(folder.relative_to(here)) if folder.is_relative_to(here) else os.fspath(folder)
