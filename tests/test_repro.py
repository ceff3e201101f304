"""`--repro` and `--with-security` as users give them: faults shown again, and what is kept out."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.kills import ALONE, write_peers
from tests.kills import run_cases as run_suite
from tests.mutants.registry import load_mutants
from tests.test_pytest_plugin import CASES, KNOWN, ROOT, SCHEMA, run_cases, write_puppet

MUTANT = "cuts-contexts"
CASE = "zmtp/heartbeat/echoes-the-context"
SECRET = "TheOctetsThatKill"
HARM = f'''
from harness.case import case
from harness.verdict import Mismatch

def said(peer, dial, judge):
    sock = peer.open("DEALER")
    raw = dial(sock.bind())
    raw.send(b"{SECRET}")
    judge.note("{SECRET} was sent")
    return sock, raw

@case("sample/harm/leaks", clauses=["37/version/padding-no-meaning"], security=True)
def test_leaks(peer, dial, judge):
    """It gives memory away."""
    said(peer, dial, judge)
    raise Mismatch("nothing", "{SECRET}")

@case("sample/harm/is-listed", clauses=["37/version/padding-no-meaning"])
def test_is_listed(peer, dial, judge):
    """It is known to do harm."""
    said(peer, dial, judge)
    raise Mismatch("nothing", "{SECRET}")

@case("sample/harm/errs", clauses=["37/version/padding-no-meaning"], security=True)
def test_errs(peer, dial, judge):
    """It is broken itself."""
    said(peer, dial, judge)
    raise RuntimeError("{SECRET}")

@case("sample/harm/softly", clauses=["37/version/padding-zero"], security=True)
def test_softly(peer, dial, judge):
    """It breaks a SHOULD."""
    said(peer, dial, judge)
    raise Mismatch("nothing", "{SECRET}")

@case("sample/harm/passes", clauses=["37/version/padding-zero"], security=True)
def test_passes(peer, dial, judge):
    """It holds."""
    said(peer, dial, judge)

@case("sample/plain/fails", clauses=["37/version/padding-no-meaning"])
def test_fails(peer, dial):
    """It harms nobody."""
    dial(peer.open("DEALER").bind()).send(b"plain octets")
    raise Mismatch("nothing", "plain octets")
'''
DEATHS = f'''
from harness.case import case
from harness.verdict import Mismatch

def recv(peer, dial):
    sock = peer.open("DEALER")
    raw = dial(sock.bind())
    raw.send(b"{SECRET}")
    return sock

@case("sample/death/asked", clauses=["37/version/padding-no-meaning"])
def test_asked(peer, dial):
    """It dies while it is asked."""
    recv(peer, dial).recv(0.1)

@case("sample/death/unnoticed", clauses=["37/version/padding-no-meaning"])
def test_unnoticed(peer, dial):
    """It dies while the wire is looked at."""
    recv(peer, dial).start_recv(0.1)
    peer._client._channel.exit_status(peer.deadlines.deadline("exit"))
    raise Mismatch("nothing", "{SECRET}")

@case("sample/death/alone", clauses=["37/version/padding-no-meaning"])
def test_alone(peer):
    """It dies though nobody had connected."""
    peer.open("DEALER").recv(0.1)
'''
DEATH_IN_PAIR = f'''
from harness.case import case

@case("interop/sample/dies", clauses=["37/version/padding-no-meaning"])
def test_dies(pair):
    """The second dies of what the first sent."""
    number = pair.trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    pair.trace.octets(number, "dialer", b"{SECRET}")
    pair.second.open("PAIR").recv(0.1)
'''
LISTED = """[[known]]
case = "sample/harm/is-listed"
clause = "37/version/padding-no-meaning"
message = "MESSAGE"
security = true
reason = "for its maintainers first"
link = "https://example.org/1"
"""


def ask(
    folder: Path, cases: str, *options: str, fault: str = "nothing", known: str = ""
) -> tuple[str, dict[str, Any]]:
    """What a run printed, and its results by the case's id."""
    own = write_puppet(folder / "peers", fault, "recv")
    (own / "known.toml").write_text(known)
    done = run_cases(
        folder, cases, "--peer", "puppet", "--no-self-test", "--repro", str(folder / "out"), *options
    )
    loaded = json.loads((folder / "report" / "results.json").read_text("utf-8"))
    Draft202012Validator(SCHEMA).validate(loaded)
    return done.stdout + done.stderr, {each["id"]: each for each in loaded["results"]}


