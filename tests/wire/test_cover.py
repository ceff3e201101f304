"""A link with a cover: messages go in boxes and come out of them, and the trace has nothing but boxes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.curve import Client, KeyPair, Server
from harness.deadlines import Deadlines
from harness.verdict import Mismatch
from harness.wire.endpoints import RawListener, dial
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe, render_trace
from harness.wire.trace import Trace
from harness.zmtp import Cover, CurveMessage, Greeting, Message, Ping, Undecodable
from harness.zmtp.cover import in_frame

QUICK = Deadlines(0.05)


@pytest.fixture
def ends() -> Iterator[tuple[RawPeer, RawPeer]]:
    """A client and a server with a session, as if their handshake were done."""
    listener = RawListener(Trace(), QUICK, "127.0.0.1")
    dialer = dial(listener.endpoint, Trace(), QUICK)
    accepted = listener.accept()
    client, server = Client(KeyPair.generate(), bytes(32)), Server(KeyPair.generate())
    client.meet(server.transient.public)
    server.meet(client.transient.public)
    for raw, side in ((dialer, client), (accepted, server)):
        raw.send(Greeting(mechanism="CURVE"))
        raw.cover = Cover(side)
    dialer.expect(Greeting)
    accepted.expect(Greeting)
    yield dialer, accepted
    for each in (listener, dialer, accepted):
        each.close()


def test_messages_and_commands(ends: tuple[RawPeer, RawPeer]) -> None:
    dialer, accepted = ends
    dialer.send(Message(b"a", b"", b"c" * 300), Message(b"next"), pieces=7)
    accepted.expect_message(b"a", b"", b"c" * 300)
    accepted.expect_message(b"next")
    accepted.send(Ping(1, b"x"))
    dialer.expect(Ping(1, b"x"))
    values = [each.received.value for each in accepted.trace.decoded(1)][2:]
    assert {type(value) for value in values} == {CurveMessage}
    assert b"next" not in accepted.received
    assert "MESSAGE of CURVE" in render_trace(accepted.trace)


def test_what_does_not_open_is_no_message(ends: tuple[RawPeer, RawPeer]) -> None:
    dialer, accepted = ends
    dialer.send(in_frame(CurveMessage(bytes(8), bytes(20))))
    with pytest.raises(Mismatch, match="a box that does not open"):
        accepted.expect_message(b"x")
    assert accepted.last is not None
    assert isinstance(accepted.last.value, Undecodable)
    assert [fault.clause for fault in accepted.last.faults] == ["26/message/recipient-rejects"]


def test_names() -> None:
    assert describe(CurveMessage) == describe(CurveMessage(bytes(8), bytes(17))) == "MESSAGE of CURVE"
