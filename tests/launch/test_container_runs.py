"""Whole runs with peers in containers: verdicts, what the report says of them, and what is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.bench import SelectionError, choose
from harness.deadlines import Deadline
from harness.launch.launcher import Launcher, Runtime, runtime_of
from harness.manifest import Manifest, load_manifest
from tests.engine import labelled
from tests.launch.test_container import NO_ENGINE, PROBE, ROOT, open_and_close

needs_engine = pytest.mark.skipif(NO_ENGINE is not None, reason=str(NO_ENGINE))

CASES = """
import os, threading
from harness.case import case

@case("sample/container/attaches", clauses=["37/version/padding-no-meaning"], needs=["ROUTER"])
def test_attaches(peer, attach):
    '''The peer is reached, and reaches us.'''
    attach(peer.open("ROUTER")).handshake("DEALER")
"""
WAITS = """
@case("sample/container/waits", clauses=["37/version/padding-no-meaning"], needs=["ROUTER"])
def test_waits(peer):
    '''It does not end.'''
    peer.open("ROUTER")
    print("\\nup", file=open(os.environ["TELL"], "w"), flush=True)
    threading.Event().wait()
"""


def command(folder: Path, text: str, *options: str) -> list[str]:
    (folder / "test_sample.py").write_text(text)
    plain = ["-q", "-p", "no:cacheprovider", "--no-self-test", "--peer", "pyzmq", "--runtime", "container"]
    report = ["--report", str(folder / "report")]
    return [sys.executable, "-m", "pytest", str(folder / "test_sample.py"), *plain, *report, *options]


def left_of(pid: int) -> list[str]:
    """The ids of the containers and networks of the runs of a process."""
    return [thing.id for thing in labelled("zconform.run") if thing.value.startswith(f"zconform-{pid}-")]


def wait_until_at_most(pid: int, count: int) -> list[str]:
    deadline = Deadline("test", 15)
    while len(left_of(pid)) > count and not deadline.expired:
        pass
    return left_of(pid)


@needs_engine
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one", "two-workers"])
def test_a_run_judges_peers_in_containers(tmp_path: Path, workers: list[str]) -> None:
    process = subprocess.Popen(
        command(tmp_path, CASES, *workers),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    made: dict[str, Any] = json.loads((tmp_path / "report" / "results.json").read_text())
    assert [result["verdict"] for result in made["results"]] == ["PASS", "PASS"]
    assert made["results"][0]["again"].endswith("--runtime container")
    (peer,) = made["peers"]
    assert peer["runtime"] == "container"
    assert peer["image"].startswith("zconform/pyzmq:")
    assert "@sha256:" in peer["image"]
    assert peer["version"].startswith("4.")
    assert left_of(process.pid) == []


@needs_engine
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one", "two-workers"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill-9"])
def test_a_run_that_is_broken_off(tmp_path: Path, workers: list[str], end: signal.Signals) -> None:
    """Ctrl-C reaches the whole group and leaves nothing; after kill -9 the next run removes the network."""
    tell = tmp_path / "tell"
    os.mkfifo(tell)
    process = subprocess.Popen(
        command(tmp_path, CASES + WAITS, *workers),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {"TELL": str(tell)},
    )
    assert tell.read_text() == "\nup\n"
    assert len(left_of(process.pid)) >= 2
    if end == signal.SIGINT:
        os.killpg(process.pid, end)
    else:
        process.send_signal(end)
    process.wait(40)
    if end == signal.SIGINT:
        assert left_of(process.pid) == []
    else:
        assert len(wait_until_at_most(process.pid, 1)) <= 1  # none where another run began meanwhile
        assert open_and_close() is None
        assert left_of(process.pid) == []


@needs_engine
def test_a_build_that_fails_is_an_error_of_that_peer(tmp_path: Path) -> None:
    shutil.copytree(PROBE, tmp_path / "peers" / "probe")
    (tmp_path / "peers" / "probe" / "Dockerfile").write_text("FROM python:3.11-slim-bookworm\nRUN false\n")
    dirs = ["--peer", "probe", "--peers-dir", str(tmp_path / "peers")]
    run = command(tmp_path, CASES.replace(', needs=["ROUTER"]', ""), *dirs)
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=120)
    made: dict[str, Any] = json.loads((tmp_path / "report" / "results.json").read_text())
    verdicts = sorted((result["peers"][0], result["verdict"]) for result in made["results"])
    assert verdicts == [("probe", "ERROR")] * 2 + [("pyzmq", "PASS")] * 2, done.stdout
    reasons = {result["reason"] for result in made["results"] if result["verdict"] == "ERROR"}
    (reason,) = reasons
    assert reason.endswith(f"(log: {tmp_path / 'report' / 'logs' / 'probe.build.log'})")


class Told(Launcher):
    """A launcher that has been told whether an engine answers."""

    def __init__(self, runtime: Runtime, problem: str | None) -> None:
        super().__init__(runtime)
        self._told = problem

    def engine_problem(self) -> str | None:
        return self._told


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Manifest]:
    """Three peers: only here, only in a container, both."""
    made = {}
    for name, folder_has in {"local": "", "boxed": "D", "both": "D"}.items():
        shutil.copytree(PROBE, tmp_path / name)
        toml = (tmp_path / name / "peer.toml").read_text().replace('"probe"', f'"{name}"')
        needs = 'needs_programs = ["no-such-program"]\n' if name == "boxed" else ""
        (tmp_path / name / "peer.toml").write_text(toml.replace("[claims]", f"{needs}[claims]"))
        if not folder_has:
            (tmp_path / name / "Dockerfile").unlink()
        made[name] = load_manifest(tmp_path / name / "peer.toml")
    return made


@pytest.mark.parametrize(
    ("runtime", "wanted", "expected"),
    [
        ("process", [], {"local": "process", "both": "process"}),
        ("container", [], {"boxed": "container", "both": "container"}),
        ("auto", [], {"local": "process", "both": "process"}),
        ("auto", ["*"], {"local": "process", "boxed": "container", "both": "process"}),
    ],
)
def test_which_peers_run_and_how(
    found: dict[str, Manifest], runtime: Runtime, wanted: list[str], expected: dict[str, str]
) -> None:
    chosen, _ = choose(found, wanted, Told(runtime, None))
    assert {name: runtime_of(manifest, runtime) for name, manifest in chosen.items()} == expected


def test_where_no_engine_answers_local_peers_run(found: dict[str, Manifest]) -> None:
    chosen, others = choose(found, ["*"], Told("auto", "no container engine answers: there is none"))
    assert sorted(chosen) == ["both", "local"]
    assert others == {
        "boxed": "program no-such-program is not installed, and no container engine answers: there is none"
    }


def test_containers_asked_for_without_an_engine_are_refused(found: dict[str, Manifest]) -> None:
    with pytest.raises(SelectionError, match=r"^--runtime container: no container engine answers"):
        choose(found, [], Told("container", "no container engine answers"))


def test_a_peer_that_needs_a_container_says_how(found: dict[str, Manifest]) -> None:
    _, others = choose(found, [], Told("auto", None))
    assert others["boxed"].endswith("(--peer boxed runs it in a container)")


def test_no_engine_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    problem = Launcher("container").engine_problem()
    assert problem is not None
    assert problem.startswith("no container engine answers: ")
    assert "\n" not in problem
