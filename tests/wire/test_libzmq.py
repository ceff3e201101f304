"""A second opinion: what libzmq says through a tap is decoded, and breaks none of the checks."""

from __future__ import annotations

import pytest

from harness.deadlines import Deadlines
from harness.wire.checks import run_checks
from harness.wire.render import render_trace
from harness.wire.tap import Tap
from harness.wire.trace import SENDERS, Trace

zmq = pytest.importorskip("zmq")

PAIRS = [("REQ", "REP"), ("DEALER", "ROUTER"), ("PUSH", "PULL"), ("PAIR", "PAIR"), ("SUB", "XPUB")]


@pytest.mark.parametrize(("dialing", "listening"), PAIRS)
def test_what_libzmq_says_breaks_no_check(dialing: str, listening: str) -> None:
    context = zmq.Context()
    bound = context.socket(getattr(zmq, listening))
    dialed = context.socket(getattr(zmq, dialing))
    trace = Trace()
    for sock in (bound, dialed):
        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.RCVTIMEO, 3000)
        sock.setsockopt(zmq.HEARTBEAT_IVL, 20)
    port = bound.bind_to_random_port("tcp://127.0.0.1")
    tap = Tap(f"tcp://127.0.0.1:{port}", trace, deadlines=Deadlines())
    dialed.connect(tap.endpoint)
    if dialing == "SUB":
        dialed.subscribe(b"a")
        assert bound.recv() == b"\1a"
        bound.send_multipart([b"a", b"b"])
        assert dialed.recv_multipart() == [b"a", b"b"]
        assert tap.messages("listener") == [[b"a", b"b"]]
    else:
        dialed.send_multipart([b"x" * 300, b""])
        assert bound.recv_multipart()[-2:] == [b"x" * 300, b""]
        assert tap.messages("dialer")[0][-2:] == [b"x" * 300, b""]
    tap.wait_for(lambda: all(_pongs(tap, sender) > 1 for sender in SENDERS), what="PONG from both ends")
    for sender in SENDERS:
        assert run_checks(trace, 1, sender) == []
    assert f"READY {dialing}" in render_trace(trace, max_events=1000)
    for each in (dialed, bound, tap):
        each.close()
    context.term()


def _pongs(tap: Tap, sender: str) -> int:
    values = [each.received.value for each in tap.decoded(1) if each.sender == sender]
    return sum(type(value).__name__ == "Pong" for value in values)
