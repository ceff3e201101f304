"""Texts that strangers wrote, such as what a peer sent, for Markdown as GitHub and GitLab read it.

Inside a code span nothing is a link, a mention, an image, HTML or a heading; what is left to do is to keep
the text inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.report.text import printable

MOST_CHARACTERS = 200


def code(text: str) -> str:
    """A code span of one line that holds any text, cut to what a reader takes in."""
    shown = printable(text)
    if len(shown) > MOST_CHARACTERS:
        shown = shown[:MOST_CHARACTERS] + "…"
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    edge = " " if not shown.strip() or "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def fenced(text: str, language: str = "") -> str:
    """A code block that holds any text; control characters but ends of lines as escapes."""
    lines = [printable(line) for line in text.splitlines()]
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", "\n".join(lines))), default=0))
    return "\n".join([fence + language, *lines, fence])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; the first column is text, the others are numbers."""
    lines = [list(head), ["---", *["---:"] * (len(head) - 1)], *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
