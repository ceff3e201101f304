"""Raw peers against each other and against plain sockets: sending, reading, closing, expecting."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.deadlines import Deadlines
from harness.verdict import Mismatch, Place
from harness.wire.endpoints import RawListener, dial, parse_endpoint
from harness.wire.rawpeer import RawPeer
from harness.wire.trace import Closed, Octets, Opened, Trace
from harness.zmtp import Greeting, LegacyGreeting, Message, Ping, Pong, Ready, Subscribe, malformed

QUICK = Deadlines(0.05)
Pair = Callable[..., tuple[RawPeer, RawPeer]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected raw peers, each with a trace of its own."""
    opened: list[RawPeer | RawListener] = []

    def make(
        host: str = "127.0.0.1", path: str | None = None, deadlines: Deadlines = QUICK
    ) -> tuple[RawPeer, RawPeer]:
        listener = RawListener(Trace(), deadlines, host, path=path)
        dialer = dial(listener.endpoint, Trace(), deadlines)
        accepted = listener.accept()
        opened.extend((listener, dialer, accepted))
        return dialer, accepted

    yield make
    for each in opened:
        each.close()


def plain(raw: RawPeer) -> socket.socket:
    """The socket beneath a raw peer, blocking, to misbehave with."""
    raw.sock.setblocking(True)
    return raw.sock


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_handshake_and_messages(pair: Pair, host: str) -> None:
    dialer, listener = pair(host)
    dialer.send(Greeting())
    listener.greet()
    dialer.expect(Greeting, mechanism="NULL", as_server=0)
    dialer.send(Ready("DEALER", b"alice"))
    assert listener.expect(Ready, socket_type="DEALER").identity == b"alice"
    listener.send(Ready("ROUTER"), Message(b"a", b""))
    dialer.expect(Ready("ROUTER"))
    dialer.expect_message(b"a", b"")
    assert dialer.trace.stream(1, "dialer") == listener.trace.stream(1, "dialer")
    assert dialer.trace.stream(1, "listener") == listener.trace.stream(1, "listener")
    assert [d.received.value for d in dialer.trace.decoded(1)] == [
        Greeting(), Greeting(), Ready("DEALER", b"alice"), Ready("ROUTER"), Message(b"a", b""),
    ]  # fmt: skip


def test_ipc(pair: Pair, tmp_path: Path) -> None:
    dialer, listener = pair(path=str(tmp_path / "sock"))
    dialer.send(b"abc")
    assert listener.expect_octets(3) == b"abc"
    opened = dialer.trace.connections()[0]
    assert opened.listener == (str(tmp_path / "sock"), 0)
    dialer.reset()
    assert listener.expect_closed() == "fin"


def test_pieces_are_recorded_one_by_one(pair: Pair) -> None:
    dialer, listener = pair()
    dialer.send(Greeting(), pieces=10)
    assert listener.expect_octets(64) == Greeting().serialize()
    sizes = [len(r.octets) for r in dialer.trace.records if isinstance(r, Octets)]
    assert sizes == [10] * 6 + [4]


def test_both_send_much_at_once(pair: Pair) -> None:
    dialer, listener = pair(deadlines=Deadlines(1.0))
    octets = bytes(range(256)) * (1 << 16)

    def speak() -> None:
        listener.send(octets)
        listener.expect_octets(len(octets))

    other = threading.Thread(target=speak)
    other.start()
    dialer.send(octets)
    assert dialer.expect_octets(len(octets)) == octets
    other.join(10)
    assert listener.received == octets
    assert dialer.trace.stream(1, "dialer") == octets == dialer.trace.stream(1, "listener")


def test_partner_that_does_not_read_is_named(pair: Pair) -> None:
    dialer, _ = pair()
    with pytest.raises(Mismatch, match="no octet taken"):
        dialer.send(bytes(1 << 25))
    assert len(dialer.trace.stream(1, "dialer")) < 1 << 25


def test_half_closed_partner_that_does_not_read_is_named(pair: Pair) -> None:
    dialer, listener = pair()
    listener.half_close()
    assert dialer.expect_closed() == "fin"
    with pytest.raises(Mismatch, match="no octet taken"):
        dialer.send(bytes(1 << 25))


def test_octets_before_fin_and_close(pair: Pair) -> None:
    dialer, listener = pair()
    plain(listener).sendall(Greeting().serialize() + b"\x01")
    listener.sock.close()
    dialer.expect(Greeting)
    assert dialer.expect_closed() == "fin"
    assert dialer.trace.stream(1, "listener") == Greeting().serialize() + b"\x01"
    assert [type(r) for r in dialer.trace.records] == [Opened, Octets, Closed]


