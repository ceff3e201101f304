"""What a capture came to, as text to read and as JSON for machines.

What a peer sent is shown escaped, addresses and sizes as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.clauses import Ledger
from harness.verdict import Verdict
from harness.wire.render import show_text
from harness.wire.trace import SENDERS, Address

from .findings import Broken, End, Report, Shown
from .judge import Judged

FORMAT = "zconform-capture"
VERSION = 1
_VERDICTS = {"strict": Verdict.FAIL, "non-strict": Verdict.NON_STRICT, "informational": Verdict.INFO}


def verdict_of(clause: str, ledger: Ledger) -> Verdict:
    """What breaking this rule is worth."""
    return _VERDICTS[ledger.get(clause).judged]


def counts_of(judged: Judged, ledger: Ledger) -> dict[Verdict, int]:
    """How many rules of how many ends were broken, by what that is worth; each rule of an end counts once."""
    counts = dict.fromkeys(_VERDICTS.values(), 0)
    for report in judged.reports:
        for _, clause in report.counts:
            counts[verdict_of(clause, ledger)] += 1
    return counts


def address_text(address: Address) -> str:
    """Host and port; IPv6 in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{show_text(host)}:{port}"


def shown_text(shown: Shown, began_s: float) -> str:
    """A thing that was said, on one line; milliseconds since `began_s`."""
    arrow = ">" if shown.sender == "dialer" else "<"
    at = f"{(shown.at_s - began_s) * 1000:.1f} ms"
    return f"{shown.connection:<4} {shown.sender:<9}{arrow} {at:>12}  {shown.text}"


def as_text(judged: Judged, ledger: Ledger, with_first: bool = True) -> Iterator[str]:
    """The lines of the report."""
    zmtp = _count(len(judged.reports), "connection of ZMTP", "connections of ZMTP")
    yield f"{judged.file}: {_count(judged.packets, 'packet')}, {zmtp}, {judged.others} others"
    for report in judged.reports:
        yield ""
        yield from _report_lines(report, ledger, with_first)
    yield ""
    for why, number in judged.unread.items():
        yield f"not read: {number} x {why}"
    for trouble in (judged.cut, judged.damage):
        if trouble:
            yield f"not read: {trouble}"
    yield summary(judged, ledger)


def summary(judged: Judged, ledger: Ledger) -> str:
    """The last line."""
    if not judged.reports:
        return "nothing to judge: no connection begins with a greeting of ZMTP"
    if not any(report.judged for report in judged.reports):
        return "nothing was judged: see above why"
    counts = counts_of(judged, ledger)
    broken = ", ".join(f"{verdict} {number}" for verdict, number in counts.items() if number)
    quiet = sum(1 for report in judged.reports for end in report.ends.values() if end.silent)
    left = f"; not all was judged at {_count(quiet, 'end')}" if quiet else ""
    return (f"rules broken: {broken}" if broken else "what was judged conforms") + left


def head_lines(report: Report) -> Iterator[str]:
    """Who talks in a connection, and how it stands with each end."""
    guessed = "" if report.dialer_known else " (who dialled is a guess: the capture has no SYN)"
    ends = [address_text(report.ends[sender].address) for sender in SENDERS]
    yield f"connection {report.number}  {ends[0]} > {ends[1]}{guessed}"
    for sender in SENDERS:
        broken = sum(1 for each, _ in report.counts if each == sender)
        yield f"  {sender:<9} {_end_text(report.ends[sender], broken)}"
        for why in report.ends[sender].silent:
            yield f"            - {show_text(why)}"
    for note in report.notes:
        yield f"  {show_text(note)}"


