"""The record of what happened: connections, octets with time and direction, API calls, notes.

A trace only grows, and every verdict can be drawn from it again. Times are seconds since the trace
began, by the monotonic clock. Sizes are octets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from harness.verdict import Mismatch
from harness.zmtp import Decoder, Received
from harness.zmtp.zws import LABEL, ZwsDecoder

Sender = Literal["dialer", "listener"]
How = Literal["fin", "rst"]
Address = tuple[str, int]
VERSION_HEAD_OCTETS = 11
SENDERS: tuple[Sender, Sender] = ("dialer", "listener")


def other(sender: Sender) -> Sender:
    """The opposite end of a connection."""
    return "listener" if sender == "dialer" else "dialer"


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection was made. `dialer` and `listener` are the (host, port) of its ends.

    One whose label is that of `harness.zmtp.zws` speaks ZMTP over WebSocket.
    """

    at_s: float
    connection: int
    dialer: Address
    listener: Address
    label: str = ""


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets that one end sent, as they were read or written in one go."""

    at_s: float
    connection: int
    sender: Sender
    octets: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """One end closed its direction: "fin" in good order, "rst" by reset."""

    at_s: float
    connection: int
    sender: Sender
    how: How


@dataclass(frozen=True, slots=True)
class ApiCall:
    """An operation of the control protocol: what was asked of a peer, and its answer.

    `answer` is None where none came. `took_s` is the time between the two.
    """

    at_s: float
    peer: str
    op: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    took_s: float


@dataclass(frozen=True, slots=True)
class Note:
    """A remark of the case or the harness."""

    at_s: float
    text: str


Record = Opened | Octets | Closed | ApiCall | Note


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded thing of a connection: who sent it, when its last octet came, and what it is."""

    at_s: float
    connection: int
    sender: Sender
    received: Received


