"""From what an item saw to the result that reports are made of."""

from __future__ import annotations

import shlex

import pytest

from harness.pytest_fixtures import Asking
from harness.report.model import Judgement, Result, judge_case
from harness.verdict import Verdict


def judgement_of(asked: Asking, error: BaseException | None) -> Judgement:
    """The verdict before the known deviations are looked at."""
    if isinstance(error, pytest.skip.Exception):
        return Judgement(Verdict.UNSUPPORTED, reason=str(error.msg))
    if error is not None and not isinstance(error, AssertionError):
        return Judgement(Verdict.ERROR, reason=f"{type(error).__name__}: {error}")
    return judge_case(asked.case, asked.bench.ledger, error, asked.judge)


def param_id(item: pytest.Item, names: tuple[str, ...]) -> str:
    """The parameters of an item as results have them: without the peers, and without the repetition."""
    spec = getattr(item, "callspec", None)
    if spec is None:
        return ""
    repetition = f"-r{spec.params['repetition']}" if "repetition" in spec.params else ""
    if "cast_name" in spec.params:
        return str(spec.id).replace(repetition, "", 1) if repetition else str(spec.id)
    return str(spec.id).removeprefix(":".join(names) + repetition).lstrip("-")


def result_of(item: pytest.Item, call: pytest.CallInfo[None], asked: Asking, judgement: Judgement) -> Result:
    """The result of an item that was asked: its verdict with everything that explains it."""
    made = asked.case
    again = f"pytest {shlex.quote(item.nodeid)} --seed {asked.bench.seed}"
    if asked.cast:
        again += "".join(f" --cast {role}={peer}" for role, peer in asked.cast.items())
    elif len(asked.names) > 1:
        again += f" --pair {':'.join(asked.names)}"
    again += " --runtime container" if asked.bench.runtime_of(asked.peer_name) == "container" else ""
    again += "".join(f" --peers-dir {shlex.quote(folder)}" for folder in item.config.option.peers_dir)
    return Result(
        id=made.id,
        param=asked.param,
        peers=list(asked.names),
        verdict=judgement.verdict.value,
        found=(judgement.found or judgement.verdict).value,
        clauses=list(made.clauses),
        rule=made.rule,
        blamed=judgement.blamed,
        level=judgement.level,
        expected=judgement.expected,
        actual=judgement.actual,
        reason=judgement.reason,
        link=judgement.link,
        notes=list(asked.judge.notes),
        duration_s=round(call.duration, 6),
        peer_s=round(asked.trace.waited_s, 6),
        seed=asked.bench.seed,
        again=again,
        cast=dict(asked.cast),
    )
