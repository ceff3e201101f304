"""What a terminal gets to see."""

from __future__ import annotations

import pytest

from harness.clauses import Ledger
from harness.report.model import Result
from harness.report.text import failure_text, pair_matrix, printable, summary, summary_table
from harness.verdict import Place
from harness.wire.trace import Trace
from harness.zmtp import Greeting, Message, Ready


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain ü", "plain ü"), ("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"), ("\u202e", "\\u202e")],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_the_table_has_a_column_a_peer_and_a_row_a_family() -> None:
    def result(case_id: str, peer: str, verdict: str) -> Result:
        return Result(case_id, "", [peer], verdict, ["x"])

    table = summary_table(
        [
            result("zmtp/greeting/a", "one", "PASS"),
            result("zmtp/greeting/b", "one", "FAIL"),
            result("zmtp/greeting/a", "two", "KNOWN"),
            result("zmtp/greeting/b", "two", "INFO"),
            result("pair/pair/a", "two", "UNSUPPORTED"),
        ]
    )
    assert table.splitlines() == [
        "               one         two",
        "pair/pair      -           -",
        "zmtp/greeting  1/2 FAIL 1  1/2 known 1",
        "total          1/2 FAIL 1  1/2 known 1",
    ]


def test_a_table_that_is_too_wide_goes_on_below_without_rows_that_say_nothing() -> None:
    results = [
        Result("zmtp/greeting/a", "", ["one"], "PASS", ["x"]),
        Result("zmtp/greeting/a", "", ["two"], "UNSUPPORTED", ["x"]),
        Result("pair/pair/a", "", ["two"], "PASS", ["x"]),
    ]
    assert summary_table(results, 20).splitlines() == [
        "               one",
        "zmtp/greeting  1/1",
        "total          1/1",
        "",
        "               two",
        "pair/pair      1/1",
        "total          1/1",
    ]


def test_the_matrix_has_a_row_a_first_peer_and_a_column_a_second() -> None:
    def result(first: str, second: str, verdict: str) -> Result:
        return Result("interop/lockstep/a", "", [first, second], verdict, ["x"])

    results = [
        result("libzmq", "omq", "PASS"),
        result("libzmq", "omq", "FAIL"),
        result("libzmq", "reference", "PASS"),
        result("omq", "reference", "UNSUPPORTED"),
    ]
    assert pair_matrix(results).splitlines() == [
        "        omq         reference",
        "libzmq  1/2 FAIL 1  1/1",
        "omq                 -",
    ]
    alone = Result("zmtp/greeting/a", "", ["omq"], "PASS", ["x"])
    assert summary([alone, *results]) == f"{summary_table([alone])}\n\n{pair_matrix(results)}"


def test_a_failure_reads_as_a_bug_report() -> None:
    trace = Trace()
    connection = trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    trace.octets(connection, "dialer", Greeting().serialize() + Ready("DEALER").serialize())
    trace.octets(connection, "listener", Greeting().serialize() + Ready("ROUTER").serialize())
    start = len(trace.stream(connection, "listener"))
    trace.octets(connection, "listener", Message(b"lost").serialize())
    result = Result("reqrep/router/sample", "peer-binds", ["pyzmq"], "FAIL", ["28/router/route"])
    result.rule, result.blamed, result.level = "The rule.", "28/router/route", "SHALL"
    result.expected, result.actual = 'message ["fence"]', 'message ["lost"]'
    result.trace, result.again = "traces/x.pcapng", "pytest this --seed 1"
    text = failure_text(result, Ledger.load(), trace, Place(connection, "listener", start), "libzmq 4.3.5")
    lines = text.splitlines()
    assert lines[0] == "FAIL  reqrep/router/sample[peer-binds]   libzmq 4.3.5"
    assert lines[1] == "  The rule."
    assert lines[2].startswith("  28/REQREP, ")
    assert lines[2].endswith("[28/router/route] SHALL")
    assert '  expected  message ["fence"]' in lines
    assert '  actual    message ["lost"]' in lines
    assert "  wire      traces/x.pcapng" in lines
    assert [line for line in lines if 'message ["lost"]' in line and line.endswith("<-- here")]
    assert lines[-1] == "  again     pytest this --seed 1"
