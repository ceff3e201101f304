"""The reference against itself over WebSocket."""

from typing import Any

import pytest

from .conftest import Peer, Refused

WS = "ws://127.0.0.1:*/path"
SERVER: dict[str, Any] = {"plain_server": True, "plain_passwords": [[b"user".hex(), b"secret".hex()]]}
CLIENT: dict[str, Any] = {"plain_username": b"user".hex(), "plain_password": b"secret".hex()}


@pytest.mark.parametrize(("server", "client"), [({}, {}), (SERVER, CLIENT)], ids=["null", "plain"])
def test_messages_flow_both_ways(peer: Peer, server: dict[str, Any], client: dict[str, Any]) -> None:
    rep, req = peer.open("REP", **server), peer.open("REQ", **client)
    endpoint = rep.bind(WS)
    assert endpoint.startswith("ws://127.0.0.1:")
    assert endpoint.endswith("/path")
    req.connect(endpoint)
    for size in (0, 1, 126, 65_536, 200_000):
        assert req.send(b"ask", b"x" * size) == "accepted"
        assert rep.recv() == [b"ask", b"x" * size]
        assert rep.send(b"y" * size) == "accepted"
        assert req.recv() == [b"y" * size]


def test_a_subscription_is_heard(peer: Peer) -> None:
    xpub, sub = peer.open("XPUB"), peer.open("SUB")
    sub.subscribe(b"a")
    sub.connect(xpub.bind(WS))
    assert xpub.recv() == [b"\1a"]
    assert xpub.send(b"b: lost") == xpub.send(b"a: news") == "accepted"
    assert sub.recv() == [b"a: news"]
    sub.cancel(b"a")
    assert xpub.recv() == [b"\0a"]


def test_groups_are_joined(peer: Peer) -> None:
    radio, dish = peer.open("RADIO"), peer.open("DISH")
    dish.subscribe(b"group")
    dish.connect(radio.bind(WS))
    while True:  # joined some time after the handshake
        radio.send(b"group", b"news")
        try:
            assert dish.recv(timeout_ms=10) == [b"group", b"news"]
        except Refused:
            continue
        return


def test_who_does_not_speak_websocket_gets_nothing(peer: Peer) -> None:
    pull, push = peer.open("PULL"), peer.open("PUSH")
    push.connect(pull.bind(WS).replace("ws://", "tcp://").removesuffix("/path"))
    push.send(b"lost")
    with pytest.raises(Refused, match="timeout"):
        pull.recv(timeout_ms=50)


def test_both_go_on_after_a_break(peer: Peer) -> None:
    push = peer.open("PUSH", reconnect_interval_ms=1)
    first = peer.open("PULL")
    endpoint = first.bind(WS)
    push.connect(endpoint)
    push.send(b"one")
    assert first.recv() == [b"one"]
    first.close()
    second = peer.open("PULL")
    assert second.bind(endpoint) == endpoint
    push.send(b"two")
    assert second.recv() == [b"two"]


@pytest.mark.parametrize("endpoint", ["ws://127.0.0.1", "ws://", "ws://127.0.0.1:*/path"])
def test_what_is_no_endpoint_is_refused(peer: Peer, endpoint: str) -> None:
    with pytest.raises(Refused):
        peer.open("PUSH").connect(endpoint)
