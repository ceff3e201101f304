"""The client of CURVE: what it says of itself, and what it takes from a server (RFC 26)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.curve.ends import (
    AS_SERVER,
    CLIENT_NEEDS,
    NO_ERROR,
    OF_OTHERS,
    expect_healthy,
    expect_initiate,
    expect_left,
    judge_refusal,
    let_in,
    meet_client,
    metadata,
    open_client,
    reach_ready,
)
from conformance.zmtp.secured import FORGED, judge_role
from conformance.zmtp.traffic import expect_silence
from harness.case import Judge, case
from harness.curve import Server, tampered
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.link import Sendable
from harness.zmtp import (
    Cover,
    CurveHello,
    CurveInitiate,
    CurveMessage,
    Error,
    Message,
    malformed,
)
from harness.zmtp.grammar import SOCKET_TYPES

METADATA = metadata("PUSH")
INTERVAL_MS = 20

MALFORMED_WELCOME: dict[str, Callable[[Server], Sendable]] = {
    "cut": lambda server: malformed.command_named(b"WELCOME", server.welcome().to_command().data[:-1]),
    "longer": lambda server: malformed.command_named(b"WELCOME", server.welcome().to_command().data + b"\0"),
    "name-alone": lambda server: malformed.command_named(b"WELCOME"),
    "box-altered": lambda server: tampered(server.welcome()),
    "nonce-altered": lambda server: tampered(server.welcome(), "nonce"),
    "of-another-server": lambda server: server.welcome(keys=OF_OTHERS),
}
MALFORMED_READY: dict[str, Callable[[Server], Sendable]] = {
    "cut": lambda server: malformed.command_named(b"READY", server.ready(b"").to_command().data[:-1]),
    "name-alone": lambda server: malformed.command_named(b"READY"),
    "box-altered": lambda server: tampered(server.ready(METADATA)),
    "nonce-altered": lambda server: tampered(server.ready(METADATA), "nonce"),
    "metadata-cut": lambda server: server.ready(METADATA[:-1]),
    "metadata-longer": lambda server: server.ready(METADATA + b"\x01"),
}
NOT_WELCOME: dict[str, Callable[[Server], Sendable]] = {
    "ready": lambda server: server.ready(METADATA),
    "message": lambda server: server.seal(b"\0early"),
    "hello": lambda server: CurveHello(client=bytes(32), nonce=bytes(8), box=bytes(80)),
    "initiate": lambda server: CurveInitiate(bytes(96), bytes(8), bytes(144)),
}
NOT_READY: dict[str, Callable[[Server], Sendable]] = {
    "welcome": lambda server: server.welcome(),
    "message": lambda server: server.seal(b"\0early"),
    "initiate": lambda server: CurveInitiate(bytes(96), bytes(8), bytes(144)),
}


@case(
    "curve/client/logs-in",
    clauses=["26/hello/client-sends", "26/initiate/client-sends", "26/abnf/curvezmq"],
    needs=["{socket_type}", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_logs_in(peer: Peer, attach: Attach, socket_type: str) -> None:
    """A client says HELLO by itself, INITIATE after WELCOME, and messages flow in boxes after READY."""
    sock = open_client(peer, socket_type)
    raw = attach(sock)
    let_in(raw, PARTNER[socket_type])
    expect_serves(sock, raw, clause="26/abnf/curvezmq")


@case(
    "curve/client/says-that-it-is-the-client",
    clauses=["25/impl/as-server-role"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_says_that_it_is_the_client(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The client's greeting has CURVE and as-server 00, whether it binds or connects."""
    judge_role(judge, attach(open_client(peer)).greet(AS_SERVER), "CURVE", as_server=0)


@case(
    "curve/client/waits-for-welcome",
    clauses=["26/abnf/curvezmq"],
    needs=["PULL", "mechanism:NULL", *CLIENT_NEEDS],
)
def test_waits_for_welcome(peer: Peer, attach: Attach, dial: Dial) -> None:
    """Behind HELLO a client sends nothing until WELCOME has come."""
    sock, bystander = open_client(peer), peer.open("PULL")
    raw = attach(sock)
    server, _ = meet_client(raw)
    expect_silence(raw, bystander, dial, "nothing before WELCOME", "octets, or a close")
    raw.send(server.welcome())
    expect_initiate(raw, server)


@case(
    "curve/client/sends-no-message-before-ready",
    clauses=["26/message/client-after-ready"],
    needs=["PUSH", "PULL", "mechanism:NULL", *CLIENT_NEEDS],
)
def test_sends_no_message_before_ready(peer: Peer, listen: Listen, dial: Dial, judge: Judge) -> None:
    """A message that the application sends early stays at home until READY has come."""
    sock, listener, bystander = open_client(peer, "PUSH"), listen(), peer.open("PULL")
    sock.connect(listener.endpoint)
    raw = listener.accept()
    server = reach_ready(raw)
    judge.note(f"an early send is {sock.offer([b'early'], within_s=0.05)}")
    expect_silence(raw, bystander, dial, "nothing between INITIATE and READY", "octets")
    raw.send(server.ready(metadata("PULL")))
    raw.cover = Cover(server)
    sock.send([b"late"])
    raw.expect(Message)


