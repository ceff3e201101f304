"""Traces as files: nothing is lost, and damage is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.wire.trace import ApiCall, Closed, Note, Octets, Opened, Record, Trace
from harness.wire.tracefile import DamagedTrace, load, save

times = st.floats(0, 1e6)
texts = st.text(max_size=8)
numbers = st.integers(1, 5)
senders = st.sampled_from(["dialer", "listener"])
addresses = st.tuples(texts, st.integers(0, 65535))
leaves = st.none() | st.booleans() | st.integers() | texts | st.binary(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.sampled_from(["$octets", "$tuple", "$"]), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = st.dictionaries(texts, values, max_size=3)
records = st.lists(
    st.builds(Opened, times, numbers, addresses, addresses, texts)
    | st.builds(Octets, times, numbers, senders, st.binary())
    | st.builds(Closed, times, numbers, senders, st.sampled_from(["fin", "rst"]))
    | st.builds(ApiCall, times, texts, texts, fields, st.none() | fields, times)
    | st.builds(Note, times, texts)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(records, times)
def test_round_trip(tmp_path: Path, content: list[Record], epoch_s: float) -> None:
    path = tmp_path / "trace.jsonl"
    save(Trace.of(content, epoch_s), path)
    again = load(path)
    assert again.records == content
    assert [type(record) for record in again.records] == [type(record) for record in content]
    assert again.epoch_s == epoch_s


def sample(path: Path) -> list[str]:
    trace = Trace()
    number = trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    trace.octets(number, "dialer", b"abc")
    trace.called("peer", "send", {"parts": [b"a"]}, None, 0.0)
    save(trace, path)
    return path.read_text().splitlines()


def test_recording_goes_on_after_loading(tmp_path: Path) -> None:
    path = tmp_path / "t"
    sample(path)
    trace = load(path)
    last_s = max(record.at_s for record in trace.records)
    assert trace.opened(("a", 1), ("b", 2)) == 2
    assert trace.records[-1].at_s >= last_s


DAMAGE: dict[str, tuple[int, Callable[[str], str], str]] = {
    "half a line": (2, lambda line: line[: len(line) // 2], "not JSON"),
    "no object": (2, lambda _: "[]", "not an object"),
    "no kind": (2, lambda _: "{}", "'kind' is missing"),
    "kind": (2, lambda _: '{"kind": "x"}', "unknown kind 'x'"),
    "sender": (3, lambda line: line.replace("dialer", "nobody"), "'nobody' is none of"),
    "base64": (3, lambda line: line.replace("YWJj", "YWJ!"), "octets are not base64"),
    "time": (3, lambda line: line.replace('"at_s": ', '"at_s": null, "x": '), "None is no time"),
    "number": (3, lambda line: line.replace('"connection": 1', '"connection": "1"'), "no whole number"),
    "address": (2, lambda line: line.replace('"127.0.0.1", 1', '"127.0.0.1"'), "is no address"),
    "request": (4, lambda line: line.replace('"request": {', '"request": 1, "x": {'), "is no object"),
    "format": (1, lambda _: '{"format": "other"}', "not a trace of zconform"),
    "version": (1, lambda line: line.replace('"version": 1', '"version": 2'), "version 2, not 1"),
    "binary": (2, lambda _: "\0", "not JSON"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named_in_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "trace.jsonl"
    lines = sample(path)
    number, change, what = DAMAGE[kind]
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DamagedTrace) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}, line {number}: ")
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lost_lines_and_empty_files(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    lines = sample(path)
    path.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(DamagedTrace, match="2 records, not 3"):
        load(path)
    path.write_text("")
    with pytest.raises(DamagedTrace, match="empty"):
        load(path)
    assert json.loads(lines[0])["records"] == 3


def test_what_is_taken_over_belongs_to_its_connection() -> None:
    first, second = Trace(), Trace()
    for number, octets in ((1, b"one"), (2, b"two")):
        first.octets(number, "dialer", octets)
    first.closed(2, "listener", "rst")
    second.extend(first.records)
    assert (second.stream(1, "dialer"), second.stream(2, "dialer")) == (b"one", b"two")
    assert [closed.how for closed in second.closings(2)] == ["rst"]
    assert second.wire(2, 1) == first.wire(2)[1:]
