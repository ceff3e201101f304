"""What an image is made of: the files of its build context, their digest, and a tar of them.

The digest names the image, so a peer is built again when, and only when, one of these files or a build
argument has changed. The tar is the same for the same files: no times, no owners.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.manifest import FILE_NAME, ContainerBuild, Manifest

DIGEST_DIGITS = 16
# Made by a run or a build, or read by the harness alone: no part of the peer.
_LEFT_OUT = {"__pycache__", "node_modules", "target", ".git", FILE_NAME, "known.toml", "README.md"}


@dataclass(frozen=True, slots=True)
class Context:
    """The files by their path in the context, sorted; `dockerfile` is one of the paths."""

    files: dict[str, Path]
    dockerfile: str
    build_args: dict[str, str]

    @property
    def digest(self) -> str:
        """Hexadecimal digits that change with any file's path, content or executable bit."""
        digest = hashlib.sha256(json.dumps([self.dockerfile, self.build_args], sort_keys=True).encode())
        for path, file in self.files.items():
            content = file.read_bytes()
            digest.update(f"\0{path}\0{_mode(file):o}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:DIGEST_DIGITS]

    def tar(self) -> io.BytesIO:
        """The context as the engine takes it."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for path, file in self.files.items():
                entry = tarfile.TarInfo(path)
                content = file.read_bytes()
                entry.size, entry.mode = len(content), _mode(file)
                archive.addfile(entry, io.BytesIO(content))
        stream.seek(0)
        return stream


def context_of(manifest: Manifest, build: ContainerBuild) -> Context:
    """Gather what the manifest names. Raises OSError where a file cannot be read."""
    root = build.context
    files = {build.dockerfile.relative_to(root).as_posix(): build.dockerfile}
    for pattern in build.include:
        for found in root.glob(pattern):
            files |= {file.relative_to(root).as_posix(): file for file in _files(found, root)}
    dockerfile = build.dockerfile.relative_to(root).as_posix()
    return Context(dict(sorted(files.items())), dockerfile, dict(build.build_args))


def _files(found: Path, root: Path) -> Iterator[Path]:
    for file in sorted(found.rglob("*")) if found.is_dir() else [found]:
        if file.is_file() and not _LEFT_OUT.intersection(file.relative_to(root).parts):
            yield file


def _mode(file: Path) -> int:
    return 0o755 if file.stat().st_mode & 0o100 else 0o644
