"""Connections: versions, illegal octets, heartbeats, time-outs, reconnecting, back-pressure."""

import subprocess
import sys
import time

import pytest
import zmq

from harness.zmtp import Error, Greeting, Message, Ping, Pong, Ready, malformed

from .conftest import FOLDER, Libzmq, Net, Peer


@pytest.mark.parametrize(
    ("version", "lowest"), [((3, 1), 3), ((3, 0), 3), ((3, 1), 1), ((2, 0), 2), ((1, 0), 1)]
)
def test_serves_every_version(peer: Peer, net: Net, version: tuple[int, int], lowest: int) -> None:
    router = peer.open("ROUTER")
    raw = net.dial(router.bind(), "DEALER", identity=b"alice", version=version, lowest=lowest)
    raw.handshake()
    raw.send(Message(b"", b"hello", bytes(300)))
    assert router.recv() == [b"alice", b"", b"hello", bytes(300)]
    router.send(b"alice", b"back", bytes(300))
    raw.expect(Message(b"back", bytes(300)))


@pytest.mark.parametrize("version", [(3, 1), (3, 0), (2, 0)])
def test_dials_every_version(peer: Peer, net: Net, version: tuple[int, int]) -> None:
    listener, endpoint = net.listen()
    push = peer.open("PUSH")
    push.connect(endpoint)
    raw = net.accept(listener, "PULL", version=version, lowest=version[0])
    raw.handshake()
    push.send(b"hello")
    raw.expect(Message(b"hello"))


