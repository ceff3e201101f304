"""Stored results: the two forms have the same values, and what cannot be used is named in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.report.record import LINES, InvalidRecord, RecordError, line, read_record, write_record
from harness.report.run import Run
from tests.report.records import about, record, result

RESULTS = [result("a/b/c", "PASS"), result("a/b/d", "FAIL", param="x"), result("a/b/e", "KNOWN")]


@contextmanager
def going(folder: Path) -> Iterator[Run]:
    """A run that has taken RESULTS and is not over."""
    with closing(Run("0.1.0", 7, False, folder)) as run:
        run.prepare()
        for each in RESULTS:
            run.add(each, [about("p")])
        yield run


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    made = record(*RESULTS, shard="1/2", problems=["x"], strict=True)
    read = read_record(write_record(made, tmp_path))
    assert read.as_json() == made.as_json()
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_run_that_goes_is_readable_at_any_moment(tmp_path: Path) -> None:
    with going(tmp_path) as run:
        read = read_record(tmp_path)
        assert read.results == RESULTS
        assert (read.complete, read.ended, read.seed) == (False, False, 7)
        assert read.peers == {"p": about("p")}
        run.finish(whole=True)
    assert read_record(tmp_path / LINES).as_json() == read_record(tmp_path).as_json()
    assert read_record(tmp_path).complete


def test_a_torn_last_line_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / LINES
    with going(tmp_path):
        whole = path.read_bytes()
    for cut in range(len(whole) - 2, whole.rindex(b"\n", 0, -1), -7):
        path.write_bytes(whole[:cut])
        assert read_record(path).results == RESULTS[:-1]


def test_before_the_first_verdict_there_is_a_record_already(tmp_path: Path) -> None:
    with closing(Run("0.1.0", 7, False, tmp_path)) as run:
        run.prepare()
    assert read_record(tmp_path).results == []


def test_a_worker_that_does_not_know_the_version_yet_does_not_hide_it(tmp_path: Path) -> None:
    with going(tmp_path) as run:
        run.add(result("a/b/f", "UNSUPPORTED"), [about("p", version="")])
    assert run.peers["p"]["version"] == "1.0"


def test_the_parts_that_a_reader_may_miss_are_not_required(tmp_path: Path) -> None:
    data = record(result("a/b/c", "KNOWN")).as_json()
    for name in ("ended", "shard"):
        del data[name]
    del data["results"][0]["found"]
    (tmp_path / "results.json").write_text(json.dumps(data))
    read = read_record(tmp_path)
    assert read.ended
    assert read.results[0].came_out == "FAIL"


def changed(**changes: Any) -> str:
    return json.dumps(record(*RESULTS).as_json() | changes)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("r.json", "{", "r.json: no JSON"),
        ("r.json", "[]", "r.json: the whole file: [] is not of type 'object'"),
        ("r.json", "[" * 100_000, "r.json: no JSON"),
        ("r.json", changed(schema=2), "r.json: schema: 2 is not the one that this suite reads, 1"),
        ("r.json", changed(seed="x"), "r.json: seed: 'x' is not of type 'integer'"),
        ("r.json", changed(more=1), "r.json: more: no such field"),
        ("r.json", changed(results=[{}]), "r.json: results[0].id: missing"),
        (
            "r.json",
            changed(results=[result().as_json() | {"verdict": "MAYBE"}]),
            "r.json: results[0].verdict: 'MAYBE' is not one of",
        ),
        ("r.jsonl", "{}\n", "r.jsonl:1: not one of run, peer, result, end"),
        ("r.jsonl", line("peer", about("p")) + "x\n", "r.jsonl:2: no JSON"),
        ("r.jsonl", line("peer", about("p")), "r.jsonl: schema: missing"),
        ("r.jsonl", '{"result": 1}\n', "r.jsonl:1: not one of"),
    ],
)
def test_what_breaks_the_schema_is_named_in_one_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidRecord) as caught:
        read_record(tmp_path / name)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(b"\xff")
    for path, says in (
        (tmp_path / "absent.json", "No such file"),
        (tmp_path / "r.json", "utf-8"),
        (tmp_path, "neither results.json nor results.jsonl is there"),
    ):
        with pytest.raises(RecordError, match=says) as caught:
            read_record(path)
        assert "\n" not in str(caught.value)
