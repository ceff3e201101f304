"""What is told of a finding: the rule, the steps, the wire; and what is kept out (SECURITY.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.clauses import Ledger
from harness.report.secrecy import KEPT_OUT
from harness.report.text import printable
from harness.wire.pcapng import write_pcapng
from harness.wire.render import render_trace

from .search import Found, Search

SCHEMA = 1
FILE_NAME = "explore.json"


class Report:
    """Tells findings of a peer as they come, and writes them below `folder`."""

    def __init__(self, peer: str, seed: int, folder: Path, ledger: Ledger, with_security: bool) -> None:
        self._peer = peer
        self._seed = seed
        self._folder = folder
        self._ledger = ledger
        self._with_security = with_security
        self._findings: list[dict[str, Any]] = []
        (folder / "traces").mkdir(parents=True, exist_ok=True)

    def add(self, found: Found) -> Iterator[str]:
        """A finding as lines; its capture is written unless it is kept out."""
        told = self._as_json(found)
        self._findings.append(told)
        clause = self._ledger.get(found.finding.clause)
        yield f"FINDING {len(self._findings)}  {told['what']}  ({self._peer}, conversation {found.number})"
        yield f"  rule      {clause.text}"
        yield f"            {clause.spec}, {clause.where} [{clause.id}] {clause.level}"
        yield f"  found     {printable(told['detail']) or told['what']}"
        for n, step in enumerate(told["steps"]):
            yield f"  {'' if n else 'steps':9} {step}"
        if told["capture"]:
            yield f"  wire      {self._folder / told['capture']}"
        yield from (f"    {line}" for line in told["wire"])

    def _as_json(self, found: Found) -> dict[str, Any]:
        finding, trace = found.finding, found.played.trace
        told: dict[str, Any] = {
            "clause": finding.clause,
            "what": finding.what,
            "detail": finding.detail,
            "security": finding.security,
            "socket_type": found.conversation.socket_type,
            "conversation": found.number,
        }
        if finding.security and not self._with_security:
            if found.played.broken != finding:
                told["detail"] = KEPT_OUT
            return told | {"steps": [KEPT_OUT], "wire": [], "capture": None}
        capture = f"traces/{self._peer}.{len(self._findings) + 1}.pcapng"
        write_pcapng(trace, self._folder / capture)
        wire = render_trace(trace, finding.place).splitlines()
        return told | {"steps": found.conversation.words(), "wire": wire, "capture": capture}

    def finish(self, search: Search, complete: bool) -> Iterator[str]:
        """The sum, which is written too."""
        path = self._folder / FILE_NAME
        for number, finding in search.doubts:
            yield f"not reproduced: {finding.what} [{finding.clause}] (conversation {number})"
        for told in self._findings:
            told["seen"] = search.seen[told["clause"], told["what"]]
        whole = {
            "schema": SCHEMA,
            "peer": self._peer,
            "library": dict(search.live.hello),
            "seed": self._seed,
            "complete": complete,
            "conversations": search.conversations,
            "findings": self._findings,
            "not_reproduced": [
                {"conversation": number, "clause": finding.clause, "what": finding.what}
                for number, finding in search.doubts
            ],
        }
        path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        counts = f"{len(self._findings)} findings, {len(search.doubts)} not reproduced"
        yield f"{search.conversations} conversations, seed {self._seed}: {counts} ({path})"