def told(folder: Path, printed: str) -> list[str]:
    """Where the secret can be read, in plain or as hexadecimal."""
    texts = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    texts = {name: text for name, text in texts.items() if "test_cases" not in name}
    texts["printed"] = printed.encode()
    forms = (SECRET.encode(), SECRET.encode().hex().encode(), SECRET.encode().hex(" ").encode())
    return sorted(name for name, text in texts.items() if any(form in text for form in forms))


def scripts(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").iterdir())


@pytest.mark.parametrize("workers", ["0", "2"])
def test_one_script_for_each_red_case(tmp_path: Path, workers: str) -> None:
    printed, _ = ask(tmp_path, CASES, "-n", workers, "--repeat", "2", known=KNOWN)
    assert scripts(tmp_path) == ["puppet.sample.bad.fails.py", "puppet.sample.bad.known.py"]
    assert f"script    {tmp_path}/out/puppet.sample.bad.fails.py" in printed
    for path in (tmp_path / "out").iterdir():
        ast.parse(path.read_text("ascii"))
    ask(tmp_path, CASES, "--strict", "--case", "sample/bad/softly", known=KNOWN)
    assert "puppet.sample.bad.softly.py" in scripts(tmp_path)


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_folder_that_cannot_be_is_refused_in_one_line(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    write_puppet(tmp_path / "peers")
    done = run_cases(tmp_path, CASES, "--peer", "puppet", "--repro", str(tmp_path / where))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "--repro" in line]
    assert len(lines) == 1
    assert f"--repro {tmp_path / where}: " in lines[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_the_script_of_a_mutant_shows_its_fault_again(tmp_path: Path) -> None:
    write_peers([load_mutants()[MUTANT]], tmp_path / "peers")
    options = ("--case", CASE, "--repro", str(tmp_path / "out"), "-k", "peer-binds-16")
    results = run_suite(tmp_path / "peers", tmp_path / "report", *options, who=ALONE)
    assert [result["verdict"] for result in results] == ["FAIL"]
    expected, actual = (str(results[0][field]).removeprefix("PONG ") for field in ("expected", "actual"))
    path = tmp_path / "out" / f"mutant-{MUTANT}.{CASE.replace('/', '.')}.peer-binds-16.py"
    shown = {who: played_against(who, path) for who in (MUTANT, "")}
    assert "<-- here" in shown[MUTANT]
    for who, out in shown.items():
        came = "".join(line[13:60] for line in out.splitlines() if line.startswith("1: 0000"))
        assert actual in came.replace(" ", "")
        assert (expected in came.replace(" ", "")) is (who == "")


def played_against(mutant: str, path: Path) -> str:
    """What a script prints against the reference peer, or a mutant, that does as the script's head says."""
    broken = [str(ROOT / "tests" / "mutants" / "run.py"), mutant]
    command = [sys.executable, *(broken if mutant else ["-m", "peers.reference"])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as peer:

        def asked(op: str, **fields: Any) -> dict[str, Any]:
            assert peer.stdin is not None
            assert peer.stdout is not None
            peer.stdin.write(json.dumps({"id": 1, "op": op, **fields}) + "\n")
            peer.stdin.flush()
            return dict(json.loads(peer.stdout.readline())["ok"])

        asked("hello", control="1")
        sock = asked("open", type="DEALER", options={})["socket"]
        ok = asked("bind", socket=sock, endpoint="tcp://127.0.0.1:*")
        played = [sys.executable, "-I", "-S", str(path), ok["endpoint"], "--wait", "1"]
        out = subprocess.run(played, capture_output=True, text=True, timeout=60, check=True).stdout
        peer.communicate(timeout=30)
    return out


def test_what_can_do_harm_is_kept_out(tmp_path: Path) -> None:
    known = LISTED.replace("MESSAGE", SECRET[:4])
    printed, results = ask(tmp_path, HARM, "--strict", "--all-captures", known=known)
    verdicts = {
        case_id.split("/")[2]: (each["verdict"], each["security"]) for case_id, each in results.items()
    }
    assert verdicts == {
        "leaks": ("FAIL", True), "is-listed": ("KNOWN", True), "errs": ("ERROR", True),
        "softly": ("NON_STRICT", True), "passes": ("PASS", False), "fails": ("FAIL", False),
    }  # fmt: skip
    kept = [each for each in results.values() if each["security"]]
    assert {each["trace"] for each in kept} == {None}
    assert "wire      kept out: ask with --with-security (see SECURITY.md)" in printed
    assert scripts(tmp_path) == ["puppet.sample.plain.fails.py"]
    assert results["sample/harm/passes"]["trace"] is not None
    mine = [name for name in told(tmp_path, printed) if "harm.passes" not in name]
    # What passed says what it saw, in its notes and its capture.
    assert {Path(name).name for name in mine} <= {"results.json", "results.jsonl", "index.html"}
    assert SECRET not in json.dumps(kept)


def test_what_changed_of_what_is_listed_is_kept_out(tmp_path: Path) -> None:
    options = ("--case", "sample/harm/is-listed")
    printed, results = ask(tmp_path, HARM, *options, known=LISTED.replace("MESSAGE", "other"))
    assert results["sample/harm/is-listed"]["verdict"] == "FAIL"
    assert "listed with message 'other', now kept out" in printed
    assert told(tmp_path, printed) == []


def test_with_security_shows_it_all(tmp_path: Path) -> None:
    printed, results = ask(tmp_path, HARM, "--case", "sample/harm/leaks", "--with-security")
    found = results["sample/harm/leaks"]
    assert (found["security"], found["actual"], found["notes"]) == (True, SECRET, [f"{SECRET} was sent"])
    assert (tmp_path / "report" / found["trace"]).exists()
    names = {Path(name).name for name in told(tmp_path, printed)}
    assert {"printed", "results.json", "junit.xml", *scripts(tmp_path)} <= names


def test_a_death_is_a_matter_of_security_where_somebody_had_connected(tmp_path: Path) -> None:
    printed, results = ask(tmp_path, DEATHS, fault="die")
    asked, unnoticed, alone = (results[f"sample/death/{name}"] for name in ("asked", "unnoticed", "alone"))
    assert (asked["security"], unnoticed["security"], alone["security"]) == (True, True, False)
    assert "exited with status 7" in asked["actual"]
    assert "kept out" in unnoticed["actual"]
    assert told(tmp_path, printed) == []
    assert scripts(tmp_path) == ["puppet.sample.death.alone.py"]


def test_a_death_in_a_pair_is_kept_out_and_has_no_script(tmp_path: Path) -> None:
    write_puppet(tmp_path / "peers", name="other")
    options = ("--pair", "other:puppet")
    printed, results = ask(tmp_path, DEATH_IN_PAIR, *options, fault="die")
    found = results["interop/sample/dies"]
    assert (found["verdict"], found["security"], found["trace"]) == ("FAIL", True, None)
    assert told(tmp_path, printed) == []
    _, results = ask(tmp_path, DEATH_IN_PAIR, *options, "--with-security", fault="die")
    assert (tmp_path / "report" / results["interop/sample/dies"]["trace"]).exists()
    assert scripts(tmp_path) == []


def test_what_is_still_under_way_is_told_and_is_no_death(tmp_path: Path) -> None:
    options = ("--case", "sample/death/unnoticed", "--time-scale", "0.2")
    _, results = ask(tmp_path, DEATHS, *options)
    found = results["sample/death/unnoticed"]
    assert (found["verdict"], found["security"]) == ("FAIL", False)
    text = (tmp_path / "out" / "puppet.sample.death.unnoticed.py").read_text("ascii")
    assert "# " + " " * 3 + "3. recv s1; no answer came\n" in text


def test_a_hang_is_none(tmp_path: Path) -> None:
    options = ("--case", "sample/death/asked", "--time-scale", "0.2")
    printed, results = ask(tmp_path, DEATHS, *options, fault="hang")
    assert results["sample/death/asked"]["security"] is False
    assert "kept out" not in printed
    assert scripts(tmp_path) == ["puppet.sample.death.asked.py"]
