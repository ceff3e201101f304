"""`--expect [PEER=]FILE`: whose list a file is, what counts first, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.expect import Expected, parse_expected, with_expected
from harness.known import Entry, KnownError, load_list
from harness.report.record import write_record
from tests.report.records import CLAUSE, record, result
from tests.test_pytest_plugin import CASES, KNOWN, run_cases, write_puppet

GOOD = f'[[known]]\ncase = "a/b/c"\nclause = "{CLAUSE}"\nmessage = "late"\nreason = "r"\nlink = "l"\n'


@pytest.mark.parametrize(
    ("wish", "peers", "found"),
    [
        ("x.toml", ["p"], Expected("p", Path("x.toml"))),
        ("q=x.toml", ["p", "q"], Expected("q", Path("x.toml"))),
        ("libzmq-4.3.5=a=b.toml", ["libzmq-4.3.5"], Expected("libzmq-4.3.5", Path("a=b.toml"))),
        ("./p=x.toml", ["p"], Expected("p", Path("./p=x.toml"))),
    ],
)
def test_whose_list_a_file_is(wish: str, peers: list[str], found: Expected) -> None:
    assert parse_expected([wish], peers) == [found]


def test_who_only_takes_part_in_scenarios_has_to_be_named() -> None:
    assert parse_expected(["x.toml"], ["p", "q"], ["p"]) == [Expected("p", Path("x.toml"))]
    assert parse_expected(["q=x.toml"], ["p", "q"], ["p"]) == [Expected("q", Path("x.toml"))]


def test_the_gate_takes_a_list_without_a_name_for_the_peer_that_was_judged(tmp_path: Path) -> None:
    played = result("guide/a/b", peers=["p", "q"], cast={"client": "p", "server": "q"})
    write_record(record(result("a/b/c", "FAIL"), played), tmp_path)
    (tmp_path / "x.toml").write_text(GOOD)
    assert main(["gate", str(tmp_path), "--expect", str(tmp_path / "x.toml")]) == 0


@pytest.mark.parametrize(
    ("wish", "peers", "says"),
    [
        ("x.toml", ["p", "q"], "--expect x.toml: say PEER=x.toml: which of these is it for? (p, q)"),
        ("x.toml", [], "--expect x.toml: say PEER=x.toml: which of these is it for? (none)"),
        ("r=x.toml", ["p", "q"], "--expect r=x.toml: 'r' is not judged"),
        ("p=", ["p", "q"], "--expect p=: say PEER=p=: which of these is it for? (p, q)"),
    ],
)
def test_a_list_for_nobody_is_refused(wish: str, peers: list[str], says: str) -> None:
    with pytest.raises(KnownError) as caught:
        parse_expected([wish], peers)
    assert str(caught.value) == says


def test_what_is_expected_counts_before_the_peers_own_list(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(GOOD)
    own = [Entry("a/b/*", CLAUSE, ".", "own", "l", file="known.toml")]
    lists = with_expected({"p": own, "q": own}, [Expected("p", tmp_path / "x.toml")])
    assert [entry.reason for entry in lists["p"]] == ["r", "own"]
    assert lists["q"] == own


def test_a_peers_own_list_may_be_given_and_stands_once(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(GOOD)
    known = {"p": load_list(tmp_path / "known.toml")}
    lists = with_expected(known, [Expected("p", tmp_path / "." / "known.toml")])
    assert len(lists["p"]) == 1


REFUSED = [
    ("[[known", "x.toml: "),
    ('known = "a"', "x.toml: known: not [[known]] tables"),
    ("known = [1]", "x.toml: known #1: not a table"),
    ("[other]", "x.toml: only include, except and [[known]] tables are allowed"),
    (GOOD + "x = 1", "x.toml: known #1: x: no such field"),
    (GOOD.replace('reason = "r"', 'reason = " "'), "x.toml: known #1: reason: missing"),
    (GOOD.replace('link = "l"\n', ""), "x.toml: known #1: link: missing, or no text"),
    (GOOD.replace('"late"', '"("'), "x.toml: known #1: message: missing ), unterminated subpattern"),
    (GOOD.replace(CLAUSE, "37/*"), "x.toml: known #1: clause: a glob is for races and guide/ only"),
    (GOOD + "race = 1", "x.toml: known #1: race: neither true nor false"),
    (GOOD + 'until = "2026-01-01"', "x.toml: known #1: until: no date such as 2026-12-31"),
    (GOOD + "since = 2026-01-01T00:00:00", "x.toml: known #1: since: no date such as 2026-12-31"),
    (GOOD + 'versions = "4.*"', "x.toml: known #1: versions: not a list of names"),
    (GOOD + 'partners = ["q"]', "x.toml: known #1: partners: only for cases of interop/ and guide/"),
    (GOOD + GOOD + "x = 1", "x.toml: known #2: x: no such field"),
    ('include = ["absent.toml"]', "absent.toml: [Errno 2]"),
    ('except = ["a/*"]', "x.toml: except: a/* is in no list that is included"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_a_bad_list_is_one_line_of_the_gate_that_names_file_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    write_record(record(result()), tmp_path)
    (tmp_path / "x.toml").write_text(text)
    assert main(["gate", str(tmp_path), "--expect", str(tmp_path / "x.toml")]) == 2
    out, error = capsys.readouterr()
    *_, last = error.splitlines()
    assert (out, last.startswith(f"zconform gate: {tmp_path}/{says}")) == ("", True), error


def test_a_list_that_is_not_there_is_refused_unless_it_is_to_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record(record(result()), tmp_path)
    absent = tmp_path / "absent.toml"
    assert main(["gate", str(tmp_path), "--expect", str(absent)]) == 2
    assert str(absent) in capsys.readouterr().err
    assert main(["gate", str(tmp_path), "--expect", str(absent), "--update"]) == 0
    assert main(["gate", str(tmp_path), "--update"]) == 2
    assert "--update: say which file it is to write: --expect FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("expect", "status", "says"),
    [
        ("x.toml", 1, "1 KNOWN"),
        ("puppet=x.toml", 1, "1 KNOWN"),
        ("jeromq=x.toml", 4, "--expect jeromq=x.toml: 'jeromq' is not judged"),
        ("absent.toml", 4, "absent.toml: [Errno 2]"),
        ("bad.toml", 4, "bad.toml: known #1: x: no such field"),
    ],
)
def test_a_run_with_a_list(tmp_path: Path, expect: str, status: int, says: str) -> None:
    write_puppet(tmp_path / "peers")
    (tmp_path / "x.toml").write_text(KNOWN)
    (tmp_path / "bad.toml").write_text(KNOWN + "x = 1\n")
    options = ["--peer", "puppet", "--no-self-test", "-n", "0", "--expect", expect, "--case", "sample/bad/*"]
    done = run_cases(tmp_path, CASES, *options)
    assert done.returncode == status
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
