"""ZAP in the reference peer: who can be its handler, and who is let in, libzmq's clients among them."""

import pytest
import zmq

from harness.zmtp import Error, HandshakeDone, Message
from peers.reference.zap import ENDPOINT
from tests.reference.conftest import Libzmq, Net, Peer, Refused

DOMAIN = {"zap_domain": b"realm".hex()}


def test_who_can_be_a_handler(peer: Peer) -> None:
    with pytest.raises(Refused, match="REP or ROUTER"):
        peer.open("PULL").bind(ENDPOINT)
    first, second = peer.open("ROUTER"), peer.open("REP")
    assert first.bind(ENDPOINT) == ENDPOINT
    with pytest.raises(Refused, match="there is a handler"):
        second.bind(ENDPOINT)
    first.call("unbind", endpoint=ENDPOINT)
    second.bind(ENDPOINT)
    second.close()
    first.bind(ENDPOINT)


@pytest.mark.parametrize("domain", ["ff", "61" * 256])
def test_a_domain_is_a_text(peer: Peer, domain: str) -> None:
    with pytest.raises(Refused, match="failed"):
        peer.open("PULL", zap_domain=domain)


def test_the_handler_decides(peer: Peer, net: Net) -> None:
    handler, pull = peer.open("REP"), peer.open("PULL", plain_server=True, **DOMAIN)
    handler.bind(ENDPOINT)
    endpoint = pull.bind()
    for password, status in ((b"wrong", b"400"), (b"right", b"200")):
        push = net.dial(endpoint, "PUSH", mechanism="PLAIN", username=b"joe", password=password)
        push.codec.start()
        push.write()
        while push.codec.partner is None:  # HELLO goes out behind the greetings
            push.codec.receive(push.sock.recv(65_536))
            push.write()
        version, number, domain, address, identity, *credentials = handler.recv()
        assert (version, domain, address, identity) == (b"1.0", b"realm", b"127.0.0.1", b"")
        assert credentials == [b"PLAIN", b"joe", password]
        handler.send(version, number, status, b"", b"", b"")
        push.expect(HandshakeDone if status == b"200" else Error)
    push.send(Message(b"in"))
    assert pull.recv() == [b"in"]


def test_libzmq_is_let_in(peer: Peer, libzmq: Libzmq) -> None:
    handler, pull = peer.open("ROUTER"), peer.open("PULL", **DOMAIN)
    handler.bind(ENDPOINT)
    push = libzmq(zmq.PUSH)
    push.connect(pull.bind())
    envelope = handler.recv()[:4]
    handler.send(*envelope, b"200", b"", b"", b"")
    push.send(b"from libzmq")
    assert pull.recv() == [b"from libzmq"]