def _report_lines(report: Report, ledger: Ledger, with_first: bool) -> Iterator[str]:
    yield from head_lines(report)
    if with_first:
        for shown in report.first:
            yield f"    {shown_text(shown, report.began_s)}"
        more = sum(end.things for end in report.ends.values()) - len(report.first)
        if more > 0:
            yield f"    .. {more} more"
    for each in report.broken:
        yield from broken_lines(each, ledger)
    for (sender, clause), number in report.counts.items():
        shown_of_it = sum(1 for each in report.broken if (each.sender, each.clause) == (sender, clause))
        if number > shown_of_it:
            yield f"  {verdict_of(clause, ledger):<10}  {sender} .. {number - shown_of_it} more of [{clause}]"


def _end_text(end: End, broken: int) -> str:
    said = " ".join(show_text(word) for word in (end.version, end.mechanism, end.socket_type) if word)
    how = {"fin": ", closed", "rst": ", closed by reset"}.get(end.closed, "")
    amount = f"{_count(end.messages, 'message')}, {_count(end.octets, 'octet')}{how}"
    if not end.judged:
        return f"{said or '?'}  {amount}: not judged"
    return f"{said}  {amount}: " + (f"breaks {_count(broken, 'rule')}" if broken else "conforms")


def broken_lines(each: Broken, ledger: Ledger) -> Iterator[str]:
    """A broken rule and its place."""
    clause = ledger.get(each.clause)
    where = f"octet {each.octet}"
    if each.packet:
        where += f", packet {each.packet} (octet {each.packet_octet} of it)"
    yield f"  {verdict_of(each.clause, ledger):<10}  {each.sender} {where}"
    yield f"      {clause.where} [{clause.id}] {clause.level}"
    yield f"      rule    {clause.text}"
    yield f"      actual  {show_text(each.message)}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


# -- JSON ----------------------------------------------------------------------------------------


def as_json(judged: Judged, ledger: Ledger) -> dict[str, Any]:
    """The report as one JSON object; README.md, "Judge a capture", has its fields."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "file": judged.file,
        "packets": judged.packets,
        "other_connections": judged.others,
        "not_read": [{"why": why, "packets": number} for why, number in judged.unread.items()],
        "cut": judged.cut,
        "damage": judged.damage,
        "counts": {verdict.value: number for verdict, number in counts_of(judged, ledger).items()},
        "connections": [_report_json(report, ledger) for report in judged.reports],
    }


def _report_json(report: Report, ledger: Ledger) -> dict[str, Any]:
    return {
        "number": report.number,
        "dialer_known": report.dialer_known,
        "began_s": report.began_s,
        "ends": {sender: _end_json(report.ends[sender]) for sender in SENDERS},
        "notes": [show_text(note) for note in report.notes],
        "first": [_shown_json(shown) for shown in report.first],
        "broken": [_broken_json(each, ledger) for each in report.broken],
        "counts": [
            {"sender": sender, "clause": clause, "times": number}
            for (sender, clause), number in report.counts.items()
        ],
    }


def _end_json(end: End) -> dict[str, Any]:
    return {
        "address": address_text(end.address),
        "zmtp": end.version,
        "mechanism": show_text(end.mechanism),
        "socket_type": show_text(end.socket_type),
        "octets": end.octets,
        "messages": end.messages,
        "closed": end.closed,
        "judged": end.judged,
        "not_judged": [show_text(why) for why in end.silent],
    }


def _shown_json(shown: Shown) -> dict[str, Any]:
    return {
        "at_s": shown.at_s,
        "sender": shown.sender,
        "text": shown.text,
        "octets": [shown.start, shown.end],
        "packet": shown.packet,
    }


def _broken_json(each: Broken, ledger: Ledger) -> dict[str, Any]:
    clause = ledger.get(each.clause)
    return {
        "clause": each.clause,
        "verdict": verdict_of(each.clause, ledger).value,
        "level": clause.level,
        "where": clause.where,
        "rule": clause.text,
        "actual": show_text(each.message),
        "sender": each.sender,
        "octet": each.octet,
        "packet": each.packet,
        "packet_octet": each.packet_octet,
    }
