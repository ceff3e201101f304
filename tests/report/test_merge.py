"""Several runs as one: what is put together, what is refused, and what goes along."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.report.merge import MergeError, merge
from harness.report.model import Result
from harness.report.record import FILE, LINES, Record, read_record, write_record
from tests.report.records import about, record, result


def stored(folder: Path, *results: Result, **changes: Any) -> Path:
    """A run's folder with results.json, a log of "p", and the captures that the results name."""
    (folder / "traces").mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "logs" / "p.log").write_text(f"{folder.name}\n")
    for each in results:
        if each.trace and ".." not in each.trace:
            (folder / each.trace).write_text(f"{folder.name} {each.id}")
    write_record(record(*results, **changes), folder)
    return folder


def merged(*folders: Path, into: Path) -> Record:
    assert main(["merge", *map(str, folders), "--into", str(into)]) == 0
    return read_record(into)


def refusal(*records: Record) -> str:
    for number, each in enumerate(records):
        each.source = Path(f"run{number}") / FILE
    with pytest.raises(MergeError) as caught:
        merge(records)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_shards_become_the_whole_with_all_its_files(tmp_path: Path) -> None:
    bad = result("a/b/d", "FAIL", trace="traces/p.pcapng")
    one = stored(tmp_path / "one", result("a/b/c"), bad, shard="1/2", problems=["x", "y"])
    later = "2026-01-02T03:04:15+00:00"
    two = stored(tmp_path / "two", result("a/b/c", peers=["q"]), shard="2/2", problems=["y"], started=later)
    whole = merged(one, two, into=tmp_path / "whole")
    assert [(each.peers, each.id) for each in whole.results] == [
        (["p"], "a/b/c"),
        (["p"], "a/b/d"),
        (["q"], "a/b/c"),
    ]
    assert (whole.complete, whole.ended, whole.shard, whole.problems) == (True, True, None, ["x", "y"])
    assert (whole.started, whole.duration_s) == ("2026-01-02T03:04:05+00:00", 11.5)
    assert [part["shard"] for part in whole.merged] == ["1/2", "2/2"]
    names = {path.relative_to(tmp_path / "whole").as_posix() for path in (tmp_path / "whole").rglob("*.*")}
    assert names == {
        "index.html", "junit.xml", "results.json", "results.jsonl", "summary.md",
        "badges/p.svg", "badges/q.svg", "logs/p.log", "traces/p.pcapng",
    }  # fmt: skip
    assert (tmp_path / "whole" / "traces" / "p.pcapng").read_text() == "one a/b/d"
    assert (tmp_path / "whole" / "logs" / "p.log").read_text() == "one\ntwo\n"
    assert len(list(ET.parse(tmp_path / "whole" / "junit.xml").iter("testcase"))) == 3
    lines = read_record(tmp_path / "whole" / LINES)
    assert lines.as_json() == whole.as_json()


def test_merging_again_replaces_what_was_there(tmp_path: Path) -> None:
    one = stored(tmp_path / "one", result("a/b/d", "FAIL", trace="traces/p.pcapng"))
    two = stored(tmp_path / "two", result("a/b/c", peers=["q"]))
    merged(one, into=tmp_path / "whole")
    assert merged(two, into=tmp_path / "whole").results == [result("a/b/c", peers=["q"])]
    assert list((tmp_path / "whole" / "traces").iterdir()) == []
    assert (tmp_path / "whole" / "logs" / "p.log").read_text() == "two\n"


def test_what_was_merged_can_be_merged_with_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [stored(tmp_path / f"{k}", result(peers=[f"p{k}"]), shard=f"{k}/3") for k in (1, 2, 3)]
    first = merged(*parts[:2], into=tmp_path / "first")
    told = "zconform merge: shard: 3/3 missing, so the whole is incomplete\n"
    assert (first.complete, capsys.readouterr().err) == (False, told)
    whole = merged(tmp_path / "first", parts[2], into=tmp_path / "whole")
    assert (whole.complete, len(whole.merged), capsys.readouterr().err) == (True, 3, "")


@pytest.mark.parametrize(("complete", "ended"), [(False, True), (False, False)])
def test_a_part_that_is_not_whole_makes_the_whole_so(complete: bool, ended: bool) -> None:
    made = merge([record(result()), record(result("a/b/c"), complete=complete, ended=ended)]).record
    assert (made.complete, made.ended) == (complete, ended)


def test_a_killed_run_is_merged_from_its_lines(tmp_path: Path) -> None:
    whole = merged(stored(tmp_path / "one", result(), complete=False, ended=False), into=tmp_path / "w")
    (tmp_path / "w" / FILE).unlink()
    (tmp_path / "w" / LINES).write_text(
        "".join((tmp_path / "w" / LINES).read_text().splitlines(keepends=True)[:-1])
    )
    again = merged(tmp_path / "w", into=tmp_path / "again")
    assert (again.results, again.complete, again.ended) == (whole.results, False, False)


