from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.deadlines import Deadlines
from harness.explore import Wishes, explore
from harness.explore.grammar import MOST_ANNOUNCED_OCTETS, MOST_STEPS, conversation
from harness.explore.kinds import KINDS
from harness.explore.search import simpler
from harness.explore.steps import Conversation, Say, Tell
from harness.launch.launcher import Launcher
from harness.manifest import Manifest, load_manifest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = load_manifest(ROOT / "peers" / "reference" / "peer.toml")
TYPES = tuple(KINDS)


def search(
    manifest: Manifest, report: Path, seed: int, most: int, **wishes: Any
) -> tuple[int, list[str], Any]:
    """How many findings, what was printed, and explore.json."""
    lines: list[str] = []
    wished = Wishes(seed, report, minutes=5.0, most=most, **wishes)
    count = explore(manifest, Launcher("process"), Deadlines(), wished, lines.append)
    return count, lines, json.loads((report / "explore.json").read_text("utf-8"))


def faulty(fault: str, *sockets: str) -> Manifest:
    command = (sys.executable, str(ROOT / "tests" / "explore" / "faulty.py"), fault)
    return dataclasses.replace(REFERENCE, command=command, sockets=frozenset(sockets))


def test_the_reference_has_no_fault(tmp_path: Path) -> None:
    count, lines, written = search(REFERENCE, tmp_path, seed=1, most=60)
    assert count == 0, "\n".join(lines)
    assert lines == [f"60 conversations, seed 1: 0 findings, 0 not reproduced ({tmp_path}/explore.json)"]
    assert written["conversations"] == 60
    assert written["complete"]
    assert written["findings"] == written["not_reproduced"] == []


def test_a_publisher_of_3_0_is_asked_in_its_own_way(tmp_path: Path) -> None:
    count, lines, _ = search(faulty("speaks_3_0", "PUB", "XPUB"), tmp_path, seed=1, most=10)
    assert count == 0, "\n".join(lines)


def test_a_peer_that_dies(tmp_path: Path) -> None:
    count, lines, written = search(
        faulty("dies_of_a_nameless_command", "PULL"), tmp_path, seed=2, most=1, first=1
    )
    assert count == 1, "\n".join(lines)
    [finding] = written["findings"]
    assert finding["clause"] == "37/errors/close-is-temporary"
    assert finding["what"] == "the process ended"
    assert finding["detail"].endswith("exited with status 3")
    assert finding["security"]
    assert finding["steps"] == ["kept out: ask with --with-security (see SECURITY.md)"]
    assert not list((tmp_path / "traces").iterdir())
    assert "no name" not in "".join(lines)


def test_the_steps_of_a_crash_are_shown_to_who_asks(tmp_path: Path) -> None:
    peer = faulty("dies_of_a_nameless_command", "PULL")
    _, _, written = search(peer, tmp_path, seed=2, most=1, first=1, with_security=True)
    [finding] = written["findings"]
    _, opened, said = finding["steps"]
    assert opened == "link 1 dials, shakes hands"
    assert said in ("link 1 sends a command of no octets", "link 1 sends a command with an empty name")
    assert (tmp_path / finding["capture"]).stat().st_size


def test_half_a_message(tmp_path: Path) -> None:
    count, lines, written = search(faulty("delivers_half", "PULL"), tmp_path, seed=3, most=1, first=13)
    assert count == 1, "\n".join(lines)
    [finding] = written["findings"]
    assert finding["clause"] == "37/framing/atomic"
    assert not finding["security"]
    assert len(finding["steps"]) <= 4, finding["steps"]
    assert (tmp_path / finding["capture"]).stat().st_size


def test_contexts_of_another_link(tmp_path: Path) -> None:
    peer = faulty("mixes_the_contexts_of_links", "PULL")
    count, lines, written = search(peer, tmp_path, seed=4, most=1, first=1, with_security=True)
    assert count == 1, "\n".join(lines)
    [finding] = written["findings"]
    assert finding["clause"] == "37/heartbeat/pong-reply"
    assert finding["security"]
    _, *steps = finding["steps"]
    assert sum("shakes hands" in step for step in steps) == 2, steps
    assert len(steps) <= 6, steps


def test_number_and_seed_say_all() -> None:
    first = [conversation(7, number, TYPES) for number in range(100)]
    assert first == [conversation(7, number, TYPES) for number in reversed(range(100))][::-1]
    assert first != [conversation(8, number, TYPES) for number in range(100)]
    assert {each.socket_type for each in first} == set(TYPES)


def test_nothing_is_too_much_for_a_small_machine() -> None:
    for number in range(500):
        asked = conversation(9, number, TYPES)
        assert 2 <= len(asked.steps) <= MOST_STEPS
        assert sum(len(step.octets) for step in asked.steps if isinstance(step, Say)) < MOST_ANNOUNCED_OCTETS
        assert all(line.isprintable() for line in asked.words())


def test_what_is_simpler_comes_to_an_end() -> None:
    asked = Conversation("PULL", (Tell(2, (65_536, 256), cut=9, long=True),))
    seen = 0
    while (shorter := list(simpler(asked))) and seen < 50:
        asked, seen = shorter[-1], seen + 1
    assert asked.steps == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-peer"], "zconform explore: PEER: no peer is called 'no-such-peer'; there are "),
        (["reference", "--minutes", "0"], "zconform explore: --minutes must be a positive number, not 0.0"),
        (["reference", "--conversations", "0"], "zconform explore: --first counts from 0, --conv"),
        (["reference", "--report", "/dev/null/x"], "zconform explore: "),
    ],
)
def test_a_wrong_wish_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explore", *arguments]) == 2
    out, error = capsys.readouterr()
    assert not out
    assert error.startswith(said)
    assert error.count("\n") == 1


def test_a_peer_that_claims_nothing_cannot_be_explored(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="claims nothing to explore"):
        search(dataclasses.replace(REFERENCE, sockets=frozenset({"REQ"})), tmp_path, seed=1, most=1)