def test_octets_before_reset_and_send_into_it(pair: Pair) -> None:
    dialer, listener = pair()
    plain(listener).sendall(Greeting().serialize())
    dialer.expect_octets(64)
    reset(listener.sock)
    dialer.send(b"swallowed")
    dialer.expect(Greeting)
    assert dialer.expect_closed() == "rst"
    assert dialer.trace.stream(1, "dialer") == b""


def test_says_whether_the_partner_closes_and_keeps_what_it_sent(pair: Pair) -> None:
    dialer, listener = pair()
    assert not listener.closes("probe")
    dialer.send(Greeting())
    dialer.close()
    assert listener.closes()
    listener.expect(Greeting)


def test_own_closes_are_what_the_partner_sees(pair: Pair) -> None:
    for close, how in ((RawPeer.close, "fin"), (RawPeer.reset, "rst"), (RawPeer.half_close, "fin")):
        dialer, listener = pair()
        plain(listener).sendall(b"unread")
        close(dialer)
        assert listener.expect_closed() == how
        closed = [(c.sender, c.how) for c in dialer.trace.closings(1)]
        assert closed == [("dialer", how)]
        close(dialer)
        assert len(dialer.trace.closings(1)) == 1


def test_reset_after_half_close(pair: Pair) -> None:
    dialer, listener = pair()
    dialer.half_close()
    assert listener.expect_closed() == "fin"
    dialer.reset()
    assert [c.how for c in dialer.trace.closings(1)] == ["fin", "rst"]


def test_mismatch_has_place_and_words(pair: Pair) -> None:
    dialer, listener = pair()
    listener.send(Greeting(), Ready("REP"), Message(b"lost"))
    dialer.send(Greeting())
    dialer.expect(Greeting)
    dialer.expect(Ready)
    with pytest.raises(Mismatch) as caught:
        dialer.expect(Message(b"fence"), clause="28/router/drop-or-error")
    assert caught.value.expected == 'message ["fence"]'
    assert caught.value.actual == 'message ["lost"]'
    assert caught.value.clause == "28/router/drop-or-error"
    assert caught.value.place == Place(1, "listener", 64 + 27)


def test_silence_and_close_are_named(pair: Pair) -> None:
    dialer, listener = pair()
    with pytest.raises(Mismatch, match=r"greeting, got nothing within 0\.15 s"):
        dialer.expect(Greeting)
    with pytest.raises(Mismatch, match="still open after"):
        dialer.expect_closed()
    with pytest.raises(Mismatch, match="0 octets within"):
        dialer.expect_octets(3)
    listener.close()
    with pytest.raises(Mismatch, match=r"greeting, got the connection closed \(fin\)"):
        dialer.expect(Greeting)
    with pytest.raises(Mismatch, match="0 octets, then closed"):
        dialer.expect_octets(3)


def test_pings_are_answered_and_passed_over(pair: Pair) -> None:
    dialer, listener = pair()
    listener.send(Greeting(), Ping(3, b"ctx"), Message(b"x"))
    dialer.send(Greeting())
    dialer.expect(Greeting)
    dialer.expect_message(b"x")
    listener.expect(Greeting)
    listener.expect(Pong(b"ctx"))
    listener.send(Ping(4, b""))
    dialer.expect(Ping, ttl_ds=4)


def test_endless_pings_end(pair: Pair) -> None:
    dialer, listener = pair(deadlines=Deadlines(0.1))
    listener.send(Greeting())
    stop = threading.Event()

    def ping() -> None:
        while not stop.wait(0.005):
            listener.send(Ping(0, b""))

    thread = threading.Thread(target=ping)
    thread.start()
    dialer.send(Greeting())
    dialer.expect(Greeting)
    with pytest.raises(Mismatch, match="nothing within"):
        dialer.expect(Message)
    stop.set()
    thread.join()


