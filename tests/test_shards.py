"""A run dealt out with `make interop SHARD=k/n` and put together again is the run in one piece."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.report.record import Record, read_record
from tests.kills import ROOT, write_peers
from tests.mutants.registry import load_mutants

CASES = ("interop/messages/first-waits-for-its-receiver", "interop/messages/lockstep")
MUTANTS = ("says-every-seventh-message-twice", "cuts-contexts")
SHARDS = 3


def interop(peers: Path, report: Path, *more: str) -> Record:
    """What `make interop` finds, without building anything."""
    options = [f"--case {case}" for case in CASES]
    options += [f"--peers-dir {peers}", "--seed 5", "--no-self-test", "--time-scale 0.3"]
    variables = [
        f"VENV={sys.prefix}",
        "WORKERS=2",
        "NPM=",
        f"REPORT={report}",
        f"OPTIONS={' '.join(options)}",
    ]
    pairs = "PAIRS=mutant-*:reference reference:reference"
    command = ["make", "-s", "-o", f"{sys.prefix}/.ready", "interop", pairs, *variables, *more]
    env = os.environ | {"PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert (report / "results.json").exists(), done.stdout + done.stderr
    return read_record(report)


def told(record: Record) -> list[tuple[object, ...]]:
    """The results without what differs from run to run."""
    return sorted(
        (one.peers, one.id, one.param, one.verdict, one.blamed, one.again) for one in record.results
    )


def test_shards_merged_are_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_peers([load_mutants()[name] for name in MUTANTS], tmp_path / "peers")
    whole = interop(tmp_path / "peers", tmp_path / "whole")
    shards = [f"{k}/{SHARDS}" for k in range(1, SHARDS + 1)]
    parts = [
        interop(tmp_path / "peers", tmp_path / f"part{k}", f"SHARD={shard}") for k, shard in enumerate(shards)
    ]
    folders = [str(part.source) for part in parts]
    assert main(["merge", *folders, "--into", str(tmp_path / "merged")]) == 0
    merged = read_record(tmp_path / "merged")
    assert told(merged) == told(whole)
    assert {one.verdict for one in merged.results} >= {"PASS", "FAIL"}
    assert all((tmp_path / "merged" / one.trace).exists() for one in merged.results if one.trace)
    assert [part["shard"] for part in merged.merged] == shards
    assert sorted(merged.problems) == sorted(whole.problems)
    assert merged.peers == whole.peers
    capsys.readouterr()
    assert main(["diff", str(tmp_path / "whole"), str(tmp_path / "merged")]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["nothing changed"]
