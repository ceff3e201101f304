"""What passes, on its way from the process that passes it on to the one that judges it.

Both have the same memory, cut into segments. The writer never waits: it appends records, and takes a free
segment when one is full. The reader asks over a socket what is there, reads it where it lies, and gives
segments back with its next question. So the writer's way of a record is one copy and no system call, and
what the two hold together is bounded.

Where the reader is too slow and no segment is free, the octets of a connection are lost from there on, and
a record says so; a writer that is `patient` waits instead, and the applications with it.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, LifoQueue
from typing import Final

from harness.wire.trace import SENDERS, Address, Closed, How, Note, Octets, Opened, Sender

SEGMENT_OCTETS = 1 << 21
SEGMENTS_MIN = 4
READ_OCTETS = 1 << 18
WAITING_MAX = 10_000
ANSWER_MAX_OCTETS = 1 << 17
STOP = b"."
_ASK = b"?"
_HEAD = struct.Struct("<BBxxIdI")
_FILLED = struct.Struct("<II")
_INDEX = struct.Struct("<I")
_OPENED, _OCTETS, _CLOSED, _NOTE, _LOST = range(5)
_HOWS: tuple[How, How] = ("fin", "rst")
_NUMBER: Final = {sender: number for number, sender in enumerate(SENDERS)}


@dataclass(frozen=True, slots=True)
class Lost:
    """From here on the octets of a connection are not recorded."""

    at_s: float
    connection: int


Spooled = Opened | Octets | Closed | Note | Lost
"""What comes out of a spool; its times are seconds since 1970."""


def shared_memory(octets: int) -> int:
    """A file of so much memory. Raises OSError."""
    fd = os.memfd_create("zconform-tap")
    os.ftruncate(fd, segments_of(octets) * SEGMENT_OCTETS)
    return fd


def segments_of(octets: int) -> int:
    """How many segments make up so many octets, with the least that is of use."""
    return max(SEGMENTS_MIN, octets // SEGMENT_OCTETS)


class Spool:
    """The writer's end: a relay (`harness.wire.relay.Witness`) records here, a thread answers the reader."""

    def __init__(self, memory: mmap.mmap, patient: bool = False) -> None:
        self._memory = memory
        self._view = memoryview(memory)
        self._patient = patient
        self._free: LifoQueue[int | None] = LifoQueue()
        for index in reversed(range(1, len(memory) // SEGMENT_OCTETS)):
            self._free.put(index)
        self._lock = threading.Lock()
        self._full: list[tuple[int, int]] = []
        self._index = self._fill = 0
        self._connections = 0
        self._lost: set[int] = set()
        self._waiting: list[bytes] = []

    # -- for the relay's thread ------------------------------------------------------------------

    @contextmanager
    def step(self) -> Iterator[None]:
        """Nothing: what is recorded is seen later anyway."""
        yield

    def opened(self, dialer: Address, listener: Address, label: str = "") -> int:
        """Record a new connection and return its number, from 1."""
        self._connections += 1
        said = json.dumps([dialer, listener, label]).encode()
        self._small(_OPENED, 0, self._connections, said)
        return self._connections

    def room(self, connection: int) -> memoryview | None:
        """Where the next octets of a connection are read to, and stay; None: they are lost."""
        if connection in self._lost:
            return None
        at = None if self._waiting and not self._flush() else self._room(_HEAD.size + READ_OCTETS)
        if at is None:
            self._lost.add(connection)
            self._waiting.append(_HEAD.pack(_LOST, 0, connection, time.time(), 0))
            return None
        return self._view[at + _HEAD.size : at + _HEAD.size + READ_OCTETS]

    def filled(self, connection: int, sender: Sender, octets: int) -> None:
        """Record what was read to that room."""
        at = self._index * SEGMENT_OCTETS + self._fill
        _HEAD.pack_into(self._memory, at, _OCTETS, _NUMBER[sender], connection, time.time(), octets)
        self._fill += _HEAD.size + octets

    def octets(self, connection: int, sender: Sender, octets: bytes) -> None:
        """Nothing: where there was no room the connection is lost, and that is recorded."""

    def closed(self, connection: int, sender: Sender, how: How) -> None:
        """Record that an end closed its direction."""
        self._small(_CLOSED, _NUMBER[sender], connection, how.encode())

    def note(self, text: str) -> None:
        """Record a remark."""
        self._small(_NOTE, 0, 0, text.encode("utf-8", "replace"))

    def _small(self, kind: int, sender: int, connection: int, said: bytes) -> None:
        """Whatever is no octets waits for room, as far as that goes."""
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append(_HEAD.pack(kind, sender, connection, time.time(), len(said)) + said)
        self._flush()

    def _flush(self) -> bool:
        """Write what waits; whether nothing waits any longer."""
        while self._waiting:
            record = self._waiting[0]
            at = self._room(len(record))
            if at is None:
                return False
            self._memory[at : at + len(record)] = record
            self._fill += len(record)
            del self._waiting[0]
        return True

    def _room(self, octets: int) -> int | None:
        """Where so many octets can be written; None where that is nowhere."""
        if self._fill + octets > SEGMENT_OCTETS:
            try:
                index = self._free.get(block=self._patient)
            except Empty:
                return None
            if index is None:
                self._patient = False
                return None
            with self._lock:
                self._full.append((self._index, self._fill))
                self._index, self._fill = index, 0
        return self._index * SEGMENT_OCTETS + self._fill

    # -- for the thread that answers -------------------------------------------------------------

    def answer(self, question: bytes) -> bytes:
        """Take segments back, and tell which ones are how full; the last one is still written."""
        for (index,) in _INDEX.iter_unpack(question[1:]):
            self._free.put(index)
        with self._lock:
            full, self._full = self._full, []
            full.append((self._index, self._fill))
        return b"".join(_FILLED.pack(*each) for each in full)

    def hurry(self) -> None:
        """Wait for nobody any longer: it ends."""
        self._free.put(None)


class SpoolReader:
    """The reader's end. Raises EOFError where the writer is gone."""

    def __init__(self, memory: mmap.mmap, control: socket.socket) -> None:
        self._memory = memory
        self._control = control
        self._done: list[int] = []
        self._current = self._at = 0

    def read(self, stop: bool = False) -> Iterator[Spooled]:
        """Everything that came since the last time; with `stop` the last of it: the writer ends."""
        question = (STOP if stop else _ASK) + b"".join(_INDEX.pack(index) for index in self._done)
        try:
            self._control.send(question)
            answer = self._control.recv(ANSWER_MAX_OCTETS)
        except OSError as error:
            raise EOFError from error
        if not answer:
            raise EOFError
        self._done = []
        filled = list(_FILLED.iter_unpack(answer))
        for index, fill in filled:
            if index != self._current:
                self._done.append(self._current)
                self._current, self._at = index, 0
            yield from self._records(index * SEGMENT_OCTETS, fill)

    def _records(self, base: int, fill: int) -> Iterator[Spooled]:
        while self._at < fill:
            kind, number, connection, at_s, size = _HEAD.unpack_from(self._memory, base + self._at)
            begin = base + self._at + _HEAD.size
            self._at += _HEAD.size + size
            yield _record(kind, SENDERS[number], connection, at_s, self._memory[begin : begin + size])


def _record(kind: int, sender: Sender, connection: int, at_s: float, said: bytes) -> Spooled:
    if kind == _OCTETS:
        return Octets(at_s, connection, sender, said)
    if kind == _OPENED:
        dialer, listener, label = json.loads(said)
        return Opened(at_s, connection, tuple(dialer), tuple(listener), label)
    if kind == _CLOSED:
        return Closed(at_s, connection, sender, _HOWS[said == b"rst"])
    return Lost(at_s, connection) if kind == _LOST else Note(at_s, said.decode("utf-8", "replace"))
