"""Faults as steps of a scenario."""

from __future__ import annotations

import socket

import pytest

from harness.bench import Bench
from harness.stage.play import hear, say
from harness.stage.stage import Stage
from harness.wire.trace import Trace


def dial(endpoint: str) -> None:
    """Connect as anybody may. Raises ConnectionRefusedError."""
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    socket.create_connection((host, int(port)), timeout=5).close()


def test_nobody_reaches_a_killed_role_until_another_listens(bench: Bench) -> None:
    dialer, listener = bench.hold("reference", "reference")
    stage = Stage({"dialer": dialer, "listener": listener}, Trace(), bench.hub, bench.deadlines, 1)
    source, target = stage.open("dialer", "PAIR"), stage.open("listener", "PAIR")
    leg = stage.leg("in", target, source)
    endpoint = leg.of(source).tap.endpoint
    dial(endpoint)
    stage.kill("listener")
    with pytest.raises(ConnectionRefusedError):
        dial(endpoint)
    stage.restart("listener")
    back = stage.open("listener", "PAIR")
    leg.listen(back)
    stage.play(source=say(source, b"again"), back=hear(back, b"again"))
    stage.finish()
