"""Peer manifests: peer.toml read, checked against specs/peer.schema.json, frozen.

A manifest says how a peer is started and what it claims. A claim is a
capability: "ROUTER", "zmtp:2.0", "mechanism:PLAIN", "transport:ipc",
"option:identity", "feature:heartbeat".
"""

from __future__ import annotations

import functools
import importlib.util
import shutil
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import schema

FILE_NAME = "peer.toml"


class ManifestError(ValueError):
    """A peer.toml that cannot be used; the one line names the file and the field."""

    def __init__(self, file: Path, field: str, detail: str) -> None:
        where = f"{file}: {field}" if field else str(file)
        super().__init__(f"{where}: {detail}")
        self.file = file
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ContainerBuild:
    """How a peer's image is built: the Dockerfile lies inside the folder `context`.

    `include` are globs below the context: the files that the image is made of.
    """

    dockerfile: Path
    context: Path
    include: tuple[str, ...] = ("*",)
    build_args: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One peer: identity, how to start it in `folder`, and its claims."""

    name: str
    library: str
    language: str
    homepage: str
    folder: Path
    command: tuple[str, ...]
    needs_programs: tuple[str, ...] = ()
    needs_modules: tuple[str, ...] = ()
    needs_files: tuple[str, ...] = ()
    sockets: frozenset[str] = frozenset()
    zmtp: frozenset[str] = frozenset()
    mechanisms: frozenset[str] = frozenset()
    transports: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    container: ContainerBuild | None = None

    def claims(self, capability: str) -> bool:
        """Whether `capability` is claimed; ValueError if it is no capability at all."""
        kind, _, value = capability.rpartition(":")
        if not kind:
            if value not in socket_types():
                raise ValueError(f"{capability!r} is no socket type and names no kind of capability")
            return value in self.sockets
        kinds = {
            "zmtp": self.zmtp,
            "mechanism": self.mechanisms,
            "transport": self.transports,
            "option": self.options,
            "feature": self.features,
        }
        if kind not in kinds or not value:
            raise ValueError(f"{capability!r} names none of the kinds {', '.join(kinds)}")
        return value in kinds[kind]

    def missing(self) -> str | None:
        """Why the peer is not available on this machine, or None if it is."""
        for program in self.needs_programs:
            if shutil.which(program) is None:
                return f"program {program} is not installed"
        for module in self.needs_modules:
            if not _importable(module):
                return f"Python module {module} is not installed"
        for file in self.needs_files:
            if not (self.folder / file).exists():
                return f"file {self.folder / file} does not exist"
        return None


def load_manifest(file: Path) -> Manifest:
    """Read one peer.toml; ManifestError if it cannot be read or breaks the schema."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(file, "", error.strerror or str(error)) from None
    except ValueError as error:
        raise ManifestError(file, "", f"not TOML: {error}") from None
    broken = schema.fault_in(data, schema.PEER)
    if broken is not None:
        raise ManifestError(file, broken.field, broken.detail)
    return _manifest(file.resolve().parent, data)


def load_manifests(dirs: Iterable[Path]) -> dict[str, Manifest]:
    """Every DIR/*/peer.toml (or DIR/peer.toml) by peer name, sorted; names must be unique."""
    found: dict[str, Manifest] = {}
    for folder in dirs:
        for file in _files_in(folder):
            manifest = load_manifest(file)
            if manifest.name in found:
                other = found[manifest.name].folder / FILE_NAME
                raise ManifestError(file, "name", f"{manifest.name!r} is the name in {other} as well")
            found[manifest.name] = manifest
    return dict(sorted(found.items()))


def _files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ManifestError(folder, "", "no such folder")
    own = folder / FILE_NAME
    return [own] if own.exists() else sorted(folder.glob(f"*/{FILE_NAME}"))


def _manifest(folder: Path, data: dict[str, Any]) -> Manifest:
    process, claims = data["process"], data["claims"]
    return Manifest(
        name=data["name"],
        library=data["library"],
        language=data["language"],
        homepage=data["homepage"],
        folder=folder,
        command=tuple(word.replace("{python}", sys.executable) for word in process["command"]),
        needs_programs=tuple(process.get("needs_programs", ())),
        needs_modules=tuple(process.get("needs_modules", ())),
        needs_files=tuple(process.get("needs_files", ())),
        container=_container(folder, data.get("container")),
        **{kind: frozenset(names) for kind, names in claims.items()},
    )


def _container(folder: Path, data: dict[str, Any] | None) -> ContainerBuild | None:
    """How the image is built; without the table, from the folder's own Dockerfile if it has one."""
    if data is None and not (folder / "Dockerfile").is_file():
        return None
    data = data or {}
    dockerfile = (folder / data.get("dockerfile", "Dockerfile")).resolve()
    context = (folder / data.get("context", ".")).resolve()
    file = folder / FILE_NAME
    if not dockerfile.is_file():
        raise ManifestError(file, "container.dockerfile", f"no such file: {dockerfile}")
    if not dockerfile.is_relative_to(context):
        raise ManifestError(file, "container.context", f"{context} does not contain {dockerfile}")
    args = tuple(sorted(data.get("build_args", {}).items()))
    return ContainerBuild(dockerfile, context, tuple(data.get("include", ("*",))), args)


@functools.cache
def socket_types() -> frozenset[str]:
    """The socket types a manifest may claim, as the schema lists them."""
    claims = schema.load_schema(schema.PEER)["properties"]["claims"]["properties"]
    return frozenset(claims["sockets"]["items"]["enum"])


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False
