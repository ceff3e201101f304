"""PLAIN in the reference peer: against the codec, and against real libzmq in both roles."""

from collections.abc import Iterator
from typing import Any

import pytest
import zmq
from zmq.auth.thread import ThreadAuthenticator

from harness.zmtp import Error, Message
from tests.reference.conftest import Libzmq, Net, Peer, Refused

ADMIN, SECRET = b"admin", b"secret"
SERVER: dict[str, Any] = {"plain_server": True, "plain_passwords": [[ADMIN.hex(), SECRET.hex()]]}
CLIENT: dict[str, Any] = {"plain_username": ADMIN.hex(), "plain_password": SECRET.hex()}


@pytest.mark.parametrize("password", [b"", b"Secret", b"secret0"])
def test_the_server_checks(peer: Peer, net: Net, password: bytes) -> None:
    pull = peer.open("PULL", **SERVER)
    endpoint = pull.bind()
    bad = net.dial(endpoint, "PUSH", mechanism="PLAIN", username=ADMIN, password=password)
    bad.codec.start()
    bad.write()
    bad.expect(Error)
    bad.expect_closed()
    good = net.dial(endpoint, "PUSH", mechanism="PLAIN", username=ADMIN, password=SECRET)
    good.handshake()
    good.send(Message(b"in"))
    assert pull.recv() == [b"in"]


def test_a_client_that_is_refused_stays_away(peer: Peer, net: Net) -> None:
    push = peer.open("PUSH", reconnect_interval_ms=1, **CLIENT)
    listener, endpoint = net.listen()
    push.connect(endpoint)
    server = net.accept(listener, "PULL", mechanism="PLAIN", as_server=True)
    server.codec.start()
    server.write()
    with pytest.raises(Exception, match="24/flow/server-reject-close"):
        server.next()
    server.write()
    assert server.sock.recv(1) == b""
    listener.settimeout(0.1)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_options(peer: Peer) -> None:
    client = peer.open("REQ", **CLIENT)
    assert client.call("get", option="plain-username") == {"value": ADMIN.hex()}
    assert client.call("get", option="plain-server") == {"value": False}
    assert peer.open("REQ").call("get", option="plain-password") == {"value": ""}
    bad: list[tuple[str, Any]] = [
        ("plain-username", "20"),
        ("plain-password", "61" * 256),
        ("plain-server", 1),
        ("plain-passwords", ["61"]),
    ]
    for option, value in bad:
        with pytest.raises(Refused, match="failed"):
            client.call("set", option=option, value=value)
    with pytest.raises(Refused, match="failed"):
        client.call("get", option="plain-passwords")


def test_libzmq_as_the_client(peer: Peer, libzmq: Libzmq) -> None:
    for types in (("ROUTER", zmq.DEALER), ("PULL", zmq.PUSH)):
        server = peer.open(types[0], **SERVER)
        client = libzmq(types[1], plain_username=ADMIN, plain_password=SECRET)
        client.connect(server.bind())
        client.send(b"from libzmq")
        assert server.recv()[-1] == b"from libzmq"


@pytest.fixture
def guarded(libzmq: Libzmq) -> Iterator[Libzmq]:
    """Makes servers of libzmq that let in admin alone."""
    probe = libzmq(zmq.PAIR)
    auth = ThreadAuthenticator(probe.context)
    auth.start()
    auth.configure_plain(domain="*", passwords={ADMIN.decode(): SECRET.decode()})
    yield libzmq
    auth.stop()


def test_libzmq_as_the_server(peer: Peer, guarded: Libzmq) -> None:
    server = guarded(zmq.PULL, plain_server=True)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    stranger = peer.open("PUSH", plain_username=ADMIN.hex())
    stranger.connect(f"tcp://127.0.0.1:{port}")
    stranger.send(b"from a stranger")
    client = peer.open("PUSH", **CLIENT)
    client.connect(f"tcp://127.0.0.1:{port}")
    client.send(b"from admin")
    assert server.recv() == b"from admin"
