"""The suite as its users run it: verdicts, files, exit status, options, bad peers, broken-off runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from junitparser import JUnitXml

from harness.report.record import read_record

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((ROOT / "specs" / "result.schema.json").read_text("utf-8"))

CASES = '''
import os, signal
from harness.case import case
from harness.verdict import Mismatch

@case("sample/good/passes", clauses=["37/version/padding-no-meaning"])
def test_passes(peer):
    """It opens a socket."""
    peer.open("PAIR")

@case("sample/bad/fails", clauses=["37/version/padding-no-meaning"])
def test_fails(peer):
    """It breaks a SHALL."""
    raise Mismatch("this", "that \\x00\\x1b[31m <b>&", None)

@case("sample/bad/softly", clauses=["37/version/padding-zero"])
def test_softly(peer):
    """It breaks a SHOULD."""
    raise Mismatch("this", "that")

@case("sample/good/informs", clauses=["37/abnf/mechanism-char"])
def test_informs(peer, judge):
    """It tells what it saw."""
    judge.note("seen with own eyes")

@case("sample/good/unsupported", clauses=["37/version/padding-zero"], needs=["feature:proxy"])
def test_unsupported(peer):
    """It needs what the puppet does not claim."""

@case("sample/bad/known", clauses=["37/version/padding-no-meaning"])
def test_known(peer):
    """It fails as listed."""
    raise Mismatch("this", "as listed")

@case("sample/bad/error", clauses=["37/version/padding-zero"])
def test_error(peer):
    """It is broken itself."""
    raise RuntimeError("our own fault")
'''
KNOWN = """[[known]]
case = "sample/bad/known"
clause = "37/version/padding-no-meaning"
message = "^as listed$"
reason = "the puppet is like that"
link = "https://example.org/1"
"""


@dataclass
class Done:
    """A finished run: exit status, what it printed, its report folder."""

    status: int
    text: str
    report: Path

    @property
    def results(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.report / "results.json").read_text("utf-8"))
        Draft202012Validator(SCHEMA).validate(loaded)
        return loaded

    def verdicts(self) -> dict[str, str]:
        return {result["id"]: result["verdict"] for result in self.results["results"]}


Suite = Callable[..., Done]


def write_puppet(folder: Path, fault: str = "nothing", at: str = "-", name: str = "puppet") -> Path:
    own = folder / name
    own.mkdir(parents=True, exist_ok=True)
    command = json.dumps(["{python}", str(ROOT / "tests" / "puppet.py"), fault, at])
    (own / "peer.toml").write_text(
        f'schema = 1\nname = "{name}"\nlibrary = "puppet"\nlanguage = "Python"\n'
        f'homepage = "https://example.org/"\n[process]\ncommand = {command}\n'
        '[claims]\nsockets = ["PAIR", "DEALER"]\nzmtp = ["3.1"]\nmechanisms = ["NULL"]\n'
        'transports = ["tcp"]\noptions = []\nfeatures = []\n'
    )
    return own


def run_cases(folder: Path, cases: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run sample cases, with this tree's plugin, on the peers in folder/peers; report to folder/report."""
    (folder / "test_cases.py").write_text(cases)
    where = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), "-p", "no:cacheprovider"]
    who = ["--peers-dir", str(folder / "peers"), "--report", str(folder / "report")]
    command = [sys.executable, "-m", "pytest", str(folder / "test_cases.py"), "-q", *where, *who, *options]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env=env)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run the suite's plugin on sample cases: `suite(*options, cases=..., fault=..., at=...)`."""

    def run(
        *options: str, cases: str = CASES, fault: str = "nothing", at: str = "-", known: str = ""
    ) -> Done:
        peers = tmp_path / "peers"
        own = write_puppet(peers, fault, at)
        if known:
            (own / "known.toml").write_text(known)
        done = run_cases(tmp_path, cases, "--peer", "puppet", *options)
        return Done(done.returncode, done.stdout + done.stderr, tmp_path / "report")

    return run


