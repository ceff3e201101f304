from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from harness.manifest import Manifest, ManifestError, load_manifest, load_manifests

PEERS = Path(__file__).resolve().parent.parent / "peers"
GOOD = """
schema = 1
name = "some-peer"
library = "libsome"
language = "C"
homepage = "https://example.org/"
[process]
command = ["{python}", "adapter.py", "--fast"]
[claims]
sockets = ["ROUTER", "DEALER"]
zmtp = ["2.0", "3.1"]
mechanisms = ["NULL", "PLAIN"]
transports = ["tcp"]
options = ["identity"]
features = ["heartbeat"]
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "peer.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def good(tmp_path: Path) -> Manifest:
    return load_manifest(write(tmp_path, GOOD))


def test_a_manifest_is_read_whole(good: Manifest, tmp_path: Path) -> None:
    assert good.command == (sys.executable, "adapter.py", "--fast")
    assert good.folder == tmp_path.resolve()
    assert (good.name, good.library, good.language) == ("some-peer", "libsome", "C")
    assert good.missing() is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        good.name = "other"  # type: ignore[misc]


def test_a_peer_may_claim_nothing_yet(tmp_path: Path) -> None:
    head = GOOD.partition("[claims]")[0]
    nothing = "[claims]\nsockets = []\nzmtp = []\nmechanisms = []\ntransports = []\n"
    manifest = load_manifest(write(tmp_path, head + nothing))
    assert not any(manifest.claims(capability) for capability in CLAIMED)


CLAIMED = ["ROUTER", "zmtp:2.0", "mechanism:PLAIN", "transport:tcp", "option:identity", "feature:heartbeat"]
OTHERS = ["REQ", "zmtp:1.0", "mechanism:CURVE", "transport:ipc", "option:mandatory", "feature:proxy"]


@pytest.mark.parametrize("capability", CLAIMED)
def test_what_is_claimed(good: Manifest, capability: str) -> None:
    assert good.claims(capability)


@pytest.mark.parametrize("capability", OTHERS)
def test_what_is_not_claimed(good: Manifest, capability: str) -> None:
    assert not good.claims(capability)


@pytest.mark.parametrize("capability", ["ROUTR", "router", "socket:ROUTER", "zmtp:", "", "optoin:identity"])
def test_what_is_no_capability_is_an_error(good: Manifest, capability: str) -> None:
    with pytest.raises(ValueError, match="names n"):
        good.claims(capability)


@pytest.mark.parametrize(
    ("key", "what", "reason"),
    [
        ("needs_programs", "no-such-program", "program no-such-program is not installed"),
        ("needs_modules", "no_such.module", "Python module no_such.module is not installed"),
        ("needs_files", "no/such/file", "no/such/file does not exist"),
    ],
)
def test_what_is_missing_here(tmp_path: Path, key: str, what: str, reason: str) -> None:
    text = GOOD.replace("[claims]", f'{key} = ["{what}"]\n[claims]')
    missing = load_manifest(write(tmp_path, text)).missing()
    assert missing is not None
    assert missing.endswith(reason)


WRONG = [
    ("schema = 1", "schema = 2", "schema", "1 was expected"),
    ("schema = 1", "", "schema", "missing"),
    ('name = "some-peer"', 'name = "Some Peer"', "name", "does not match"),
    ('name = "some-peer"', "name = 5", "name", "not of type 'string'"),
    ("[process]", "colour = 3\n[process]", "colour", "no such field"),
    ("command = [", "comand = [", "process", ""),
    ('"adapter.py"', "5", "process.command[1]", "not of type 'string'"),
    ('"ROUTER"', '"ROUTR"', "claims.sockets[0]", "'ROUTR' is not one of"),
    ('zmtp = ["2.0", "3.1"]', "", "claims.zmtp", "missing"),
    ('["identity"]', '["ROUTING_ID"]', "claims.options[0]", "does not match"),
]


@pytest.mark.parametrize(("old", "new", "field", "detail"), WRONG)
def test_one_line_names_file_and_field(tmp_path: Path, old: str, new: str, field: str, detail: str) -> None:
    file = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ManifestError) as caught:
        load_manifest(file)
    assert str(caught.value).startswith(f"{file}: {field}")
    assert detail in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"schema = ", b"\xff\xfe", b"schema = 1\nschema = 2"])
def test_what_is_not_toml(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "peer.toml"
    file.write_bytes(content)
    with pytest.raises(ManifestError, match="not TOML"):
        load_manifest(file)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"peer\.toml: No such file"):
        load_manifest(tmp_path / "peer.toml")


def test_folders_of_peers_and_a_peer_itself(tmp_path: Path) -> None:
    write(tmp_path / "all" / "b", GOOD.replace("some-peer", "b"))
    write(tmp_path / "all" / "a", GOOD.replace("some-peer", "a"))
    (tmp_path / "all" / "no-peer").mkdir()
    write(tmp_path / "own", GOOD)
    assert list(load_manifests([tmp_path / "own", tmp_path / "all"])) == ["a", "b", "some-peer"]


def test_two_peers_with_one_name(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder, GOOD)
    with pytest.raises(ManifestError, match=r"b/peer\.toml: name: 'some-peer' is the name in .*a/peer\.toml"):
        load_manifests([tmp_path])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such folder"):
        load_manifests([tmp_path / "nowhere"])


def test_the_peers_at_hand_are_well_formed() -> None:
    assert {"pyzmq", "pyomq", "zeromq-js"} <= set(load_manifests([PEERS]))
