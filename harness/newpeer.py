"""A new peer's folder, from a template: it answers hello and says `unsupported` to the rest.

The templates are data, `templates/LANGUAGE/`: every file ends in `.in`, and `@PEER@` stands for the name.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent / "templates"
SUFFIX = ".in"
PLACEHOLDER = "@PEER@"
NAME_CHARACTERS = 64
# As in specs/peer.schema.json; dots stand in versions.
_NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_HIDDEN = {"gitignore": ".gitignore"}


class NewPeerError(ValueError):
    """A peer that cannot be made: `field` is what was asked wrongly; nothing has been written. One line."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field


@dataclass(frozen=True, slots=True)
class NewPeer:
    """What was made: the folder, and its files by their path in it."""

    folder: Path
    files: tuple[str, ...]

    @property
    def is_built(self) -> bool:
        """Whether the adapter has to be built before it can run."""
        return "Makefile" in self.files


def languages() -> list[str]:
    """The languages that there is a template for."""
    return sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir())


def new_peer(name: str, language: str, parent: Path) -> NewPeer:
    """Make the folder `parent`/`name`, whole or not at all. Raises NewPeerError."""
    if len(name) > NAME_CHARACTERS or not _NAME.fullmatch(name):
        raise NewPeerError(
            "NAME", f"{name!r} is not a-z, 0-9, with single - or . between, {NAME_CHARACTERS} at most"
        )
    if language not in languages():
        raise NewPeerError("--language", f"{language!r} is none of {', '.join(languages())}")
    folder = parent / name
    if os.path.lexists(folder):
        raise NewPeerError("NAME", f"{folder} exists")
    files = _render(name, language)
    try:
        _write(files, folder)
    except OSError as error:
        raise NewPeerError("--peers-dir", f"{error.filename or parent}: {error.strerror or error}") from None
    return NewPeer(folder, tuple(files))


def _render(name: str, language: str) -> dict[str, str]:
    """The files of the new peer by their path in its folder."""
    template = TEMPLATES / language
    found = sorted(file for file in template.rglob(f"*{SUFFIX}") if file.is_file())
    paths = (file.relative_to(template).as_posix().removesuffix(SUFFIX) for file in found)
    texts = (file.read_text("utf-8").replace(PLACEHOLDER, name) for file in found)
    return {_HIDDEN.get(path, path): text for path, text in zip(paths, texts, strict=True)}


def _write(files: dict[str, str], folder: Path) -> None:
    """Write beside the place, then move there, so that no half of it is ever seen. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".new-peer-", dir=folder.parent))
    try:
        for path, text in files.items():
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            (beside / path).write_text(text, encoding="utf-8")
        beside.chmod(0o755)
        beside.rename(folder)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        raise
