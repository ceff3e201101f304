"""Verdicts for a terminal: the failure as a bug report, and the table of peers and families."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness.clauses import Ledger
from harness.report.model import Result
from harness.report.secrecy import KEPT_OUT
from harness.verdict import Place, Verdict
from harness.wire.render import render_trace
from harness.wire.trace import Trace

COLUMNS = 160
"""How wide a table is made where nobody knows how wide the terminal is."""
_MARKS = {
    Verdict.FAIL: "FAIL",
    Verdict.ERROR: "ERR",
    Verdict.NON_STRICT: "ns",
    Verdict.KNOWN: "known",
}


def failure_text(
    result: Result,
    ledger: Ledger,
    trace: Trace | None,
    place: Place | None,
    peer_title: str,
    script: str = "",
) -> str:
    """What a maintainer needs: rule, clause, expected, actual, wire, capture, and how to see it again.

    Without a trace the conversation is kept out. `script` is the path of the stand-alone script, if any.
    """
    lines = [f"{result.verdict}  {result.named()}   {peer_title}", f"  {result.rule}"]
    if result.blamed:
        clause = ledger.get(result.blamed)
        lines.append(f"  {clause.spec}, {clause.where} [{clause.id}] {clause.level}")
    lines += [f"  {label:<9} {printable(text)}" for label, text in _fields(result) if text]
    wire = render_trace(trace, place) if trace is not None else ""
    if trace is None:
        lines.append(f"  wire      {KEPT_OUT}")
    elif wire:
        lines.append(f"  wire      {result.trace or ''}".rstrip())
        lines += [f"    {line}" for line in wire.splitlines()]
    if script:
        lines.append(f"  script    {printable(script)}")
    lines.append(f"  again     {result.again}")
    return "\n".join(lines)


def printable(text: str) -> str:
    """One line that a terminal can take: control characters, whoever sent them, as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _fields(result: Result) -> list[tuple[str, str]]:
    notes = "; ".join(result.notes)
    return [
        ("expected", result.expected),
        ("actual", result.actual),
        ("reason", result.reason),
        ("link", result.link),
        ("seen", notes),
    ]


def summary(results: Iterable[Result], columns: int = COLUMNS) -> str:
    """The table of the peers that were judged alone or in roles, and the matrix of those in pairs.

    No line is longer than `columns`, if one peer fits in it.
    """
    results = list(results)
    alone = [result for result in results if not result.is_of_pair]
    paired = [result for result in results if result.is_of_pair]
    tables = [summary_table(alone, columns)] if alone else []
    return "\n\n".join([*tables, *([pair_matrix(paired, columns)] if paired else [])])


def pair_matrix(results: Iterable[Result], columns: int = COLUMNS) -> str:
    """First peers down, second peers across: passed of judged, and what is not a pass by name."""
    by_pair: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_pair.setdefault((result.peers[0], result.peers[1]), []).append(result)
    firsts, seconds = (sorted({pair[side] for pair in by_pair}) for side in (0, 1))
    return _table(firsts, seconds, {pair: _verdicts(mine) for pair, mine in by_pair.items()}, columns)


def summary_table(results: Iterable[Result], columns: int = COLUMNS) -> str:
    """Peers across, families down: passed of judged, and what is not a pass by name."""
    by_cell: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        for peer in result.peers:
            by_cell.setdefault((result.family, peer), []).append(result)
            by_cell.setdefault(("total", peer), []).append(result)
    peers = sorted({peer for _, peer in by_cell})
    families = sorted({family for family, _ in by_cell} - {"total"})
    cells = {
        (family, peer): _verdicts(by_cell.get((family, peer), []))
        for family in [*families, "total"]
        for peer in peers
    }
    return _table([*families, "total"], peers, cells, columns)


def _table(downs: list[str], acrosses: list[str], cells: dict[tuple[str, str], str], columns: int) -> str:
    """One below the other as many tables as it takes for `columns`. Where a table says nothing of a row, the
    row is left out."""
    left = max(map(len, downs))
    width = {name: max([len(name), *(len(cells.get((d, name), "")) for d in downs)]) for name in acrosses}
    groups: list[list[str]] = [[]]
    for name in acrosses:
        if groups[-1] and left + sum(2 + width[n] for n in [*groups[-1], name]) > columns:
            groups.append([])
        groups[-1].append(name)
    blocks = []
    for group in groups:
        lines = [" " * left + "".join(f"  {name:<{width[name]}}" for name in group)]
        for down in downs:
            row = [cells.get((down, name), "") for name in group]
            if len(groups) == 1 or set(row) - {"", "-"}:
                texts = (f"  {cell:<{width[name]}}" for cell, name in zip(row, group, strict=True))
                lines.append(f"{down:<{left}}{''.join(texts)}")
        blocks.append("\n".join(line.rstrip() for line in lines))
    return "\n\n".join(blocks)


def _verdicts(mine: list[Result]) -> str:
    """Such as "14/16 known 2", or "-" where nothing of it could be judged."""
    counts = Counter(Verdict(r.verdict) for r in mine)
    judged = sum(counts.values()) - counts[Verdict.UNSUPPORTED]
    if not judged:
        return "-"
    good = counts[Verdict.PASS] + counts[Verdict.INFO]
    extra = [f"{mark} {counts[verdict]}" for verdict, mark in _MARKS.items() if counts[verdict]]
    return " ".join([f"{good}/{judged}", *extra])
