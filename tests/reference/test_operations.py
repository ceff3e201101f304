"""Options, and operations beside sending and receiving."""

import tomllib

import pytest

from harness.control.flood import flood_digest
from harness.zmtp import Message, Ping, Pong, Subscribe

from .conftest import FOLDER, Net, Peer, Refused, attached, partner


def test_immediate_queues_for_connected_peers_only(peer: Peer, net: Net) -> None:
    reserved, endpoint = net.listen()
    reserved.close()
    push = peer.open("PUSH", immediate=True)
    push.connect(endpoint)
    assert push.send(b"nobody", timeout_ms=20) == "would-block"


def test_conflate_keeps_the_newest(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL", conflate=True)
    endpoint = pull.bind()
    raw = partner(net, endpoint, "PUSH")
    raw.send(Message(b"old"), Message(b"new"))
    peer.call("poll", sockets=[pull.number], timeout_ms=3_000)
    assert pull.recv() == [b"new"]


def test_flood_and_drain(peer: Peer) -> None:
    push, pull = peer.open("PUSH"), peer.open("PULL")
    push.connect(pull.bind())
    assert push.call("flood", count=1_500, size_octets=20, seed=7, timeout_ms=3_000) == {"accepted": 1_500}
    answer = pull.call("drain", count=1_500, timeout_ms=3_000)
    assert answer == {"received": 1_500, "digest": flood_digest(7, 1_500, 20), "first": 0, "last": 1_499}
    assert pull.call("drain", count=1, timeout_ms=0)["received"] == 0


def test_proxy(peer: Peer) -> None:
    frontend, backend = peer.open("ROUTER"), peer.open("DEALER")
    req, rep = peer.open("REQ"), peer.open("REP")
    req.connect(frontend.bind())
    rep.connect(backend.bind())
    peer.call("proxy", frontend=frontend.number, backend=backend.number)
    for n in range(3):
        req.send(b"%d" % n)
        assert rep.recv() == [b"%d" % n]
        rep.send(b"answer")
        assert req.recv() == [b"answer"]
    frontend.close()


def test_proxy_forwards_subscriptions(peer: Peer, net: Net) -> None:
    frontend, backend = peer.open("XSUB"), peer.open("XPUB")
    publisher = partner(net, frontend.bind(), "PUB")
    peer.call("proxy", frontend=frontend.number, backend=backend.number)
    attached(frontend, 1)
    subscriber = partner(net, backend.bind(), "SUB")
    subscriber.send(Subscribe(b"a"))
    publisher.expect(Subscribe(b"a"))
    publisher.send(Message(b"abc"))
    subscriber.expect(Message(b"abc"))


def test_unbind_keeps_connections(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL")
    endpoint = pull.bind()
    raw = partner(net, endpoint, "PUSH")
    pull.call("unbind", endpoint=endpoint)
    with pytest.raises(ConnectionRefusedError):
        net.dial(endpoint, "PUSH")
    raw.send(Message(b"hello"))
    assert pull.recv() == [b"hello"]


def test_disconnect_ends_and_does_not_return(peer: Peer, net: Net) -> None:
    listener, endpoint = net.listen()
    push = peer.open("PUSH", reconnect_interval_ms=10)
    push.connect(endpoint)
    raw = net.accept(listener, "PULL")
    raw.handshake()
    push.send(b"last")
    push.call("disconnect", endpoint=endpoint)
    raw.expect(Message(b"last"))
    raw.expect_closed()
    listener.settimeout(0.1)
    with pytest.raises(TimeoutError):
        listener.accept()
    assert push.send(b"nobody", timeout_ms=0) == "would-block"


def test_lingering_close_still_delivers(peer: Peer, net: Net) -> None:
    listener, endpoint = net.listen()
    push = peer.open("PUSH", linger_ms=3_000)
    push.connect(endpoint)
    push.send(bytes(10_000_000))
    push.close()
    raw = net.accept(listener, "PULL")
    raw.handshake()
    raw.expect(Message(bytes(10_000_000)))
    raw.expect_closed()


def test_options_come_back(peer: Peer) -> None:
    router = peer.open("ROUTER", identity="616263", send_hwm=7)
    assert router.call("get", option="identity") == {"value": "616263"}
    assert router.call("get", option="send-hwm") == {"value": 7}
    for option, value in (("identity", "00"), ("identity", "61" * 256), ("send-hwm", -1), ("mandatory", 1)):
        with pytest.raises(Refused, match="failed"):
            router.call("set", option=option, value=value)
    for op in ("set", "get"):
        with pytest.raises(Refused, match="unsupported"):
            router.call(op, option="no-such", **({"value": 1} if op == "set" else {}))


@pytest.mark.parametrize(
    ("op", "fields", "kind"),
    [
        ("frobnicate", {}, "unsupported"),
        ("open", {"type": "STREAM", "options": {}}, "unsupported"),
        ("open", {"type": "PAIR", "options": {"no-such": 1}}, "unsupported"),
        ("bind", {"endpoint": "udp://127.0.0.1:1"}, "unsupported"),
        ("bind", {"endpoint": "nonsense"}, "failed"),
        ("connect", {"endpoint": "tcp://127.0.0.1:*"}, "failed"),
        ("unbind", {"endpoint": "tcp://127.0.0.1:1"}, "failed"),
        ("disconnect", {"endpoint": "tcp://127.0.0.1:1"}, "failed"),
        ("subscribe", {"prefix": ""}, "failed"),
        ("recv", {"timeout_ms": 0, "unknown-field": 1}, "timeout"),
        ("recv", {}, "failed"),
        ("recv", {"timeout_ms": 0}, "timeout"),
    ],
)
def test_errors(peer: Peer, op: str, fields: dict[str, object], kind: str) -> None:
    pair = peer.open("PAIR")
    if op not in ("open", "frobnicate"):
        fields = {"socket": pair.number, **fields}
    with pytest.raises(Refused, match=kind):
        peer.call(op, **fields)


def test_claims_are_what_there_is(peer: Peer) -> None:
    claims = tomllib.loads((FOLDER / "peer.toml").read_text())["claims"]
    sockets = {kind: peer.open(kind) for kind in claims["sockets"]}
    for option in set(claims["options"]) - {"plain-passwords"}:  # which is not told
        assert "value" in sockets["REQ"].call("get", option=option)


def test_proxy_forwards_what_came_before_it(peer: Peer, net: Net) -> None:
    frontend, backend = peer.open("PULL", receive_hwm=0), peer.open("PUSH", send_hwm=0)
    source = partner(net, frontend.bind(), "PUSH")
    sink = partner(net, backend.bind(), "PULL")
    attached(backend, 1)
    source.send(*[Message(b"%d" % n) for n in range(3_000)])
    source.send(Ping(0, b"fence"))
    source.expect(Pong(b"fence"))
    peer.call("proxy", frontend=frontend.number, backend=backend.number)
    assert [sink.next() for _ in range(3_000)] == [Message(b"%d" % n) for n in range(3_000)]
