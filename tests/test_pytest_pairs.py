"""Pairs of peers as users ask for them: items, verdicts, reports, what is left out, bad peers and options."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.test_pytest_plugin import SCHEMA, run_cases, write_puppet

CASES = '''
from harness.case import case
from harness.verdict import Mismatch

CLAUSES = ["37/version/padding-no-meaning"]

@case("interop/sample/passes", clauses=CLAUSES, needs=["first:PAIR", "DEALER"])
def test_passes(pair):
    """Both open a socket."""
    pair.first.open("PAIR")
    pair.second.open("PAIR")

@case("interop/sample/fails", clauses=CLAUSES)
def test_fails(pair):
    """It does not hold."""
    raise Mismatch("this", f"that with {pair.role}")

@case("interop/sample/unsupported", clauses=CLAUSES, needs=["second:feature:proxy"])
def test_unsupported(pair):
    """The second has no proxy."""

@case("sample/alone/passes", clauses=CLAUSES)
def test_alone(peer):
    """It opens a socket."""
    peer.open("PAIR")
'''
KNOWN = """[[known]]
case = "interop/sample/fails"
param = "second-binds"
partners = ["{partner}"]
clause = "37/version/padding-no-meaning"
message = "^that with "
reason = "it is like that with this partner"
link = "https://example.org/1"
"""


@dataclass
class Done:
    """A finished run: exit status, what it printed, its report folder."""

    status: int
    text: str
    report: Path

    @property
    def results(self) -> list[dict[str, Any]]:
        loaded: dict[str, Any] = json.loads((self.report / "results.json").read_text("utf-8"))
        Draft202012Validator(SCHEMA).validate(loaded)
        return list(loaded["results"])

    def asked(self) -> set[str]:
        return {":".join(result["peers"]) for result in self.results}

    def verdicts(self, *peers: str) -> dict[tuple[str, str], str]:
        mine = [result for result in self.results if result["peers"] == list(peers)]
        return {(result["id"].rsplit("/", 1)[1], result["param"]): result["verdict"] for result in mine}


Suite = Callable[..., Done]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run the plugin on sample cases with the puppets one, two and three, `bad` of them with a fault."""

    def run(*options: str, bad: str = "", fault: str = "die", at: str = "hello") -> Done:
        for name in ("one", "two", "three"):
            faulty = name == bad
            write_puppet(tmp_path / "peers", fault if faulty else "nothing", at if faulty else "-", name)
        done = run_cases(tmp_path, CASES, "-p", "no:hypothesispytest", "--no-self-test", *options)
        return Done(done.returncode, done.stdout + done.stderr, tmp_path / "report")

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_pair_is_asked_in_both_roles_and_shown_as_a_matrix(suite: Suite, workers: str) -> None:
    done = suite("--pair", "one:two", "-n", workers)
    assert done.status == 1
    assert done.asked() == {"one:two"}
    assert done.verdicts("one", "two") == {
        (name, role): verdict
        for name, verdict in (("passes", "PASS"), ("fails", "FAIL"), ("unsupported", "UNSUPPORTED"))
        for role in ("first-binds", "second-binds")
    }
    assert "     two\none  2/4 FAIL 2\n" in done.text
    reasons = {result["reason"] for result in done.results if result["verdict"] == "UNSUPPORTED"}
    assert reasons == {"two does not claim feature:proxy"}
    assert all(result["again"].endswith(" --pair one:two") or "--pair one:two " in result["again"]
               for result in done.results)  # fmt: skip
    assert "puppet 1 (one) with puppet 1 (two)" in done.text


def test_without_a_wish_pairs_are_left_out_and_said_to_be(suite: Suite) -> None:
    done = suite("--peer", "one")
    assert (done.status, done.asked()) == (0, {"one"})
    assert "interop not asked: --pair A:B, or make interop" in done.text


def test_a_peer_against_itself_is_two_processes_with_two_logs(suite: Suite) -> None:
    done = suite("--pair", "one:one", "--case", "interop/sample/passes")
    assert done.status == 0
    assert {path.name for path in (done.report / "logs").iterdir()} == {"one.log", "one.2.log"}


def test_shards_share_the_pairs_out_and_the_peers_where_none_are_asked(suite: Suite) -> None:
    pairs = ["--pair", "*:three", "--pair", "one:two", "--case", "interop/sample/passes"]
    shards = [suite(*pairs, "--shard", f"{k}/2").asked() for k in (1, 2)]
    assert [len(shard) for shard in shards] != [0, 0]
    assert not shards[0] & shards[1]
    assert {"one:three", "two:three", "one:two"} <= shards[0] | shards[1]
    alone = ["--peer", "one", "--peer", "two", "--case", "sample/alone/passes"]
    assert [suite(*alone, "--shard", f"{k}/2").asked() for k in (1, 2)] == [{"one"}, {"two"}]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--pair", "one:nobody"), "--pair: one:nobody: no peer is called 'nobody'"),
        (("--pair", "one"), "--pair: 'one' is not FIRST:SECOND"),
        (("--pair", "one:two", "--shard", "3/2"), "--shard: '3/2' is not k/n"),
        (("--shard", ""), "--shard: '' is not k/n"),
    ],
)
def test_bad_wishes_are_refused_in_one_line(suite: Suite, options: tuple[str, ...], says: str) -> None:
    done = suite(*options)
    assert done.status == pytest.ExitCode.USAGE_ERROR
    assert says in done.text
    assert "Traceback" not in done.text


def test_a_peer_that_does_not_start_costs_its_own_pairs_alone(suite: Suite) -> None:
    done = suite("--pair", "one:three", "--pair", "one:two", "--case", "interop/sample/passes", bad="three")
    assert set(done.verdicts("one", "three").values()) == {"ERROR"}
    assert set(done.verdicts("one", "two").values()) == {"PASS"}


def test_who_went_down_is_named(suite: Suite) -> None:
    done = suite("--pair", "one:two", "--case", "interop/sample/passes", bad="two", at="open")
    assert {result["expected"] for result in done.results} == {"two answers open"}
    assert {result["verdict"] for result in done.results} == {"FAIL"}


@pytest.mark.parametrize(("partner", "verdict"), [("tw*", "KNOWN"), ("three", "FAIL")])
def test_a_known_deviation_may_be_one_with_a_certain_partner(
    suite: Suite, tmp_path: Path, partner: str, verdict: str
) -> None:
    own = write_puppet(tmp_path / "peers", name="one")
    (own / "known.toml").write_text(KNOWN.format(partner=partner))
    done = suite("--pair", "two:one", "--case", "interop/sample/fails")
    assert done.verdicts("two", "one") == {
        ("fails", "first-binds"): verdict,
        ("fails", "second-binds"): "FAIL",
    }
