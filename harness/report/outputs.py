"""The files of a finished run, all of them made from its record: so a past run's can be made again."""

from __future__ import annotations

import re
from pathlib import Path

from harness.report.badge import badge
from harness.report.digest import digest
from harness.report.html import past_run, write_page
from harness.report.junit import write_junit
from harness.report.record import FILE, LINES, Record, write_record

OUTPUTS = ("index.html", "junit.xml", "summary.md")
BADGES = "badges"


def clear(folder: Path) -> None:
    """Make a report's folders, and take away what an earlier run left of its results. Raises OSError."""
    (folder / "traces").mkdir(parents=True, exist_ok=True)
    (folder / "logs").mkdir(exist_ok=True)
    for name in (FILE, LINES, *OUTPUTS):
        (folder / name).unlink(missing_ok=True)
    for old in (folder / "traces").iterdir():
        old.unlink()


def write_outputs(record: Record, folder: Path) -> None:
    """Write results.json, index.html, junit.xml, summary.md and badges/PEER.svg. Raises OSError."""
    write_record(record, folder)
    # What was to be kept out of the results is not in them any more.
    write_page(past_run(record.as_json(), folder), with_security=True)
    write_junit(record, folder / "junit.xml")
    (folder / "summary.md").write_text(digest(record), encoding="utf-8")
    (folder / BADGES).mkdir(exist_ok=True)
    for old in (folder / BADGES).glob("*.svg"):
        old.unlink()
    for name in record.peers:
        mine = [result for result in record.results if result.peers == [name]]
        if mine:
            drawn = badge(mine, record.complete)
            (folder / BADGES / f"{file_name(name)}.svg").write_text(drawn, encoding="utf-8")


def file_name(name: str) -> str:
    """A peer's name as that of a file, whoever wrote the results."""
    return re.sub("[^A-Za-z0-9._-]+", ".", name).strip(".") or "peer"
