"""The options and the hook that the plugin adds to pytest."""

from __future__ import annotations

from typing import Any

import pytest

from harness.case import Case
from harness.launch.launcher import RUNTIMES
from harness.pairs import Pair


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    add = parser.getgroup("zconform", "ZeroMQ conformance").addoption
    add("--peer", action="append", default=[], metavar="NAME", help="judge this peer (repeatable; globs)")
    add("--pair", action="append", default=[], metavar="A:B", help="judge A against B (repeatable; globs)")
    add(
        "--cast",
        action="append",
        default=[],
        metavar="ROLE=PEER",
        help="let this peer play this role in scenarios (repeatable)",
    )
    add("--shard", metavar="K/N", help="only every N-th pair, or peer where no pair is asked, from the K-th")
    add(
        "--peers-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="look for peers in DIR too (repeatable)",
    )
    add(
        "--expect",
        action="append",
        default=[],
        metavar="[PEER=]FILE",
        help="known deviations of PEER, before those of its known.toml (repeatable)",
    )
    add("--case", action="append", default=[], metavar="GLOB", help="only cases with these ids (repeatable)")
    add("--clause", action="append", default=[], metavar="GLOB", help="only cases that cite these clauses")
    add("--report", metavar="DIR", help="write results.json, junit.xml, captures and logs to DIR")
    add("--all-captures", action="store_true", help="keep the captures of cases that passed, too")
    add("--repro", metavar="DIR", help="write a stand-alone script into DIR for what a single peer did wrong")
    add("--with-security", action="store_true", help="show conversations that can do harm (SECURITY.md)")
    add("--seed", type=int, metavar="N", help="the seed of everything random (default: a new one, printed)")
    add("--time-scale", type=float, default=1.0, metavar="X", help="stretch every deadline by X")
    add("--repeat", type=int, default=1, metavar="N", help="ask every case N times")
    add("--runtime", choices=RUNTIMES, default="auto", help="run peers as processes or in containers")
    add("--no-self-test", action="store_true", help="do not test the peers' adapters before the cases")
    add("--list", action="store_true", help="list the selected cases and stop")


class Hooks:
    """What other plugins may say."""

    @pytest.hookspec(firstresult=True)
    def pytest_zconform_peers(self, config: pytest.Config, case: Case, peers: list[str]) -> list[str] | None:
        """Which of the chosen peers a case is asked of; by default all."""

    @pytest.hookspec(firstresult=True)
    def pytest_zconform_pairs(
        self, config: pytest.Config, case: Case, pairs: list[Pair]
    ) -> list[Pair] | None:
        """Which of the chosen pairs a case is asked of; by default all."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let other plugins choose."""
    pluginmanager.add_hookspecs(Hooks)


def is_strict(config: pytest.Config) -> bool:
    """Whether `--strict` was given: pytest's own option, which for cases also makes NON_STRICT fail."""
    return "strict=true" in (config.option.override_ini or [])


def spare_tracebacks(item: pytest.Item) -> None:
    """What did not hold has a report of its own: a traceback, dear to make, is for our own faults only."""
    original = item.repr_failure

    def repr_failure(excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, AssertionError) else original(excinfo)

    item.repr_failure = repr_failure  # type: ignore[method-assign]  # pytest has no hook for it
