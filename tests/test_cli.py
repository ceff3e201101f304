"""The command line as a whole: what it offers, what it refuses, how it completes, and what is coloured."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from harness import console
from harness.cli import BROKEN_OFF, COMMANDS, main, zconform
from tests.test_pytest_plugin import write_puppet

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
LONGEST_LINE = 110


def test_every_chore_is_offered_once_and_documented(capsys: pytest.CaptureFixture[str]) -> None:
    names = [command.name for command in COMMANDS]
    assert len(set(names)) == len(names)
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert command.name is not None
        assert f"  {command.name} " in shown
        assert f"`zconform {command.name}" in README or f"\nzconform {command.name}" in README, command.name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_help_says_what_each_option_is(command: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(command.name), "-h"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= LONGEST_LINE
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(option.opts[0] in shown for option in options)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-chore"], "zconform: No such command 'no-such-chore'."),
        (["gate"], "zconform gate: Missing argument 'RESULTS'."),
        (["trace", "--no-such"], "zconform trace: No such option"),
        (
            ["smoke", "reference", "--runtime", "x"],
            "zconform smoke: Invalid value for '--runtime': 'x' is not",
        ),
        (["explore", "reference", "--minutes", "x"], "zconform explore: Invalid value for '--minutes'"),
        (["new-peer", "x"], "zconform new-peer: Missing option '--language'."),
    ],
)
def test_a_wrong_command_line_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, error = capsys.readouterr()
    assert not out
    assert error.startswith(said)
    assert error.count("\n") == 1


def test_without_a_chore_it_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "new-peer" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert version("zconform") in capsys.readouterr().out


def test_control_c_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken_off() -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(zconform.commands, "endless", click.Command("endless", callback=broken_off))
    assert main(["endless"]) == BROKEN_OFF
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("zconform ", 1, {str(command.name) for command in COMMANDS}),
        ("zconform new", 1, {"new-peer"}),
        ("zconform smoke reference --runtime ", 4, {"process", "container", "auto"}),
        ("zconform gate --base", 2, {"--baseline"}),
    ],
)
def test_the_shell_completes(words: str, at: int, offered: set[str]) -> None:
    asked = {"_ZCONFORM_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    done = subprocess.run(
        [Path(sys.executable).with_name("zconform")],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offered


def test_how_to_complete_is_said_as_the_shell_takes_it() -> None:
    asked = {"_ZCONFORM_COMPLETE": "bash_source"}
    script = Path(sys.executable).with_name("zconform")
    done = subprocess.run([script], env=os.environ | asked, capture_output=True, text=True, timeout=60)
    assert "complete -o nosort -F _zconform_completion zconform" in done.stdout
    assert "_ZCONFORM_COMPLETE=bash_source zconform" in README


class Terminal(io.StringIO):
    """Something that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_verdicts_are_coloured_for_a_person_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "FAIL [bold]x[/bold] :bug: 'FAILS' " + "long " * 40
    console.say(line)
    assert capsys.readouterr().out == line + "\n"
    terminal = Terminal()
    console.coloured.cache_clear()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    console.say(line)
    console.coloured.cache_clear()
    assert terminal.getvalue() == line.replace("FAIL ", "\x1b[1;31mFAIL\x1b[0m ", 1) + "\n"


def test_what_a_machine_reads_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["13/connection/reconnect-new"] == {
        "state": "covered",
        "cases": ["zmtp10/connection/greets-again"],
    }


def test_peers_are_listed_and_nothing_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = write_puppet(tmp_path)
    text = (own / "peer.toml").read_text()
    (own / "peer.toml").write_text(text.replace("[claims]", 'needs_programs = ["no-such-program"]\n[claims]'))
    dirs = ["--peers-dir", str(tmp_path)]
    assert main(["peers", "--list", "puppet", "reference", *dirs]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "puppet     puppet, Python: program no-such-program is not installed",
        "reference  zconform reference, Python: can run here, has a container",
    ]
    assert main(["peers", "--list", "--json", "pup*", *dirs]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert (only["name"], only["missing"]) == ("puppet", "program no-such-program is not installed")
    assert (only["container"], only["claims"]["sockets"]) == (False, ["DEALER", "PAIR"])
    assert main(["peers", "--list", "nobody"]) == 1
    assert main(["peers", "--list", "--peers-dir", "/no/such"]) == 2
