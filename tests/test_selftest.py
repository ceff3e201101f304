from __future__ import annotations

from pathlib import Path

import pytest

from harness.control.client import ControlClient
from harness.deadlines import Deadlines
from harness.launch.launcher import launch_process
from harness.manifest import load_manifest
from harness.selftest import Step, self_test
from tests import bad_adapters

PEERS = Path(__file__).resolve().parent.parent / "peers"
ALL = ["hello", "unknown operation", "open PAIR", "open ROUTER", "bind", "end of input"]


def run(folder: Path, log: Path, scale: float = 1.0) -> list[Step]:
    manifest, waits = load_manifest(folder / "peer.toml"), Deadlines(scale)
    return self_test(manifest, ControlClient(launch_process(manifest, log), waits), waits)


def test_a_good_adapter_passes_every_step(tmp_path: Path) -> None:
    steps = run(bad_adapters.write(tmp_path, "good"), tmp_path / "log")
    assert steps == [Step(name, True) for name in ALL]


@pytest.mark.parametrize("name", ["pyzmq", "pyomq", "zeromq-js"])
def test_the_adapters_at_hand_pass(name: str, tmp_path: Path) -> None:
    manifest = load_manifest(PEERS / name / "peer.toml")
    reason = manifest.missing()
    if reason is not None:
        pytest.skip(reason)
    steps = run(PEERS / name, tmp_path / "log")
    assert [step for step in steps if not step.ok] == []
    assert len(steps) == 4 + len(manifest.sockets)


def test_where_no_socket_type_is_claimed_none_is_opened(tmp_path: Path) -> None:
    folder = bad_adapters.write(tmp_path, "good")
    file = folder / "peer.toml"
    file.write_text(file.read_text().replace('["PAIR", "ROUTER"]', "[]"))
    assert run(folder, tmp_path / "log") == [
        Step(name, True) for name in ("hello", "unknown operation", "end of input")
    ]


BAD = [
    ("other-name", "hello", "hello: field peer: expected 'other-name', got 'somebody-else'"),
    ("other-version", "hello", "hello: field control: expected '1', got '2'"),
    ("supports-everything", "unknown operation", "expected error unsupported, got ok"),
    ("fails-unknown", "unknown operation", "expected error unsupported, got failed: no idea"),
    ("same-socket", "open PAIR", "open: two sockets have the name 1"),
    ("no-router", "open ROUTER", "open: exited with status 5"),
    ("lies-about-port", "bind", "Connection refused"),
    ("no-port", "bind", "bind: field endpoint: 'tcp://127.0.0.1:*' is no endpoint to dial"),
    ("ignores-end", "end of input", "end of input: no exit within 0.6 s (exit)"),
    ("exits-badly", "end of input", "end of input: exited with status 4"),
    ("garbage", "hello", "hello: garbage in field line: not JSON: 'Listening on port 5555\\n'"),
    ("never-answers", "hello", "hello: never answered: no answer within 2 s (start)"),
    ("dies", "hello", "hello: died of SIGSEGV (signal 11)"),
    ("exits", "hello", "hello: exited with status 3"),
]


@pytest.mark.parametrize(("fault", "name", "detail"), BAD, ids=[fault for fault, _, _ in BAD])
def test_a_bad_adapter_is_found_out(fault: str, name: str, detail: str, tmp_path: Path) -> None:
    steps = run(bad_adapters.write(tmp_path, fault), tmp_path / "log", scale=0.2)
    found = next(step for step in steps if not step.ok)
    assert found.name == name
    assert detail in found.detail
    assert "\n" not in found.detail
    assert [step.name for step in steps] == ALL[: len(steps)]


def test_a_harmless_fault_does_not_hide_the_next_steps(tmp_path: Path) -> None:
    steps = run(bad_adapters.write(tmp_path, "supports-everything"), tmp_path / "log")
    assert [step.name for step in steps] == ALL
    assert [step.name for step in steps if not step.ok] == ["unknown operation"]
