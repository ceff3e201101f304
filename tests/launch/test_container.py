"""Peers in containers: what they may do, how they are spoken with, and that nothing of them is left."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError

from harness.deadlines import Deadline, DeadlineExceeded
from harness.launch.attached import ContainerChannel
from harness.launch.launcher import Launcher, LaunchError
from harness.launch.log import LOG_LIMIT_OCTETS
from harness.manifest import Manifest, load_manifest
from tests.engine import labelled

ROOT = Path(__file__).resolve().parents[2]
PROBE = Path(__file__).parent / "probe"


def open_and_close() -> str | None:
    """What the start of a run does, its sweep included; why it cannot, if so."""
    launcher = Launcher("container")
    problem = launcher.engine_problem()
    launcher.close()
    return problem


NO_ENGINE = open_and_close()

pytestmark = pytest.mark.skipif(NO_ENGINE is not None, reason=str(NO_ENGINE))


def wait(seconds: float = 10.0) -> Deadline:
    return Deadline("test", seconds)


def left_of(run: str) -> list[str]:
    """The ids of the containers and networks of a run."""
    return [thing.id for thing in labelled("zconform.run") if thing.value == run]


def none_left_of(run: str, within_s: float = 10.0) -> bool:
    """Whether everything of a run goes, in the time the engine may need."""
    deadline = wait(within_s)
    while left_of(run):
        if deadline.expired:
            return False
    return True


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    made = Launcher("container", logs=tmp_path_factory.mktemp("logs"))
    yield made
    made.close()
    assert none_left_of(made.run.name)


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest(PROBE / "peer.toml")


def start(launcher: Launcher, manifest: Manifest) -> ContainerChannel:
    channel = launcher.start(manifest)
    assert isinstance(channel, ContainerChannel)
    return channel


@pytest.fixture
def probe(launcher: Launcher, manifest: Manifest) -> Iterator[ContainerChannel]:
    channel = start(launcher, manifest)
    yield channel
    channel.kill()


def tell(channel: ContainerChannel, op: str, **fields: Any) -> None:
    channel.write_line(json.dumps({"id": 1, "op": op, **fields}).encode() + b"\n", wait())


def ask(channel: ContainerChannel, op: str, **fields: Any) -> dict[str, Any]:
    tell(channel, op, **fields)
    answer: dict[str, Any] = json.loads(channel.read_line(wait(), 2**20))
    return dict(answer["ok"])


@pytest.fixture(scope="module")
def allowed(launcher: Launcher, manifest: Manifest) -> dict[str, Any]:
    channel = start(launcher, manifest)
    told = ask(channel, "allowed")
    channel.close(wait())
    return told


@pytest.mark.parametrize(
    ("what", "expected"),
    {
        "capabilities": [0, 0, 0, 0, 0],
        "no_new_privileges": "1",
        "uid": 65534,
        "gid": 65534,
        "groups": [],
        "become_root": "Operation not permitted",
        "write_root": "Read-only file system",
        "write_peer": "Read-only file system",
        "write_tmp": "done",
        "memory": str(512 * 2**20),
        "pids": "256",
        "interfaces": ["eth0", "lo"],
        "nothing_outside": True,
    }.items(),
)
def test_what_a_peer_may_do(allowed: dict[str, Any], what: str, expected: object) -> None:
    assert allowed[what] == expected


def test_the_network_is_internal(launcher: Launcher, probe: ContainerChannel) -> None:
    command = ["docker", "network", "inspect", "--format", "{{.Internal}}", launcher.run.name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert shown.stdout.strip() == "true"


def test_memory_ends_at_the_limit(probe: ContainerChannel) -> None:
    tell(probe, "fill-memory")
    assert probe.read_line(wait(60), 2**20) == b""
    assert probe.exit_status(wait()) == "died of SIGKILL (signal 9)"


def test_threads_end_at_the_limit(probe: ContainerChannel) -> None:
    assert ask(probe, "start-threads", count=20)["started"] == 19
    assert 200 < ask(probe, "start-threads", count=400)["started"] < 256


def test_both_can_dial_each_other(probe: ContainerChannel) -> None:
    port = ask(probe, "listen", host=probe.hosts.bind)["port"]
    socket.create_connection((probe.hosts.bind, port), 5).close()
    with socket.create_server((probe.hosts.listen, 0)) as listener:
        told = ask(probe, "dial", host=probe.hosts.listen, port=listener.getsockname()[1])
    assert told == {"outcome": "done"}


def test_long_lines_go_both_ways(probe: ContainerChannel) -> None:
    text = "x" * 1_000_000
    assert ask(probe, "echo", text=text) == {"text": text}


def test_waits_have_deadlines(probe: ContainerChannel) -> None:
    with pytest.raises(DeadlineExceeded, match=r"no answer within 0.05 s \(test\)"):
        probe.read_line(wait(0.05), 100)
    tell(probe, "hang")
    with pytest.raises(DeadlineExceeded, match="no reading of the request"):
        probe.write_line(bytes(2**24), wait(0.3))


def test_the_end_of_input_is_the_end(probe: ContainerChannel) -> None:
    ask(probe, "hello")
    probe.close(wait())
    assert probe.exit_status(wait()) == "exited with status 0"


def test_an_exit_that_does_not_come(probe: ContainerChannel) -> None:
    ask(probe, "hang-at-end")
    with pytest.raises(DeadlineExceeded, match=r"no exit within 0\.2 s"):
        probe.close(wait(0.2))
    assert probe.exit_status(wait()) == "died of SIGKILL (signal 9)"


@pytest.mark.parametrize(
    ("op", "fields", "says"),
    [
        ("signal", {"name": "SIGSEGV"}, "died of SIGSEGV (signal 11)"),
        ("signal", {"name": "SIGABRT"}, "died of SIGABRT (signal 6)"),
        ("exit", {"status": 3}, "exited with status 3"),
    ],
)
def test_a_crash_is_told(probe: ContainerChannel, op: str, fields: dict[str, Any], says: str) -> None:
    tell(probe, op, **fields)
    assert probe.read_line(wait(), 100) == b""
    assert probe.exit_status(wait()) == says


def test_standard_error_is_kept(launcher: Launcher, probe: ContainerChannel) -> None:
    assert launcher.logs is not None
    ask(probe, "noise", count=1)
    ask(probe, "last-words")
    probe.close(wait())
    assert (launcher.logs / "probe.log").read_bytes() == b"noise 0123456789\nbye"


def test_megabytes_on_stderr_do_not_block(launcher: Launcher, probe: ContainerChannel) -> None:
    assert launcher.logs is not None
    ask(probe, "noise", count=600_000)
    probe.close(wait())
    dropped = 600_000 * len("noise 0123456789\n") - LOG_LIMIT_OCTETS
    log = (launcher.logs / "probe.log").read_bytes()
    assert log.endswith(f"\n[{dropped} more octets dropped]\n".encode())


def test_an_image_is_named_by_its_content(launcher: Launcher, manifest: Manifest, tmp_path: Path) -> None:
    first = launcher.engine().build(manifest, tmp_path)
    assert launcher.engine().build(manifest, tmp_path) == first
    assert not list(tmp_path.iterdir()), "nothing was built, so there is no log of it"
    assert first.tag.startswith("zconform/probe:")
    assert first.id.startswith("sha256:")


def test_a_build_that_fails_names_its_log(launcher: Launcher, tmp_path: Path) -> None:
    folder = tmp_path / "probe"
    shutil.copytree(PROBE, folder)
    (folder / "Dockerfile").write_text("FROM python:3.11-slim-bookworm\nRUN echo oh dear && false\n")
    with pytest.raises(
        LaunchError, match=r"image cannot be built: .*returned a non-zero code.*log: "
    ) as caught:
        launcher.engine().build(load_manifest(folder / "peer.toml"), tmp_path)
    log = Path(str(caught.value).rpartition("log: ")[2].rstrip(")"))
    assert "oh dear" in log.read_text()
    assert "\n" not in str(caught.value)


SCRIPT = """
import sys, threading
from pathlib import Path
from harness.deadlines import Deadline
from harness.launch.launcher import Launcher
from harness.manifest import load_manifest
launcher = Launcher("container")
channel = launcher.start(load_manifest(Path(sys.argv[1])))
channel.write_line(b'{"id": 1, "op": "%s"}\\n' % sys.argv[2].encode(), Deadline("test", 10))
channel.read_line(Deadline("test", 10), 100)
print(launcher.run.name, flush=True)
threading.Event().wait()
"""


def run_until_up(op: str) -> tuple[subprocess.Popen[str], str]:
    """A process with a container, and its run's name."""
    command = [sys.executable, "-c", SCRIPT, str(PROBE / "peer.toml"), op]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    assert len(left_of(run)) == 2, "a container and a network"
    return process, run


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.communicate(timeout=20)


