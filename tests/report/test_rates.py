"""How often each verdict came: measured over repetitions, by item, and told at the end of a real run."""

from __future__ import annotations

from pathlib import Path

from harness.report.rates import rates, rates_text
from tests.report.records import result
from tests.test_pytest_plugin import run_cases, write_puppet

SOMETIMES = '''
from pathlib import Path
from harness.case import case
from harness.verdict import Mismatch

COUNT = Path(__file__).with_name("count")

@case("sample/now/and-then", clauses=["37/version/padding-no-meaning"])
def test_now_and_then(peer):
    """It holds each third time."""
    times = int(COUNT.read_text()) + 1 if COUNT.exists() else 1
    COUNT.write_text(str(times))
    if times % 3:
        raise Mismatch("this", "that")

@case("sample/now/always", clauses=["37/version/padding-no-meaning"])
def test_always(peer):
    """It holds."""
'''


def test_an_item_asked_once_has_no_rate() -> None:
    assert rates([result(), result(param="x"), result("a/b/c"), result(peers=["q"])]) == []
    assert rates_text([result()]) == []


def test_rates_are_counted_by_peer_case_and_parameter() -> None:
    often = [result(verdict=verdict) for verdict in ("PASS", "FAIL", "PASS", "ERROR")]
    found = rates([*often, result(param="x"), result(param="x"), result(verdict="FAIL", peers=["q"])])
    assert [(rate.key, rate.name, str(rate), rate.changes) for rate in found] == [
        ((("p",), "zmtp/sample/rule", ""), "zmtp/sample/rule", "ERROR 1/4, FAIL 1/4, PASS 2/4", True),
        ((("p",), "zmtp/sample/rule", "x"), "zmtp/sample/rule[x]", "PASS 2/2", False),
    ]


def test_only_what_came_out_differently_has_a_line() -> None:
    same = [result("a/b/c"), result("a/b/c")]
    varied = [result(peers=["p", "q"], verdict=verdict) for verdict in ("PASS", "UNSUPPORTED")]
    assert rates_text([*same, *varied]) == [
        "asked more than once: 2 items, of which 1 came out differently",
        "p - q  zmtp/sample/rule  PASS 1/2, UNSUPPORTED 1/2",
    ]


def test_a_run_measures_and_never_guesses(tmp_path: Path) -> None:
    write_puppet(tmp_path / "peers")
    done = run_cases(
        tmp_path,
        SOMETIMES,
        "--peer",
        "puppet",
        "--repeat",
        "6",
        "-n",
        "0",
        "--no-self-test",
        "--case",
        "*/now/*",
    )
    assert done.returncode == 1, "an item that fails now and then is red"
    assert "asked more than once: 2 items, of which 1 came out differently" in done.stdout
    assert "puppet  sample/now/and-then  FAIL 4/6, PASS 2/6" in done.stdout
    summary = (tmp_path / "report" / "summary.md").read_text()
    assert "- `puppet` `sample/now/and-then`: FAIL 4/6, PASS 2/6\n" in summary
