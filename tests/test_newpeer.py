from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.control import flood
from harness.control.client import ControlClient, OperationFailed, OperationTimeout, OperationUnsupported
from harness.control.messages import ANSWERS
from harness.deadlines import Deadlines
from harness.launch.launcher import Launcher, launch_process
from harness.manifest import load_manifest
from harness.newpeer import NewPeerError, languages, new_peer
from harness.schema import answer_fault
from harness.smoke import smoke

ROOT = Path(__file__).resolve().parent.parent
FILLED = Path(__file__).resolve().parent / "templates"
TEMPLATES = ROOT / "harness" / "templates"
LANGUAGES = languages()
NEEDS = {
    "c": ["cc", "make", "/usr/include/jansson.h", "/usr/include/sha256.h"],
    "go": ["go", "make"],
    "java": ["mvn", "javac", "make"],
    "javascript": ["node"],
    "python": [],
    "ruby": ["ruby"],
    "rust": ["cargo", "make"],
}
UNREACHABLE = re.compile(
    r"could not resolve|could not transfer|failed to download|network|dial tcp", re.IGNORECASE
)
BUILD_S = 600


def build(folder: Path) -> None:
    """Build a peer that has to be; skip where its libraries cannot be fetched."""
    if not (folder / "Makefile").exists():
        return
    quick = {**os.environ, "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0"}
    done = subprocess.run(
        ["make"], cwd=folder, env=quick, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    said = done.stdout + done.stderr
    if done.returncode and UNREACHABLE.search(said):
        pytest.skip(f"libraries cannot be fetched: {said.splitlines()[-1]}")
    assert done.returncode == 0, said
    assert "warning" not in said.lower()


@pytest.fixture(scope="module", params=LANGUAGES)
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new peer as it comes, built; its folder."""
    for needed in NEEDS[request.param]:
        if not (Path(needed).exists() if needed.startswith("/") else shutil.which(needed)):
            pytest.skip(f"{needed} is not installed")
    made = new_peer(f"fresh-{request.param}", request.param, tmp_path_factory.mktemp("peers"))
    build(made.folder)
    return made.folder


def start(folder: Path) -> ControlClient:
    manifest = load_manifest(folder / "peer.toml")
    return ControlClient(launch_process(manifest, folder / "log"), Deadlines())


def test_every_language_has_what_is_needed_to_try_it() -> None:
    assert set(LANGUAGES) == set(NEEDS) == {path.name for path in FILLED.iterdir() if path.is_dir()}


def test_a_fresh_peer_is_sound_and_claims_nothing(fresh: Path) -> None:
    manifest, lines = load_manifest(fresh / "peer.toml"), list[str]()
    assert smoke(manifest, Launcher("process"), Deadlines(), lines.append) == 0, "\n".join(lines)
    assert manifest.missing() is None
    assert manifest.container is not None
    assert not manifest.sockets | manifest.zmtp | manifest.mechanisms | manifest.transports
    assert not manifest.options | manifest.features


REQUESTS: dict[str, dict[str, Any]] = {
    "open": {"type": "DEALER", "options": {"identity": "00ff"}},
    "close": {},
    "set": {"option": "send-hwm", "value": 1},
    "get": {"option": "send-hwm"},
    "bind": {"endpoint": "tcp://127.0.0.1:*"},
    "connect": {"endpoint": "tcp://127.0.0.1:1"},
    "unbind": {"endpoint": "tcp://127.0.0.1:1"},
    "disconnect": {"endpoint": "tcp://127.0.0.1:1"},
    "subscribe": {"prefix": "00"},
    "cancel": {"prefix": ""},
    "send": {"parts": ["", "00"], "timeout_ms": 0},
    "recv": {"timeout_ms": 0},
    "poll": {"sockets": [1], "timeout_ms": 0},
    "flood": {"count": 1, "size_octets": 8, "seed": 0, "timeout_ms": 0},
    "drain": {"count": 1, "timeout_ms": 0},
    "proxy": {"frontend": 1, "backend": 2},
    "monitor": {},
}


def test_a_fresh_peer_says_of_every_operation_that_it_cannot(fresh: Path) -> None:
    assert set(REQUESTS) == set(ANSWERS) - {"hello"}
    asked = [
        {
            "id": number,
            "op": op,
            "more": 1,
            **({} if op in ("open", "poll", "proxy") else {"socket": 1}),
            **fields,
        }
        for number, (op, fields) in enumerate(REQUESTS.items(), 1)
    ]
    done = run(fresh, "".join(json.dumps(request) + "\n" for request in asked))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [answer["id"] for answer in answers] == [request["id"] for request in asked]
    for request, answer in zip(asked, answers, strict=True):
        assert answer_fault(answer, str(request["op"])) is None
        kind = "unsupported" if request["op"] == "open" else "failed"
        assert answer["error"]["kind"] == kind, (request, answer)
    assert answers[0]["error"]["detail"] in ("DEALER", "open")
    assert answers[1]["error"]["detail"] == "no open socket 1"


@pytest.mark.parametrize("text", ['{"id":1,"op":"he', "nonsense\n"])
def test_what_is_no_request_ends_it_with_another_status(fresh: Path, text: str) -> None:
    done = run(fresh, text)
    assert done.returncode != 0
    assert done.stdout == ""


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = load_manifest(folder / "peer.toml").command
    return subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def echo(fresh: Path, tmp_path: Path) -> Iterator[ControlClient]:
    """The peer with its library file filled in, by the library of tests/templates."""
    language = fresh.name.removeprefix("fresh-")
    folder = shutil.copytree(fresh, tmp_path / fresh.name)
    for file in (FILLED / language).rglob("*.in"):
        target = folder / file.relative_to(FILLED / language).as_posix().removesuffix(".in")
        assert target.exists()
        target.write_text(file.read_text())
    build(folder)
    client = start(folder)
    yield client
    client.kill()


def test_what_the_template_gives_is_whole(echo: ControlClient) -> None:
    assert echo.hello()["library"] == "echo"
    one = echo.call("open", type="PAIR", options={"identity": b"\0\xff"})["socket"]
    two = echo.call("open", type="PAIR", options={})["socket"]
    options(echo, one)
    endpoints(echo, one)
    messages(echo, one, two)
    many(echo, one)
    refusals(echo, one, two)
    echo.close()


def options(echo: ControlClient, one: int) -> None:
    assert echo.call("get", socket=one, option="identity") == {"value": b"\0\xff"}
    echo.call("set", socket=one, option="identity", value=b"ab")
    assert echo.call("get", socket=one, option="identity") == {"value": b"ab"}


def endpoints(echo: ControlClient, one: int) -> None:
    endpoint = "tcp://127.0.0.1:5555"
    assert echo.call("bind", socket=one, endpoint="tcp://127.0.0.1:*") == {"endpoint": endpoint}
    with pytest.raises(OperationFailed, match="failed: two") as caught:
        echo.call("connect", socket=one, endpoint=endpoint)
    assert "\n" not in caught.value.detail
    assert echo.call("unbind", socket=one, endpoint=endpoint) == {}
    assert echo.call("disconnect", socket=one, endpoint=endpoint) == {}
    events = echo.call("monitor", socket=one)["events"]
    assert events == [{"event": "connected", "endpoint": endpoint}]


def messages(echo: ControlClient, one: int, two: int) -> None:
    parts = [b"zconform", b"", bytes(range(256)), b"\xff" * 2**20]
    assert echo.call("send", timeout_s=0, socket=one, parts=parts) == {"outcome": "accepted"}
    assert echo.call("poll", timeout_s=0, sockets=[two, one]) == {"readable": [one]}
    assert echo.call("recv", timeout_s=0, socket=one) == {"parts": parts}
    for op, prefix in (("subscribe", b""), ("cancel", b"\xff")):
        assert echo.call(op, socket=one, prefix=prefix) == {}
        assert echo.call("recv", timeout_s=0, socket=one) == {"parts": [prefix]}
    assert echo.call("proxy", frontend=one, backend=two) == {}
    assert echo.call("recv", timeout_s=0, socket=one) == {"parts": [b"proxied"]}
    assert echo.call("poll", timeout_s=0, sockets=[two, one]) == {"readable": []}


def many(echo: ControlClient, one: int) -> None:
    bodies = [flood.body(250, index, 300) for index in range(4)]
    asked = {"socket": one, "size_octets": 300, "seed": 250}
    assert echo.call("flood", timeout_s=9, count=3, head=[b"x", b""], **asked) == {"accepted": 3}
    assert echo.call("drain", timeout_s=9, socket=one, count=9) == drained(bodies[:3], 0, 2)
    assert echo.call("flood", timeout_s=9, count=9, **asked) == {"accepted": 4}
    assert echo.call("drain", timeout_s=9, socket=one, count=2) == drained(bodies[:2], 0, 1)
    echo.call("send", timeout_s=0, socket=one, parts=[b"7 octet"])
    assert echo.call("drain", timeout_s=9, socket=one, count=3) == drained([*bodies[2:], b"7 octet"], 2, None)
    assert echo.call("drain", timeout_s=0, socket=one, count=3) == drained([], None, None)
    echo.call("send", timeout_s=0, socket=one, parts=[b"\xff" * 8])
    largest = echo.call("drain", timeout_s=9, socket=one, count=1)["first"]
    assert largest is None or float(largest) == float(2**64 - 1)


def drained(bodies: list[bytes], first: int | None, last: int | None) -> dict[str, Any]:
    return {"received": len(bodies), "digest": flood.digest(bodies), "first": first, "last": last}


def refusals(echo: ControlClient, one: int, two: int) -> None:
    with pytest.raises(OperationTimeout):
        echo.call("recv", timeout_s=0, socket=one)
    for socket_type, named in (("DEALER", {}), ("PAIR", {"conflate": True})):
        with pytest.raises(OperationUnsupported):
            echo.call("open", type=socket_type, options=named)
    with pytest.raises(OperationUnsupported):
        echo.call("get", socket=one, option="send-hwm")
    with pytest.raises(OperationUnsupported):
        echo.call("frobnicate")
    assert echo.call("close", socket=one) == {}
    with pytest.raises(OperationFailed, match=f"no open socket {one}"):
        echo.call("recv", timeout_s=0, socket=one)
    assert echo.call("open", type="PAIR", options={})["socket"] not in (one, two)


def test_a_fresh_python_peer_is_as_clean_as_the_tree(tmp_path: Path) -> None:
    folder = new_peer("clean", "python", tmp_path).folder
    for command in (["check"], ["format", "--check"]):
        checked = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", ROOT / "pyproject.toml", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    "path", [path for path in TEMPLATES.rglob("*") if path.is_file()], ids=lambda p: p.name
)
def test_templates_are_plain_files(path: Path) -> None:
    assert path.suffix == ".in"
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    assert not re.search(r"@(?!PEER@)[A-Z]+@|[ \t]$", text, re.MULTILINE)
    assert path.name == "Cargo.lock.in" or max(map(len, text.splitlines())) <= 125


def test_the_command_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "our peers"
    assert main(["new-peer", "my-zmq-1.2", "--language", "go", "--peers-dir", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"make -C '{folder}/my-zmq-1.2'" in said
    assert f"zconform smoke my-zmq-1.2 --peers-dir '{folder}'" in said
    assert load_manifest(folder / "my-zmq-1.2" / "peer.toml").name == "my-zmq-1.2"
    assert (folder / "my-zmq-1.2" / ".gitignore").read_text() == "build/\n"
    assert "@PEER@" not in "".join(file.read_text() for file in (folder / "my-zmq-1.2").iterdir())
    assert [path.name for path in folder.iterdir()] == ["my-zmq-1.2"]


@pytest.mark.parametrize(
    ("name", "language", "line"),
    [
        ("My_ZMQ", "c", "NAME: 'My_ZMQ' is not a-z, 0-9"),
        ("../up", "c", "NAME: '../up' is not"),
        ("", "c", "NAME: '' is not"),
        ("a\n", "c", r"NAME: 'a\n' is not"),
        ("a" * 65, "c", "64 at most"),
        ("pyzmq", "c", "NAME: 'pyzmq' is the name in "),
        ("there", "c", "there exists"),
        ("dangling", "c", "dangling exists"),
        ("new", "cobol", "--language: 'cobol' is none of c, go, java"),
        ("new", "../c", "--language: '../c' is none of"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_nothing_written(
    name: str, language: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    assert main(["new-peer", name, "--language", language, "--peers-dir", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert line in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NewPeerError, match=r"--peers-dir: .*file") as caught:
        new_peer("new", "c", tmp_path / "file")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(
    int(version("setuptools").split(".")[0]) < 77, reason="setuptools is older than pyproject.toml asks for"
)
def test_wheel_and_sdist_have_the_templates(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "harness", source / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    for what in ("wheel", "sdist"):
        (tmp_path / what).mkdir()
        code = f"import sys, setuptools.build_meta as b; b.build_{what}(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, tmp_path / what],
            cwd=source,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    wanted = {path.relative_to(ROOT).as_posix() for path in TEMPLATES.rglob("*.in")}
    (wheel,), (sdist,) = (tmp_path / "wheel").glob("*.whl"), (tmp_path / "sdist").glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        assert wanted <= set(archive.namelist())
    with tarfile.open(sdist) as tar:
        assert wanted <= {name.partition("/")[2] for name in tar.getnames()}