def test_a_partner_that_never_ends_does_not_keep_a_case_for_ever(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialer, listener = pair()
    listener.send(Message(b"once more"), Message(b"once more"))
    assert dialer.next() is not None
    monkeypatch.setattr(dialer.trace, "now_s", lambda: 121.0 * QUICK.scale)
    with pytest.raises(Mismatch, match="expected the case comes to its end, got it still goes on after 6 s"):
        dialer.next()


def test_a_fence_with_another_context_breaks_the_rule_of_pong(pair: Pair) -> None:
    dialer, listener = pair()
    listener.send(Greeting(), Pong(b"own"))
    dialer.greet()
    with pytest.raises(Mismatch) as caught:
        dialer.fence(clause="30/pull/fair-queue")
    assert (caught.value.clause, caught.value.actual) == ("37/heartbeat/pong-reply", 'PONG "own"')


def test_a_missing_socket_type_breaks_the_rule_that_asks_for_it(pair: Pair) -> None:
    dialer, listener = pair()
    listener.send(Greeting(), malformed.ready(), malformed.ready())
    dialer.greet()
    with pytest.raises(Mismatch) as caught:
        dialer.expect(Ready, socket_type="PULL", clause="37/null/server-ready-reply")
    assert caught.value.clause == "37/metadata/socket-type-sent"
    dialer.expect(Ready, clause="37/null/server-ready-reply")


def test_fence_and_subscriptions(pair: Pair) -> None:
    dialer, listener = pair()
    dialer.send(Greeting(), Subscribe(b"a"), Message(b"\x01b"), Pong(b"fence-1"))
    listener.greet()
    listener.expect_subscription(b"a")
    listener.expect_subscription(b"b")
    listener.fence()
    dialer.send(Message(b"\x00b"), Message(b"x"))
    listener.expect_cancellation(b"b")
    with pytest.raises(Mismatch, match='CANCEL "a" or message'):
        listener.expect_cancellation(b"a")


@pytest.mark.parametrize(
    "greeting", [LegacyGreeting(1, "REP", b"id"), LegacyGreeting(None, None, b"me"), LegacyGreeting(None)]
)
def test_legacy_handshake(pair: Pair, greeting: LegacyGreeting) -> None:
    dialer, listener = pair()
    answer = LegacyGreeting(greeting.revision, "REQ" if greeting.socket_type else None, b"partner")
    plain(listener).sendall(answer.serialize()[:11])
    dialer.expect_octets(9 if greeting.revision is None else 11)
    plain(listener).sendall(answer.serialize()[11:])
    assert dialer.legacy_handshake(greeting).identity == b"partner"
    dialer.send(Message(b"x", b"y"))
    framing = 1 if greeting.revision is None else 2
    want = greeting.serialize() + Message(b"x", b"y").serialize(framing)
    assert listener.expect_octets(len(want)) == want


def test_refused_connections_are_mismatches() -> None:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    with pytest.raises(Mismatch, match="a connection to"):
        dial(f"tcp://127.0.0.1:{port}", Trace(), QUICK)
    sock.close()
    listener = RawListener(Trace(), QUICK)
    with pytest.raises(Mismatch, match="none within"):
        listener.accept()
    listener.close()


def test_partner_that_has_gone_before_accept() -> None:
    listener = RawListener(Trace(), QUICK)
    address = parse_endpoint(listener.endpoint)[1]
    assert isinstance(address, tuple)
    sock = socket.create_connection(address)
    reset(sock)
    raw = listener.accept()
    assert raw.expect_closed() == "rst"
    raw.close()
    listener.close()


@pytest.mark.parametrize(
    "endpoint", ["tcp://localhost", "udp://127.0.0.1:1", "tcp://:1", "ipc://", "", "tcp://a:b"]
)
def test_bad_endpoints(endpoint: str) -> None:
    with pytest.raises(ValueError, match="not a tcp or ipc endpoint"):
        parse_endpoint(endpoint)


def test_endpoints() -> None:
    assert parse_endpoint("tcp://[::1]:80") == (socket.AF_INET6, ("::1", 80))
    assert parse_endpoint("tcp://127.0.0.1:80") == (socket.AF_INET, ("127.0.0.1", 80))
    assert parse_endpoint("ipc://@name") == (socket.AF_UNIX, "\0name")
    assert parse_endpoint("ipc:///tmp/x") == (socket.AF_UNIX, "/tmp/x")


def test_offer_stops_where_the_partner_takes_no_more(pair: Pair) -> None:
    dialer, listener = pair()
    octets = bytes(1 << 25)
    taken = dialer.offer(octets)
    assert 0 < taken < len(octets)
    assert dialer.offer(octets[taken:]) < len(octets) - taken
    listener.close()
    assert dialer.offer(b"") == 0


def test_offer_takes_what_there_is_room_for(pair: Pair) -> None:
    dialer, listener = pair()
    assert dialer.offer(Greeting().serialize()) == 64
    listener.expect(Greeting)
