"""Raw ends that speak WebSocket, against each other: steps, refusals, closes, and what the trace shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.deadlines import Deadlines
from harness.verdict import Mismatch
from harness.wire.checks import run_checks
from harness.wire.endpoints import parse_endpoint
from harness.wire.render import describe, render_trace
from harness.wire.trace import SENDERS, Trace
from harness.wire.tracefile import load, save
from harness.wire.websocket import WebSocketListener, WebSocketPeer, dial_ws
from harness.zmtp import Message, Ready
from harness.zmtp.websocket import PING, Answer, Closing, Upgrade, WebSocketFrame
from harness.zmtp.zws import NO_MECHANISM, NULL_PROTOCOL

QUICK = Deadlines(0.05)
Pair = Callable[[], tuple[WebSocketPeer, WebSocketPeer]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected ends, each with a trace of its own, before the opening handshake."""
    opened: list[WebSocketPeer | WebSocketListener] = []

    def make() -> tuple[WebSocketPeer, WebSocketPeer]:
        listener = WebSocketListener(Trace(), QUICK, target="/some/path")
        dialer = dial_ws(listener.endpoint, Trace(), QUICK)
        opened.extend((listener, dialer, accepted := listener.accept()))
        return dialer, accepted

    yield make
    for each in opened:
        each.close()


def shake(dialer: WebSocketPeer, listener: WebSocketPeer, protocol: str) -> None:
    """The opening handshake, both sides in one thread."""
    request = dialer.ask(protocol)
    assert listener.expect(Upgrade) == request
    listener.admit(request, protocol)
    dialer.expect_switching()
    assert dialer.protocol == listener.protocol == protocol


def test_both_ends_get_through(pair: Pair) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NULL_PROTOCOL)
    dialer.send(Ready("PUSH", b"me"))
    listener.handshake("PULL")
    dialer.expect_faultless(Ready, "45/mech/abnf-command", socket_type="PULL")
    assert listener.identity == b"me"
    dialer.send(Message(b"a", b"b"))
    listener.expect_message(b"a", b"b")
    assert dialer.target == "/some/path"


def test_a_session_without_mechanism_begins_with_the_routing_id(pair: Pair) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NO_MECHANISM)
    dialer.send(Message(b"me"))
    listener.handshake("PULL", identity=b"you")
    dialer.expect_message(b"you")
    assert listener.identity == b"me"


def test_pings_are_answered_and_passed_over(pair: Pair) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NULL_PROTOCOL)
    dialer.send(WebSocketFrame(PING, b"one"), Message(b"a"), WebSocketFrame(PING, b"two"))
    listener.expect_message(b"a")
    assert not listener.arrived()
    listener.send(Message(b"b"))
    dialer.expect_message(b"b")
    pongs = [describe(each.received.value) for each in dialer.trace.decoded(1) if each.sender == "listener"]
    assert pongs[1:] == ["WebSocket pong b'one'", "WebSocket pong b'two'", 'message ["b"]']


def test_a_close_is_answered_and_counts_as_refusal(pair: Pair) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NULL_PROTOCOL)
    listener.send(Closing(1000).frame())
    dialer.expect_refused("45/handshake/none-supported")
    listener.expect(Closing(1000))
    assert dialer.is_over()


def test_a_status_counts_as_refusal(pair: Pair) -> None:
    dialer, listener = pair()
    dialer.ask("chat")
    listener.send(Answer("HTTP/1.1 400 Bad Request"))
    dialer.expect_refused("45/handshake/none-supported")
    assert not dialer.is_over()
    listener.close()
    assert dialer.is_over()


def test_who_is_taken_in_is_not_refused(pair: Pair) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NULL_PROTOCOL)
    with pytest.raises(Mismatch, match="still open"):
        dialer.expect_refused("45/handshake/none-supported")
    listener.send(Message(b"a"))
    with pytest.raises(Mismatch, match="message"):
        dialer.expect_refused("45/handshake/none-supported")


def test_nobody_is_taken_in_by_what_is_not_offered(pair: Pair) -> None:
    dialer, listener = pair()
    dialer.ask("chat")
    with pytest.raises(Mismatch) as caught:
        listener.upgrade(NULL_PROTOCOL)
    assert caught.value.clause == "45/handshake/protocol-list"


def test_another_status_is_no_way_in(pair: Pair) -> None:
    dialer, listener = pair()
    dialer.ask(NULL_PROTOCOL)
    listener.send(Answer("HTTP/1.1 404 Not Found"))
    with pytest.raises(Mismatch, match="404"):
        dialer.expect_switching()


def test_faults_of_form_are_told(pair: Pair) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NULL_PROTOCOL)
    listener.role = "dialer"  # so it puts masks on
    listener.send(Message(b"a"))
    with pytest.raises(Mismatch, match="under a mask"):
        dialer.expect_faultless(Message(b"a"), "45/handshake/rfc6455")


def test_a_routing_id_is_one_frame(pair: Pair) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NO_MECHANISM)
    listener.send(Message(b"a", b"b"))
    with pytest.raises(Mismatch) as caught:
        dialer.handshake("PULL")
    assert caught.value.clause == "45/nomech/abnf-identity"


def test_the_trace_reads_frames_and_no_check_takes_them_for_zmtp(pair: Pair, tmp_path: Path) -> None:
    dialer, listener = pair()
    shake(dialer, listener, NULL_PROTOCOL)
    dialer.send(Ready("PUSH"), Message(b"a"))
    listener.expect(Ready)
    listener.expect_message(b"a")
    save(dialer.trace, tmp_path / "trace")
    for trace in (dialer.trace, load(tmp_path / "trace")):
        shown = render_trace(trace)
        assert "GET /some/path HTTP/1.1 ZWS2.0/NULL" in shown
        assert "READY PUSH" in shown
        assert 'message ["a"]' in shown
        assert [run_checks(trace, 1, sender) for sender in SENDERS] == [[], []]


def test_endpoints_have_a_path() -> None:
    assert parse_endpoint("ws://127.0.0.1:80/some/path")[1] == ("127.0.0.1", 80)
    assert parse_endpoint("ws://[::1]:80")[1] == ("::1", 80)
    with pytest.raises(Mismatch):
        dial_ws("tcp://127.0.0.1:80", Trace(), QUICK)
