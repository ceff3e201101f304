"""A second opinion on CURVE: strict connections talk to libzmq, as client and as server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from socket import socket

import pytest
import zmq

from harness.curve import Client, KeyPair, Server
from harness.zmtp import Config, CurveMessage, HandshakeDone, Message
from tests.zmtp.test_against_libzmq import VALID, Link, dial, listen, open_socket, shake_hands_and_converse

CLIENT, SERVER = KeyPair.of(b"\1" * 32), KeyPair.of(b"\2" * 32)
AS_CLIENT = Config("REQ", b"me", mechanism="CURVE", curve=lambda: Client(CLIENT, SERVER.public))
AS_SERVER = Config("REQ", b"me", mechanism="CURVE", as_server=True, curve=lambda: Server(SERVER))
MANY = 300


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context = zmq.Context()
    yield context
    context.term()


def covered(context: zmq.Context[zmq.Socket[bytes]], socket_type: str, as_server: bool) -> zmq.Socket[bytes]:
    """A socket of libzmq as a server of CURVE, or as a client."""
    opened = open_socket(context, socket_type)
    keys = SERVER if as_server else CLIENT
    opened.curve_publickey, opened.curve_secretkey = keys.public, keys.secret
    if as_server:
        opened.curve_server = True
    else:
        opened.curve_serverkey = SERVER.public
    return opened


@pytest.mark.skipif(not zmq.has("curve"), reason="this libzmq was built without CURVE")
@pytest.mark.parametrize("reach", [dial, listen], ids=["we-dial", "we-listen"])
@pytest.mark.parametrize("ours", [AS_CLIENT, AS_SERVER], ids=["we-are-the-client", "we-are-the-server"])
@pytest.mark.parametrize(("ours_type", "theirs_type"), VALID, ids=str)
def test_a_valid_pair_converses(
    context: zmq.Context[zmq.Socket[bytes]],
    reach: Callable[[zmq.Socket[bytes]], socket],
    ours: Config,
    ours_type: str,
    theirs_type: str,
) -> None:
    with covered(context, theirs_type, not ours.as_server) as theirs, reach(theirs) as sock:
        link = Link(sock, theirs, replace(ours, socket_type=ours_type))
        shake_hands_and_converse(link, theirs, ours_type, theirs_type)
    assert any(isinstance(received.value, CurveMessage) for received in [*link.read, *link.wrote])


@pytest.mark.skipif(not zmq.has("curve"), reason="this libzmq was built without CURVE")
@pytest.mark.parametrize("ours", [AS_CLIENT, AS_SERVER], ids=["we-are-the-client", "we-are-the-server"])
def test_many_messages_either_way(context: zmq.Context[zmq.Socket[bytes]], ours: Config) -> None:
    with covered(context, "DEALER", not ours.as_server) as theirs, dial(theirs) as sock:
        link = Link(sock, theirs, replace(ours, socket_type="DEALER"))
        link.next(HandshakeDone)
        for n in range(MANY):
            link.send(Message(b"%d" % n))
        assert [theirs.recv() for _ in range(MANY)] == [b"%d" % n for n in range(MANY)]
        for n in range(MANY):
            theirs.send(b"%d" % n)
        assert [link.next(Message) for _ in range(MANY)] == [Message(b"%d" % n) for n in range(MANY)]
