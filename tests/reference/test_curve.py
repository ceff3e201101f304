"""CURVE in the reference peer: against the codec, and against real libzmq in both roles."""

from typing import Any

import pytest
import zmq

from harness.curve import Client, KeyPair
from harness.zmtp import Message
from tests.reference.conftest import Libzmq, Net, Peer, Refused

OURS, THEIRS = KeyPair.of(b"\1" * 32), KeyPair.of(b"\2" * 32)
SERVER: dict[str, Any] = {"curve_server": True, "curve_secret_key": OURS.secret.hex()}
CLIENT: dict[str, Any] = {
    "curve_public_key": OURS.public.hex(),
    "curve_secret_key": OURS.secret.hex(),
    "curve_server_key": THEIRS.public.hex(),
}
needs_curve = pytest.mark.skipif(not zmq.has("curve"), reason="this libzmq was built without CURVE")


def test_whoever_knows_the_server_is_let_in(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL", **SERVER)
    endpoint = pull.bind()
    bad = net.dial(endpoint, "PUSH", mechanism="CURVE", curve=lambda: Client(THEIRS, THEIRS.public))
    bad.codec.start()
    bad.write()
    bad.expect_closed()
    good = net.dial(endpoint, "PUSH", mechanism="CURVE", curve=lambda: Client(THEIRS, OURS.public))
    good.handshake()
    good.send(Message(b"in"))
    assert pull.recv() == [b"in"]


def test_options(peer: Peer) -> None:
    client = peer.open("REQ", **CLIENT)
    assert client.call("get", option="curve-server-key") == {"value": THEIRS.public.hex()}
    assert client.call("get", option="curve-server") == {"value": False}
    for option, value in (("curve-secret-key", "00" * 31), ("curve-server-key", ""), ("curve-server", 1)):
        with pytest.raises(Refused, match="failed"):
            client.call("set", option=option, value=value)


@needs_curve
def test_libzmq_as_the_client(peer: Peer, libzmq: Libzmq) -> None:
    for types in (("ROUTER", zmq.DEALER), ("PULL", zmq.PUSH)):
        server = peer.open(types[0], **SERVER)
        keys = {"curve_publickey": THEIRS.public, "curve_secretkey": THEIRS.secret}
        client = libzmq(types[1], curve_serverkey=OURS.public, **keys)
        client.connect(server.bind())
        client.send(b"from libzmq")
        assert server.recv()[-1] == b"from libzmq"


@needs_curve
def test_libzmq_as_the_server(peer: Peer, libzmq: Libzmq) -> None:
    server = libzmq(zmq.PULL, curve_server=True, curve_secretkey=THEIRS.secret)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    client = peer.open("PUSH", **CLIENT)
    client.connect(f"tcp://127.0.0.1:{port}")
    client.send(b"from the reference")
    assert server.recv() == b"from the reference"
