from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.deadlines import Deadline, DeadlineExceeded
from harness.launch.launcher import LaunchError, launch_process
from harness.launch.log import LOG_LIMIT_OCTETS
from harness.launch.process import ProcessChannel
from harness.manifest import load_manifest
from tests import bad_adapters

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_descriptor_left() -> Iterator[None]:
    before = len(list(Path("/proc/self/fd").iterdir()))
    yield
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def launch(tmp_path: Path, fault: str) -> ProcessChannel:
    folder = bad_adapters.write(tmp_path, fault)
    return launch_process(load_manifest(folder / "peer.toml"), tmp_path / "log")


def wait(seconds: float = 5.0) -> Deadline:
    return Deadline("test", seconds)


def ask(channel: ProcessChannel, op: str = "hello") -> dict[str, object]:
    channel.write_line(json.dumps({"id": 1, "op": op}).encode() + b"\n", wait())
    answer: dict[str, object] = json.loads(channel.read_line(wait(), 2**20))
    return answer


def gone(pid: int) -> bool:
    """Whether a process that was seen alive ends within 5 s (zombies of others count as ended)."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    ended = bool(poller.poll(5000))
    os.close(fd)
    return ended


def test_lines_go_both_ways(tmp_path: Path) -> None:
    channel = launch(tmp_path, "good")
    assert ask(channel)["id"] == 1
    channel.close(wait())
    assert channel.exit_status(wait()) == "exited with status 0"


def test_reading_has_a_deadline(tmp_path: Path) -> None:
    channel = launch(tmp_path, "good")
    with pytest.raises(DeadlineExceeded, match=r"no answer within 0.05 s \(test\)"):
        channel.read_line(wait(0.05), 100)
    assert ask(channel)["id"] == 1
    channel.kill()


def test_writing_has_a_deadline(tmp_path: Path) -> None:
    channel = launch(tmp_path, "never-reads")
    with pytest.raises(DeadlineExceeded):
        channel.write_line(bytes(2**20), wait(0.1))
    channel.kill()


def test_megabytes_on_stderr_do_not_block(tmp_path: Path) -> None:
    channel = launch(tmp_path, "noisy")
    assert ask(channel)["id"] == 1
    channel.close(wait())
    log = (tmp_path / "log").read_bytes()
    noise = 600_000 * len("noise 0123456789\n")
    assert log.startswith(b"noise 0123456789\n")
    assert log.endswith(f"\n[{noise - LOG_LIMIT_OCTETS} more octets dropped]\n".encode())
    assert len(log) < LOG_LIMIT_OCTETS + 100


def test_the_last_words_are_kept(tmp_path: Path) -> None:
    channel = launch(tmp_path, "talks-last")
    ask(channel)
    channel.close(wait())
    assert (tmp_path / "log").read_bytes() == b"bye"


def test_an_exit_that_does_not_come(tmp_path: Path) -> None:
    channel = launch(tmp_path, "ignores-end")
    ask(channel)
    with pytest.raises(DeadlineExceeded, match=r"no exit within 0\.2 s"):
        channel.close(wait(0.2))
    assert channel.exit_status(wait()) == "died of SIGKILL (signal 9)"


@pytest.mark.parametrize("way", ["close", "kill"])
def test_children_are_ended_too(tmp_path: Path, way: str) -> None:
    channel = launch(tmp_path, "leaves-a-child")
    answer = ask(channel, "pid")
    error = answer["error"]
    assert isinstance(error, dict)
    child = int(error["detail"])
    if way == "close":
        channel.close(wait())
    else:
        channel.kill()
    assert gone(child)


def test_killing_twice_is_harmless(tmp_path: Path) -> None:
    channel = launch(tmp_path, "good")
    channel.kill()
    channel.kill()
    assert channel.exit_status(wait()) == "died of SIGKILL (signal 9)"


@pytest.mark.parametrize("end", ["raise SystemExit", "os.kill(os.getpid(), signal.SIGTERM)"])
def test_nothing_is_left_when_the_harness_ends(tmp_path: Path, end: str) -> None:
    folder = bad_adapters.write(tmp_path, "good" if "kill" in end else "ignores-end")
    script = f"""
import os, signal
from pathlib import Path
from harness.launch.launcher import launch_process
from harness.manifest import load_manifest
channel = launch_process(load_manifest(Path({str(folder)!r}) / "peer.toml"), Path({str(tmp_path / "log")!r}))
print(channel.pid, flush=True)
{end}
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode in (0, -signal.SIGTERM)
    assert gone(int(done.stdout))


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    folder = bad_adapters.write(tmp_path, "good")
    toml = folder / "peer.toml"
    toml.write_text(toml.read_text().replace("{python}", "/no/such/program"))
    with pytest.raises(LaunchError) as caught:
        launch_process(load_manifest(toml), tmp_path / "log")
    start = f"{toml}: process.command: cannot start '/no/such/program adapter.py'"
    assert str(caught.value).startswith(start)
