"""`zconform trace`: exit status, text, JSON, and one line for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from tests.capture.packets import HELLO, Line, pcap, written
from tests.capture.test_judge import spoken

NO_TYPE = HELLO + b"\x04\x06\x05READY"


def run(path: Path, *options: str) -> int:
    return main(["trace", str(path), *options])


def test_a_broken_rule_is_told_with_its_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "c.pcap", pcap(spoken().packets))
    assert run(path) == 1
    out = capsys.readouterr().out
    assert "[37/framing/reserved-zero]" in out
    assert "packet 10 (octet 40 of it)" in out
    assert 'message ["hello"]' in out
    assert run(path, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == "zconform-capture"
    assert found["counts"] == {"FAIL": 1, "NON_STRICT": 0, "INFO": 0}
    assert found["connections"][0]["broken"][0]["packet"] == 10
    assert run(path, "--events") == 1
    assert capsys.readouterr().out.count('message ["hello"]') == 5


def test_a_should_counts_when_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line().shake()
    line.say("dialer", NO_TYPE)
    line.say("listener", NO_TYPE)
    path = written(tmp_path / "c.pcap", pcap(line.packets))
    assert (run(path), run(path, "--strict")) == (0, 1)
    assert "NON_STRICT" in capsys.readouterr().out


def test_what_conforms_and_what_is_no_zmtp(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path / "good.pcap", pcap(Line().talk().packets))) == 0
    assert "what was judged conforms" in capsys.readouterr().out
    assert run(written(tmp_path / "none.pcap", pcap([]))) == 3
    assert "nothing to judge" in capsys.readouterr().out


@pytest.mark.parametrize("octets", [b"", b"\0", b"{}", b'{"format": 1}\n', pcap([])[:7]])
def test_bad_files_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], octets: bytes
) -> None:
    path = written(tmp_path / "bad", octets)
    assert run(path) == 2
    err = capsys.readouterr().err
    assert str(path) in err
    assert err.count("\n") == 1


def test_damage_behind_good_packets_is_told_and_the_rest_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "c.pcap", pcap(spoken().packets) + b"\xff" * 16)
    assert run(path) == 2
    shown = capsys.readouterr()
    assert "[37/framing/reserved-zero]" in shown.out
    assert "packet 11: captured length" in shown.err


@pytest.mark.parametrize("key", ["x", "~" * 40, "zz" * 32, "@/nowhere/key"])
def test_bad_keys_and_missing_files_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    path = written(tmp_path / "c.pcap", pcap([]))
    assert run(path, "--curve-key", key) == 2
    assert run(tmp_path / "nowhere") == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_what_a_peer_sent_is_shown_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line().talk()
    line.say("dialer", b"\x00\x08\x1b[31m\n\r\0")
    run(written(tmp_path / "c.pcap", pcap(line.packets)))
    assert "\x1b" not in capsys.readouterr().out
