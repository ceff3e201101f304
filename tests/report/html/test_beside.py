"""What goes along with results: paths that lead nowhere else, bounds, and what is kept out."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from harness.report.html.beside import TALKS_BOUND, Beside
from harness.report.html.page import page_data, render_page
from harness.report.html.talk import MOST_EVENT_OCTETS, MOST_EVENTS, talk_of
from harness.report.html.texts import Texts
from harness.report.secrecy import KEPT_OUT
from harness.verdict import Place
from harness.wire.trace import Trace
from harness.zmtp import Greeting
from tests.report.html.runs import as_run, result, talked

ENDS = ("127.0.0.1", 40001), ("127.0.0.1", 5555)


def test_a_conversation_stands_beside_its_result(tmp_path: Path) -> None:
    made = talked(tmp_path, result("FAIL"))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "libone.log").touch()
    data = page_data(as_run(tmp_path, [made]))
    assert data["details"][0][-1] == {"trace": made.trace, "talk": 0}
    assert data["logs"] == ["logs/libone.log"]
    talk, texts = data["talks"][0], data["texts"]
    assert [texts[event[3]] for event in talk["events"]][1:] == [
        "greeting 3.1 NULL",
        "greeting 3.1 NULL",
        'message ["hello"]',
        "closed",
    ]
    assert talk["mark"] == 4
    assert talk["ends"] == [["", "libone"]]
    message = talk["events"][3]
    assert base64.b64decode(texts[message[6]]) == b"\0\x05hello"
    assert texts[message[7]] == "0,1,flags;1,1,size;2,5,body"


@pytest.mark.parametrize(
    "path", ["../secret.pcapng", "/etc/passwd", "javascript:alert(1)", "traces/gone.pcapng", "a b"]
)
def test_a_path_that_leads_elsewhere_is_none(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.pcapng").touch()
    (tmp_path / "report").mkdir()
    made = result("FAIL", trace=path, script=path if "secret" not in path else "")
    assert page_data(as_run(tmp_path / "report", [made]))["details"][0][-1] == {}


def test_a_capture_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    made = talked(tmp_path, result("FAIL"))
    (tmp_path / str(made.trace)).write_bytes(b"nothing")
    assert "why" in page_data(as_run(tmp_path, [made]))["details"][0][-1]


def test_the_worst_come_first_and_there_is_an_end(tmp_path: Path) -> None:
    results = [
        talked(tmp_path, result(verdict, param=verdict)) for verdict in ("KNOWN", "NON_STRICT", "FAIL")
    ]
    beside = Beside(tmp_path, Texts(), most_characters=10)
    rows = beside.rows(results)
    assert len(beside.talks) == 1
    assert rows[id(results[2])]["talk"] == 0
    assert [rows[id(one)].get("why") for one in results[:2]] == [TALKS_BOUND, TALKS_BOUND]


def test_harm_is_kept_out_unless_it_is_asked_for(tmp_path: Path) -> None:
    secret = "octets-that-harm"
    harmful = result("FAIL", security=True, actual=secret, notes=[secret], reason=f"now {secret!r}")
    talked(tmp_path, harmful, secret.encode())
    died = result("FAIL", param="died", security=True, actual="recv: died of SIGSEGV (signal 11)")
    dead = result("FAIL", param="dead", security=True, actual=f"recv: exited with status 1\n{secret}")
    run = as_run(tmp_path, [harmful, died, dead])
    page = render_page(run, run)
    assert secret not in page
    assert base64.b64encode(secret.encode()).decode()[:12] not in page
    assert KEPT_OUT in page
    assert "recv: died of SIGSEGV (signal 11)" in page
    assert harmful.actual == secret
    open_page = render_page(run, with_security=True)
    assert secret in open_page


def test_a_long_conversation_is_cut_around_its_mark() -> None:
    trace = Trace()
    number = trace.opened(*ENDS)
    trace.octets(number, "dialer", Greeting().serialize())
    for _ in range(200):
        trace.octets(number, "dialer", b"\0\x01x")
    place = Place(number, "dialer", 64 + 3 * 100)
    talk = talk_of(trace, whole=False, place=place)
    assert len(talk["events"]) == MOST_EVENTS
    assert talk["events"][talk["mark"]][4] == place.offset
    assert talk["cut"]
    assert sum(talk["left"]) + len(talk["events"]) == 201
    assert talk["events"][talk["gap"]][4] - talk["events"][talk["gap"] - 1][4] == 3 * (talk["left"][0] + 1)


def test_of_large_messages_there_is_a_beginning() -> None:
    trace = Trace()
    number = trace.opened(*ENDS)
    trace.octets(
        number, "listener", Greeting().serialize() + b"\x02" + (5000).to_bytes(8, "big") + b"y" * 5000
    )
    event = talk_of(trace, whole=True, place=None)["events"][1]
    assert event[5] == 5009
    assert len(base64.b64decode(event[6])) == MOST_EVENT_OCTETS
    assert event[7] == [(0, 1, "flags"), (1, 8, "size"), (9, 5000, "body")]


def test_parts_of_every_version_make_up_the_whole() -> None:
    trace = Trace()
    number = trace.opened(*ENDS)
    ready = b"\x04\x06\x05READY"
    trace.octets(number, "dialer", Greeting().serialize() + ready + b"\x01\x01a\x00\x00")
    old = trace.opened(("127.0.0.1", 40002), ENDS[1])
    trace.octets(old, "dialer", b"\x01\x00" + b"\x03\x01ab" + b"\x01\x00")
    for event in talk_of(trace, whole=True, place=None)["events"]:
        at = 0
        for start, size, _ in event[7]:
            assert start == at
            at += size
        assert at == event[5]
