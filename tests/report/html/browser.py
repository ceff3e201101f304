"""A real Chromium, as far as this machine has one; why it has none, else."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
_AXE = importlib.util.find_spec("axe_playwright_python")
MISSING = (
    "no Chromium is installed (Debian: apt install chromium)"
    if CHROMIUM is None
    else "playwright and axe are not installed (pip install -e '.[browser]', or make test)"
    if importlib.util.find_spec("playwright") is None or _AXE is None
    else ""
)


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser, headless."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def axe() -> str:
    """The text of axe-core, which tests pages for who cannot see them or use a mouse."""
    assert _AXE is not None
    assert _AXE.origin is not None
    return (Path(_AXE.origin).parent / "axe.min.js").read_text("utf-8")
