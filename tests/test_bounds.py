"""No peer keeps a case busy for ever."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.zmtp.traffic import closed_or_served
from harness.deadlines import Deadlines
from tests.test_pytest_plugin import run_cases, write_puppet

ENDLESS = """
from harness.case import case

@case("sample/bad/endless", clauses=["37/version/padding-no-meaning"])
def test_endless(peer, monkeypatch):
    \"\"\"It goes on for ever.\"\"\"
    monkeypatch.setattr(peer.trace, "now_s", lambda: 121.0)
    while True:
        peer.open("PAIR")
"""


def test_who_hands_a_message_over_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("harness.deadlines.time.monotonic", lambda: clock[0])
    waiting = [[b"large"], [b"fence"]]

    def recv() -> list[bytes]:
        clock[0] += 6.0
        return waiting.pop(0)

    raw: Any = SimpleNamespace(deadlines=Deadlines(), arrived=lambda: False)
    sock: Any = SimpleNamespace(recv=recv, peer=SimpleNamespace(readable=lambda *_, **__: waiting))
    assert closed_or_served(raw, sock, b"fence") == ("served", [[b"large"]])


def test_a_case_that_a_peer_keeps_busy_ends(tmp_path: Path) -> None:
    write_puppet(tmp_path / "peers")
    run_cases(tmp_path, ENDLESS, "--peer", "puppet")
    (result,) = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))["results"]
    assert (result["verdict"], result["expected"]) == ("FAIL", "the case comes to its end")
    assert result["actual"] == "it still goes on after 120 s"
