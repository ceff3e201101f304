from __future__ import annotations

import dataclasses
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.deadlines import Deadlines
from harness.launch.launcher import Launcher
from harness.manifest import Manifest, load_manifest
from harness.smoke import smoke
from harness.smoke.report import again, shown
from harness.smoke.types import WAYS, choose
from tests import bad_adapters, spoiler

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = load_manifest(ROOT / "peers" / "reference" / "peer.toml")


def try_out(manifest: Manifest, scale: float = 1.0) -> tuple[int, list[str]]:
    lines: list[str] = []
    failed = smoke(manifest, Launcher("process"), Deadlines(scale), lines.append)
    return failed, lines


def spoiled(fault: str, op: str, sockets: set[str], scale: float = 1.0) -> list[str]:
    """What is printed of the reference peer with one operation spoiled; something has to fail."""
    command = (sys.executable, str(ROOT / "tests" / "spoiler.py"), fault, op)
    failed, lines = try_out(
        dataclasses.replace(REFERENCE, command=command, sockets=frozenset(sockets)), scale
    )
    assert failed == sum(line.startswith("  FAIL  ") for line in lines)
    assert all("\n" not in line and line.isprintable() for line in lines)
    return lines


def block(lines: list[str], step: str) -> str:
    """A failed step and all that is said of it."""
    at = lines.index(f"  FAIL  {step}")
    end = next((n for n in range(at + 1, len(lines)) if not lines[n].startswith(" " * 10)), len(lines))
    return "\n".join(lines[at:end])


@pytest.mark.parametrize("type_", sorted(WAYS))
def test_a_conversation_with_each_type_in_both_roles(type_: str) -> None:
    failed, lines = try_out(dataclasses.replace(REFERENCE, sockets=frozenset({type_})))
    assert failed == 0, "\n".join(lines)
    assert [f"{type_} {role}" for role in ("binds", "connects", "refuses")] == [
        line for line in lines if line.startswith(type_)
    ]
    assert any("second empty" in line for line in lines)
    assert sum(line.endswith(", handshake of ZMTP 3: the peer announces 3.1") for line in lines) == 2
    assert lines[-1].endswith(" steps, all well")


def test_two_conversations_see_much() -> None:
    assert choose(set(WAYS)) == ("PAIR", "SUB")
    assert choose({"PUSH", "PULL"}) == ("PULL", "PUSH")
    assert choose({"PUB"}) == ("PUB", "PUB")
    assert choose({"STREAM"}) is None
    assert choose(set()) is None


def test_where_nothing_is_claimed_nothing_more_is_asked() -> None:
    failed, lines = try_out(dataclasses.replace(REFERENCE, sockets=frozenset()))
    assert failed == 0
    assert "  --    conversations: peer.toml claims no socket type, so there is nothing to ask" in lines


def test_where_nothing_can_be_dialled_the_refusals_are_asked_all_the_same() -> None:
    failed, lines = try_out(dataclasses.replace(REFERENCE, transports=frozenset({"ipc"})))
    assert failed == 0
    assert "  --    binds, connects: asked of peers that claim ZMTP 3, NULL and tcp" in lines
    assert "PAIR refuses" in lines


RECV = "recv: three frames, the second empty"
SPOILED = [
    ("dies", "recv", {"PAIR"}, RECV, ["answered  nothing", "actual    recv: exited with status 7"]),
    ("garbage", "recv", {"PAIR"}, RECV, ["answered  <html>", "garbage in field line: not JSON"]),
    ("half", "connect", {"PULL"}, "connect", ["half a line (14 octets), then exited with status 0"]),
    ("adds-a-field", "close", {"PULL"}, "open PULL", ["control.schema.json", "field took_ms: no such field"]),
    (
        "other-parts",
        "recv",
        {"PULL"},
        RECV,
        ['"zconform", "", "smoke"', 'actual    message ["zconform", "smoke"]'],
    ),
    (
        "other-digest",
        "drain",
        {"PULL"},
        "drain: three messages",
        ["expected  digest ", "actual    digest 0000"],
    ),
    (
        "says-yes",
        "set",
        {"PULL"},
        "set and get of an option that there is not are unsupported",
        ["actual    ok"],
    ),
    ("says-yes", "send", {"PUSH"}, "send: three frames, the second empty", ["ok.outcome: missing"]),
    (
        "times-out",
        "recv",
        {"PULL"},
        RECV,
        ["expected  a message for the application", "actual    none in time", "wire  ", r"\x1b]0;owned\x07"],
    ),
]


