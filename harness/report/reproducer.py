"""A verdict as a stand-alone script that plays our side of the recorded conversation.

Python's standard library is all that it needs. The script is a head of comments, the text of
`harness.report.player`, and the conversation as literals. What came from a peer stands in it as plain ASCII
in comments and literals, never as code, and the same trace gives the same text. How the steps are found in a
trace is for `harness.report.conversation`.
"""

from __future__ import annotations

import os
import re
import textwrap
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.clauses import Ledger
from harness.report.conversation import Conversation, Step, plain
from harness.report.model import Result
from harness.verdict import Place
from harness.wire.trace import Octets, Trace

MOST_OCTETS = 1 << 20
NAME_MAX = 180
WIDTH = 105
HEX_DIGITS = 88
PLAYER = Path(__file__).with_name("player.py")
_NO_MARK = Place(0, "", -1)


def script_name(peer: str, case_id: str, param: str) -> str:
    """PEER.CASE.PARAM.py, safe as a file's name; of two that would be alike one gets a number."""
    wanted = ".".join(part for part in (peer, case_id.replace("/", "."), param) if part)
    name = re.sub("[^A-Za-z0-9._-]+", ".", wanted).strip(".")[:NAME_MAX]
    return f"{name}.py" if name == wanted else f"{name}.{zlib.crc32(wanted.encode()):08x}.py"


def write_script(text: str, path: Path) -> None:
    """Write a script whole or not at all, also where two workers write the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f".{os.getpid()}.part")
    own.write_text(text, encoding="ascii")
    own.replace(path)


def script(result: Result, ledger: Ledger, trace: Trace, place: Place | None, title: str, suite: str) -> str:
    """The whole script; `title` names the peer and its version, `suite` ours."""
    conversation = Conversation(trace)
    sent = sum(len(r.octets) for r in trace.records if isinstance(r, Octets) and conversation.is_ours(r))
    steps = conversation.steps() if sent <= MOST_OCTETS else []
    note = "" if steps else "nothing was asked of the peer, and nothing sent"
    if sent > MOST_OCTETS:
        note = f"our side sent {sent} octets, which are too many for a script"
    facts = _facts(result, ledger, title, suite, note)
    head = ["#!/usr/bin/env python3", "# -*- coding: ascii -*-", "#", *_comments(facts)]
    if steps:
        head += ["#", "# Run it where the application can be reached:", *_usage(conversation)]
        head += ["#", "# What the application at the other side does, in this order:", *_tasks(steps)]
    mark = place or _NO_MARK
    ours = mark.connection if not conversation.is_own(mark.connection, mark.sender) else 0
    return "\n".join(
        [
            *head,
            PLAYER.read_text("utf-8").rstrip(),
            "\n",
            f"SIDES = {_literal(conversation.sides)}",
            f"MARK = ({ours}, {mark.offset})",
            f"WAIT_S = {conversation.wait_s()}",
            "STEPS: list[Step] = [",
            *_step_lines(steps),
            "]",
            "",
            'if __name__ == "__main__":',
            "    sys.exit(main(SIDES, STEPS, MARK, WAIT_S))" if steps else f"    sys.exit({plain(note)!a})",
            "",
        ]
    )


def _facts(result: Result, ledger: Ledger, title: str, suite: str, note: str) -> list[tuple[str, str]]:
    name = result.named()
    facts = [(result.verdict, name), ("peer", title), ("rule", result.rule)]
    if result.blamed:
        clause = ledger.get(result.blamed)
        facts += [("clause", f"{clause.id} {clause.level}: {clause.text}")]
        facts += [("where", f"{clause.spec}, {clause.where}")]
        facts += [("reason", result.reason if result.reason != clause.text else "")]
    facts += [("expected", result.expected), ("actual", result.actual)]
    facts += [("link", result.link), ("seen", "; ".join(result.notes))]
    facts += [("found by", f"{suite}, seed {result.seed}"), ("again", result.again), ("note", note)]
    return [(label, text) for label, text in facts if text]


def _comments(facts: Sequence[tuple[str, str]]) -> Iterator[str]:
    for label, text in facts:
        if label == "again":  # to be copied as it is
            yield f"# {label:<10} {plain(text)}"
        else:
            yield from _comment(f"{label:<10}", text)


def _comment(label: str, text: str) -> list[str]:
    """Lines of comment; whoever wrote the text, it stays within them."""
    return textwrap.wrap(
        plain(text),
        WIDTH,
        initial_indent=f"# {plain(label)} " if label else "# ",
        subsequent_indent="#" + " " * (len(label) + 2),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _usage(conversation: Conversation) -> Iterator[str]:
    yield "#   python3 THIS" + " HOST:PORT" * len(conversation.sides) + " [--wait SECONDS for each step]"
    for number, (role, what) in enumerate(conversation.sides, 1):
        does = "this script dials" if role == "dial" else "this script listens"
        yield from _comment("  ", f"place {number}, {does}: {what}")


def _tasks(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if step.what == "application":
            number, _, words = step.value.partition(" ")
            yield from _comment(f"{number:>5}", words)


def _step_lines(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if step.remark:
            yield from (f"    {line}" for line in _comment("", step.remark))
        if len(step.value) <= HEX_DIGITS or step.what != "send":
            yield f"    ({step.what!a}, {step.connection}, {plain(step.value)!a}),"
            continue
        yield f"    ({step.what!a}, {step.connection},"
        pieces = [step.value[at : at + HEX_DIGITS] for at in range(0, len(step.value), HEX_DIGITS)]
        yield from (f"     {piece!a}" for piece in pieces)
        yield "    ),"


def _literal(sides: Sequence[tuple[str, str]]) -> str:
    return "[" + ", ".join(f"({plain(role)!a}, {plain(what)!a})" for role, what in sides) + "]"
