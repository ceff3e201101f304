"""`summary.md`: what a run found, short enough to stand below a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.report.markdown import code, table
from harness.report.model import Result, is_red
from harness.report.rates import rates
from harness.report.record import Record
from harness.verdict import Verdict

MOST_ROWS = 40
MOST_LINES = 20


def digest(record: Record) -> str:
    """The run in Markdown: its state, a table of who was judged, and what makes it red."""
    red = [result for result in record.results if is_red(result, record.strict)]
    parts = [f"### zconform: {state(record)}", _tables(record)]
    if red:
        parts.append(_few([_failure(result) for result in red], "failures"))
    if record.problems:
        parts.append(_few([f"- {code(problem)}" for problem in record.problems], "problems"))
    changing = [rate for rate in rates(record.results) if rate.changes]
    if changing:
        lines = [f"- {_who(rate.key[0])} {code(rate.name)}: {rate}" for rate in changing]
        parts.append("Came out differently when asked again:\n\n" + _few(lines, "items"))
    parts.append(f"{len(record.results)} verdicts, suite {code(record.version)}, seed {record.seed}")
    return "\n\n".join(parts) + "\n"


def state(record: Record) -> str:
    """The run in a few words: whether it is red, and whether something was left out."""
    is_bad = record.problems or any(is_red(result, record.strict) for result in record.results)
    whole = "" if record.complete else " (incomplete)" if record.ended else " (broken off, incomplete)"
    return ("red" if is_bad else "green") + whole


def _tables(record: Record) -> str:
    by_who: dict[tuple[str, ...], Counter[str]] = {}
    for result in record.results:
        by_who.setdefault(tuple(result.peers), Counter())[result.verdict] += 1
    shown = [verdict for verdict in Verdict if any(counts[verdict] for counts in by_who.values())]
    rows = [
        [_title(record, who), *(str(counts[verdict]) for verdict in shown)]
        for who, counts in sorted(by_who.items(), key=lambda each: (len(each[0]), each[0]))
    ]
    more = f"\n\n{len(rows) - MOST_ROWS} more rows" if len(rows) > MOST_ROWS else ""
    return table(["peer", *shown], rows[:MOST_ROWS]) + more


def _title(record: Record, who: Sequence[str]) -> str:
    return " with ".join(code(f"{name} {record.versions().get(name, '')}".strip()) for name in who)


def _who(peers: Iterable[str]) -> str:
    return " with ".join(map(code, peers))


def _failure(result: Result) -> str:
    blamed = f" ({code(result.blamed)})" if result.blamed else ""
    if result.verdict == Verdict.ERROR:
        return f"- ERROR {_who(result.peers)} {code(result.named())}: {code(result.reason)}"
    told = f"expected {code(result.expected)}, got {code(result.actual)}"
    return f"- {result.verdict} {_who(result.peers)} {code(result.named())}: {told}{blamed}"


def _few(lines: Sequence[str], what: str) -> str:
    more = [f"- {len(lines) - MOST_LINES} more {what}"] if len(lines) > MOST_LINES else []
    return "\n".join([*lines[:MOST_LINES], *more])
