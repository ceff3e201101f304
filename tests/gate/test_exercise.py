"""The gate from end to end, with the reference peer and one fault: green, red, listed, mended, taken off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.kills import ROOT, write_peers
from tests.mutants.registry import load_mutants

CASE, NAME = "zmtp/heartbeat/echoes-the-context", "mutant-cuts-contexts"


def ask(folder: Path) -> Path:
    """Judge the peer of that folder with one case; the report."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "conformance/zmtp",
        "-q",
        "-p",
        "no:cacheprovider",
        "--peer",
        NAME,
    ]
    command += ["--peers-dir", str(folder), "--case", CASE, "--report", str(folder / "report"), "--seed", "1"]
    command += ["--no-self-test"]  # without its fault it says hello as the reference
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=300)
    return folder / "report"


def test_the_gate_turns_with_peer_and_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_peers([load_mutants()["cuts-contexts"]], tmp_path)
    manifest, expect = tmp_path / NAME / "peer.toml", tmp_path / "expect.toml"
    faulty = manifest.read_text()
    mended = faulty.replace('", "cuts-contexts"]', '"]')
    assert mended != faulty

    def gate(*options: str) -> int:
        shown = tmp_path / "gate.md"
        peers = ["--peers-dir", str(tmp_path), "--markdown", str(shown)]
        return main(["gate", str(tmp_path / "report"), *peers, *options])

    manifest.write_text(mended)
    ask(tmp_path)
    assert gate() == 0
    manifest.write_text(faulty)
    ask(tmp_path)
    capsys.readouterr()
    assert gate("--json") == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {(each["kind"], each["case"]) for each in findings} == {("unexpected failure", CASE)}
    assert "```toml\n[[known]]" in (tmp_path / "gate.md").read_text()
    expect.write_text("\n".join(each["entry"] for each in findings) + "\n")
    assert gate("--expect", str(expect)) == 0
    assert gate("--expect", str(expect), "--update") == 2
    assert "the run is partial" in capsys.readouterr().err
    manifest.write_text(mended)
    ask(tmp_path)
    capsys.readouterr()
    assert gate("--expect", str(expect)) == 1
    told = capsys.readouterr().out
    assert f"unexpected pass: {NAME} {CASE}" in told
    assert f"delete {expect}:1:" in told
    expect.write_text("")
    assert gate("--expect", str(expect)) == 0


def test_bad_input_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.json").write_text("{}")
    assert main(["gate", str(tmp_path)]) == 2
    assert main(["validate", str(tmp_path)]) == 1
    assert main(["gate", str(tmp_path / "absent")]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 3
    assert "results.json" in told
