"""Runs that are broken off: what they leave can be read, and says that it is not all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cli import main
from harness.report.record import Record, read_record
from tests.test_pytest_plugin import CASES, run_cases, write_puppet

INTERRUPTED = '''
@case("sample/zz/interrupted", clauses=["37/version/padding-zero"])
def test_zz_interrupted(peer):
    """It is broken off."""
    HOW

@case("sample/zz/never", clauses=["37/version/padding-zero"])
def test_zzz_never(peer):
    """It is never reached."""
'''
BEFORE = ["sample/good/passes", "sample/bad/fails", "sample/bad/softly", "sample/good/informs"]


def broken_off(folder: Path, how: str, *options: str) -> tuple[int, Record]:
    """A run that ends at its last but one case, and what it leaves in folder/report."""
    write_puppet(folder / "peers")
    cases = CASES + INTERRUPTED.replace("HOW", how)
    done = run_cases(folder, cases, "--peer", "puppet", "--no-self-test", *options)
    return done.returncode, read_record(folder / "report")


def check(left: Record) -> None:
    ids = [result.id for result in left.results]
    assert set(BEFORE) <= set(ids)
    assert "sample/zz/never" not in ids
    assert (left.complete, left.ended) == (False, False)


def test_control_c_leaves_all_files_and_no_process(tmp_path: Path) -> None:
    status, left = broken_off(tmp_path, "os.kill(os.getpid(), signal.SIGINT)")
    check(left)
    assert status == pytest.ExitCode.INTERRUPTED
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {"junit.xml", "summary.md", "badges"}
    assert "incomplete" in (tmp_path / "report" / "badges" / "puppet.svg").read_text()
    assert "(broken off, incomplete)" in (tmp_path / "report" / "summary.md").read_text()
    assert not puppets_alive(tmp_path)


@pytest.mark.parametrize(
    ("how", "options"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", ("-n", "0")),
        ("os.kill(os.getppid(), signal.SIGKILL); signal.pause()", ("-n", "1")),
    ],
)
def test_a_killed_run_leaves_what_it_knew(
    tmp_path: Path, how: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    _, left = broken_off(tmp_path, how, *options)
    check(left)
    assert left.source == tmp_path / "report" / "results.jsonl"
    assert main(["validate", str(tmp_path / "report")]) == 0
    assert "broken off, incomplete" in capsys.readouterr().out


def test_a_worker_that_dies_takes_a_verdict_with_it(tmp_path: Path) -> None:
    _, left = broken_off(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)", "-n", "1")
    assert "sample/zz/interrupted" not in {result.id for result in left.results}
    assert (left.complete, left.ended) == (False, False)


def test_a_run_that_stops_at_its_first_failure_is_broken_off(tmp_path: Path) -> None:
    _, left = broken_off(tmp_path, "pass", "-x")
    assert [result.id for result in left.results] == BEFORE[:2]
    assert (left.complete, left.ended) == (False, False)


def puppets_alive(folder: Path) -> list[int]:
    """Processes that still run a puppet in this folder."""
    alive = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                cwd = (entry / "cwd").readlink()
            except OSError:
                continue
            if b"puppet.py" in command and folder in cwd.parents:
                alive.append(int(entry.name))
    return alive