@pytest.mark.parametrize(("fault", "op", "sockets", "step", "facts"), SPOILED)
def test_what_is_wrong_is_told_with_all_that_is_needed(
    fault: str, op: str, sockets: set[str], step: str, facts: list[str]
) -> None:
    told = block(spoiled(fault, op, sockets), step)
    for fact in ["asked     {", "answered  ", "expected  ", "again     for line in ", *facts]:
        assert fact in told
    assert f'"op":"{op}"' in told.partition("\n")[2].partition("\n")[0]


def test_a_timeout_that_comes_early_is_seen() -> None:
    told = block(
        spoiled("times-out", "recv", {"PULL"}), "recv of 100 ms where nothing comes: timeout, and not before"
    )
    assert "expected  timeout after 100 ms" in told
    assert "actual    timeout after " in told


def test_a_peer_that_hangs_is_waited_for_and_no_longer() -> None:
    lines = spoiled("hangs", "send", {"PUSH"}, scale=0.3)
    assert "send: never answered: no answer within" in block(lines, "send: three frames, the second empty")


def test_much_noise_is_noted_once_and_harms_nothing() -> None:
    lines = spoiled("noisy", "recv", {"PULL"})
    assert sum("more than 4 MiB on standard error" in line for line in lines) == 1
    assert lines[-1].endswith("all well")


@pytest.mark.parametrize(
    "fault", ["garbage", "dies", "never-answers", "closes-output", "exits-badly", "no-port"]
)
def test_an_unsound_adapter_is_not_talked_with(fault: str, tmp_path: Path) -> None:
    failed, lines = try_out(load_manifest(bad_adapters.write(tmp_path, fault) / "peer.toml"), scale=0.2)
    assert failed == 1
    assert "  --    conversations: not asked before the self-test is well" in lines


def test_the_last_words_of_the_adapter_are_shown(tmp_path: Path) -> None:
    folder = bad_adapters.write(tmp_path, "good")
    (folder / "adapter.py").write_text("import sys\nsys.exit('\\033[31mno library libmine.so')\n")
    _, lines = try_out(load_manifest(folder / "peer.toml"))
    assert r"stderr    \x1b[31mno library libmine.so" in block(lines, "hello")


def test_the_line_to_paste_shows_it_again(tmp_path: Path) -> None:
    folder = bad_adapters.write(tmp_path / 'it\'s a "$(folder)"', "fails-unknown")
    _, lines = try_out(load_manifest(folder / "peer.toml"))
    line = next(line for line in lines if " again " in line).partition(" again ")[2].strip()
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True)
    answers = done.stdout.splitlines()
    assert [answer[:9] for answer in answers] == ['{"id": 1,', '{"id": 2,', "exit stat"]
    assert "no idea" in answers[1]
    assert answers[2] == "exit status 0"


def test_the_line_to_paste_is_quoted_and_relative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    manifest = dataclasses.replace(REFERENCE, command=("./adapter", "a b"))
    request = b'{"id":1,"op":"close","socket":"\'; rm -rf x \x7f"}\n'
    line = again(manifest, [request], None)
    words = shlex.split(line)
    assert words[3] == request.decode().strip().replace("\x7f", "\\u007f") + ";"
    assert "(cd peers/reference && ./adapter 'a b')" in line
    assert again(manifest, [request], "zconform/x:1 sha256:2").endswith(
        '| docker run --rm -i zconform/x:1; echo "exit status $?"'
    )


def test_shown_is_one_bounded_line() -> None:
    assert shown(spoiler.ESCAPES) == r"\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\x7f"
    assert shown(b"\xff\n") == r"\xff"
    assert shown("a\nb\n") == r"a\nb"
    assert shown("x" * 1000).endswith("x ... (1000 characters)")
    assert shown("\u00fc\u4e2d") == "\u00fc\u4e2d"


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["smoke", "reference", "--runtime", "process"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("all well")
    bad_adapters.write(tmp_path, "fails-unknown")
    assert main(["smoke", "fails-unknown", "--peers-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 6 steps failed"


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["nobody"], "PEER: no peer is called 'nobody'; there are"),
        (["cannot-start"], "process.command: cannot start 'no-such-program'"),
        (["needs-more"], "needs-more: program no-such-program is not installed"),
        (["needs-more", "--runtime", "container"], "has no Dockerfile"),
        (["reference", "--time-scale", "0"], "scale must be a positive number"),
        (["reference", "--peers-dir", "/no/such/folder"], "/no/such/folder: no such folder"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    args: list[str], reason: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, more in {"cannot-start": "", "needs-more": '\nneeds_programs = ["no-such-program"]'}.items():
        file = bad_adapters.write(tmp_path, "good").rename(tmp_path / name) / "peer.toml"
        text = file.read_text().replace('"good"', f'"{name}"')
        file.write_text(text.replace('["{python}", "adapter.py"]', f'["no-such-program"]{more}'))
    assert main(["smoke", *args, "--peers-dir", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert reason in said.err
