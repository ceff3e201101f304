"""No peer keeps a case busy for ever."""

from __future__ import annotations

import json
from pathlib import Path

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


def test_a_case_that_a_peer_keeps_busy_ends(tmp_path: Path) -> None:
    write_puppet(tmp_path / "peers")
    run_cases(tmp_path, ENDLESS, "--peer", "puppet")
    (result,) = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))["results"]
    assert (result["verdict"], result["expected"]) == ("FAIL", "the case comes to its end")
    assert result["actual"] == "it still goes on after 120 s"