class Trace:
    """Everything that was seen in one case, in the order of its happening. Safe across threads.

    `epoch_s` is when it began, in seconds since 1970.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._wires: dict[int, list[Octets | Closed]] = {}
        self._websockets: set[int] = set()
        self.epoch_s = time.time()
        self._began = time.monotonic()
        self._lock = threading.RLock()
        self._connections = 0
        self.waited_s = 0.0

    @classmethod
    def of(cls, records: Iterable[Record], epoch_s: float) -> Trace:
        """A trace with these records; what is recorded from now on comes after them."""
        trace = cls()
        trace.extend(records)
        trace.epoch_s = epoch_s
        trace._connections = max((each.connection for each in trace.connections()), default=0)
        trace._began -= max((each.at_s for each in trace.records), default=0.0)
        return trace

    def now_s(self) -> float:
        """Seconds since the trace began."""
        return time.monotonic() - self._began

    def check_end(self, within_s: float) -> None:
        """Raise Mismatch where the talk has gone on for longer: a peer may keep a loop busy for ever."""
        if self.now_s() > within_s:
            raise Mismatch("the case comes to its end", f"it still goes on after {within_s:g} s")

    @contextmanager
    def step(self) -> Iterator[None]:
        """Do something and record it as one step: nobody records an answer to it before it stands there.

        Only for what cannot block.
        """
        with self._lock:
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time in this block as spent waiting for a peer or the wire (`waited_s`)."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.waited_s += time.monotonic() - began

    def opened(self, dialer: Address, listener: Address, label: str = "") -> int:
        """Record a new connection and return its number, from 1."""
        with self._lock:
            self._connections += 1
            number = self._connections
            self._add(Opened(self.now_s(), number, dialer, listener, label))
        return number

    def octets(self, connection: int, sender: Sender, octets: bytes) -> None:
        """Record octets that `sender` sent."""
        with self._lock:
            self._add(Octets(self.now_s(), connection, sender, octets))

    def room(self, connection: int) -> memoryview | None:
        """None: a trace has no place where octets could be read to."""
        return None

    def filled(self, connection: int, sender: Sender, octets: int) -> None:
        """Never called: see `room`."""
        raise NotImplementedError

    def closed(self, connection: int, sender: Sender, how: How) -> None:
        """Record that `sender` closed its direction."""
        with self._lock:
            self._add(Closed(self.now_s(), connection, sender, how))

    def called(
        self,
        peer: str,
        op: str,
        request: Mapping[str, Any],
        answer: Mapping[str, Any] | None,
        began_s: float,
    ) -> None:
        """Record an operation that was asked at `began_s` and has ended now."""
        with self._lock:
            now = self.now_s()
            self._add(ApiCall(began_s, peer, op, request, answer, now - began_s))

    def note(self, text: str) -> None:
        """Record a remark."""
        with self._lock:
            self._add(Note(self.now_s(), text))

    def extend(self, records: Iterable[Record]) -> None:
        """Take over what stands in another trace, as it stands there."""
        with self._lock:
            for record in records:
                self._add(record)

    def _add(self, record: Record) -> None:
        self.records.append(record)
        if isinstance(record, Octets | Closed):
            self._wires.setdefault(record.connection, []).append(record)
        elif isinstance(record, Opened) and record.label == LABEL:
            self._websockets.add(record.connection)

    def connections(self) -> list[Opened]:
        """Every connection, in the order of opening."""
        return [record for record in list(self.records) if isinstance(record, Opened)]

    def stream(self, connection: int, sender: Sender) -> bytes:
        """All octets that one end of a connection sent."""
        return b"".join(record.octets for record in self.octets_of(connection) if record.sender == sender)

    def head(self, connection: int, sender: Sender) -> bytes:
        """The first octets that one end sent: up to 11, enough to know its version."""
        head = b""
        for record in self.octets_of(connection):
            if record.sender == sender:
                head += record.octets[:VERSION_HEAD_OCTETS]
                if len(head) >= VERSION_HEAD_OCTETS:
                    break
        return head[:VERSION_HEAD_OCTETS]

    def closings(self, connection: int) -> list[Closed]:
        """How the two ends of a connection closed, in order."""
        return [record for record in self.wire(connection) if isinstance(record, Closed)]

    def decoded(self, connection: int) -> list[Decoded]:
        """Both directions of a connection, decoded, in the order of their last octets."""
        return self.decode(connection)[0]

    def decode(self, connection: int) -> tuple[list[Decoded], dict[Sender, Decoder]]:
        """What `decoded` gives, and the two decoders as the last octets left them (for what is pending)."""
        decoders = {sender: self._decoder(connection, sender) for sender in SENDERS}
        out: list[Decoded] = []
        for record in self.octets_of(connection):
            for received in decoders[record.sender].feed(record.octets):
                out.append(Decoded(record.at_s, connection, record.sender, received))
        return out, decoders

    def is_websocket(self, connection: int) -> bool:
        """Whether a connection speaks ZMTP over WebSocket."""
        return connection in self._websockets

    def _decoder(self, connection: int, sender: Sender) -> Decoder:
        if self.is_websocket(connection):
            return ZwsDecoder(masked=sender == "dialer")
        return Decoder(announced_major(self.head(connection, other(sender))))

    def octets_of(self, connection: int) -> Iterator[Octets]:
        """The octets of both directions of a connection, as they came."""
        return (record for record in self.wire(connection) if isinstance(record, Octets))

    def wire(self, connection: int, begin: int = 0) -> list[Octets | Closed]:
        """What went over a connection, octets and closings, from the record with that index on."""
        return self._wires.get(connection, [])[begin:]


def announced_major(stream: bytes) -> int | None:
    """The version octet that a direction of a connection announces; None for an unversioned ZMTP 1.0.

    A stream too short to tell counts as 3 (RFC 37, Backwards Interoperability).
    """
    if not stream:
        return 3
    if stream[0] != 0xFF or (len(stream) > 9 and not stream[9] & 1):
        return None
    return stream[10] if len(stream) > 10 else 3