@case(
    "curve/client/message-right-behind-ready",
    clauses=["26/initiate/message-after-ready"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_message_right_behind_ready(peer: Peer, attach: Attach) -> None:
    """A server may send READY and a message in one segment."""
    sock = open_client(peer)
    raw = attach(sock)
    server = reach_ready(raw)
    raw.cover = Cover(server)
    raw.send(server.ready(METADATA), Message(b"at", b"once"))
    sock.expect(b"at", b"once", clause="26/initiate/message-after-ready")


@case(
    "curve/client/handshake-in-pieces",
    clauses=["26/initiate/client-sends", "26/abnf/curvezmq"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_handshake_in_pieces(peer: Peer, attach: Attach) -> None:
    """WELCOME and READY are understood however TCP cuts them."""
    sock = open_client(peer)
    raw = attach(sock)
    server, _ = meet_client(raw)
    raw.send(server.welcome(), pieces=1)
    expect_initiate(raw, server)
    raw.send(server.ready(METADATA), pieces=1)
    raw.cover = Cover(server)
    expect_serves(sock, raw, clause="26/abnf/curvezmq")


@case(
    "curve/client/malformed-welcome-is-refused",
    clauses=["26/welcome/client-disconnects", "26/overview/client-no-error", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("welcome", MALFORMED_WELCOME.values(), ids=MALFORMED_WELCOME)
def test_malformed_welcome_is_refused(
    peer: Peer, attach: Attach, judge: Judge, welcome: Callable[[Server], Sendable]
) -> None:
    """A client leaves a server whose WELCOME has another size or does not open, without a word."""
    sock = open_client(peer)
    raw = attach(sock)
    server, _ = meet_client(raw)
    raw.send(welcome(server))
    with judge.soft():
        expect_left(raw, "26/welcome/client-disconnects", NO_ERROR["curve-server-key"], CurveInitiate)
    expect_healthy(sock, attach, "curve-server-key")


@case(
    "curve/client/malformed-ready-is-refused",
    clauses=["26/ready/client-disconnects", "26/overview/client-no-error", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("ready", MALFORMED_READY.values(), ids=MALFORMED_READY)
def test_malformed_ready_is_refused(
    peer: Peer, attach: Attach, judge: Judge, ready: Callable[[Server], Sendable]
) -> None:
    """A client leaves a server whose READY does not open, or holds what is no metadata, without a word."""
    sock = open_client(peer)
    raw = attach(sock)
    raw.send(ready(reach_ready(raw)))
    with judge.soft():
        expect_left(raw, "26/ready/client-disconnects", NO_ERROR["curve-server-key"], CurveMessage)
    expect_healthy(sock, attach, "curve-server-key")


@case(
    "curve/client/welcome-comes-first",
    clauses=["26/overview/flow", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("first", NOT_WELCOME.values(), ids=NOT_WELCOME)
def test_welcome_comes_first(
    peer: Peer, attach: Attach, judge: Judge, first: Callable[[Server], Sendable]
) -> None:
    """A server that begins with a command of another turn is left, and nothing of it is delivered."""
    sock = open_client(peer)
    raw = attach(sock)
    server, _ = meet_client(raw)
    raw.send(first(server), FORGED)
    judge_refusal(judge, raw, sock, attach, "curve-server-key", "26/overview/flow")


@case(
    "curve/client/ready-comes-second",
    clauses=["26/overview/flow", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("second", NOT_READY.values(), ids=NOT_READY)
def test_ready_comes_second(
    peer: Peer, attach: Attach, judge: Judge, second: Callable[[Server], Sendable]
) -> None:
    """A server that goes on with a command of another turn is left, and nothing of it is delivered."""
    sock = open_client(peer)
    raw = attach(sock)
    raw.send(second(reach_ready(raw)), FORGED)
    judge_refusal(judge, raw, sock, attach, "curve-server-key", "26/overview/flow")


@case(
    "curve/client/stays-away-once-refused",
    clauses=["26/overview/no-retry", "26/abnf/curvezmq"],
    needs=["PULL", "option:reconnect-interval-ms", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("welcomed", [False, True], ids=["for-welcome", "for-ready"])
def test_stays_away_once_refused(peer: Peer, listen: Listen, welcomed: bool) -> None:
    """A client that got ERROR, for WELCOME or for READY, does not come again with the same keys."""
    refusing, cutting = listen(), listen()
    sock = open_client(peer, reconnect_interval_ms=INTERVAL_MS)
    sock.connect(refusing.endpoint)
    refused = refusing.accept()
    (reach_ready if welcomed else meet_client)(refused)
    refused.send(Error(b"400"))
    refused.expect_closed("26/abnf/curvezmq", never=(CurveInitiate, CurveMessage))
    sock.connect(cutting.endpoint)
    for _ in range(4):  # as many attempts with the same interval as the refused connection could have made
        cut = cutting.accept(clause="37/errors/close-reconnect")
        let_in(cut)
        expect_serves(sock, cut)
        cut.close()
    Judge.that(not refusing.arrived(), "no other attempt", "another connection")


@case(
    "curve/client/needs-the-key-of-its-server",
    clauses=["26/overview/client-knows-server", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_needs_the_key_of_its_server(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A client with the key of another server comes to no session, and nothing of ours is delivered."""
    sock = open_client(peer)
    raw = attach(sock)
    raw.greet(AS_SERVER)
    hello = raw.expect(CurveHello)
    impostor = Server(OF_OTHERS, trusts=True)
    impostor.meet(hello.client)
    raw.send(impostor.welcome())
    with judge.soft():
        raw.expect_closed("26/overview/client-knows-server", never=(CurveInitiate,))
    expect_healthy(sock, attach, "curve-server-key")
