"""Runs read again: whole ones, killed ones, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.report.html import RunError, read_run
from harness.report.record import line
from tests.report.html.runs import document, result, write


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    results = [result("PASS"), result("FAIL", param="other")]
    run = read_run(write(tmp_path, results, problems=["an entry"]))
    assert run.results == results
    assert (run.complete, run.ended, run.seed, run.version, run.problems) == (
        True,
        True,
        5,
        "9",
        ["an entry"],
    )
    assert run.peers["libone"]["library"] == "LIBONE"


def line_of(kind: tuple[str, Any]) -> str:
    return line(*kind)


def test_a_killed_run_is_read_as_far_as_it_came(tmp_path: Path) -> None:
    data = document([])
    head = {"schema": 1, **{name: data[name] for name in ("suite", "started", "seed", "strict")}}
    kinds = [("run", head), *(("peer", about) for about in data["peers"])]
    kinds += [("result", one.as_json()) for one in (result("PASS"), result("FAIL", param="other"))]
    (tmp_path / "results.jsonl").write_text("".join(map(line_of, kinds)) + '{"result": {"id": "zmtp/to')
    run = read_run(tmp_path)
    assert [one.verdict for one in run.results] == ["PASS", "FAIL"]
    assert (run.complete, run.ended, run.seed) == (False, False, data["seed"])
    assert list(run.peers) == ["libone"]


def test_fields_of_older_and_newer_runs_do_no_harm(tmp_path: Path) -> None:
    data = document([result("PASS")])
    for name in ("cast", "place", "script", "found"):
        del data["results"][0][name]
    data["results"][0]["unheard-of"] = "PASS"
    (tmp_path / "results.json").write_text(json.dumps(data))
    assert read_run(tmp_path / "results.json").results == [result("PASS")]


def spoiled(**change: Any) -> str:
    data = document([result("PASS")])
    for name, value in change.items():
        where, _, field = name.rpartition("__")
        target = data["results"][0] if where else data
        if value is None:
            del target[field]
        else:
            target[field] = value
    return json.dumps(data)


BAD = {
    "no JSON": "{",
    "schema": spoiled(schema=2),
    "suite.version": spoiled(suite={}),
    "results: missing": spoiled(results=None),
    "peers[0].name": spoiled(peers=[{}]),
    "results[0]: no object": spoiled(results=[1]),
    "results[0].id: missing": spoiled(result__id=None),
    "results[0].id: 'x' is none": spoiled(result__id="x"),
    "results[0].verdict: 'GOOD'": spoiled(result__verdict="GOOD"),
    "results[0].peers: []": spoiled(result__peers=[]),
    "results[0].notes: list": spoiled(result__notes=[1]),
    "results[0].cast: dict": spoiled(result__cast={"a": 1}),
    "results[0].actual: int": spoiled(result__actual=7),
    "results[0].place: list": spoiled(result__place=[]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_told_in_one_line(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text(BAD[what])
    with pytest.raises(RunError) as caught:
        read_run(tmp_path)
    assert what in str(caught.value)
    assert main(["report", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"zconform report: {tmp_path}/results.json: ")
    assert told.count("\n") == 1
    assert not (tmp_path / "index.html").exists()


def test_no_run_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert main(["report", str(tmp_path / "none")]) == 2
    assert "neither results.json nor results.jsonl" in capsys.readouterr().err


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write(tmp_path / "old", [result("PASS")]), write(tmp_path / "new", [result("FAIL")])
    assert main(["report", str(new), "--against", str(old)]) == 0
    assert capsys.readouterr().out == f"{new}/index.html: 1 results of 1 peers\n"
    assert '"counts":[1,0,0,0,0,0,0]' in (new / "index.html").read_text("utf-8")
