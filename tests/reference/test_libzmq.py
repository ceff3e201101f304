"""Every socket pattern against real libzmq, with either side binding."""

import pytest
import zmq

from harness.control.flood import body, flood_digest

from .conftest import Handle, Libzmq, Peer, Refused

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


@pytest.mark.parametrize("ours_beats", [True, False], ids=["reference-beats", "libzmq-beats"])
def test_heartbeats_keep_an_idle_connection(peer: Peer, libzmq: Libzmq, ours_beats: bool) -> None:
    beats = {"heartbeat_interval_ms": 20, "heartbeat_timeout_ms": 100, "heartbeat_ttl_ms": 100}
    ours = peer.open("PULL", **(beats if ours_beats else {}))
    theirs = libzmq(zmq.PUSH)
    if not ours_beats:
        theirs.heartbeat_ivl, theirs.heartbeat_timeout, theirs.heartbeat_ttl = 20, 100, 100
    join(ours, theirs, reference_binds=True)
    with pytest.raises(Refused, match="timeout"):
        ours.recv(timeout_ms=400)
    theirs.send(b"still there")
    assert ours.recv() == [b"still there"]
    events = ours.events()
    assert events.count("handshake-succeeded") == 1
    assert "disconnected" not in events


def test_subscriptions_survive_a_restart_of_the_publisher(peer: Peer, libzmq: Libzmq) -> None:
    ours, theirs = peer.open("SUB", reconnect_interval_ms=20), libzmq(zmq.XPUB)
    ours.subscribe(b"a")
    join(ours, theirs, reference_binds=False)
    assert theirs.recv() == b"\1a"
    endpoint = theirs.getsockopt_string(zmq.LAST_ENDPOINT)
    theirs.close()
    again = libzmq(zmq.XPUB)
    for _ in range(1_000):  # the port is free once the old socket's thread has let go of it
        try:
            again.bind(endpoint)
            break
        except zmq.ZMQError:
            ours.events()
    assert again.recv() == b"\1a"
    again.send(b"abc")
    assert ours.recv() == [b"abc"]


def test_a_restarted_client_is_served(peer: Peer, libzmq: Libzmq) -> None:
    ours = peer.open("ROUTER")
    endpoint = ours.bind()
    for n in range(3):
        theirs = libzmq(zmq.DEALER, routing_id=b"client%d" % n)
        theirs.connect(endpoint)
        theirs.send(b"hello")
        assert ours.recv() == [b"client%d" % n, b"hello"]
        ours.send(b"client%d" % n, b"back")
        assert theirs.recv() == b"back"
        theirs.close()


def test_flood_both_ways(peer: Peer, libzmq: Libzmq) -> None:
    ours, theirs = peer.open("DEALER"), libzmq(zmq.DEALER)
    join(ours, theirs, reference_binds=True)
    assert ours.call("flood", count=900, size_octets=1_000, seed=3, timeout_ms=3_000) == {"accepted": 900}
    for index in range(900):
        assert theirs.recv() == body(3, index, 1_000)
    for index in range(900):
        theirs.send(body(4, index, 1_000))
    answer = ours.call("drain", count=900, timeout_ms=3_000)
    assert (answer["received"], answer["digest"]) == (900, flood_digest(4, 900, 1_000))
