"""The page in a real Chromium: clicks, keys, deep links, nothing loaded, nothing on the console, axe content.

ZCONFORM_SCREENSHOTS=DIR has every view drawn into DIR at two widths, light and dark.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from harness.report.compare import Kind, compare
from harness.report.html import read_run, write_page
from tests.report.html.browser import MISSING, axe, chromium
from tests.report.html.runs import HOSTILE, chance_run, result, talked, write

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
FAILED = "zmtp/sample/rule[peer-binds]"
VIEWS = {
    "peers": "#peers",
    "pairs": "#pairs",
    "cases": "#cases?chapter=curve",
    "clauses": "#clauses?clause=37/sockettype/mismatch-error",
    "changes": "#changes",
    "result": f"#result?of=libone&name={quote(FAILED)}",
    "hostile": "#cases?peer=hostile&case=zmtp/hostile/rule",
}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    results = chance_run(folder, 4, 60, talks=6)
    results.append(talked(folder, result("FAIL")))
    results += [
        result("PASS", param="two"),
        result("UNSUPPORTED", param="three"),
        result("PASS", "zmtp/other/rule"),
    ]
    results += [result("FAIL", "zmtp/hostile/rule", "hostile", param=HOSTILE, actual=HOSTILE, reason=HOSTILE)]
    results[-1].notes, results[-1].link = [HOSTILE], "javascript:alert(3)"
    for n, verdict in enumerate(("PASS", "KNOWN")):
        results.append(result(verdict, f"interop/messages/rule-{n}", peers=["libone", "peer00"]))
    old = [result("PASS"), *chance_run(folder, 4, 61)]
    before = read_run(write(folder / "before", old))
    write(folder, results, problems=[HOSTILE], complete=False)
    return write_page(read_run(folder), before)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    """The page at its beginning; at the end nothing may have gone wrong and nothing been asked for."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    made = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []

    def refuse(dialog: Any) -> None:
        wrong.append(dialog.message)
        dialog.dismiss()

    made.on("console", lambda message: wrong.append(message.text))
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("dialog", refuse)
    made.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    made.goto(page_file.as_uri())
    yield made
    context.close()
    assert wrong == []
    assert set(asked) == {page_file.as_uri()}


def go(page: Any, view: str) -> None:
    """Go to a view and wait until it is shown."""
    page.evaluate("hash => { location.hash = hash }", view)
    shows(page, view[1:].partition("?")[0])


def shows(page: Any, name: str) -> None:
    page.wait_for_function("name => document.body.dataset.view === name", arg=name)


def test_from_the_matrix_down_to_a_result(page: Any) -> None:
    page.get_by_role("link", name="libone, zmtp:").click()
    assert page.url.endswith("#cases?peer=libone&chapter=zmtp")
    page.get_by_text("zmtp/sample/rule", exact=True).click()
    page.get_by_role("link", name="libone: zmtp/sample/rule[peer-binds], FAIL").click()
    assert "closed" in page.locator(".facts").inner_text()
    assert "37/ZMTP, The Socket-Type Property" in page.locator(".facts").inner_text()
    page.go_back()
    shows(page, "cases")
    assert page.locator("h2").inner_text() == "Cases"


def test_a_deep_link_leads_to_one_result(page: Any, page_file: Path) -> None:
    page.goto(page_file.as_uri() + VIEWS["result"])
    page.reload()
    assert FAILED in page.locator("h2").inner_text()
    assert "--runtime container" in page.locator(".command").inner_text()
    assert page.locator("a", has_text="Capture").get_attribute("href").endswith(".pcapng")


def test_filters_are_kept_in_the_url(page: Any, page_file: Path) -> None:
    page.get_by_role("link", name="Cases", exact=True).click()
    page.get_by_role("checkbox", name="KNOWN").check()
    page.locator("#facet-peer summary").click()
    page.get_by_role("checkbox", name="peer01").check()
    page.locator("#text").fill("message 5")
    status, url = page.locator("#status").inner_text(), page.url
    assert 0 < int(status.split(" ")[0]) < 60
    page.goto("about:blank")
    page.goto(url)
    assert page.locator("#status").inner_text() == status
    assert page.get_by_role("checkbox", name="KNOWN").is_checked()
    page.get_by_role("button", name="Clear filters").click()
    total = len(read_run(page_file.parent).results)
    assert page.locator("#status").inner_text() == f"{total} of {total} results"
    assert page.url.endswith("#cases")


