"""The search for what a run leaves behind finds what is there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import leaks


def test_a_process_that_stays_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "GRACE_S", 0.2)
    command = [sys.executable, "-c", "print(flush=True); input()"]
    marked = os.environ | {leaks.MARK: "of-a-test"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=marked) as stays:
        assert stays.stdout is not None
        stays.stdout.readline()
        found = leaks.processes_of("of-a-test")
        assert [line.split(":")[0] for line in found] == [f"process {stays.pid}"]
        assert set(found) <= set(leaks.left("of-a-test", [], networks=False))
        stays.kill()
    assert leaks.processes_of("of-a-test") == []
