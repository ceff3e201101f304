"""Which pairs a run asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.manifest import Manifest
from harness.pairs import (
    Pair,
    PairError,
    default_pairs,
    matching_pairs,
    parse_shard,
    seen_from_second,
    shard_of,
    unclaimed_by_pair,
)

NAMES = ["one", "other", "two"]


def manifest(name: str, library: str, *, zmtp: tuple[str, ...] = ("3.1",), options: str = "") -> Manifest:
    return Manifest(
        name, library, "C", "https://example.org/", Path(), ("x",), zmtp=frozenset(zmtp),
        sockets=frozenset({"PUB", "SUB"}), options=frozenset(options.split()),
    )  # fmt: skip


def manifests(**libraries: str) -> dict[str, Manifest]:
    named = {name.replace("_", "-").replace("v", "."): library for name, library in libraries.items()}
    return {name: manifest(name, library) for name, library in named.items()}


@pytest.mark.parametrize(
    ("wishes", "pairs"),
    [
        (["one:two"], ["one:two"]),
        (["two:one"], ["two:one"]),
        (["one:two", "two:one", "one:two"], ["one:two", "two:one"]),
        (["one:one"], ["one:one"]),
        (["*:*"], ["one:other", "one:two", "other:two"]),
        (["o*:*"], ["one:other", "one:two", "other:two"]),
        (["*:one"], ["other:one", "two:one"]),
        (["two:o*", "*:*"], ["two:one", "two:other", "one:other"]),
    ],
)
def test_wishes_name_pairs(wishes: list[str], pairs: list[str]) -> None:
    assert [str(pair) for pair in matching_pairs(wishes, NAMES)] == pairs


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("one", "--pair: 'one' is not FIRST:SECOND"),
        ("one:", "--pair: 'one:' is not FIRST:SECOND"),
        ("one:two:other", "is not FIRST:SECOND"),
        ("one:three", "--pair: one:three: no peer is called 'three'"),
        ("three:one", "no peer is called 'three'"),
        ("one:on?", "no two different peers"),
    ],
)
def test_a_wish_that_names_no_pair_is_refused(wish: str, says: str) -> None:
    with pytest.raises(PairError, match=says):
        matching_pairs([wish], NAMES)


def test_by_default_a_star_around_libzmq_and_each_two_implementations() -> None:
    found = manifests(
        pyzmq="libzmq", cppzmq="libzmq", libzmq_4v3v5="libzmq", libzmq_4v1v6="libzmq", omq="omq",
        jero="JeroMQ", jero_0v3="JeroMQ",
    )  # fmt: skip
    assert [str(pair) for pair in default_pairs(found, found)] == [
        "pyzmq:jero", "pyzmq:omq", "pyzmq:libzmq-4.1.6", "jero:omq",
    ]  # fmt: skip


def test_a_peer_without_version_is_newer_than_old_ones_that_claim_less() -> None:
    found = manifests(pyzmq="libzmq", jero="JeroMQ")
    found["jero-0.3"] = manifest("jero-0.3", "JeroMQ", zmtp=("2.0",))
    assert [str(pair) for pair in default_pairs(found, found)] == ["pyzmq:jero", "pyzmq:jero-0.3"]


def test_an_old_version_stands_for_its_library_where_no_other_can_run() -> None:
    found = manifests(pyzmq="libzmq", libzmq_4v3v5="libzmq", libzmq_4v1v6="libzmq", omq="omq")
    available = {name: one for name, one in found.items() if name in ("libzmq-4.1.6", "omq")}
    assert [str(pair) for pair in default_pairs(found, available)] == ["libzmq-4.1.6:omq"]


def test_without_libzmq_the_others_meet() -> None:
    found = manifests(omq="omq", jero="JeroMQ", netmq="NetMQ")
    assert len(default_pairs(found, found)) == 3
    assert default_pairs({"omq": found["omq"]}, {"omq": found["omq"]}) == []


def test_shards_are_a_partition() -> None:
    things = list(range(7))
    parts = [shard_of(things, (k, 3)) for k in (1, 2, 3)]
    assert parts == [[0, 3, 6], [1, 4], [2, 5]]
    assert shard_of(things, None) == things
    assert parse_shard("2/3") == (2, 3)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3"])
def test_a_malformed_shard_is_refused(text: str) -> None:
    with pytest.raises(PairError, match=r"--shard: .* is not k/n"):
        parse_shard(text)


@pytest.mark.parametrize(
    ("needs", "says"),
    [
        (["first:PUB", "second:SUB"], None),
        (["first:option:identity"], None),
        (["second:option:identity"], "two does not claim option:identity"),
        (["option:identity"], "two does not claim option:identity"),
        (["first:REQ"], "one does not claim REQ"),
        (["zmtp>=3.1"], None),
    ],
)
def test_needs_are_of_one_side_or_of_both(needs: list[str], says: str | None) -> None:
    found = {"one": manifest("one", "a", options="identity"), "two": manifest("two", "b")}
    assert unclaimed_by_pair(Pair("one", "two"), found, needs) == says


def test_a_pair_needs_a_version_in_common() -> None:
    found = {"one": manifest("one", "a", zmtp=("3.0", "3.1")), "two": manifest("two", "b", zmtp=("1.0",))}
    says = unclaimed_by_pair(Pair("one", "two"), found, [])
    assert says == "no version of ZMTP in common: one claims 3.0, 3.1; two claims 1.0"


def test_a_case_may_need_a_newer_version_in_common() -> None:
    old = manifest("old", "a", zmtp=("1.0", "2.0"))
    found = {"old": old, "new": manifest("new", "b", zmtp=("1.0", "2.0", "3.0"))}
    pair = Pair("old", "new")
    assert unclaimed_by_pair(pair, found, ["zmtp>=2.0"]) is None
    assert unclaimed_by_pair(pair, found, ["zmtp>=3.0"]) == "no higher version of ZMTP in common than 2.0"


@pytest.mark.parametrize(
    ("param", "seen"),
    [
        ("PUB-SUB-first-binds", "SUB-PUB-second-binds"),
        ("first-pings-PAIR-PAIR-second-binds-rst", "second-pings-PAIR-PAIR-first-binds-rst"),
        ("", ""),
    ],
)
def test_a_parameter_can_be_seen_from_the_other_side(param: str, seen: str) -> None:
    assert seen_from_second(param) == seen
    assert seen_from_second(seen) == param
