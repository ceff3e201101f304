"""What a failing case is blamed on where the peer breaks a rule that all cases stand on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.control.client import ControlClient
from harness.deadlines import Deadlines
from harness.launch.launcher import launch_process
from harness.manifest import load_manifests
from harness.peer import LivePeer, Peer
from harness.plaintalk import hold_plain_talk
from harness.verdict import Mismatch
from harness.wire.trace import Trace
from tests.kills import run_cases, write_peers
from tests.mutants.registry import load_mutants

Ask = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """The first result of a case that is asked of a mutant."""

    def ask(name: str, case_id: str) -> dict[str, Any]:
        write_peers([load_mutants()[name]], tmp_path / "peers")
        options = ("--case", case_id, "--time-scale", "0.3", "-p", "no:hypothesispytest")
        return run_cases(tmp_path / "peers", tmp_path / "report", *options)[0]

    return ask


def test_a_fault_of_the_greeting_is_blamed_by_whoever_meets_it(ask: Ask) -> None:
    result = ask("ends-its-signature-wrongly", "zmtp/heartbeat/echoes-the-context")
    assert (result["verdict"], result["blamed"]) == ("FAIL", "37/abnf/signature")
    assert "signature has 7D at octet 9" in result["actual"]
    assert result["notes"][0].startswith("the case expected greeting, and got octets that are no ZMTP")


def test_a_fault_inside_ready_is_blamed_by_whoever_meets_it(ask: Ask) -> None:
    result = ask("claims-an-enormous-value", "zmtp/heartbeat/echoes-the-context")
    assert (result["verdict"], result["blamed"]) == ("FAIL", "37/null/value-range")


def test_a_fault_in_the_octets_of_traffic_is_blamed_by_whoever_meets_it(ask: Ask) -> None:
    result = ask("sends-a-command-name-with-a-space", "pipeline/push/shares-work-in-rotation")
    assert (result["verdict"], result["blamed"]) == ("FAIL", "37/abnf/command-name-char")


def test_what_fails_in_a_plain_talk_is_blamed_before_a_rule_that_was_not_reached(ask: Ask) -> None:
    result = ask("dealer-adds-delimiter", "zmtp/metadata/any-resource-is-accepted")
    assert (result["verdict"], result["blamed"]) == ("FAIL", "37/framing/not-altered")
    assert result["expected"].endswith(" in a plain talk of DEALER")
    assert result["notes"][-1] == 'the case expected message ["", "out"], and got message ["", "", "out"]'


def test_a_plain_talk_that_is_refused_blames_the_combination(ask: Ask) -> None:
    result = ask("dealers-do-not-meet", "zmtp/heartbeat/echoes-the-context")
    assert (result["verdict"], result["blamed"]) == ("FAIL", "37/sockettype/matrix-dealer")


@pytest.mark.parametrize("role", ["peer-binds", "peer-connects"])
@pytest.mark.parametrize("socket_type", ["DEALER", "PAIR", "PULL", "REP", "ROUTER"])
def test_a_message_beside_ready_is_part_of_the_plain_talk(
    tmp_path: Path, socket_type: str, role: str
) -> None:
    """Where it came there by chance, cases of any family would fail now and then."""
    name = "drops-messages-beside-ready"
    write_peers([load_mutants()[name]], tmp_path)
    manifest = load_manifests([tmp_path])[f"mutant-{name}"]
    deadlines = Deadlines(0.3)
    live = LivePeer(manifest, lambda one: ControlClient(launch_process(one, tmp_path / "log"), deadlines))
    try:
        with pytest.raises(Mismatch) as lost:
            hold_plain_talk(Peer(live, Trace(), deadlines), socket_type, role)
    finally:
        live.stop()
    assert lost.value.clause == "37/example/server-send-after-ready"


def test_a_peer_that_cannot_bind_breaks_no_rule_of_heartbeats(ask: Ask) -> None:
    result = ask("asking-type-cannot-bind", "zmtp/heartbeat/every-type-answers")
    assert (result["verdict"], result["blamed"]) == ("FAIL", "37/sockets/bind-and-connect")


def test_a_case_keeps_its_rule_where_a_fresh_process_holds_the_plain_talk(ask: Ask) -> None:
    result = ask("is-spoiled-by-an-illegal-partner", "zmtp/heartbeat/overlong-context")
    assert (result["verdict"], result["blamed"]) == ("FAIL", "37/heartbeat/abnf-ping-context")


@pytest.mark.parametrize(
    ("name", "case_id"),
    [
        ("dealer-adds-delimiter", "reqrep/dealer/sends-as-it-is"),
        ("refuses-its-own-version", "zmtp/version/accepts-3-1"),
        ("puts-a-subscription-ahead-of-ready", "zmtp/greeting/comes-before-traffic"),
    ],
)
def test_a_case_that_judges_the_fault_itself_keeps_its_rule(ask: Ask, name: str, case_id: str) -> None:
    result = ask(name, case_id)
    assert result["verdict"] == "FAIL"
    assert result["blamed"] in result["clauses"]
    assert result["expected"].find("plain talk") == -1


def test_a_peer_without_zmtp_3_is_not_judged_by_its_rules(tmp_path: Path) -> None:
    """Its first octet is no signature, and it holds no talk in the newest version."""
    name, fault = "greets-as-1-0-with-a-flag", "closes-on-length-zero"
    write_peers([load_mutants()[name]], tmp_path / "peers")
    path = tmp_path / "peers" / f"mutant-{name}" / "peer.toml"
    manifest = path.read_text("utf-8").replace(f'"{name}"]', f'"{name}", "{fault}"]')
    path.write_text(manifest.replace('["1.0", "2.0", "3.0", "3.1"]', '["1.0"]'), "utf-8")
    options = ("--case", "zmtp10/framing/length-zero-is-passed-over", "--time-scale", "0.3")
    results = run_cases(tmp_path / "peers", tmp_path / "report", *options)
    assert {(each["verdict"], each["blamed"]) for each in results} == {
        ("NON_STRICT", "13/framing/len-zero-discard")
    }
