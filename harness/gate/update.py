"""`--update`: write into a list what the gate asks for; what is not concerned stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from harness.gate.findings import Finding, Remedy, entry_heads, entry_text
from harness.gate.judge import Gate
from harness.known import KnownError, load_list

_TITLE = "# Known deviations: still run, and red when they change.\n"


class UpdateError(ValueError):
    """A list that is not written; one line says why."""


def update(gate: Gate, peer: str, path: Path) -> int:
    """Write the list of a peer so that it says what the run showed; how many of its entries changed.

    Raises UpdateError: of a partial run what was left out would be taken for gone. What no entry can mend (an
    error, an entry that hides too much, a date that has passed, fewer cases) stays red.
    """
    if not gate.record.complete:
        why = "is partial" if gate.record.ended else "was broken off"
        raise UpdateError(f"{path}: not updated: the run {why}, so nobody knows of the cases left out")
    mine = [finding for finding in gate.findings if finding.peer == peer and _is_for(finding, path)]
    if not mine:
        return 0
    text = _rewritten(path, mine)
    making = path.with_name(f"{path.name}.part")
    try:
        making.write_text(text, encoding="utf-8")
        load_list(making)
        making.replace(path)
    except (OSError, KnownError) as error:
        making.unlink(missing_ok=True)
        raise UpdateError(f"{path}: not updated: {error}") from None
    return len(mine)


def _is_for(finding: Finding, path: Path) -> bool:
    """Whether this list is the place to mend it: an entry of another list is not touched."""
    if finding.remedy is Remedy.PASTE:
        return True
    own = finding.entry is not None and Path(finding.entry.file).resolve() == path.resolve()
    return own and finding.remedy in (Remedy.DELETE, Remedy.REPLACE, Remedy.ABOVE) and finding.kind.is_mended


def _rewritten(path: Path, findings: Sequence[Finding]) -> str:
    """The list's text with whole entries taken out and put in; every other line stays."""
    try:
        text = path.read_text("utf-8") if path.exists() else _TITLE
        known = load_list(path) if path.exists() else []
    except (OSError, UnicodeDecodeError, KnownError) as error:
        raise UpdateError(f"{path}: not updated: {error}") from None
    heads, lines = entry_heads(text), text.splitlines()
    if len(heads) != sum(not entry.included for entry in known):
        raise UpdateError(f"{path}: not updated: its [[known]] do not each begin a line of their own")
    above: dict[int, list[str]] = {}
    gone = set()
    for finding in findings:
        entry = finding.entry if finding.remedy is not Remedy.PASTE else None
        number = entry.number if entry is not None else len(heads) + 1
        if finding.remedy in (Remedy.DELETE, Remedy.REPLACE):
            gone.add(number)
        if finding.table is not None:
            above.setdefault(number, []).append(entry_text(finding.table))
    bounds = [*heads, len(lines)]
    made = lines[: bounds[0]]
    for number, (begin, end) in enumerate(pairwise([*bounds, len(lines)]), 1):
        for new in above.get(number, []):
            made += [*([""] if made and made[-1] else []), *new.splitlines(), ""]
        made += _after_entry(lines[begin:end]) if number in gone else lines[begin:end]
    return "\n".join(made).rstrip() + "\n"


def _after_entry(lines: list[str]) -> list[str]:
    """What stands behind an entry without being of it: blank lines and comments before the next one."""
    last = max(
        number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")
    )
    return lines[last + 1 :][1:] if lines[last + 1 : last + 2] == [""] else lines[last + 1 :]
