"""Our end of one connection: sends octets, reads and decodes what comes, records both in the trace.

Never blocks without a deadline, and reads whenever it waits, so that two ends that both send much
cannot wait for each other. Nothing is lost at a close: what came before it is delivered first.
"""

from __future__ import annotations

import fcntl
import select
import socket
import struct
import termios
from collections import deque
from collections.abc import Callable

from harness.deadlines import Deadline, DeadlineExceeded, Deadlines
from harness.verdict import Mismatch, Place
from harness.zmtp import (
    AnyCommand,
    Boxed,
    Cover,
    CurveMessage,
    Decoder,
    Greeting,
    LegacyGreeting,
    Message,
    Received,
    RemoteProtocolError,
    Undecodable,
)

from .trace import VERSION_HEAD_OCTETS, How, Sender, Trace, announced_major, other

Sendable = bytes | Greeting | LegacyGreeting | Message | AnyCommand
READ_OCTETS = 1 << 16
SEND_OCTETS = 1 << 18
DRAIN_READS = 256


class Link:
    """One end of one TCP or ipc connection. `role` is ours: "dialer" or "listener".

    `was_reset` says that the partner has reset and the system will not say so again. `cover`, once it is set,
    seals what we send and opens what comes, as CURVE has it behind the handshake.
    """

    def __init__(
        self,
        sock: socket.socket,
        role: Sender,
        trace: Trace,
        connection: int,
        deadlines: Deadlines,
        *,
        was_reset: bool = False,
    ) -> None:
        self.sock = sock
        self.role = role
        self.partner: Sender = other(role)
        self.trace = trace
        self.connection = connection
        self.deadlines = deadlines
        self.decoder = Decoder()
        self.framing = 3
        self.cover: Cover | None = None
        self.received = bytearray()
        self.closed: How | None = None
        self.last: Received | None = None
        self._inbox: deque[Received] = deque()
        self._sent_head = b""
        self._own_close: How | None = None
        self._broken = False
        self._was_reset = was_reset
        sock.setblocking(False)

    # -- sending ---------------------------------------------------------------------------------

    def send(self, *things: Sendable, pieces: int | None = None) -> None:
        """Send octets and values, in one go or in `pieces` of that many octets each.

        A link that the partner has closed swallows what is sent: look for the close itself.
        Raises Mismatch where the partner takes no octet for as long as a delivery may last.
        """
        octets = b"".join(self._octets_of(thing) for thing in things)
        if pieces is None:
            self._send_all(octets)
            return
        for at in range(0, len(octets), pieces):
            self._send_all(octets[at : at + pieces])

    def offer(self, octets: bytes, within: str = "probe") -> int:
        """Send octets until the partner has taken none for as long as `within`; how many it took.

        What it did not take is for the caller to send later.
        """
        taken = 0
        deadline = self.deadlines.deadline(within)
        while taken < len(octets) and not self._broken and self._own_close is None:
            sent = self._send_some(memoryview(octets)[taken : taken + SEND_OCTETS])
            if sent:
                taken += sent
                deadline = self.deadlines.deadline(within)
                continue
            try:
                self._wait(deadline, write=True, what="room for octets on the link")
            except DeadlineExceeded:
                break
        return taken

    def _octets_of(self, thing: Sendable) -> bytes:
        if isinstance(thing, bytes):
            return thing
        if isinstance(thing, Greeting | LegacyGreeting):
            return thing.serialize()
        if self.cover is not None and not isinstance(thing, Boxed):
            return self.cover.seal(thing)
        return thing.serialize(self.framing)

    def _send_all(self, octets: bytes) -> None:
        rest = memoryview(octets)
        deadline = self.deadlines.deadline("delivery")
        while rest and not self._broken and self._own_close is None:
            sent = self._send_some(rest[:SEND_OCTETS])
            if sent:
                rest = rest[sent:]
                deadline = self.deadlines.deadline("delivery") if rest else deadline
            elif not self._broken:
                self._wait_for_room(deadline)

    def _send_some(self, octets: memoryview) -> int:
        """Send what the link takes now, and record exactly that before anybody can record an answer."""
        with self.trace.step():
            try:
                sent = self.sock.send(octets)
            except BlockingIOError:
                return 0
            except OSError as error:
                self._broken = True
                self._was_reset = isinstance(error, ConnectionResetError)
                return 0
            self.trace.octets(self.connection, self.role, bytes(octets[:sent]))
        self._note_sent(octets[:sent])
        return sent

    def _wait_for_room(self, deadline: Deadline) -> None:
        try:
            self._wait(deadline, write=True, what="room for octets on the link")
        except DeadlineExceeded as late:
            raise self.mismatch(
                "a partner that reads", f"no octet taken within {late.seconds:g} s", None
            ) from None

    def _note_sent(self, octets: memoryview) -> None:
        """Learn from our own greeting how the partner will go on after its own."""
        missing = VERSION_HEAD_OCTETS - len(self._sent_head)
        if missing > 0:
            self._sent_head += octets[:missing]
            self.decoder.partner_major = announced_major(self._sent_head)
            self._inbox.extend(self.decoder.feed(b""))

    # -- closing ---------------------------------------------------------------------------------

    def half_close(self) -> None:
        """Close our direction in good order; the partner may still send."""
        if self._own_close is not None or self._broken or self.sock.fileno() < 0:
            return
        with self.trace.step():
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                self._broken = True
                return
            self._own_close = "fin"
            self.trace.closed(self.connection, self.role, "fin")

    def close(self) -> None:
        """Close the connection in good order. Closing twice does nothing.

        What the partner sent until now is read first: a socket closed over unread octets resets.
        """
        if self.sock.fileno() < 0:
            return
        self.half_close()
        self._drain()
        self.sock.close()

    def reset(self, *, unread: bool = False) -> None:
        """Close the connection by reset; over ipc, which knows no reset, in good order.

        What the partner sent until now is read first, or stays `unread`.
        """
        if self.sock.fileno() < 0:
            return
        if self.sock.family == socket.AF_UNIX:
            self.close()
            return
        if not unread:
            self._drain()
        with self.trace.step():
            untaken = struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)))[0]
            if untaken and not self._broken:
                self.trace.note(f"connection {self.connection} reset over {untaken} octets not yet taken")
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
            if not self._broken and self.closed != "rst":
                self.trace.closed(self.connection, self.role, "rst")
        self._own_close = "rst"

    def _drain(self) -> None:
        for _ in range(DRAIN_READS):
            if self.closed is not None or not self._read():
                return

    # -- receiving -------------------------------------------------------------------------------

    def _wait(self, deadline: Deadline, *, write: bool = False, what: str) -> None:
        """Wait until octets came in (and are read) or the link takes more. Raises DeadlineExceeded."""
        poller = select.poll()
        reading = select.POLLIN if self.closed is None else 0
        poller.register(self.sock, reading | (select.POLLOUT if write else 0))
        with self.trace.waiting():
            ready = poller.poll(deadline.remaining_ms())
        if not ready or (deadline.expired and not ready[0][1] & select.POLLIN):
            raise deadline.exceeded(what)
        if ready[0][1] & ~select.POLLOUT:
            self._read()

    @property
    def pending(self) -> bool:
        """Whether something has been read that nobody took yet."""
        return bool(self._inbox)

    @property
    def last_start(self) -> int | None:
        """The octet at which the last thing that came began, None where none has come."""
        return None if self.last is None else self.last.start

    def take_in(self) -> None:
        """Read what is there, without waiting."""
        self._read()

    def _read(self) -> bool:
        """Read once without waiting; True where octets came."""
        if self.closed is not None:
            return False
        try:
            octets = self.sock.recv(READ_OCTETS)
        except BlockingIOError:
            return False
        except OSError:
            self._partner_closed("rst")
            return False
        if not octets:
            self._partner_closed("rst" if self._was_reset else "fin")
            return False
        self.trace.octets(self.connection, self.partner, octets)
        self.received += octets
        self._inbox.extend(self.decoder.feed(octets))
        return True

    def _partner_closed(self, how: How) -> None:
        self.closed = how
        self.trace.closed(self.connection, self.partner, how)

    def _until(self, ready: Callable[[], object], deadline: Deadline, what: str) -> None:
        """Read until `ready` or the link is closed. Raises DeadlineExceeded."""
        if self.sock.fileno() < 0:
            return
        while not ready() and self.closed is None:
            self._wait(deadline, what=what)

    def arrived(self) -> bool:
        """Read what is there, without waiting; whether `next` has something to tell at once."""
        if self.sock.fileno() >= 0:
            self._drain()
        return bool(self._inbox) or self.closed is not None

    def next(self, within: str = "reaction", what: str = "octets") -> Received | None:
        """The next thing that the partner sent, or None where it closed. Raises DeadlineExceeded."""
        return self._next(self.deadlines.deadline(within), what)

    def _next(self, deadline: Deadline, what: str) -> Received | None:
        self.trace.check_end(self.deadlines.case_s)
        while True:
            if not self._inbox:
                self._until(lambda: self._inbox, deadline, what)
            if not self._inbox:
                return None
            received = self._uncovered(self._inbox.popleft())
            if received is not None:
                self.last = received
                return received

    def _uncovered(self, received: Received) -> Received | None:
        """Under CURVE what a MESSAGE holds, or None where it does not complete anything."""
        if self.cover is None or not isinstance(received.value, CurveMessage):
            return received
        try:
            opened = self.cover.open(received.value, received.start)
        except RemoteProtocolError as error:
            return received._replace(value=Undecodable(error), faults=(*received.faults, error))
        return None if opened is None else received._replace(value=opened)

    def mismatch(self, expected: str, actual: str, clause: str | None, at: int | None = None) -> Mismatch:
        """A Mismatch at octet `at` of what the partner sent (None: where its octets end)."""
        offset = len(self.received) if at is None else at
        return Mismatch(expected, actual, clause, Place(self.connection, self.partner, offset))
