"""One page for a run: `index.html`, which needs nothing else and no network.

Whatever a peer said is data: it stands in one block of JSON that no markup can end, the page's own script
puts it into text nodes only, and a Content-Security-Policy lets nothing run but that script (by its digest)
and loads nothing at all.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

from harness.clauses import Ledger
from harness.report.compare import Kind, compare
from harness.report.html.beside import Beside, keep_harm_out
from harness.report.html.source import PastRun
from harness.report.html.tables import LETTERS, Item, Subject, Tables
from harness.report.model import Result

NAME = "index.html"
MOST_CHANGES = 2_000
_PAGE = Path(__file__).resolve().parent / "page"
_SCRIPTS = (
    "data.js", "filters.js", "count.js", "dom.js", "overview.js", "cases.js", "clauses.js", "result.js",
    "talk.js", "changes.js", "main.js",
)  # fmt: skip
_SLOT = re.compile(r"\{\{([a-z]+)\}\}")


def write_page(run: PastRun, against: PastRun | None = None, *, with_security: bool = False) -> Path:
    """Write the page into the run's folder, whole or not at all; its path. Raises OSError.

    `against` is an earlier run to compare with. Unless `with_security`, what is marked as security shows no
    conversation, whatever the run was asked for.
    """
    path = run.folder / NAME
    making = path.with_suffix(".html.part")
    making.write_text(render_page(run, against, with_security=with_security), encoding="utf-8")
    making.replace(path)
    return path


def render_page(run: PastRun, against: PastRun | None = None, *, with_security: bool = False) -> str:
    """The whole text of the page."""
    data = page_data(run, against, with_security=with_security)
    style = (_PAGE / "style.css").read_text("utf-8")
    script = (
        '"use strict";\n(() => {\n'
        + "\n".join((_PAGE / name).read_text("utf-8") for name in _SCRIPTS)
        + "})();\n"
    )
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    slots = {
        "policy": policy,
        "title": html.escape(f"zconform, {run.started or 'a run'}"),
        "style": style,
        "data": embed(data),
        "script": script,
    }
    return _SLOT.sub(lambda slot: slots[slot[1]], (_PAGE / "page.html").read_text("utf-8"))


def page_data(run: PastRun, against: PastRun | None = None, *, with_security: bool = False) -> dict[str, Any]:
    """What the page's script reads, as plain values."""
    shown = run if with_security else keep_harm_out(run)
    tables = Tables(shown, Ledger.load())
    beside = Beside(run.folder, tables.texts)
    rows = beside.rows(shown.results)
    made: dict[str, Any] = {
        "logs": [beside.log_of(name) for name in sorted(run.peers)],
        "talks": beside.talks,
    }
    if against is not None:
        before = against if with_security else keep_harm_out(against)
        made["against"] = _changes(before, shown, tables)
    return made | tables.as_json(rows)


def embed(data: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or opens a comment."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _changes(before: PastRun, after: PastRun, tables: Tables) -> dict[str, Any]:
    """Rows of kind, peers, case, parameters, place in the tables (or -1), both verdicts, both messages."""
    subjects = {subject: n for n, subject in enumerate(tables.asked)}
    counts = dict.fromkeys(Kind, 0)
    rows: list[list[Any]] = []
    for kind, (peers, cast, case, param, nth), old, new in compare(before.results, after.results):
        counts[kind] += 1
        if counts[kind] > MOST_CHANGES:
            continue
        asked = (subjects[Subject(peers, cast)], tables.items[Item(case, param, nth)]) if new else (-1, -1)
        told = [_told(one, tables) for one in (old, new)]
        letters = [LETTERS[one.verdict] if one is not None else "" for one in (old, new)]
        rows.append([list(Kind).index(kind), list(peers), case, param, *asked, *letters, *told])
    return {
        "started": before.started,
        "version": before.version,
        "complete": before.complete,
        "kinds": [kind.value for kind in Kind],
        "counts": list(counts.values()),
        "rows": rows,
    }


def _told(result: Result | None, tables: Tables) -> int:
    """What a verdict says in one text, as its number."""
    if result is None or not (result.expected or result.actual or result.reason):
        return 0
    if not (result.expected or result.actual):
        return tables.texts.number(result.reason)
    clause = f" [{result.blamed}]" if result.blamed else ""
    return tables.texts.number(f"expected {result.expected}, got {result.actual}{clause}")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
