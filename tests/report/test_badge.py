"""Badges: what they say, in which colour, and that a stranger's text cannot break out of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from harness.report.badge import GREEN, GREY, LABEL, RED, YELLOW, badge, svg
from harness.report.outputs import BADGES, file_name, write_outputs
from tests.report.records import record, result

SVG = "{http://www.w3.org/2000/svg}"


def read(drawn: str) -> tuple[list[str], list[str]]:
    """The texts of a badge, and the colours of its halves."""
    root = ET.fromstring(drawn)
    texts = [str(each.text) for each in root.iter(f"{SVG}text")]
    return texts, [str(each.get("fill")) for each in root.iter(f"{SVG}rect")]


@pytest.mark.parametrize(
    ("verdicts", "complete", "says", "colour"),
    [
        (["PASS", "PASS", "INFO"], True, "3 of 3 held", GREEN),
        (["PASS", "UNSUPPORTED"], True, "1 of 1 held", GREEN),
        (["PASS", "KNOWN"], True, "1 of 2 held", YELLOW),
        (["PASS", "NON_STRICT"], True, "1 of 2 held", YELLOW),
        (["PASS", "KNOWN", "FAIL"], True, "1 of 3 held", RED),
        (["PASS", "ERROR"], True, "1 of 2 held", RED),
        (["PASS", "FAIL"], False, "1 of 2 held, incomplete", GREY),
        (["PASS"], False, "1 of 1 held, incomplete", GREY),
        (["UNSUPPORTED"], True, "nothing judged", GREY),
        ([], True, "nothing judged", GREY),
    ],
)
def test_what_a_badge_says(verdicts: list[str], complete: bool, says: str, colour: str) -> None:
    drawn = badge([result(verdict=verdict) for verdict in verdicts], complete)
    assert read(drawn) == ([LABEL, says], ["#333", colour])
    root = ET.fromstring(drawn)
    assert (root.get("role"), root.get("aria-label")) == ("img", f"{LABEL}: {says}")
    assert root.findtext(f"{SVG}title") == f"{LABEL}: {says}"


def test_the_halves_are_as_wide_as_their_texts() -> None:
    root = ET.fromstring(svg("ab", "abcdefgh", GREEN))
    left, right = root.iter(f"{SVG}rect")
    assert int(str(left.get("width"))) < int(str(right.get("width")))
    assert right.get("x") == left.get("width")
    assert int(str(root.get("width"))) == sum(int(str(half.get("width"))) for half in (left, right))


def test_it_loads_and_runs_nothing() -> None:
    tags = {each.tag.removeprefix(SVG) for each in ET.fromstring(badge([result()], True)).iter()}
    assert tags == {"svg", "title", "rect", "g", "text"}


@pytest.mark.parametrize(
    "text", ["</text><script>alert(1)</script>", "\"' onload='x'", "a\x00\x1b\ud800&lt;"]
)
def test_any_text_is_a_text(text: str) -> None:
    texts, _ = read(svg(text, text, GREEN))
    assert texts == [text.replace("\x00", "?").replace("\x1b", "?").replace("\ud800", "?")] * 2


@pytest.mark.parametrize(
    ("name", "file"),
    [("libzmq-4.3.5", "libzmq-4.3.5"), ("../../x", "x"), ("a/b\\c\0", "a.b.c"), ("..", "peer"), ("", "peer")],
)
def test_a_badge_stays_in_its_folder(name: str, file: str) -> None:
    assert file_name(name) == file


def test_each_peer_has_one_and_old_ones_go(tmp_path: Path) -> None:
    (tmp_path / BADGES).mkdir()
    (tmp_path / BADGES / "old.svg").write_text("")
    pair = result("a/b/c", "FAIL", peers=["p", "q"])
    write_outputs(record(result(), pair), tmp_path)
    assert [path.name for path in (tmp_path / BADGES).iterdir()] == ["p.svg"]
    assert read((tmp_path / BADGES / "p.svg").read_text())[0] == [LABEL, "1 of 1 held"]