def test_a_killed_harness_leaves_no_container_and_the_next_run_sweeps_the_rest() -> None:
    process, run = run_until_up("hello")
    end(process, signal.SIGKILL)
    deadline = wait()
    while len(left_of(run)) > 1 and not deadline.expired:
        pass
    assert len(left_of(run)) == 1, "the network, which ends with no process"
    assert open_and_close() is None
    assert left_of(run) == []


def test_a_peer_that_outlives_a_killed_harness_is_swept_by_the_next_run() -> None:
    process, run = run_until_up("hang-at-end")
    assert open_and_close() is None
    assert len(left_of(run)) == 2, "a run that is alive is left alone"
    end(process, signal.SIGKILL)
    assert open_and_close() is None
    assert left_of(run) == []


def test_a_network_that_the_engine_keeps_does_not_save_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    for _ in range(2):
        process, run = run_until_up("hello")
        end(process, signal.SIGKILL)
        runs.append(run)
    remove = APIClient.remove_network
    kept: list[str] = []

    def keep_the_first(self: APIClient, net_id: str) -> None:
        kept.append(net_id)
        if net_id == kept[0]:
            raise APIError("has active endpoints")
        remove(self, net_id)

    with monkeypatch.context() as patched:
        patched.setattr(APIClient, "remove_network", keep_the_first)
        assert open_and_close() is None
    assert [left for run in runs for left in left_of(run)] == [kept[0][:12]]
    assert open_and_close() is None
    assert all(none_left_of(run) for run in runs)


def test_an_interrupted_harness_leaves_nothing() -> None:
    process, run = run_until_up("hang-at-end")
    end(process, signal.SIGINT)
    assert none_left_of(run)