EXPECTED = {
    "sample/good/passes": "PASS",
    "sample/bad/fails": "FAIL",
    "sample/bad/softly": "NON_STRICT",
    "sample/good/informs": "INFO",
    "sample/good/unsupported": "UNSUPPORTED",
    "sample/bad/known": "KNOWN",
    "sample/bad/error": "ERROR",
}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_verdict_in_every_output(suite: Suite, workers: str) -> None:
    done = suite("-n", workers, "--seed", "5", known=KNOWN)
    assert done.status == 1
    assert done.verdicts() == EXPECTED
    assert done.results["seed"] == 5
    assert done.results["peers"][0]["version"] == "1"
    assert read_record(done.report / "results.jsonl").as_json() == done.results
    check_junit(done.report / "junit.xml")
    assert (done.report / "index.html").read_text("utf-8").endswith("</html>\n")
    assert "1 PASS, 1 FAIL, 1 NON_STRICT, 1 INFO, 1 UNSUPPORTED, 1 KNOWN, 1 ERROR" in done.text
    assert "37/ZMTP" in done.text
    assert "again     pytest" in done.text
    assert "\x1b[31m" not in done.text
    assert "\x00" not in done.text


def check_junit(path: Path) -> None:
    """Two readers agree: <failure> for FAIL alone, <error> for ERROR alone, <skipped> with a reason."""
    kinds = {}
    for test in ET.parse(path).getroot().iter("testcase"):
        found = [child.tag for child in test if child.tag in ("failure", "error", "skipped")]
        kinds[test.get("name")] = found[0] if found else None
    assert kinds == {
        "sample/good/passes": None,
        "sample/bad/fails": "failure",
        "sample/bad/softly": None,
        "sample/good/informs": None,
        "sample/good/unsupported": "skipped",
        "sample/bad/known": "skipped",
        "sample/bad/error": "error",
    }
    read = JUnitXml.fromfile(str(path))
    assert [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in read] == [(7, 1, 1, 2)]
    skipped = {test.name: test.result[0].message for suite in read for test in suite if test.is_skipped}
    assert skipped["sample/good/unsupported"] == "UNSUPPORTED: puppet does not claim feature:proxy"
    assert skipped["sample/bad/known"] == "KNOWN: the puppet is like that"


def test_strict_turns_non_strict_into_failure(suite: Suite) -> None:
    options = ["--case", "sample/bad/softly"]
    assert suite(*options).status == 0
    strict = suite(*options, "--strict")
    assert strict.status == 1
    assert strict.results["strict"] is True
    (suite_read,) = JUnitXml.fromfile(str(strict.report / "junit.xml"))
    assert suite_read.failures == 1


def test_selection_by_case_and_clause(suite: Suite) -> None:
    assert suite("--case", "sample/good/*", "--clause", "37/version/*").verdicts() == {
        "sample/good/passes": "PASS",
        "sample/good/unsupported": "UNSUPPORTED",
    }


TIDY = '''
import gc
import pytest
from harness.case import case
from harness.wire.trace import Trace

@pytest.mark.parametrize("number", range(9))
@case("sample/good/keeps-nothing", clauses=["37/version/padding-zero"])
def test_keeps_nothing(peer, number):
    """It sees no trace but its own."""
    peer.open("PAIR")
    gc.collect()
    assert sum(isinstance(each, Trace) for each in gc.get_objects()) == 1
'''


def test_a_trace_is_kept_no_longer_than_its_case(suite: Suite) -> None:
    assert set(suite("-n", "0", cases=TIDY).verdicts().values()) == {"PASS"}


FIXTURES_OF_THEIR_OWN = """
import pytest
from harness.case import case

@pytest.fixture
def socket(peer, socket_type, request):
    return peer.open(request.param if hasattr(request, "param") else socket_type)

@case("sample/own/plain", clauses=["37/version/padding-zero"], needs=["{socket_type}"])
@pytest.mark.parametrize("socket_type", ["PAIR"])
def test_plain(peer, socket, socket_type, seed, repetition):
    \"\"\"A fixture of the file's own gets the same peer as the case.\"\"\"
    assert (socket.peer, repetition) == (peer, 0)

@case("sample/own/meant-for-a-fixture", clauses=["37/version/padding-zero"])
@pytest.mark.parametrize(("socket", "socket_type"), [("PAIR", "PAIR")], indirect=["socket"])
def test_indirect(peer, socket, socket_type, judge):
    \"\"\"A parameter that is meant for a fixture goes there.\"\"\"
    assert socket.peer is peer
"""


def test_fixtures_of_their_own_work_in_cases(suite: Suite) -> None:
    done = suite(cases=FIXTURES_OF_THEIR_OWN)
    assert done.status == 0, done.text
    assert [r["verdict"] for r in done.results["results"]] == ["PASS", "PASS"]


def test_the_plugin_runs_without_xdist(suite: Suite) -> None:
    done = suite("-p", "no:xdist", "--case", "sample/good/passes")
    assert (done.status, done.verdicts()) == (0, {"sample/good/passes": "PASS"})


