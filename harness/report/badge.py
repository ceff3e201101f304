"""A badge for each peer: a small SVG of our own that needs no network and no font but the reader's."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable

from harness.report.junit import xml_text
from harness.report.model import Result
from harness.verdict import Verdict

LABEL = "ZeroMQ conformance"
GREEN, YELLOW, RED, GREY = "#2b7a0b", "#8a5a00", "#b02a1c", "#555"
"""White text on any of them has a contrast of 4.5 to 1 or more."""
_CHARACTER = 6.6
_MARGIN = 7.0
_HEIGHT = 20


def badge(results: Iterable[Result], complete: bool) -> str:
    """The badge of one peer, from what it was asked alone: held of judged, and whether that is all."""
    counts = Counter(Verdict(result.verdict) for result in results)
    judged = counts.total() - counts[Verdict.UNSUPPORTED]
    held = counts[Verdict.PASS] + counts[Verdict.INFO]
    if not judged:
        return svg(LABEL, "nothing judged", GREY)
    if not complete:
        return svg(LABEL, f"{held} of {judged} held, incomplete", GREY)
    if counts[Verdict.FAIL] or counts[Verdict.ERROR]:
        return svg(LABEL, f"{held} of {judged} held", RED)
    return svg(LABEL, f"{held} of {judged} held", YELLOW if held < judged else GREEN)


def svg(label: str, message: str, colour: str) -> str:
    """Two texts side by side; what they say is also the picture's name for who cannot see it."""
    label, message = xml_text(label), xml_text(message)
    left, right = (round(len(text) * _CHARACTER + 2 * _MARGIN) for text in (label, message))
    name = f"{label}: {message}"
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": str(left + right),
            "height": str(_HEIGHT),
            "role": "img",
            "aria-label": name,
        },
    )
    ET.SubElement(root, "title").text = name
    for at, width, fill in ((0, left, "#333"), (left, right, colour)):
        where = {"x": str(at), "width": str(width), "height": str(_HEIGHT), "fill": fill}
        ET.SubElement(root, "rect", where)
    style = {"fill": "#fff", "font-family": "Verdana,DejaVu Sans,sans-serif", "font-size": "11"}
    texts = ET.SubElement(root, "g", style)
    for at, width, text in ((0, left, label), (left, right, message)):
        length = str(round(width - 2 * _MARGIN, 1))  # whatever the reader's font, the text fills its half
        where = {"x": str(at + _MARGIN), "y": "14", "textLength": length, "lengthAdjust": "spacingAndGlyphs"}
        ET.SubElement(texts, "text", where).text = text
    return ET.tostring(root, encoding="unicode") + "\n"
