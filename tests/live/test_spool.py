"""The spool: what is written is read, in order; where it is full it says so, or waits."""

from __future__ import annotations

import mmap
import socket
import threading
from collections.abc import Iterator

import pytest

from harness.live.spool import READ_OCTETS, SEGMENT_OCTETS, STOP, Lost, Spool, Spooled, SpoolReader
from harness.wire.trace import Closed, Note, Octets, Opened, Sender

SEGMENTS = 4
BIG = READ_OCTETS


class Both:
    """Both ends of a spool, the writer's answers in a thread of their own."""

    def __init__(self, patient: bool = False) -> None:
        memory = mmap.mmap(-1, SEGMENTS * SEGMENT_OCTETS)
        self.spool = Spool(memory, patient)
        ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.reader = SpoolReader(memory, ours)
        self.control = ours
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        with self._theirs:
            while question := self._theirs.recv(1 << 16):
                if question.startswith(STOP):
                    self.spool.hurry()
                self._theirs.send(self.spool.answer(question))

    def read(self) -> list[Spooled]:
        return list(self.reader.read())

    def close(self) -> None:
        self.control.close()
        self._thread.join()


@pytest.fixture
def both() -> Iterator[Both]:
    made = Both()
    yield made
    made.close()


def say(spool: Spool, connection: int, octets: bytes, sender: Sender = "dialer") -> None:
    """What a relay does."""
    room = spool.room(connection)
    if room is None:
        spool.octets(connection, sender, octets)
        return
    room[: len(octets)] = octets
    spool.filled(connection, sender, len(octets))


def say_all(spool: Spool, pieces: int) -> None:
    for n in range(pieces):
        say(spool, 1, bytes([n]) * BIG)


def test_what_is_recorded_is_read_in_order(both: Both) -> None:
    assert both.spool.opened(("127.0.0.1", 7), ("::1", 8), "label") == 1
    say(both.spool, 1, b"abc")
    with both.spool.step():
        both.spool.note("a remark \u20ac")
        both.spool.closed(1, "listener", "rst")
    opened, octets, note, closed = both.read()
    assert isinstance(opened, Opened)
    assert (opened.dialer, opened.listener, opened.label) == (("127.0.0.1", 7), ("::1", 8), "label")
    assert octets == Octets(octets.at_s, 1, "dialer", b"abc")
    assert isinstance(note, Note)
    assert note.text == "a remark \u20ac"
    assert closed == Closed(closed.at_s, 1, "listener", "rst")
    assert both.read() == []
    say(both.spool, 1, b"more", "listener")
    assert [each.octets for each in both.read() if isinstance(each, Octets)] == [b"more"]


def test_segments_come_round_for_ever(both: Both) -> None:
    for turn in range(40):
        sent = [bytes([turn, n]) * (BIG // 2) for n in range(6)]
        for octets in sent:
            say(both.spool, 1, octets)
        assert [each.octets for each in both.read() if isinstance(each, Octets)] == sent


def test_a_full_spool_loses_a_connection_and_says_so(both: Both) -> None:
    both.spool.opened(("a", 1), ("b", 2))
    both.spool.opened(("a", 3), ("b", 2))
    for _ in range(SEGMENTS * SEGMENT_OCTETS // BIG + 1):
        say(both.spool, 1, bytes(BIG))
    both.spool.closed(1, "dialer", "fin")
    say(both.spool, 1, b"too late")
    *before, lost, closed = both.read()
    assert len(before) > SEGMENTS
    assert not any(isinstance(each, Lost) for each in before)
    assert lost == Lost(lost.at_s, 1)
    assert isinstance(closed, Closed)
    assert both.read() == []
    say(both.spool, 1, b"too late")
    say(both.spool, 2, b"of another connection")
    assert [each.octets for each in both.read() if isinstance(each, Octets)] == [b"of another connection"]


def test_a_patient_spool_waits_for_its_reader() -> None:
    both = Both(patient=True)
    pieces = 3 * SEGMENTS * SEGMENT_OCTETS // BIG
    writer = threading.Thread(target=say_all, args=(both.spool, pieces))
    writer.start()
    seen: list[int] = []
    while len(seen) < pieces:
        seen += [each.octets[0] for each in both.read() if isinstance(each, Octets)]
    assert seen == list(range(pieces))
    writer.join()
    both.close()


def test_who_waits_goes_on_when_it_ends() -> None:
    both = Both(patient=True)
    pieces = 3 * SEGMENTS * SEGMENT_OCTETS // BIG
    writer = threading.Thread(target=say_all, args=(both.spool, pieces))
    writer.start()
    assert list(both.reader.read(stop=True)) is not None
    writer.join()
    both.close()


def test_a_writer_that_is_gone_is_noticed() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader = SpoolReader(mmap.mmap(-1, SEGMENT_OCTETS), ours)
    theirs.close()
    with ours, pytest.raises(EOFError):
        list(reader.read())
