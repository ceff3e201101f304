"""The suite's own options, which pytest and `zconform run` take alike."""

from __future__ import annotations

from typing import Literal, NamedTuple

from harness.launch.launcher import RUNTIMES


class Option(NamedTuple):
    """One option. `metavar` is None for a flag; `kind` is "many" where it may be given several times."""

    name: str
    metavar: str | None
    help: str
    kind: Literal["once", "many"] = "once"
    type: type[str] | type[int] | type[float] = str
    default: int | float | str | None = None
    choices: tuple[str, ...] = ()


OPTIONS: tuple[Option, ...] = (
    Option("--peer", "NAME", "judge this peer (repeatable; globs)", "many"),
    Option("--pair", "A:B", "judge A against B (repeatable; globs)", "many"),
    Option("--cast", "ROLE=PEER", "let this peer play this role in scenarios (repeatable)", "many"),
    Option("--shard", "K/N", "only every N-th pair, or peer where no pair is asked, from the K-th"),
    Option("--peers-dir", "DIR", "look for peers in DIR too (repeatable)", "many"),
    Option(
        "--expect",
        "[PEER=]FILE",
        "known deviations of PEER, before its known.toml (repeatable)",
        "many",
    ),
    Option("--case", "GLOB", "only cases with these ids (repeatable)", "many"),
    Option("--clause", "GLOB", "only cases that cite these clauses", "many"),
    Option("--report", "DIR", "write results.json, junit.xml, captures and logs to DIR"),
    Option("--all-captures", None, "keep the captures of cases that passed, too"),
    Option("--repro", "DIR", "write a stand-alone script into DIR for what a single peer did wrong"),
    Option("--with-security", None, "show conversations that can do harm (SECURITY.md)"),
    Option("--seed", "N", "the seed of everything random (default: a new one, printed)", type=int),
    Option("--time-scale", "X", "stretch every deadline by X", type=float, default=1.0),
    Option("--repeat", "N", "ask every case N times", type=int, default=1),
    Option("--runtime", "R", "run peers as processes or in containers", default="auto", choices=RUNTIMES),
    Option("--no-self-test", None, "do not test the peers' adapters before the cases"),
    Option("--list", None, "list the selected cases and stop"),
)
