"""Taps: what goes in comes out, closes are passed on as they were, and all of it is recorded."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.deadlines import DeadlineExceeded, Deadlines
from harness.wire.endpoints import RawListener, dial
from harness.wire.rawpeer import RawPeer
from harness.wire.tap import Tap, TapHub
from harness.wire.trace import Note, Trace
from harness.zmtp import Greeting, LegacyGreeting, Message, Ready

NORMAL = Deadlines(1.0)
QUICK = Deadlines(0.05)


class Bench:
    """A tap in front of a raw listener; each end has a trace of its own."""

    def __init__(self, host: str = "127.0.0.1", path: str | None = None, hub: TapHub | None = None) -> None:
        self.trace = Trace()
        self.listener = RawListener(Trace(), NORMAL, host, path=path)
        self.tap = Tap(self.listener.endpoint, self.trace, host, hub=hub, deadlines=QUICK)
        self.peers: list[RawPeer] = []

    def connect(self) -> tuple[RawPeer, RawPeer]:
        dialer = dial(self.tap.endpoint, Trace(), NORMAL)
        listener = self.listener.accept()
        self.peers += [dialer, listener]
        return dialer, listener

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self.listener.close()
        self.tap.close()


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(**kwargs: object) -> Bench:
        benches.append(Bench(**kwargs))  # type: ignore[arg-type]
        return benches[-1]

    yield make
    for each in benches:
        each.close()


Make = Callable[..., Bench]


def closings(bench: Bench, connection: int = 1) -> list[tuple[str, str]]:
    return [(each.sender, each.how) for each in bench.trace.closings(connection)]


def hard_reset(raw: RawPeer) -> None:
    raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.sock.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_conversation_is_passed_on_and_recorded(bench: Make, host: str) -> None:
    b = bench(host=host)
    dialer, listener = b.connect()
    dialer.send(Greeting(), Ready("REQ"), Message(b"", b"request"))
    listener.greet()
    listener.send(Ready("REP"), Message(b"", b"reply"))
    dialer.expect(Greeting)
    dialer.expect(Ready, socket_type="REP")
    dialer.expect_message(b"", b"reply")
    listener.expect(Ready, socket_type="REQ")
    listener.expect_message(b"", b"request")
    assert b.tap.wait_for(lambda: b.tap.messages("dialer")) == [[b"", b"request"]]
    assert b.tap.messages("listener", connection=1) == [[b"", b"reply"]]
    for sender in ("dialer", "listener"):
        assert b.trace.stream(1, sender) == dialer.trace.stream(1, sender)
    listener.send(Message(b"more"))
    dialer.expect_message(b"more")
    assert b.tap.messages("listener") == [[b"", b"reply"], [b"more"]]
    assert b.tap.decoded(1) == b.trace.decoded(1)


def test_ipc_target_and_its_close(bench: Make, tmp_path: Path) -> None:
    b = bench(path=str(tmp_path / "sock"))
    dialer, listener = b.connect()
    listener.send(b"last words")
    listener.close()
    assert dialer.expect_octets(10) == b"last words"
    assert dialer.expect_closed() == "fin"
    assert closings(b) == [("listener", "fin")]


def test_half_close_lets_the_other_direction_go_on(bench: Make) -> None:
    b = bench()
    dialer, listener = b.connect()
    dialer.send(b"question")
    dialer.half_close()
    assert listener.expect_octets(8) == b"question"
    assert listener.expect_closed() == "fin"
    listener.send(b"answer")
    assert dialer.expect_octets(6) == b"answer"
    listener.close()
    assert dialer.expect_closed() == "fin"
    assert closings(b) == [("dialer", "fin"), ("listener", "fin")]


@pytest.mark.parametrize("who", ["dialer", "listener"])
def test_reset_is_passed_on_after_the_octets_before_it(bench: Make, who: str) -> None:
    b = bench()
    ends = dict(zip(("dialer", "listener"), b.connect(), strict=True))
    one, two = ends.pop(who), next(iter(ends.values()))
    one.send(b"last words")
    two.expect_octets(10)
    hard_reset(one)
    assert two.expect_closed() == "rst"
    assert closings(b) == [(who, "rst")]


def test_reset_after_fin_is_passed_on(bench: Make) -> None:
    b = bench()
    dialer, listener = b.connect()
    dialer.half_close()
    assert listener.expect_closed() == "fin"
    hard_reset(dialer)
    b.tap.wait_for(lambda: len(closings(b)) == 2)
    assert closings(b) == [("dialer", "fin"), ("dialer", "rst")]
    listener.send(b"into the void")
    assert b.trace.stream(1, "listener") == b""


def test_close_over_unread_octets_is_a_reset(bench: Make) -> None:
    b = bench()
    dialer, listener = b.connect()
    listener.send(b"unread")
    b.tap.wait_for(lambda: b.trace.stream(1, "listener"))
    dialer.expect_octets(6)
    listener.send(b"more unread")
    b.tap.wait_for(lambda: len(b.trace.stream(1, "listener")) == 17)
    dialer.sock.recv(1)
    dialer.sock.close()
    assert listener.expect_closed() == "rst"
    assert closings(b) == [("dialer", "rst")]


def test_refusing_target_resets_the_dialer() -> None:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    tap = Tap(f"tcp://127.0.0.1:{sock.getsockname()[1]}", Trace())
    raw = dial(tap.endpoint, Trace(), QUICK)
    assert raw.expect_closed() == "rst"
    assert any(isinstance(r, Note) and "refused" in r.text for r in tap.trace.records)
    for each in (raw, tap, sock):
        each.close()


def test_what_cannot_be_passed_on_is_not_read(bench: Make) -> None:
    b = bench()
    dialer, listener = b.connect()
    total = 1 << 26
    sender = threading.Thread(target=lambda: send_until_refused(dialer, total))
    sender.start()
    sender.join(20)
    held = len(b.trace.stream(1, "dialer"))
    assert 0 < held < total
    assert len(dialer.trace.stream(1, "dialer")) < total
    listener.expect_octets(held)


def send_until_refused(raw: RawPeer, total: int) -> None:
    raw.deadlines = QUICK
    try:
        raw.send(b"x" * total)
    except AssertionError:
        return


def test_much_both_ways_at_once(bench: Make) -> None:
    b = bench()
    dialer, listener = b.connect()
    octets = b"0123456789abcdef" * (1 << 19)

    def speak() -> None:
        listener.send(octets)
        listener.expect_octets(len(octets))

    thread = threading.Thread(target=speak)
    thread.start()
    dialer.send(octets)
    assert dialer.expect_octets(len(octets)) == octets
    thread.join(20)
    assert listener.received == octets
    assert b.trace.stream(1, "dialer") == octets == b.trace.stream(1, "listener")


def test_pause_holds_one_direction(bench: Make) -> None:
    b = bench()
    dialer, listener = b.connect()
    b.tap.pause("dialer")
    dialer.send(b"held")
    listener.send(b"free")
    assert dialer.expect_octets(4) == b"free"
    listener.deadlines = QUICK
    with pytest.raises(AssertionError, match="0 octets within"):
        listener.expect_octets(4)
    assert b.trace.stream(1, "dialer") == b""
    b.tap.resume("dialer")
    assert listener.expect_octets(4) == b"held"
    assert b.trace.stream(1, "dialer") == b"held"


@pytest.mark.parametrize("how", ["rst", "fin"])
def test_cut(bench: Make, how: str) -> None:
    b = bench()
    one, two = b.connect(), b.connect()
    b.tap.cut(1, how)  # type: ignore[arg-type]
    assert [end.expect_closed() for end in one] == [how, how]
    assert closings(b) == [("dialer", how), ("listener", how)]
    two[0].send(b"alive")
    assert two[1].expect_octets(5) == b"alive"
    with pytest.raises(ValueError, match="no connection 7"):
        b.tap.cut(7)


def test_one_hub_for_many_taps_and_connections() -> None:
    hub = TapHub()
    benches = [Bench(hub=hub) for _ in range(3)]
    pairs = [bench.connect() for bench in benches for _ in range(5)]
    for n, (dialer, _) in enumerate(pairs):
        dialer.send(b"%02d" % n)
    assert [listener.expect_octets(2) for _, listener in pairs] == [b"%02d" % n for n in range(15)]
    assert [bench.tap.connections for bench in benches] == [[1, 2, 3, 4, 5]] * 3
    for bench in benches:
        bench.close()
    hub.close()
    with pytest.raises(RuntimeError, match="closed"):
        hub.call(lambda: None)


def test_waiting_ends(bench: Make) -> None:
    b = bench()
    with pytest.raises(DeadlineExceeded, match="no second coming within"):
        b.tap.wait_for(lambda: False, what="second coming")


def test_failure_in_the_thread_is_not_silent() -> None:
    hub = TapHub()

    def fail(_: int) -> None:
        raise OSError("broken")

    one, two = socket.socketpair()
    hub.call(lambda: hub.watch(one, 1, fail))
    seen = hub.changes
    two.send(b"x")
    with pytest.raises(RuntimeError, match="thread has failed"):
        hub.wait_change(seen, 3.0)
    with pytest.raises(RuntimeError, match="thread has failed"):
        hub.call(lambda: None)
    hub.close()
    one.close()
    two.close()


def test_messages_of_older_partners(bench: Make) -> None:
    b = bench()
    dialer, listener = b.connect()
    for raw, peer_type in ((dialer, "PUSH"), (listener, "PULL")):
        raw.framing = 2
        raw.send(LegacyGreeting(1, peer_type, b""))
    dialer.send(Message(b"a", b"b"))
    assert b.tap.wait_for(lambda: b.tap.messages("dialer")) == [[b"a", b"b"]]
