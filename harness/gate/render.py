"""What the gate says: as text, as Markdown for a job's summary, and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.gate.findings import Finding, Remedy, entry_place, entry_text, shown_params, table_of
from harness.gate.judge import Gate
from harness.report.markdown import code, fenced
from harness.report.text import printable

MOST_IN_MARKDOWN = 20


def text(gate: Gate) -> str:
    """Why the gate is red, each reason with the lines to paste or to delete; what repetition measured."""
    blocks = [headline(gate), *(_block(gate, finding) for finding in gate.findings)]
    blocks += ["\n".join(_rates(gate))] if gate.rates else []
    return "\n".join(blocks) + "\n"


def headline(gate: Gate) -> str:
    """The gate in one line."""
    kinds = Counter(finding.kind for finding in gate.findings)
    why = ", ".join(f"{kind}: {count}" for kind, count in kinds.items())
    partial = "" if gate.record.complete else "; the run is partial: what was left out is not missed"
    told = f"{len(gate.record.results)} results, {gate.listed} of them as listed{partial}"
    return f"gate: {'red' if gate.red else 'green'} ({f'{why}; ' if why else ''}{told})"


def _block(gate: Gate, finding: Finding) -> str:
    lines = [f"{finding.kind}: {printable(_title(finding))}", f"  {printable(finding.what)}"]
    if finding.rate:
        lines.append(f"  measured: {finding.rate}")
    todo, entry = remedy(gate, finding)
    if todo:
        lines.append(f"  {printable(todo)}")
    return "\n".join([*lines, *(f"    {line}" for line in entry.splitlines())])


def _title(finding: Finding) -> str:
    return f"{finding.peer} {finding.case}{shown_params(finding.params)}".strip() or "the run"


def remedy(gate: Gate, finding: Finding) -> tuple[str, str]:
    """What can be done about a finding, and the entry's text to do it with; "" where there is nothing."""
    entry, table = finding.entry, finding.table
    file = str(gate.lists.files.get(finding.peer, f"the known.toml of {finding.peer}"))
    where = entry_place(entry) if entry is not None else file
    shown = entry_text(table) if table is not None else ""
    if finding.remedy is Remedy.DELETE and entry is not None:
        return f"delete {where}:", entry_text(table_of(entry))
    if finding.remedy is Remedy.EXCEPT:
        return f"add to {file}, or to its list if it has one:", f'except = ["{finding.case}"]'
    words = {
        Remedy.PASTE: f"if it stays so, paste into {file}:",
        Remedy.ABOVE: f"if it stays so, paste above {where}:",
        Remedy.REPLACE: f"replace {where} by:",
    }
    if finding.remedy in words:
        return words[finding.remedy], shown
    return (f"it stands at {where}", "") if entry is not None else ("", "")


def _rates(gate: Gate) -> list[str]:
    changing = [rate for rate in gate.rates if rate.changes]
    head = f"asked more than once: {len(gate.rates)} items, of which {len(changing)} came out differently"
    return [head, *(f"  {' with '.join(rate.key[0])} {printable(rate.name)}: {rate}" for rate in changing)]


def markdown(gate: Gate) -> str:
    """The same for a reader of Markdown, the first twenty reasons with their lines."""
    parts = [f"### zconform {headline(gate)}"]
    for finding in gate.findings[:MOST_IN_MARKDOWN]:
        parts.append(f"**{finding.kind}** {code(_title(finding))}  \n{code(finding.what)}")
        if finding.rate:
            parts.append(f"measured: {finding.rate}")
        todo, entry = remedy(gate, finding)
        if todo:
            parts.append(code(todo) + (f"\n\n{fenced(entry, 'toml')}" if entry else ""))
    more = len(gate.findings) - MOST_IN_MARKDOWN
    if more > 0:
        parts.append(f"and {more} more")
    changing = [rate for rate in gate.rates if rate.changes]
    if changing:
        rates = [f"- {code(' with '.join(rate.key[0]))} {code(rate.name)}: {rate}" for rate in changing]
        more = len(rates) - MOST_IN_MARKDOWN
        rest = [f"- and {more} more"] if more > 0 else []
        parts.append(
            "\n".join(["Came out differently when asked again:", "", *rates[:MOST_IN_MARKDOWN], *rest])
        )
    return "\n\n".join(parts) + "\n"


def as_json(gate: Gate) -> dict[str, Any]:
    """The gate for machines."""
    findings = []
    for finding in gate.findings:
        todo, entry = remedy(gate, finding)
        findings.append(
            {
                "kind": finding.kind.value,
                "peer": finding.peer,
                "case": finding.case,
                "params": list(finding.params),
                "what": finding.what,
                "rate": finding.rate,
                "remedy": finding.remedy.value,
                "todo": todo,
                "entry": entry,
            }
        )
    rates: list[dict[str, Any]] = [
        {"peers": list(rate.key[0]), "id": rate.key[1], "param": rate.key[2], "verdicts": dict(rate.counts)}
        for rate in gate.rates
    ]
    return {
        "red": gate.red,
        "complete": gate.record.complete,
        "results": len(gate.record.results),
        "listed": gate.listed,
        "findings": findings,
        "rates": rates,
    }
