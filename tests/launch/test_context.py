from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from harness.launch.context import Context, context_of
from harness.manifest import ManifestError, load_manifest
from tests.bad_adapters import write


def context(folder: Path) -> Context:
    manifest = load_manifest(folder / "peer.toml")
    assert manifest.container is not None
    return context_of(manifest, manifest.container)


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = write(tmp_path, "good")
    (made / "Dockerfile").write_text("FROM scratch\n")
    (made / "node_modules").mkdir()
    (made / "node_modules" / "big.js").write_text("x")
    (made / "known.toml").write_text("")
    return made


def test_a_dockerfile_is_enough(folder: Path) -> None:
    made = context(folder)
    assert list(made.files) == ["Dockerfile", "adapter.py"]
    assert made.dockerfile == "Dockerfile"


def test_the_digest_is_of_what_is_sent(folder: Path) -> None:
    before = context(folder).digest
    (folder / "known.toml").write_text("# more")
    os.utime(folder / "adapter.py", (1, 1))
    assert context(folder).digest == before
    seen = {before}
    for change in (
        lambda: (folder / "adapter.py").write_text("# other"),
        lambda: (folder / "adapter.py").chmod(0o755),
        lambda: (folder / "more.py").write_text(""),
        lambda: append(folder / "peer.toml", '[container]\nbuild_args = {V = "1"}\n'),
    ):
        change()
        seen.add(context(folder).digest)
    assert len(seen) == 5


def test_the_tar_is_always_the_same(folder: Path) -> None:
    first = context(folder).tar().getvalue()
    os.utime(folder / "adapter.py", (1, 1))
    assert context(folder).tar().getvalue() == first
    with tarfile.open(fileobj=context(folder).tar()) as archive:
        assert {(entry.name, entry.mtime, entry.uid) for entry in archive} == {
            ("Dockerfile", 0, 0),
            ("adapter.py", 0, 0),
        }


def test_a_context_above_the_folder(folder: Path) -> None:
    (folder.parent / "shared").mkdir()
    (folder.parent / "shared" / "a.py").write_text("")
    with (folder / "peer.toml").open("a") as file:
        file.write(f'[container]\ncontext = ".."\ninclude = ["shared", "{folder.name}/*.py"]\n')
    assert list(context(folder).files) == sorted(
        [f"{folder.name}/Dockerfile", f"{folder.name}/adapter.py", "shared/a.py"]
    )


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('dockerfile = "Other"', "container.dockerfile: no such file"),
        ('dockerfile = "../Dockerfile"', "container.context: .* does not contain"),
        ('include = ["../secret"]', r"container.include\[0\]"),
        ("memory = 5", "container.memory: no such field"),
    ],
)
def test_what_cannot_be_built_is_refused(folder: Path, table: str, says: str) -> None:
    (folder.parent / "Dockerfile").write_text("")
    with (folder / "peer.toml").open("a") as file:
        file.write(f"[container]\n{table}\n")
    with pytest.raises(ManifestError, match=says):
        load_manifest(folder / "peer.toml")


def test_no_dockerfile_no_container(tmp_path: Path) -> None:
    assert load_manifest(write(tmp_path, "good") / "peer.toml").container is None
