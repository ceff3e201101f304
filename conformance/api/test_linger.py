"""LINGER: what becomes of messages that wait when their socket disconnects.

Source: zmq_setsockopt of libzmq 4.3, ZMQ_LINGER.
"""

from __future__ import annotations

import pytest

from harness.case import Judge, case
from harness.exchange import PARTNER
from harness.peer import Peer
from harness.pytest_fixtures import Listen
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message, Ready

KEPT = "libzmq-4/linger/kept"
DISCARDED = "libzmq-4/linger/zero-discards"
COUNT = 10
NEEDS = ["{socket_type}", "option:linger-ms", "feature:disconnect"]
LINGERS = {"for-ever": -1, "a-minute": 60_000}


def leave_behind(peer: Peer, listen: Listen, socket_type: str, linger_ms: int) -> RawPeer:
    """A partner in the middle of its handshake, whose socket has sent it messages and disconnected."""
    sock, listener = peer.open(socket_type, linger_ms=linger_ms), listen()
    sock.connect(listener.endpoint)
    raw = listener.accept()
    raw.greet()
    for number in range(COUNT):
        sock.send([b"%d" % number])
    sock.disconnect(listener.endpoint)
    return raw


@case("api/linger/sends-what-waits", clauses=[KEPT], needs=NEEDS)
@pytest.mark.parametrize("linger_ms", LINGERS.values(), ids=LINGERS)
@pytest.mark.parametrize("socket_type", ["PUSH", "DEALER"])
def test_sends_what_waits(peer: Peer, listen: Listen, judge: Judge, socket_type: str, linger_ms: int) -> None:
    """What was sent before the socket disconnected reaches a partner that is slow to get ready."""
    raw = leave_behind(peer, listen, socket_type, linger_ms)
    raw.expect(Ready, clause=KEPT)
    raw.send(Ready(PARTNER[socket_type]))
    for number in range(COUNT):
        raw.expect_message(b"%d" % number, clause=KEPT)
    judge.note("all of it was sent")


@case("api/linger/discards-what-waits", clauses=[DISCARDED], needs=NEEDS)
@pytest.mark.parametrize("socket_type", ["PUSH", "DEALER"])
def test_discards_what_waits(peer: Peer, listen: Listen, socket_type: str) -> None:
    """Without a linger nothing of it is sent any more, and the connection ends."""
    raw = leave_behind(peer, listen, socket_type, 0)
    if not raw.closes():  # it disconnects in its own time, perhaps behind the handshake only
        raw.send(Ready(PARTNER[socket_type]))
    raw.expect_closed(DISCARDED, never=(Message,))
