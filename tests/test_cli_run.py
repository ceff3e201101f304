"""`zconform run`: the command line that pytest gets, and a run for real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import zconform
from harness.cli_run import pytest_command
from harness.options import OPTIONS

SCRIPT = Path(sys.executable).with_name("zconform")
CASE = "zmtp/greeting/as-server-means-nothing"


def asked(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, "run", *words], cwd=cwd, capture_output=True, text=True, timeout=300)


def test_every_option_of_the_suite_is_there_and_handed_on() -> None:
    run = zconform.commands["run"]
    words = {"--peers-dir": "d", "--runtime": "process"}
    given = []
    for option in OPTIONS:
        if option.name != "--peer":
            given += [option.name] + ([words.get(option.name, "7")] if option.metavar else [])
    params = run.make_context("run", ["one", "two", *given]).params
    made = pytest_command(params.pop("peers"), params, workers=3)
    for option in OPTIONS:
        value = f"={words.get(option.name, '7')}" if option.metavar else ""
        if option.name == "--time-scale":
            value = "=7.0"
        assert option.name == "--peer" or f"{option.name}{value}" in made, option.name
    assert made[made.index("--peer") : made.index("--peer") + 4] == ["--peer", "one", "--peer", "two"]
    assert made[made.index("-n") + 1] == "0"  # --list


def test_what_is_not_given_is_pytests_to_say() -> None:
    params = zconform.commands["run"].make_context("run", []).params
    assert not [word for word in pytest_command((), params, None) if word.startswith("--") and "=" in word]


def test_a_run_from_anywhere(tmp_path: Path) -> None:
    done = asked(
        "reference", "--case", CASE, "--report", "out", "-n", "0", "--seed", "7", "--", "-x", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {(each["id"], each["verdict"]) for each in found["results"]} == {(CASE, "PASS")}
    assert found["seed"] == 7


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["no-such-peer", "-n", "0"], pytest.ExitCode.USAGE_ERROR),
        (
            ["reference", "--case", CASE, "-n", "0", "-k", "nothing_has_it"],
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ),
        (["reference", "--runtime", "x"], 2),
    ],
)
def test_the_exit_status_is_pytests(words: list[str], status: int, tmp_path: Path) -> None:
    done = asked(*words, cwd=tmp_path)
    assert done.returncode == status, done.stdout + done.stderr
