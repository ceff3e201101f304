"""Every socket pattern against real libzmq, with either side binding."""

import pytest
import zmq

from .conftest import Handle, Libzmq, Peer

BINDS = pytest.mark.parametrize("reference_binds", [True, False], ids=["reference-binds", "libzmq-binds"])


def join(ours: Handle, theirs: "zmq.Socket[bytes]", reference_binds: bool) -> None:
    """Connect the two, one way or the other."""
    if reference_binds:
        theirs.connect(ours.bind())
    else:
        port = theirs.bind_to_random_port("tcp://127.0.0.1")
        ours.connect(f"tcp://127.0.0.1:{port}")


@BINDS
def test_req_to_rep(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("REQ"), libzmq(zmq.REP)
    join(ours, theirs, reference_binds)
    for n in range(3):
        assert ours.send(b"question", b"%d" % n) == "accepted"
        assert theirs.recv_multipart() == [b"question", b"%d" % n]
        theirs.send_multipart([b"answer", b"%d" % n])
        assert ours.recv() == [b"answer", b"%d" % n]


@BINDS
def test_rep_to_req(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("REP"), libzmq(zmq.REQ)
    join(ours, theirs, reference_binds)
    for n in range(3):
        theirs.send_multipart([b"question", b"%d" % n])
        assert ours.recv() == [b"question", b"%d" % n]
        assert ours.send(b"answer") == "accepted"
        assert theirs.recv_multipart() == [b"answer"]


@BINDS
def test_dealer_to_router_with_identity(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("DEALER", identity=b"alice".hex()), libzmq(zmq.ROUTER)
    join(ours, theirs, reference_binds)
    ours.send(b"", b"hello")
    assert theirs.recv_multipart() == [b"alice", b"", b"hello"]
    theirs.send_multipart([b"alice", b"back"])
    assert ours.recv() == [b"back"]


@BINDS
def test_router_to_dealer_without_identity(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("ROUTER"), libzmq(zmq.DEALER)
    join(ours, theirs, reference_binds)
    theirs.send_multipart([b"hello"])
    routing_id, *rest = ours.recv()
    assert (routing_id[0], len(routing_id), rest) == (0, 5, [b"hello"])
    ours.send(routing_id, b"back")
    assert theirs.recv_multipart() == [b"back"]


@pytest.mark.parametrize("ours_type", ["PUB", "XPUB"])
@BINDS
def test_publish(peer: Peer, libzmq: Libzmq, ours_type: str, reference_binds: bool) -> None:
    ours, theirs = peer.open(ours_type), libzmq(zmq.SUB)
    theirs.subscribe(b"a")
    join(ours, theirs, reference_binds)
    publish_until_received(ours, theirs)
    ours.send(b"b-not-subscribed")
    ours.send(b"abc", b"two")
    assert theirs.recv_multipart() == [b"abc", b"two"]


def publish_until_received(ours: Handle, theirs: "zmq.Socket[bytes]") -> None:
    """A subscription takes force at a later message: publish until one arrives, then drain."""
    sent = 0
    while not theirs.poll(20):
        ours.send(b"a-probe")
        sent += 1
        assert sent < 100
    while theirs.poll(50):
        assert theirs.recv() == b"a-probe"


@pytest.mark.parametrize("ours_type", ["SUB", "XSUB"])
@pytest.mark.parametrize("when", ["before", "after"])
@BINDS
def test_subscribe(peer: Peer, libzmq: Libzmq, ours_type: str, when: str, reference_binds: bool) -> None:
    ours, theirs = peer.open(ours_type), libzmq(zmq.XPUB)
    if when == "before":
        ours.subscribe(b"a")
    join(ours, theirs, reference_binds)
    if when == "after":
        ours.subscribe(b"a")
    assert theirs.recv() == b"\1a"
    theirs.send_multipart([b"b"])
    theirs.send_multipart([b"abc", b"two"])
    assert ours.recv() == [b"abc", b"two"]
    ours.cancel(b"a")
    assert theirs.recv() == b"\0a"


@BINDS
def test_xpub_hears_of_subscriptions(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("XPUB"), libzmq(zmq.XSUB)
    join(ours, theirs, reference_binds)
    theirs.send(b"\1topic")
    ours.peer.start("recv", socket=ours.number, timeout_ms=3_000)
    theirs.poll(100)  # libzmq works on new connections only inside a call
    assert ours.peer.finish() == {"parts": [b"\1topic".hex()]}
    theirs.send(b"upstream")
    assert ours.recv() == [b"upstream"]
    theirs.close()
    assert ours.recv() == [b"\0topic"]


@BINDS
def test_push_to_pull(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("PUSH"), libzmq(zmq.PULL)
    join(ours, theirs, reference_binds)
    sizes = [0, 1, 255, 256, 65_535, 65_536, 1_000_000]
    for size in sizes:
        assert ours.send(bytes(size), b"end") == "accepted"
    assert [len(theirs.recv_multipart()[0]) for _ in sizes] == sizes


@BINDS
def test_pull_from_push(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("PULL"), libzmq(zmq.PUSH)
    join(ours, theirs, reference_binds)
    sizes = [0, 1, 255, 256, 65_535, 65_536, 1_000_000]
    for size in sizes:
        theirs.send_multipart([bytes(size), b"end"])
    assert [len(ours.recv()[0]) for _ in sizes] == sizes


@BINDS
def test_pair(peer: Peer, libzmq: Libzmq, reference_binds: bool) -> None:
    ours, theirs = peer.open("PAIR"), libzmq(zmq.PAIR)
    join(ours, theirs, reference_binds)
    assert ours.send(b"there") == "accepted"
    assert theirs.recv() == b"there"
    theirs.send(b"back")
    assert ours.recv() == [b"back"]