def test_counts_on_the_page_are_those_of_the_run(page: Any, page_file: Path) -> None:
    results = read_run(page_file.parent).results
    for verdict in ("PASS", "FAIL", "KNOWN", "UNSUPPORTED"):
        page.goto(f"{page_file.as_uri()}#cases?verdict={verdict}")
        wanted = sum(one.verdict == verdict for one in results)
        page.wait_for_function(
            "text => document.getElementById('status').textContent.startsWith(text)", arg=f"{wanted} of"
        )
    page.goto(f"{page_file.as_uri()}#peers?peer=libone")
    wanted = sum("libone" in one.peers for one in results)
    page.wait_for_function(
        "text => document.getElementById('status').textContent.startsWith(text)", arg=f"{wanted} of"
    )


def test_what_is_lit_in_the_diagram_is_lit_in_the_octets_and_back(page: Any) -> None:
    go(page, VIEWS["result"])
    marks, rows = page.locator(".diagram [role=option]"), page.locator(".wire [role=option]")
    assert marks.count() == rows.count() == 5
    assert "mark" in (rows.nth(4).get_attribute("class") or "")
    marks.nth(1).hover()
    assert "lit" in (rows.nth(1).get_attribute("class") or "")
    assert "signature" in rows.nth(1).inner_text()
    rows.nth(3).hover()
    assert "lit" in (marks.nth(3).get_attribute("class") or "")
    assert "68 65 6c 6c 6f" in rows.nth(3).inner_text()


def test_the_keyboard_is_enough(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    first = page.locator(".matrix a").first
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    shows(page, "cases")
    page.locator("details summary").last.focus()
    page.keyboard.press("Enter")
    page.locator("main details[open] table tbody tr").first.wait_for()
    go(page, VIEWS["result"])
    page.locator(".diagram [tabindex='0']").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert "lit" in (page.locator(".wire .event").nth(1).get_attribute("class") or "")
    facet = page.locator("#facet-peer summary")
    facet.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.closest('#facet-peer') !== null")
    assert "peer=" in page.url


def test_what_others_sent_stays_text(page: Any) -> None:
    go(page, VIEWS["hostile"])
    assert page.locator("main img, main script").count() == 0
    assert "<img src=x onerror=alert(2)>" in page.locator("main").inner_text()
    page.locator("main td a").first.click()
    shows(page, "result")
    assert page.locator("main img, main script, main a[href^='javascript']").count() == 0
    assert "</script><script>alert(1)</script>" in page.locator(".facts").inner_text()
    assert "\u202e" not in page.locator("body").inner_text()


def test_changes_are_told(page: Any, page_file: Path) -> None:
    go(page, VIEWS["changes"])
    before, now = read_run(page_file.parent / "before"), read_run(page_file.parent)
    counts = Counter(change.kind for change in compare(before.results, now.results))
    for kind in Kind:
        assert f"{counts[kind]} {kind}" in page.locator(".tally").inner_text()
    assert page.locator("main section table").count() > 0


def test_a_cell_is_coloured_by_what_did_not_hold(page: Any) -> None:
    cells = page.locator(".matrix td:has(a)").evaluate_all(
        "all => all.map(cell => [cell.className, cell.querySelector('.bad span')?.className ?? '',"
        " cell.querySelector('.sum').textContent])"
    )
    assert {colour for colour, _, _ in cells} > {"FAIL", "PASS"}
    for colour, worst, held in cells:
        assert colour == (worst or ("PASS" if "/" in held else "UNSUPPORTED"))
    go(page, "#peers?verdict=INFO")
    assert set(page.locator(".matrix td:has(a)").evaluate_all("all => all.map(cell => cell.className)")) == {
        "PASS"
    }
    assert "not asked" in page.locator(".matrix").inner_text()


def test_the_head_tells_times_as_readers_do(page: Any) -> None:
    about = page.locator("#about").inner_text()
    assert "begun 2026-01-01 00:00 UTC · took 3.0 s" in about


@pytest.mark.parametrize("view", ["cases?case=zmtp/sample/rule", VIEWS["clauses"][1:], "changes"])
def test_lists_fit_a_telephone(page: Any, view: str) -> None:
    page.set_viewport_size({"width": 400, "height": 900})
    go(page, f"#{view}")
    page.locator("main table").first.wait_for()
    assert page.locator("main .scroller").evaluate_all(
        "all => all.every(one => one.scrollWidth <= one.clientWidth)"
    )


def test_print_shows_the_results_alone(page: Any) -> None:
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert page.locator(".matrix").is_visible()
    assert len(page.pdf()) > 1000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_axe_finds_nothing_and_nothing_hangs_over(page: Any, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(axe())
    folder = os.environ.get("ZCONFORM_SCREENSHOTS")
    for name, view in VIEWS.items():
        go(page, view)
        found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"][:2]]) for one in found] == [], name
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, name
        if folder:
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
