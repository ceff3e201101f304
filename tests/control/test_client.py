"""The client against adapters that are processes: the good one, and one for each way to be bad."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.control import client as client_module
from harness.control.client import (
    ControlClient,
    OperationFailed,
    OperationTimeout,
    OperationUnsupported,
    PeerGone,
)
from harness.deadlines import Deadline, Deadlines
from harness.launch.launcher import launch_process
from harness.manifest import load_manifest
from harness.memory import Memory
from tests import bad_adapters

Start = Callable[..., ControlClient]
PYZMQ = Path(__file__).resolve().parents[2] / "peers" / "pyzmq"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the adapter with a named fault, or the one in a folder."""
    clients: list[ControlClient] = []

    def start(fault: str | Path, scale: float = 1.0) -> ControlClient:
        folder = fault if isinstance(fault, Path) else bad_adapters.write(tmp_path, fault)
        channel = launch_process(load_manifest(folder / "peer.toml"), tmp_path / "log")
        clients.append(ControlClient(channel, Deadlines(scale)))
        return clients[-1]

    yield start
    for client in clients:
        client.kill()


def test_calls_and_answers(start: Start) -> None:
    client = start("good")
    assert client.hello()["peer"] == client.name == "good"
    assert client.call("open", type="PAIR", options={}) == {"socket": 1}
    assert client.call("close", socket=1) == {}
    with pytest.raises(OperationUnsupported, match=r"^good: xyzzy: unsupported: xyzzy$"):
        client.call("xyzzy")
    client.close()


GONE = [
    ("garbage", r"hello: garbage in field line: not JSON: 'Listening on port 5555\\n'"),
    ("no-object", r"hello: garbage in field line: not a JSON object: '\[1\]\\n'"),
    ("half-a-line", r"hello: garbage: half a line \(8 octets\), then exited with status 3"),
    ("wrong-id", r"hello: garbage in field id: expected 1, got 77"),
    ("no-id", r"hello: garbage in field id: expected 1, got null"),
    ("wrong-shape", r"hello: garbage in field ok.peer: expected text, got 5"),
    ("never-answers", r"hello: never answered: no answer within 1 s \(start\)"),
    ("dies", r"hello: died of SIGSEGV \(signal 11\)"),
    ("exits", r"hello: exited with status 3"),
    ("closes-output", r"hello: end of output"),
]


@pytest.mark.parametrize(("fault", "reason"), GONE, ids=[fault for fault, _ in GONE])
def test_a_peer_that_is_gone(start: Start, fault: str, reason: str) -> None:
    client = start(fault, scale=0.1)
    with pytest.raises(PeerGone, match=f"^{fault}: {reason}$") as caught:
        client.hello()
    assert client.gone is caught.value
    with pytest.raises(PeerGone, match=f"^{fault}: {reason}$"):
        client.call("open", type="PAIR", options={})
    client.close()


def test_a_line_without_end(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_LINE_OCTETS", 100_000)
    with pytest.raises(PeerGone, match=r"^too-long: hello: garbage: a line longer than 100000 octets$"):
        start("too-long").hello()


def test_a_peer_that_does_not_read(start: Start) -> None:
    client = start("never-reads", scale=0.1)
    with pytest.raises(PeerGone, match=r"^never-reads: send: the request was not read within 0.7 s$"):
        client.call("send", socket=1, parts=[bytes(2**20)], timeout_s=0.2)


def test_a_peer_that_does_not_exit(start: Start) -> None:
    client = start("ignores-end", scale=0.1)
    client.hello()
    with pytest.raises(PeerGone, match=r"^ignores-end: end of input: no exit within 0.3 s \(exit\)$"):
        client.close()


def test_a_pending_call_leaves_the_harness_free(start: Start) -> None:
    client = start(PYZMQ)
    client.hello()
    pull = client.call("open", type="PULL", options={})["socket"]
    call = client.start("recv", socket=pull, timeout_s=0.05)
    assert [client.pending] == [call]
    with pytest.raises(RuntimeError, match="bind asked while recv is not answered yet"):
        client.call("bind", socket=pull, endpoint="tcp://127.0.0.1:*")
    with pytest.raises(OperationTimeout, match=r"^pyzmq: recv: timeout"):
        call.result()
    with pytest.raises(OperationTimeout):
        call.result()
    assert client.pending is None
    client.close()


def test_messages_of_many_sizes_come_back_whole(start: Start) -> None:
    client = start(PYZMQ)
    client.hello()
    push, pull = (client.call("open", type=t, options={})["socket"] for t in ("PUSH", "PULL"))
    endpoint = client.call("bind", socket=pull, endpoint="tcp://127.0.0.1:*")["endpoint"]
    client.call("connect", socket=push, endpoint=endpoint)
    for parts in ([b""], [b"a", b"", b"\xff\x00"], [bytes(range(256)) * 2**14], [b"x" * 8 * 2**20]):
        assert client.call("send", socket=push, parts=parts, timeout_s=3.0) == {"outcome": "accepted"}
        assert client.call("recv", socket=pull, timeout_s=3.0)["parts"] == parts
    client.close()


def test_failures_are_told_apart(start: Start) -> None:
    client = start(PYZMQ)
    client.hello()
    with pytest.raises(OperationFailed, match=r"^pyzmq: close: failed: KeyError") as failed:
        client.call("close", socket=99)
    assert failed.value.detail
    with pytest.raises(OperationUnsupported):
        client.call("open", type="PAIR", options={"no-such-option": 1})
    client.close()


def test_a_busy_peer_is_killed_on_close(start: Start) -> None:
    client = start(PYZMQ)
    client.hello()
    pull = client.call("open", type="PULL", options={})["socket"]
    client.start("recv", socket=pull, timeout_s=60.0)
    before = time.monotonic()
    client.close()
    assert time.monotonic() - before < 2.0


class Broken:
    """A channel whose peer has closed its input."""

    name = "broken"

    def write_line(self, line: bytes, deadline: Deadline) -> None:
        raise BrokenPipeError

    def read_line(self, deadline: Deadline, limit_octets: int) -> bytes:
        raise AssertionError

    def close(self, deadline: Deadline) -> None:
        raise AssertionError

    def kill(self) -> None:
        pass

    def exit_status(self, deadline: Deadline) -> str | None:
        return None

    def memory(self, *, forget: bool = False) -> Memory | None:
        return None


def test_a_peer_that_closed_its_input() -> None:
    with pytest.raises(PeerGone, match=r"^broken: hello: closed its input$"):
        ControlClient(Broken(), Deadlines()).hello()