def test_other_suites_other_strictness_and_other_versions_are_refused() -> None:
    told = refusal(record(result()), record(result(), version="0.2.0"))
    assert told == "suite.version: '0.1.0' in run0/results.json, '0.2.0' in run1/results.json"
    told = refusal(record(result()), record(result(), strict=True))
    assert told == "strict: False in run0/results.json, True in run1/results.json"
    told = refusal(record(result()), record(result(), peers={"p": about("p", "2.0")}))
    assert told == "peers: p: version: '1.0' in run0/results.json, '2.0' in run1/results.json"


def test_a_peer_that_never_started_in_one_run_has_its_version_from_another() -> None:
    made = merge([record(result(), peers={"p": about("p", "")}), record(result("a/b/c"))]).record
    assert made.peers["p"]["version"] == "1.0"


def test_other_seeds_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = stored(tmp_path / "1", result()), stored(tmp_path / "2", result("a/b/c"), seed=5)
    assert merged(one, two, into=tmp_path / "whole").seed == 1
    told = (
        f"zconform merge: seed: not the same everywhere: 1 in {one}/results.json, 5 in {two}/results.json\n"
    )
    assert capsys.readouterr().err == told


def test_an_item_judged_twice_stands_once_unless_it_came_out_differently() -> None:
    made = merge([record(result(), result("a/b/c")), record(result(duration_s=9.0))]).record
    assert [(each.id, each.duration_s) for each in made.results] == [
        ("zmtp/sample/rule", 0.0),
        ("a/b/c", 0.0),
    ]
    told = refusal(record(result(param="x")), record(result("a/b/c"), result(verdict="FAIL", param="x")))
    assert told == "p zmtp/sample/rule[x]: PASS in run0/results.json, FAIL in run1/results.json"


def test_repetitions_stay_together() -> None:
    often = [result(), result(verdict="FAIL"), result()]
    assert merge([record(*often), record(*often[::-1])]).record.results == often
    told = refusal(record(*often), record(result()))
    assert told == "p zmtp/sample/rule: FAIL and PASS in run0/results.json, PASS in run1/results.json"


def test_paths_that_lead_out_of_a_report_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    results = [
        result("a/b/c", "FAIL", trace="../secret"),
        result("a/b/d", "FAIL", trace="traces/../../secret"),
        result("a/b/e", "FAIL", trace="traces/gone.pcapng", script="gone.py"),
    ]
    folder = stored(tmp_path / "one", *results[:2])
    write_record(record(*results), folder)
    whole = merged(folder, into=tmp_path / "whole")
    assert [(each.trace, each.script) for each in whole.results] == [(None, "")] * 3
    assert "secret" not in [path.name for path in (tmp_path / "whole").rglob("*")]


def test_a_script_is_found_from_the_new_place(tmp_path: Path) -> None:
    (tmp_path / "repro").mkdir()
    (tmp_path / "repro" / "x.py").write_text("")
    folder = stored(tmp_path / "a" / "one", result(verdict="FAIL", script="../../repro/x.py"))
    whole = merged(folder, into=tmp_path / "whole")
    assert whole.results[0].script == "../repro/x.py"


@pytest.mark.parametrize("into", ["one", "one/", "two/../one"])
def test_nothing_that_is_merged_is_overwritten(
    tmp_path: Path, into: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = stored(tmp_path / "one", result()), stored(tmp_path / "two", result("a/b/c"))
    before = (one / FILE).read_text()
    assert main(["merge", str(one / FILE), str(two), "--into", str(tmp_path / into)]) == 2
    assert "holds results that are merged" in capsys.readouterr().err
    assert (one / FILE).read_text() == before


def test_what_cannot_be_read_or_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = stored(tmp_path / "one", result())
    (tmp_path / "file").write_text("")
    assert main(["merge", str(one), str(tmp_path / "absent"), "--into", str(tmp_path / "w")]) == 2
    assert main(["merge", str(one), "--into", str(tmp_path / "file")]) == 2
    assert main(["merge", "--into", str(tmp_path / "w")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert not (tmp_path / "w").exists()


def test_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = stored(tmp_path / "one", result(), shard="1/2")
    assert main(["merge", str(one), "--into", str(tmp_path / "w"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["remarks"] == ["shard: 2/2 missing, so the whole is incomplete"]
    assert (told["counts"], told["complete"], told["peers"]) == ({"PASS": 1}, False, ["p"])
