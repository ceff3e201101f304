"""How fast the HTML report is: made in Python, opened and filtered in a real Chromium.

    python -m benchmarks.report [--peers N] [--cases N] [--repeats N] [--folder REPORT]

Verdicts of 20 peers and 500 cases are made up, with the captures of 1,000 conversations; `--folder` takes
those of a real run instead. Opening is from the navigation to the first frame with the matrix; filtering
is from a key in the text field, or a box that is checked, to the end of the layout.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.report.html import read_run, write_page
from tests.report.html.browser import MISSING, chromium
from tests.report.html.runs import chance_run, write

TALKS = 1_000
_OPENED = (
    """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""
)
_TYPE = """(text) => {
  const field = document.getElementById("text");
  const began = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input", {bubbles: true}));
  document.body.getBoundingClientRect();
  return performance.now() - began;
}"""
_CHECK = """(value) => {
  const box = document.querySelector(`input[value="${value}"]`);
  const began = performance.now();
  box.click();
  document.body.getBoundingClientRect();
  return performance.now() - began;
}"""


def opening_ms(browser: Any, address: str, repeats: int) -> list[float]:
    """Each time in a context of its own, which has nothing in store."""
    taken = []
    for _ in range(repeats):
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(".matrix")
        taken.append(float(page.evaluate(_OPENED)))
        context.close()
    return taken


def filtering_ms(browser: Any, address: str, view: str, repeats: int) -> list[float]:
    """Letters typed and taken away again, and a verdict chosen and left."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(f"{address}#{view}")
    page.wait_for_function("view => document.body.dataset.view === view", arg=view)
    taken = []
    for _ in range(repeats):
        taken += [float(page.evaluate(_TYPE, text)) for text in ("m", "me", "message 5", "rule-1", "")]
        taken += [float(page.evaluate(_CHECK, value)) for value in ("FAIL", "FAIL", "KNOWN", "KNOWN")]
    page.close()
    return taken


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=int, default=20)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(argv)
    if MISSING:
        print(f"benchmarks.report: {MISSING}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder
        if folder is None:
            folder = write(Path(name), chance_run(Path(name), options.peers, options.cases, TALKS))
        began = time.perf_counter()
        run = read_run(folder)
        read = time.perf_counter()
        path = write_page(run)
        made = time.perf_counter()
        size = path.stat().st_size / 1e6
        print(f"{len(run.peers)} peers, {len(run.results)} results: page of {size:.1f} MB")
        print(f"read {read - began:.2f} s, made {made - read:.2f} s")
        with chromium() as browser:
            show("open", opening_ms(browser, path.as_uri(), options.repeats))
            for view in ("peers", "cases", "clauses"):
                show(f"filter {view}", filtering_ms(browser, path.as_uri(), view, options.repeats))
    return 0


def show(title: str, taken: list[float]) -> None:
    """A line of numbers."""
    print(f"{title:<16} median {statistics.median(taken):7.1f} ms   max {max(taken):7.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
