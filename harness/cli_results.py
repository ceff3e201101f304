"""What `zconform` does with the results of runs that are over: validate, gate, merge, diff.

RESULTS is a `results.json`, a `results.jsonl` (what a killed run leaves), or a report's folder. Exit status 2
says that a file could not be used; one line on stderr names it and the field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from harness.bench import PEERS
from harness.console import as_json_option, complain, peers_dir_option, refused, say, say_json
from harness.expect import Expected, parse_expected, with_expected
from harness.gate import Lists, UpdateError, judge_run, markdown, text, update
from harness.gate import as_json as gate_json
from harness.known import FILE_NAME, KnownError, load_known, today_utc
from harness.manifest import ManifestError, load_manifests
from harness.report.changes import as_json as diff_json
from harness.report.changes import as_text as diff_text
from harness.report.changes import diff as changes_of
from harness.report.merge import MergeError, write_merged
from harness.report.merge import merge as put_together
from harness.report.record import InvalidRecord, Record, RecordError, read_record

FILE = click.Path(path_type=Path)
EXPECT = "known deviations of one's own peer, before those of its known.toml (repeatable)"


@click.command(help="Say whether a file is what the schema of results says.")
@click.argument("results", type=FILE, metavar="RESULTS")
@as_json_option()
def validate(results: Path, as_json: bool) -> int:
    """0 where the file keeps to the schema, 1 where it breaks it, 2 where it cannot be read."""
    try:
        record = read_record(results)
    except InvalidRecord as error:
        return refused(error, 1)
    except RecordError as error:
        return refused(error)
    if as_json:
        say_json({"source": str(record.source)} | _summary(record))
    else:
        say(f"{record.source}: valid: {_described(record)}")
    return 0


@click.command(help="Hold results against lists, dates and an earlier run.")
@click.argument("results", type=FILE, metavar="RESULTS")
@click.option("--baseline", type=FILE, metavar="RESULTS", help="what it judged has to be judged still")
@click.option("--expect", multiple=True, metavar="[PEER=]FILE", help=EXPECT)
@peers_dir_option
@click.option("--update", "rewrite", is_flag=True, help="write what is red for a list into --expect FILE")
@click.option("--markdown", "summary", type=FILE, metavar="FILE", help="write the summary as Markdown, too")
@as_json_option()
def gate(
    results: Path,
    baseline: Path | None,
    expect: Sequence[str],
    peers_dirs: Sequence[Path],
    rewrite: bool,
    summary: Path | None,
    as_json: bool,
) -> int:
    """0 where nothing is unexpected, 1 where something is, 2 where a file or an option cannot be used."""
    try:
        if rewrite and not expect:
            raise UpdateError("--update: say which file it is to write: --expect FILE")
        record = read_record(results)
        earlier = read_record(baseline) if baseline is not None else None
        expected = parse_expected(expect, sorted(record.peers), _judged(record))
        made = judge_run(record, _lists(record, expected, peers_dirs, rewrite), today_utc(), earlier)
        if rewrite:
            for peer, file in expected:
                click.echo(f"{file}: {update(made, peer, file)} changes", err=True)
            made = judge_run(record, _lists(record, expected, peers_dirs, rewrite), today_utc(), earlier)
        if summary is not None:
            summary.write_text(markdown(made), encoding="utf-8")
    except (RecordError, ManifestError, KnownError, UpdateError, OSError) as error:
        return refused(error)
    if as_json:
        say_json(gate_json(made))
    else:
        say(text(made).removesuffix("\n"))
    return 1 if made.red else 0


@click.command(help="Make one run of several runs' results, such as those of shards.")
@click.argument("results", nargs=-1, required=True, type=FILE, metavar="RESULTS...")
@click.option("--into", required=True, type=FILE, metavar="FOLDER", help="where the whole is written")
@as_json_option()
def merge(results: Sequence[Path], into: Path, as_json: bool) -> int:
    """0 where one run came of them, 2 where they do not go together, or cannot be used."""
    try:
        merged = put_together([read_record(path) for path in results])
        write_merged(merged, into)
    except (RecordError, MergeError) as error:
        return refused(error)
    except OSError as error:
        return refused(f"--into {into}: {error}")
    for remark in merged.remarks:
        complain(remark)
    if as_json:
        say_json(_summary(merged.record) | {"into": str(into), "remarks": merged.remarks})
    else:
        say(f"{into}: {_described(merged.record)}, of {len(results)} runs")
    return 0


@click.command(help="Tell what changed from one run to another.")
@click.argument("old", type=FILE, metavar="OLD")
@click.argument("new", type=FILE, metavar="NEW")
@as_json_option()
def diff(old: Path, new: Path, as_json: bool) -> int:
    """0 where nothing is worse, 1 where something is (see WORSE), 2 where a file cannot be used."""
    try:
        made = changes_of(read_record(old), read_record(new))
    except RecordError as error:
        return refused(error)
    if as_json:
        say_json(diff_json(made))
    else:
        for line in diff_text(made):
            say(line)
    return 1 if made.is_worse else 0


def _lists(record: Record, expected: Sequence[Expected], peers_dirs: Sequence[Path], rewrite: bool) -> Lists:
    """What is listed for the peers of a run today. Raises ManifestError or KnownError."""
    found = load_manifests([PEERS, *peers_dirs])
    folders = {name: found[name].folder for name in record.peers if name in found}
    for name in sorted(set(record.peers) - set(folders) - {each.peer for each in expected}):
        complain(f"{name}: no such folder (--peers-dir), so its list is not known")
    known = {name: load_known(folder) for name, folder in folders.items()}
    there = [each for each in expected if each.file.exists() or not rewrite]
    files = {name: folder / FILE_NAME for name, folder in folders.items()}
    files |= {each.peer: each.file for each in expected}
    return Lists(with_expected(known, there), files, [each.peer for each in expected])


def _judged(record: Record) -> list[str]:
    """Who a run is about: where scenarios were played, those who only took part in them are not judged."""
    asked = {name for result in record.results if not result.cast for name in result.peers}
    return sorted(asked or record.peers)


def _summary(record: Record) -> dict[str, object]:
    counts = Counter(result.verdict for result in record.results)
    state = {"complete": record.complete, "ended": record.ended}
    return {**state, "counts": counts, "peers": sorted(record.peers)}


def _described(record: Record) -> str:
    verdicts = Counter(result.verdict for result in record.results)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    whole = "complete" if record.complete else "incomplete" if record.ended else "broken off, incomplete"
    return f"{len(record.results)} results of {len(record.peers)} peers, {whole}" + (
        f": {counts}" * bool(counts)
    )
