"""Two peers in one case: how they are joined, and what the wire says of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.bench import PEERS, Bench, Wishes
from harness.case import case
from harness.deadlines import Deadlines
from harness.known import Entry
from harness.pairing import ROLES, Pairing
from harness.peer import RemoteSocket
from harness.pytest_fixtures import Asking
from harness.pytest_pairs import judge_wire
from harness.verdict import Mismatch
from harness.wire.trace import Trace
from harness.zmtp import Ping, Subscribe


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    made = Bench.make([PEERS / "reference"], Wishes(), Deadlines(), 1, None)
    made.self_tests = False
    yield made
    made.stop()


@pytest.fixture(params=ROLES)
def pair(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Pairing]:
    made = Pairing(bench.hold("reference", "reference"), request.param, Trace(), bench.hub, bench.deadlines)
    yield made
    made.finish()


def test_two_processes_of_one_peer_are_told_apart(pair: Pairing) -> None:
    assert (pair.first.title, pair.second.title) == ("reference (first)", "reference (second)")
    assert pair.first.live is not pair.second.live


def test_join_binds_one_and_connects_the_other_through_the_tap(pair: Pairing) -> None:
    push, pull = pair.first.open("PUSH"), pair.second.open("PULL")
    bound: list[RemoteSocket] = []
    joint = pair.join(push, pull, bound.append)
    assert bound == [push if pair.role == "first-binds" else pull]
    push.send([b"a", b"b"])
    pull.expect(b"a", b"b")
    assert joint.sent_by(push) == [[b"a", b"b"]]
    assert joint.sent_by(pull) == []
    assert joint.is_readable(push)
    assert list(pair.blames()) == []


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_cut_link_is_seen_to_be_made_anew(pair: Pairing, how: str) -> None:
    push, pull = pair.first.open("PUSH"), pair.second.open("PULL")
    joint = pair.join(push, pull)
    joint.wait_for(lambda: joint.shaken_hands(1) if joint.tap.connections else False, "the handshake")
    joint.cut("fin" if how == "fin" else "rst")
    joint.await_reconnect()
    assert joint.shaken_hands(2)


def test_what_never_shows_on_the_wire_is_a_mismatch(pair: Pairing) -> None:
    joint = pair.join(pair.first.open("PUSH"), pair.second.open("PULL"))
    with pytest.raises(Mismatch, match="expected a miracle, got not within"):
        joint.wait_for(lambda: False, "a miracle", "37/framing/atomic", within="probe")


def asking(bench: Bench, pair: Pairing) -> Asking:
    @case("interop/sample/wire", clauses=["37/framing/atomic"])
    def sample() -> None:
        """A sample."""

    made = getattr(sample, "__zconform_case__")  # noqa: B009 (set on the function by the decorator)
    return Asking(made, bench, ("reference", "reference"), bench.deadlines, {}, pair.trace, pair=pair)


def misbehave(pair: Pairing) -> None:
    """Let it look as if the second peer, a PULL, subscribed to something."""
    push, pull = pair.first.open("PUSH"), pair.second.open("PULL")
    joint = pair.join(push, pull)
    push.send([b"x"])
    pull.expect(b"x")
    pair.trace.octets(1, joint.sender_of(pull), Subscribe(b"x").serialize())


def test_the_wire_blames_who_sent_it(bench: Bench, pair: Pairing) -> None:
    misbehave(pair)
    asked = asking(bench, pair)
    judge_wire(asked, held=True)
    assert [found.clause for found in asked.judge.findings] == ["37/pubsub/subscribe-command"]
    assert "reference (second)" in asked.judge.findings[0].actual


def test_behind_another_failure_the_wire_is_a_note(bench: Bench, pair: Pairing) -> None:
    misbehave(pair)
    asked = asking(bench, pair)
    judge_wire(asked, held=False)
    assert asked.judge.findings == []
    assert "on the wire: reference (second): SUBSCRIBE" in asked.judge.notes[0]


def test_what_the_peer_is_known_for_is_a_note(bench: Bench, pair: Pairing) -> None:
    misbehave(pair)
    asked = asking(bench, pair)
    bench.known["reference"] = [Entry("pubsub/*", "37/pubsub/subscribe-command", ".", "r", "l")]
    judge_wire(asked, held=True)
    del bench.known["reference"]
    assert (asked.judge.findings, len(asked.judge.notes)) == ([], 1)


def test_a_ping_from_nowhere_is_not_against_the_checks(pair: Pairing) -> None:
    push, pull = pair.first.open("PUSH"), pair.second.open("PULL")
    joint = pair.join(push, pull)
    push.send([b"x"])
    pull.expect(b"x")
    pair.trace.octets(1, joint.sender_of(pull), Ping(0, b"").serialize())
    assert list(pair.blames()) == []
