"""Heartbeats between two implementations: an idle link lives as long as its ends answer each other."""

import pytest

from conformance.interop.line import NEEDS, Line, of_types, open_end
from harness.case import Judge, case
from harness.pairing import Pairing
from harness.zmtp import Ping, Pong

INTERVAL_MS = 30
TIMEOUT_MS = 2_000
INTERVALS = 3
BEATING = ["first:feature:heartbeat", "second:feature:heartbeat", "first:zmtp:3.1", "second:zmtp:3.1"]
OPTIONS = ["{pinging}:option:heartbeat-interval-ms", "{pinging}:option:heartbeat-timeout-ms"]


@case(
    "interop/heartbeat/keeps-an-idle-link",
    clauses=["37/heartbeat/pong-reply", "37/heartbeat/ping-any-time", "37/heartbeat/dead-no-traffic"],
    needs=[*NEEDS, *BEATING, *OPTIONS],
)
@pytest.mark.parametrize("pinging", ["first", "second"], ids="{}-pings".format)
@of_types([("DEALER", "ROUTER"), ("PUB", "SUB"), ("PUSH", "PULL"), ("PAIR", "PAIR"), ("REQ", "REP")])
def test_keeps_an_idle_link(pair: Pairing, first_type: str, second_type: str, pinging: str) -> None:
    """While nothing else is said one end pings, the other answers, and the link stays and serves."""
    beats = {"heartbeat_interval_ms": INTERVAL_MS, "heartbeat_timeout_ms": TIMEOUT_MS}
    options = {"first": {}, "second": {}, pinging: beats}
    first = open_end(pair.first, first_type, b"first", **options["first"])
    second = open_end(pair.second, second_type, b"second", **options["second"])
    line = Line(pair, first, second).meet()
    line.exchange(b"before")
    pinger, ponger = (first, second) if pinging == "first" else (second, first)
    line.joint.wait_for(lambda: line.count(ponger, Pong) >= INTERVALS, f"{INTERVALS} PONGs")
    Judge.that(line.count(pinger, Ping) >= INTERVALS, "PONGs that answer PINGs", "PONGs of their own accord")
    line.exchange(b"after")
    Judge.equal(len(line.joint.tap.connections), 1, "37/heartbeat/dead-no-traffic")