def test_octet_by_octet(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL")
    raw = net.dial(pull.bind(), "PUSH")
    octets = Greeting().serialize() + Ready("PUSH").serialize() + Message(b"a", b"b").serialize()
    for octet in octets:
        raw.sock.sendall(bytes([octet]))
    assert pull.recv() == [b"a", b"b"]


@pytest.mark.parametrize(
    "octets",
    [
        malformed.reserved_flag(5),
        malformed.command_with_more(b"\4PING\0\0"),
        malformed.negative_size(),
        malformed.ping_cut(),
        malformed.command_empty(),
    ],
    ids=["reserved-flag", "command-with-more", "negative-size", "ping-cut", "empty-command"],
)
def test_illegal_octets_close_their_own_connection_only(peer: Peer, net: Net, octets: bytes) -> None:
    pull = peer.open("PULL")
    endpoint = pull.bind()
    good, bad = net.dial(endpoint, "PUSH"), net.dial(endpoint, "PUSH")
    good.handshake()
    bad.handshake()
    bad.sock.sendall(octets)
    bad.expect_closed()
    good.send(Message(b"still here"))
    assert pull.recv() == [b"still here"]


def test_wrong_socket_type_gets_an_error_and_is_closed(peer: Peer, net: Net) -> None:
    raw = net.dial(peer.open("PULL").bind(), "PUSH")
    raw.sock.sendall(Greeting().serialize() + Ready("SUB").serialize())
    answer = b""
    while octets := raw.sock.recv(65_536):
        answer += octets
    assert answer.endswith(Error(b"Invalid-socket-type").serialize())


def test_unfinished_message_is_never_delivered(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL")
    endpoint = pull.bind()
    broken = net.dial(endpoint, "PUSH")
    broken.handshake()
    broken.sock.sendall(malformed.unfinished_message(b"half"))
    broken.sock.close()
    whole = net.dial(endpoint, "PUSH")
    whole.handshake()
    whole.send(Message(b"fence"))
    assert pull.recv() == [b"fence"]


def test_large_frame_is_refused(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL", max_message_octets=1_000)
    raw = net.dial(pull.bind(), "PUSH")
    raw.handshake()
    raw.send(Message(bytes(1_000)))
    assert pull.recv() == [bytes(1_000)]
    raw.send(Message(bytes(1_001)))
    raw.expect_closed()


def test_ping_is_answered(peer: Peer, net: Net) -> None:
    raw = net.dial(peer.open("PULL").bind(), "PUSH")
    raw.handshake()
    raw.send(Ping(0, b"context"))
    raw.expect(Pong(b"context"))


def test_silence_after_ping_closes(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL", heartbeat_interval_ms=50, heartbeat_timeout_ms=100, heartbeat_ttl_ms=700)
    raw = net.dial(pull.bind(), "PUSH")
    raw.handshake()
    for _ in range(4):  # the codec of this end answers
        raw.expect(Ping(7, b""))
    while raw.sock.recv(65_536):
        pass


def test_silence_after_a_ttl_closes(peer: Peer, net: Net) -> None:
    raw = net.dial(peer.open("PULL").bind(), "PUSH")
    raw.handshake()
    before = time.monotonic()
    raw.send(Ping(2, b""))
    raw.expect(Pong(b""))
    raw.expect_closed()
    assert 0.15 < time.monotonic() - before < 2


def test_old_partners_get_no_ping(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL", heartbeat_interval_ms=20)
    raw = net.dial(pull.bind(), "PUSH", version=(3, 0), lowest=3)
    raw.handshake()
    raw.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        raw.next()
    raw.send(Message(b"fence"))
    assert pull.recv() == [b"fence"]


def test_handshake_must_come_in_time(peer: Peer, net: Net) -> None:
    raw = net.dial(peer.open("PULL", handshake_interval_ms=50).bind(), "PUSH")
    while raw.sock.recv(100):
        pass


def test_dials_again_after_a_close(peer: Peer, net: Net) -> None:
    listener, endpoint = net.listen()
    push = peer.open("PUSH", reconnect_interval_ms=20)
    push.connect(endpoint)
    for n in range(3):
        raw = net.accept(listener, "PULL")
        raw.handshake()
        push.send(b"%d" % n)
        raw.expect(Message(b"%d" % n))
        raw.sock.close()
    assert push.events().count("handshake-succeeded") == 3


def test_does_not_dial_again_after_an_error(peer: Peer, net: Net) -> None:
    listener, endpoint = net.listen()
    push = peer.open("PUSH", reconnect_interval_ms=10)
    push.connect(endpoint)
    raw = net.accept(listener, "PULL")
    raw.sock.sendall(Greeting().serialize() + Error(b"no").serialize())
    while raw.sock.recv(100):
        pass
    listener.settimeout(0.2)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_queues_while_there_is_no_listener_yet(peer: Peer, libzmq: Libzmq, net: Net) -> None:
    reserved, endpoint = net.listen()
    reserved.close()
    push = peer.open("PUSH", reconnect_interval_ms=20)
    push.connect(endpoint)
    assert push.send(b"early") == "accepted"
    pull = libzmq(zmq.PULL)
    pull.bind(endpoint)
    assert pull.recv() == b"early"
    assert "connect-retried" in push.events()


def test_full_receiver_holds_the_sender_up(peer: Peer, libzmq: Libzmq) -> None:
    pull = peer.open("PULL", receive_hwm=5)
    push = libzmq(zmq.PUSH, sndhwm=5, sndtimeo=100)
    push.connect(pull.bind())
    sent = 0
    while sent < 1_000 and push.poll(100, zmq.POLLOUT):
        push.send(bytes(100_000))
        sent += 1
    assert 10 <= sent < 1_000
    answer = pull.call("drain", count=sent, timeout_ms=3_000)
    assert answer["received"] == sent


def test_full_sender_blocks(peer: Peer, net: Net) -> None:
    push = peer.open("PUSH", send_hwm=5)
    raw = net.dial(push.bind(), "PULL")
    raw.handshake()
    accepted = push.call("flood", count=10_000, size_octets=100_000, seed=1, timeout_ms=200)["accepted"]
    assert 5 <= accepted < 10_000
    assert push.send(b"one more", timeout_ms=0) == "would-block"


def test_full_subscriber_is_skipped(peer: Peer, net: Net) -> None:
    pub = peer.open("PUB", send_hwm=5)
    raw = net.dial(pub.bind(), "SUB", version=(3, 0), lowest=3)
    raw.handshake()
    raw.send(Message(b"\1"))
    answer = pub.call("flood", count=1_000, size_octets=100_000, seed=1, timeout_ms=2_000)
    assert answer["accepted"] == 1_000


def test_ends_at_once_with_its_input() -> None:
    peer = Peer()
    pull = peer.open("PULL")
    pull.bind()
    peer.start("recv", socket=pull.number, timeout_ms=60_000)
    assert peer.close() == 0


@pytest.mark.parametrize(
    "endpoint", ["tcp://[::1]:*", "ipc://*", "tcp://localhost:*", "ipc://@reference-test", "inproc://test"]
)
def test_transports(peer: Peer, endpoint: str) -> None:
    pull, push = peer.open("PULL"), peer.open("PUSH")
    push.connect(pull.bind(endpoint))
    push.send(b"hello")
    assert pull.recv() == [b"hello"]


@pytest.mark.parametrize("octets", [b'{"id":1,"op":"hello"', b"nonsense\n"], ids=["half-a-line", "no-json"])
def test_input_that_is_no_request_is_an_error(octets: bytes) -> None:
    command = [sys.executable, "-P", "-m", "peers.reference"]
    done = subprocess.run(command, input=octets, capture_output=True, cwd=FOLDER, timeout=10, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
