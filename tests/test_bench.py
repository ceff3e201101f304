"""Choosing peers, and what a process of a run does with a peer whose adapter is not sound."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.bench import PEERS, Bench, SelectionError, Wishes, choose
from harness.deadlines import Deadlines
from harness.known import Asked, Entry
from harness.manifest import Manifest, load_manifests
from harness.peer import PeerUnavailable
from harness.wire.trace import Trace
from tests.test_pytest_plugin import write_puppet


def manifests(folder: Path, *names: str) -> dict[str, Manifest]:
    for name in names:
        write_puppet(folder, name=name)
    return load_manifests([folder])


def without_program(manifest: Manifest) -> Manifest:
    return dataclasses.replace(manifest, needs_programs=("no-such-program",))


def test_without_wishes_all_that_can_run(tmp_path: Path) -> None:
    found = manifests(tmp_path, "one", "two")
    found["two"] = without_program(found["two"])
    chosen, unavailable = choose(found, [])
    assert list(chosen) == ["one"]
    assert "no-such-program" in unavailable["two"]


def test_a_glob_takes_what_can_run(tmp_path: Path) -> None:
    found = manifests(tmp_path, "one", "other", "two")
    found["other"] = without_program(found["other"])
    assert list(choose(found, ["o*"])[0]) == ["one"]


@pytest.mark.parametrize(
    ("wishes", "says"),
    [(["three"], "no peer is called 'three'; there are one, two"), (["two"], "two: .*no-such-program")],
)
def test_a_wish_that_cannot_be_met_is_refused(tmp_path: Path, wishes: list[str], says: str) -> None:
    found = manifests(tmp_path, "one", "two")
    found["two"] = without_program(found["two"])
    with pytest.raises(SelectionError, match=says):
        choose(found, wishes)


def test_no_peer_at_all_is_refused() -> None:
    with pytest.raises(SelectionError, match="no peer can run here"):
        choose({}, [])


def bench(folder: Path, scale: float = 0.1) -> Bench:
    return Bench.make([folder], Wishes(), Deadlines(scale), 1, None)


@pytest.mark.parametrize(
    ("fault", "at", "says"),
    [
        ("die", "hello", "hello: .*exited with status 7"),
        ("hang", "bind", "bind: .*never answered"),
        ("garbage", "open", "open DEALER: .*garbage"),
    ],
)
def test_an_unsound_adapter_is_refused_once_and_for_all(
    tmp_path: Path, fault: str, at: str, says: str
) -> None:
    write_puppet(tmp_path, fault, at)
    made = bench(tmp_path)
    for _ in range(2):
        with pytest.raises(PeerUnavailable, match=f"puppet: self-test: {says}"):
            made.live("puppet")


def test_a_command_that_cannot_start_is_refused_in_one_line(tmp_path: Path) -> None:
    own = write_puppet(tmp_path)
    text = (own / "peer.toml").read_text()
    (own / "peer.toml").write_text(text.replace('"{python}"', '"/no/such/program"'))
    with pytest.raises(PeerUnavailable, match=r"peer.toml: process.command: cannot start"):
        bench(tmp_path).live("puppet")


def test_a_sound_peer_stays_warm_and_is_stopped(tmp_path: Path) -> None:
    write_puppet(tmp_path)
    made = bench(tmp_path, 1.0)
    live = made.live("puppet")
    client = live.client()
    assert made.live("puppet").client() is client
    assert made.about("puppet")["version"] == "1"
    made.stop()
    assert client.gone is not None


def test_a_peer_that_does_not_start_is_given_up_after_three_times(tmp_path: Path) -> None:
    write_puppet(tmp_path, "die", "hello")
    made = bench(tmp_path)
    made.self_tests = False
    live = made.live("puppet")
    reasons = []
    for _ in range(5):
        with pytest.raises(PeerUnavailable) as caught:
            live.client()
        reasons.append(str(caught.value))
    assert [("not tried again" in reason) for reason in reasons] == [False, False, False, True, True]


def test_large_captures_are_kept_only_where_they_matter(tmp_path: Path) -> None:
    write_puppet(tmp_path / "peers")
    made = Bench.make([tmp_path / "peers"], Wishes(), Deadlines(), 1, tmp_path)
    (tmp_path / "traces").mkdir()
    trace = Trace()
    assert made.save_trace(trace, "nothing", keep_large=True) is None
    connection = trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    trace.octets(connection, "dialer", bytes(2**20 + 1))
    assert made.save_trace(trace, "large/one", keep_large=False) is None
    name = made.save_trace(trace, "../large one", keep_large=True)
    assert name == "traces/large.one.pcapng"
    assert (tmp_path / name).stat().st_size > 2**20


def test_who_is_known_to_fail_is_waited_for_less_long(tmp_path: Path) -> None:
    own = write_puppet(tmp_path)
    (own / "known.toml").write_text(
        '[[known]]\ncase = "zmtp/a/*"\nparam = "x*"\nclause = "c"\nmessage = "m"\nreason = "r"\nlink = "l"\n'
    )
    made = bench(tmp_path, 3.0)
    assert made.patience(made.listed(Asked("zmtp/a/b", "xy", ["puppet"]))).scale == pytest.approx(1.0)
    assert made.patience(made.listed(Asked("zmtp/a/b", "y", ["puppet"]))).scale == 3.0
    assert not made.known["puppet"][0].cases_met
    made.known["puppet"][0].race = True
    assert made.patience(made.listed(Asked("zmtp/a/b", "xy", ["puppet"]))).scale == 3.0


def entry(*versions: str) -> Entry:
    return Entry("zmtp/a/*", "c", "m", "r", "l", versions=versions)


@pytest.mark.parametrize(
    ("versions", "listed"),
    [(["1"], True), (["1*"], True), (["2", "1"], True), (["2.*"], False), (["!1"], False), (["!2"], True)],
)
def test_an_entry_for_versions_is_there_for_them_alone(
    tmp_path: Path, versions: list[str], listed: bool
) -> None:
    write_puppet(tmp_path)
    made = bench(tmp_path, 1.0)
    made.known["puppet"] = [entry(*versions)]
    found = made.listed(Asked("zmtp/a/b", "", ["puppet"]))
    assert found == made.known["puppet"] * listed
    assert made.known_clauses("puppet") == ({"c"} if listed else set())
    made.stop()


def test_a_peer_is_started_for_its_version_only_where_that_matters(tmp_path: Path) -> None:
    write_puppet(tmp_path)
    made = bench(tmp_path, 1.0)
    made.known["puppet"] = [entry()]
    assert made.listed(Asked("zmtp/a/b", "", ["puppet"])) == [made.known["puppet"][0]]
    assert made.about("puppet")["version"] == ""
    made.known["puppet"] = [entry("2"), entry("1")]
    assert made.listed(Asked("zmtp/a/b", "", ["puppet"])) == [made.known["puppet"][1]]
    assert made.about("puppet")["version"] == "1"
    made.stop()


def test_a_peer_that_cannot_say_its_version_keeps_its_entries(tmp_path: Path) -> None:
    write_puppet(tmp_path, "die", "hello")
    made = bench(tmp_path)
    made.known["puppet"] = [entry("2")]
    assert made.listed(Asked("zmtp/a/b", "", ["puppet"])) == made.known["puppet"]


def test_of_two_peers_each_is_held_to_its_own_version(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_puppet(tmp_path, name=name)
    made = bench(tmp_path, 1.0)
    made.self_tests = False  # a puppet says its own name
    spoken = [Entry("interop/a/*", "c", "m", name, "l", versions=["1"]) for name in ("one", "two")]
    made.known |= {"one": [spoken[0]], "two": [dataclasses.replace(spoken[1], versions=["2"])]}
    assert made.listed(Asked("interop/a/b", "", ["one", "two"])) == [spoken[0]]
    made.stop()


@pytest.mark.parametrize("security", [False, True])
def test_behind_a_race_that_does_harm_the_peer_starts_anew(tmp_path: Path, security: bool) -> None:
    write_puppet(tmp_path)
    made = bench(tmp_path, 1.0)
    client = made.live("puppet").client()
    made.renew_after_race([Entry("c", "r", "m", "r", "l", race=True, security=security)])
    assert (made.live("puppet").client() is not client) is security
    made.stop()


@pytest.mark.parametrize(
    ("zmtp", "needs", "unclaimed"),
    [
        (["3.1"], ["PAIR"], None),
        (["3.0"], [], None),
        (["3.1"], ["PAIR", "REQ"], "REQ"),
        (["2.0"], ["PAIR"], "zmtp:3.0"),
        (["2.0"], ["zmtp:2.0", "PAIR"], None),
        (["3.1"], ["zmtp:2.0"], "zmtp:2.0"),
    ],
)
def test_a_case_is_for_peers_of_zmtp_3_unless_it_says_otherwise(
    tmp_path: Path, zmtp: list[str], needs: list[str], unclaimed: str | None
) -> None:
    write_puppet(tmp_path)
    made = bench(tmp_path)
    made.manifests["puppet"] = dataclasses.replace(made.manifests["puppet"], zmtp=frozenset(zmtp))
    assert made.unclaimed("puppet", needs) == unclaimed


def test_a_peer_stays_warm_where_the_next_pair_names_it_again(tmp_path: Path) -> None:
    manifests(tmp_path, "one", "two", "three")
    made = bench(tmp_path, 1.0)
    made.self_tests = False
    one, two = (live.client() for live in made.hold("one", "two"))
    assert made.hold("two", "three")[0].client() is two
    assert one.gone is not None
    again, beside = (live.client() for live in made.hold("two", "two"))
    assert again is two
    assert beside is not two
    made.stop()
    assert two.gone is not None


def test_wishes_choose_peers_or_pairs(tmp_path: Path) -> None:
    manifests(tmp_path, "one", "two", "three")

    def chosen(wishes: Wishes) -> tuple[list[str], list[str], list[str]]:
        made = Bench.make([tmp_path], wishes, Deadlines(), 1, None)
        return made.singles, list(map(str, made.pairs)), sorted(made.manifests)

    assert chosen(Wishes(pairs=["two:one"])) == ([], ["two:one"], ["one", "two"])
    assert chosen(Wishes(peers=["one"])) == (["one"], [], ["one"])
    assert chosen(Wishes(shard=(2, 2))) == (["three"], [], ["three"])
    assert chosen(Wishes(pairs=["*:*"], shard=(3, 3))) == ([], ["three:two"], ["three", "two"])


def test_who_stands_beside_a_peer_is_not_judged() -> None:
    made = Bench.make([PEERS], Wishes(["reference"]), Deadlines(), 1, None)
    assert (made.beside, made.judged) == (["pyzmq"], ["reference"])
    pairs = Wishes(pairs=["reference:pyzmq"])
    assert Bench.make([PEERS], pairs, Deadlines(), 1, None).judged == ["reference", "pyzmq"]


def test_pairs_of_which_one_cannot_run_are_refused_or_left_out(tmp_path: Path) -> None:
    manifests(tmp_path, "one", "two")
    own = write_puppet(tmp_path, name="gone")
    text = (own / "peer.toml").read_text()
    (own / "peer.toml").write_text(text.replace("[claims]", 'needs_programs = ["no-such-program"]\n[claims]'))
    with pytest.raises(SelectionError, match=r"--pair: gone: .*no-such-program"):
        Bench.make([tmp_path], Wishes(pairs=["gone:one"]), Deadlines(), 1, None)
    made = Bench.make([tmp_path], Wishes(pairs=["*:*"]), Deadlines(), 1, None)
    assert list(map(str, made.pairs)) == ["one:two"]
    assert "no-such-program" in made.unavailable["gone"]
