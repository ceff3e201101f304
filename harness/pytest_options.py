"""The options that the plugin adds to pytest."""

from __future__ import annotations

import pytest

from harness.launch.launcher import RUNTIMES


def pytest_addoption(parser: pytest.Parser) -> None:
    """The suite's own options."""
    add = parser.getgroup("zconform", "ZeroMQ conformance").addoption
    add("--peer", action="append", default=[], metavar="NAME", help="judge this peer (repeatable; globs)")
    add(
        "--peers-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="look for peers in DIR too (repeatable)",
    )
    add("--case", action="append", default=[], metavar="GLOB", help="only cases with these ids (repeatable)")
    add("--clause", action="append", default=[], metavar="GLOB", help="only cases that cite these clauses")
    add("--report", metavar="DIR", help="write results.json, junit.xml, captures and logs to DIR")
    add("--seed", type=int, metavar="N", help="the seed of everything random (default: a new one, printed)")
    add("--time-scale", type=float, default=1.0, metavar="X", help="stretch every deadline by X")
    add("--repeat", type=int, default=1, metavar="N", help="ask every case N times")
    add("--runtime", choices=RUNTIMES, default="auto", help="run peers as processes or in containers")
    add("--no-self-test", action="store_true", help="do not test the peers' adapters before the cases")
    add("--list", action="store_true", help="list the selected cases and stop")
