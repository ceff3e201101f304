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
    lines = [f"{result.verdict}  {_named(result)}   {peer_title}", f"  {result.rule}"]
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


def _named(result: Result) -> str:
    return f"{result.id}[{result.param}]" if result.param else result.id


def _fields(result: Result) -> list[tuple[str, str]]:
    notes = "; ".join(result.notes)
    return [
        ("expected", result.expected),
        ("actual", result.actual),
        ("reason", result.reason),
        ("link", result.link),
        ("seen", notes),
    ]


def summary(results: Iterable[Result]) -> str:
    """The table of the peers that were judged alone, and the matrix of those that were judged in pairs."""
    results = list(results)
    alone = [result for result in results if len(result.peers) == 1]
    paired = [result for result in results if len(result.peers) > 1]
    tables = [summary_table(alone)] if alone else []
    return "\n\n".join([*tables, *([pair_matrix(paired)] if paired else [])])


def pair_matrix(results: Iterable[Result]) -> str:
    """First peers down, second peers across: passed of judged, and what is not a pass by name."""
    by_pair: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_pair.setdefault((result.peers[0], result.peers[1]), []).append(result)
    cells = {pair: _verdicts(mine) for pair, mine in by_pair.items()}
    firsts, seconds = (sorted({pair[side] for pair in cells}) for side in (0, 1))
    left = max(map(len, firsts))
    width = {name: max([len(name), *(len(cells.get((f, name), "")) for f in firsts)]) for name in seconds}
    lines = [" " * left + "".join(f"  {name:<{width[name]}}" for name in seconds)]
    for first in firsts:
        row = "".join(f"  {cells.get((first, name), ''):<{width[name]}}" for name in seconds)
        lines.append(f"{first:<{left}}{row}")
    return "\n".join(line.rstrip() for line in lines)


def summary_table(results: Iterable[Result]) -> str:
    """Peers across, families down: passed of judged, and what is not a pass by name."""
    by_cell: dict[tuple[str, str], list[Result]] = {}
    by_peer: dict[str, list[Result]] = {}
    for result in results:
        family = result.family
        for peer in result.peers:
            by_cell.setdefault((family, peer), []).append(result)
            by_peer.setdefault(peer, []).append(result)
    peers = sorted(by_peer)
    families = sorted({family for family, _ in by_cell})
    cells = {
        (family, peer): _verdicts(by_cell.get((family, peer), [])) for family in families for peer in peers
    }
    left = max([len(family) for family in families] + [len("total")])
    width = {peer: max([len(peer)] + [len(cells[f, peer]) for f in families]) for peer in peers}
    lines = [" " * left + "".join(f"  {peer:<{width[peer]}}" for peer in peers)]
    for family in families:
        row = "".join(f"  {cells[family, peer]:<{width[peer]}}" for peer in peers)
        lines.append(f"{family:<{left}}{row}")
    totals = "".join(f"  {_verdicts(by_peer[peer]):<{width[peer]}}" for peer in peers)
    lines.append(f"{'total':<{left}}{totals}")
    return "\n".join(line.rstrip() for line in lines)


def _verdicts(mine: list[Result]) -> str:
    """Such as "14/16 known 2", or "-" where nothing of it could be judged."""
    counts = Counter(Verdict(r.verdict) for r in mine)
    judged = sum(counts.values()) - counts[Verdict.UNSUPPORTED]
    if not judged:
        return "-"
    good = counts[Verdict.PASS] + counts[Verdict.INFO]
    extra = [f"{mark} {counts[verdict]}" for verdict, mark in _MARKS.items() if counts[verdict]]
    return " ".join([f"{good}/{judged}", *extra])