def test_nothing_selected_is_an_error(suite: Suite) -> None:
    done = suite("--case", "no/such/case")
    assert done.status != 0
    assert "no case was selected" in done.text


def test_list_names_cases_and_runs_nothing(suite: Suite) -> None:
    done = suite("--list")
    assert done.status == 0
    assert "sample/bad/fails  [37/version/padding-no-meaning]" in done.text
    assert not (done.report / "results.json").exists()


def test_repeat_asks_each_case_so_many_times(suite: Suite) -> None:
    done = suite("--case", "sample/good/passes", "--repeat", "3")
    assert [result["param"] for result in done.results["results"]] == ["", "", ""]


def test_repeat_leaves_what_is_not_selected(suite: Suite) -> None:
    once, often = (suite("--case", "sample/good/passes", "--repeat", times) for times in ("1", "1000"))
    assert re.findall(r"\d+ deselected", often.text) == re.findall(r"\d+ deselected", once.text) != []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--peer", "nobody"), "no peer is called 'nobody'"),
        (("--time-scale", "-1"), "scale must be a positive number"),
        (("--peers-dir", "/no/such/folder"), "/no/such/folder"),
    ],
)
def test_bad_options_are_refused_in_one_line(suite: Suite, options: tuple[str, ...], says: str) -> None:
    done = suite(*options)
    assert done.status == pytest.ExitCode.USAGE_ERROR
    assert says in done.text
    assert "Traceback" not in done.text


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        (CASES.replace('"37/version/padding-zero"', '"37/version/no-such"'), "37/version/no-such"),
        (CASES.replace("sample/bad/softly", "sample/bad/fails"), "used by two cases"),
    ],
)
def test_malformed_cases_end_the_run(suite: Suite, cases: str, says: str) -> None:
    done = suite(cases=cases)
    assert done.status == pytest.ExitCode.USAGE_ERROR
    assert says in done.text


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("die", "exited with status 7"),
        ("hang", "never answered"),
        ("garbage", "garbage"),
        ("half", "half a line"),
        ("wrong-id", "garbage in field id"),
    ],
)
def test_a_peer_that_fails_an_operation_fails_that_case(suite: Suite, fault: str, says: str) -> None:
    done = suite("--no-self-test", "--time-scale", "0.2", "--case", "sample/good/*", fault=fault, at="open")
    results = {result["id"]: result for result in done.results["results"]}
    assert done.status == 1
    assert results["sample/good/passes"]["verdict"] == "FAIL"
    assert says in results["sample/good/passes"]["actual"]
    assert results["sample/good/informs"]["verdict"] == "INFO"


def test_a_peer_that_ended_unnoticed_fails_the_case_that_it_ended_in(suite: Suite) -> None:
    options = ("--no-self-test", "--time-scale", "0.2", "--case", "sample/good/passes")
    died = suite(*options, fault="die", at="close").results["results"][0]
    assert (died["verdict"], died["expected"]) == ("FAIL", "puppet outlives the case")
    assert "exited with status 7" in died["actual"]
    assert suite(*options, fault="hang", at="close").results["results"][0]["verdict"] == "PASS"


@pytest.mark.parametrize("fault", ["die", "hang", "garbage"])
def test_a_peer_that_never_says_hello_is_an_error_in_one_line(suite: Suite, fault: str) -> None:
    done = suite("--time-scale", "0.1", "--case", "sample/good/passes", fault=fault, at="hello")
    result = done.results["results"][0]
    assert (done.status, result["verdict"]) == (1, "ERROR")
    assert "hello" in result["reason"]
    assert "\n" not in result["reason"]


def test_megabytes_on_stderr_disturb_nothing(suite: Suite) -> None:
    done = suite("--case", "sample/good/passes", fault="noise", at="open")
    assert (done.status, done.verdicts()) == (0, {"sample/good/passes": "PASS"})
    assert 0 < (done.report / "logs" / "puppet.log").stat().st_size <= 5 * 2**20


WAITING = '''
import pytest
from harness.case import case

CLAUSES = ["37/version/padding-no-meaning"]

@case("sample/time/at-once", clauses=CLAUSES)
def test_at_once(peer):
    """It waits for nobody."""

@case("sample/time/later", clauses=CLAUSES)
@pytest.mark.waits
def test_later(peer):
    """It waits for a timer."""
'''


def test_what_waits_is_asked_first(suite: Suite) -> None:
    done = suite("-n", "0", cases=WAITING)
    assert [result["id"] for result in done.results["results"]] == [
        "sample/time/later",
        "sample/time/at-once",
    ]
