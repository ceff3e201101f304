"""CONFLATE: the last message and no other.

Source: zmq_setsockopt of libzmq 4.3, ZMQ_CONFLATE.
"""

from __future__ import annotations

import pytest

from harness.case import Judge, case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Listen
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message

RECEIVING = "libzmq-4/conflate/receives-the-last"
SENDING = "libzmq-4/conflate/sends-the-last"
NO_MARK = "libzmq-4/conflate/ignores-the-mark"
COUNT = 100
MARK = 2
HANDED_ON = 2  # messages that a library may have had in its hands when the last one came
PARTNERS = {"PULL": "PUSH", "DEALER": "DEALER", "SUB": "PUB", "PUSH": "PULL"}
LAST = b"%d" % (COUNT - 1)


def hears(sock: RemoteSocket, raw: RawPeer) -> RawPeer:
    """`raw` after its handshake, when the socket has asked it for everything."""
    raw.handshake(PARTNERS[sock.socket_type])
    if sock.socket_type == "SUB":
        sock.subscribe(b"")
        raw.expect_subscription(b"", clause="37/pubsub/subscribe-command")
    return raw


def received(sock: RemoteSocket) -> list[bytes]:
    """What the application gets, up to the last message."""
    came = [sock.recv(clause=RECEIVING)[-1]]
    while came[-1] != LAST:
        came.append(sock.recv(clause=RECEIVING)[-1])
    return came


@case(
    "api/conflate/receives-the-last",
    clauses=[RECEIVING],
    needs=["{socket_type}", "option:conflate", "feature:heartbeat"],
)
@pytest.mark.parametrize("socket_type", ["PULL", "DEALER", "SUB"])
def test_receives_the_last(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """Of many messages that came before the application asked for one, it gets the last."""
    sock = peer.open(socket_type, conflate=True)
    raw = hears(sock, attach(sock))
    raw.send(*(Message(b"%d" % number) for number in range(COUNT)))
    raw.fence()
    came = received(sock)
    judge.note(f"{len(came)} of {COUNT}")
    judge.that(len(came) <= 1 + HANDED_ON, "the last message", f"{len(came)} of {COUNT}")
    raw.send(Message(b"next"))
    sock.expect(b"next")


@case(
    "api/conflate/sends-the-last",
    clauses=[SENDING, NO_MARK],
    needs=["{socket_type}", "option:conflate", "option:send-hwm"],
)
@pytest.mark.parametrize("socket_type", ["PUSH", "DEALER"])
def test_sends_the_last(peer: Peer, listen: Listen, judge: Judge, socket_type: str) -> None:
    """Of many messages for a partner that is not there yet, more than the mark, it gets the last."""
    sock, listener = peer.open(socket_type, conflate=True, send_hwm=MARK), listen()
    sock.connect(listener.endpoint)
    raw = listener.accept()
    for number in range(COUNT):
        sock.send([b"%d" % number], NO_MARK)
    raw.handshake(PARTNERS[socket_type])
    raw.expect_message(LAST, clause=SENDING)
    sock.send([b"next"], NO_MARK)
    raw.expect_message(b"next", clause=SENDING)
