"""`zconform rejudge`: what today's checks say of stored conversations, and what is not judged again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.report.model import Result
from harness.report.record import Record, read_record, write_record
from harness.report.wire import WireEnd, WireFinding, as_stored, look
from harness.wire import checks
from harness.wire.pcapng import write_pcapng
from harness.wire.trace import Trace
from harness.zmtp import malformed
from tests.capture.packets import HELLO_WORLD, PULL_SAYS, PUSH_SAYS

RESERVED = "37/framing/reserved-zero"
ENDS = [WireEnd(1, "dialer", "alpha"), WireEnd(1, "listener", "beta")]


def talk(fault: bool) -> Trace:
    trace = Trace()
    trace.opened(("127.0.0.1", 40_000), ("127.0.0.1", 5555))
    trace.octets(1, "dialer", PUSH_SAYS)
    trace.octets(1, "listener", PULL_SAYS)
    trace.octets(1, "dialer", HELLO_WORLD + (malformed.reserved_flag(5) if fault else b""))
    return trace


def result(name: str, verdict: str, peers: list[str], **more: Any) -> Result:
    return Result(f"interop/{name}/carries", "", peers, verdict, [RESERVED], **more)


def blamed(said: str) -> dict[str, str]:
    return {"blamed": RESERVED, "level": "MUST", "expected": "zeros", "actual": said}


class Run:
    """A report's folder with results and their captures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = Record("0.1.0", "2026-01-01T00:00:00+00:00", 7, strict=False, complete=True, ended=True)
        (folder / "traces").mkdir()

    def add(self, made: Result, trace: Trace, ends: list[WireEnd] | None = None) -> None:
        made.trace = f"traces/{len(self.record.results)}.pcapng"
        write_pcapng(trace, self.folder / made.trace)
        ends = (ENDS if len(made.peers) > 1 else ENDS[:1]) if ends is None else ends
        made.wire = as_stored(ends, look(trace, ends, len(made.peers) > 1))
        self.record.results.append(made)

    def judged(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[Any]]:
        """Exit status, and what came of each result."""
        write_record(self.record, self.folder)
        assert main(["validate", str(self.folder)]) == 0
        capsys.readouterr()
        status = main(["rejudge", str(self.folder), "--json"])
        return status, json.loads(capsys.readouterr().out)["results"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's suite has no check for the reserved bits."""
    monkeypatch.delitem(checks.ALL_CHECKS, "reserved-flags")


def test_nothing_differs_where_nothing_has_changed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    message = "alpha: flags 20: a reserved bit is set"
    run.add(result("same", "FAIL", ["alpha", "beta"], **blamed(message)), talk(fault=True))
    run.add(result("good", "PASS", ["alpha", "beta"]), talk(fault=False))
    status, (bad, good) = run.judged(capsys)
    assert status == 0
    assert (bad["judged"], bad["before"], bad["now"]) == ("whole", "FAIL", "FAIL")
    assert (good["judged"], good["before"], good["now"]) == ("whole", "PASS", "PASS")


def test_a_check_that_is_gone_takes_its_verdicts_along(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "flags 20: a reserved bit is set"
    run.add(result("pair", "FAIL", ["alpha", "beta"], **blamed(f"alpha: {message}")), talk(fault=True))
    run.add(result("single", "KNOWN", ["alpha"], **blamed(message)), talk(fault=True))
    forget(monkeypatch)
    status, (pair, single) = run.judged(capsys)
    assert status == 1
    assert (pair["before"], pair["now"]) == ("FAIL", "PASS")
    assert (single["before"], single["now"]) == ("FAIL", "open")
    assert [each["clause"] for each in pair["lost"]] == [RESERVED]
    assert main(["rejudge", str(run.folder)]) == 1
    out = capsys.readouterr().out
    assert "FAIL -> PASS  interop/pair/carries  alpha:beta\n    found no longer: alpha: flags 20" in out
    assert out.endswith("2 differ\n")


def test_a_new_check_finds_what_was_there(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        forget(then)
        run.add(result("pair", "PASS", ["alpha", "beta"]), talk(fault=True))
        run.add(result("single", "PASS", ["alpha"]), talk(fault=True))
    status, (pair, single) = run.judged(capsys)
    assert status == 1
    assert (pair["judged"], pair["before"], pair["now"]) == ("whole", "PASS", "FAIL")
    assert (single["judged"], single["before"], single["now"]) == ("wire", "PASS", "PASS")
    offset = len(PUSH_SAYS + HELLO_WORLD)
    for each in (pair, single):
        assert [(one["peer"], one["clause"], one["offset"]) for one in each["gained"]] == [
            ("alpha", RESERVED, offset)
        ]


def test_a_verdict_from_outside_the_wire_stands(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {"blamed": "28/req/format", "actual": "the application got [b'x']"}
    run.add(result("app", "FAIL", ["alpha", "beta"], **seen), talk(fault=True))
    forget(monkeypatch)
    status, (app,) = run.judged(capsys)
    assert (status, app["judged"], app["before"], app["now"]) == (1, "wire", "FAIL", "FAIL")
    assert [each["clause"] for each in app["lost"]] == [RESERVED]


def test_what_is_not_there_is_not_judged(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.record.results.append(result("no-capture", "PASS", ["alpha"]))
    run.add(result("no-ends", "FAIL", ["alpha"], **blamed("x")), talk(fault=True))
    run.record.results[-1].wire = None
    run.add(result("gone", "FAIL", ["alpha"], **blamed("x")), talk(fault=True))
    (run.folder / "traces" / "2.pcapng").unlink()
    run.add(result("broken", "FAIL", ["alpha"], **blamed("x")), talk(fault=True))
    (run.folder / "traces" / "3.pcapng").write_bytes(b"no capture\n\x1b[31m")
    status, outcomes = run.judged(capsys)
    assert status == 3
    assert [each["judged"] for each in outcomes] == ["no_capture", "no_ends", "unreadable", "unreadable"]
    assert main(["rejudge", str(run.folder)]) == 3
    out = capsys.readouterr().out
    assert "1 of 4: no conversation is stored" in out
    assert "2.pcapng" in out
    assert "\x1b" not in out


def _no_file(folder: Path) -> None:
    (folder / "results.json").unlink()


def _no_schema(folder: Path) -> None:
    record = json.loads((folder / "results.json").read_text())
    record["results"][0]["wire"]["ends"][0]["sender"] = "nobody"
    (folder / "results.json").write_text(json.dumps(record))


@pytest.mark.parametrize("spoil", [_no_file, _no_schema])
def test_bad_results_are_refused_in_one_line(
    run: Run, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None]
) -> None:
    run.add(result("good", "PASS", ["alpha"]), talk(fault=False))
    write_record(run.record, run.folder)
    spoil(run.folder)
    assert main(["rejudge", str(run.folder)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"zconform rejudge: {run.folder}")
    assert err.count("\n") == 1


def test_only_what_no_partner_explains_is_found_beside_our_own_ends() -> None:
    trace = talk(fault=False)
    trace.octets(1, "dialer", b"\x04\x07\x04PONG\0\0")
    (end, _) = ENDS
    assert [each.clause for each in look(trace, [end], between_peers=True)] == ["37/heartbeat/pong-reply"]
    assert look(trace, [end], between_peers=False) == []


def test_findings_and_ends_come_back_as_they_were_stored(run: Run) -> None:
    run.add(result("same", "FAIL", ["alpha", "beta"]), talk(fault=True))
    write_record(run.record, run.folder)
    wire = read_record(run.folder).results[0].wire
    assert wire is not None
    assert [WireEnd(**each) for each in wire["ends"]] == ENDS
    (found,) = [WireFinding(**each) for each in wire["found"]]
    assert str(found).startswith(
        "alpha: flags 20: a reserved bit is set [37/framing/reserved-zero], connection 1"
    )
