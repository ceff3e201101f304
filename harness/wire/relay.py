"""One connection through a tap: two sockets, and in each direction what is under way between them."""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from .endpoints import address_of, no_delay
from .trace import SENDERS, Address, How, Sender, Trace, other

HELD_MAX_OCTETS = 1 << 18
READ_OCTETS = 1 << 16
DRAIN_READS = 256
GONE = select.POLLERR | select.POLLHUP
Serve = Callable[[int], None]
Buffer = bytes | memoryview


class Watcher(Protocol):
    """What a relay needs of the thread that serves it."""

    def watch(self, sock: socket.socket, events: int, serve: Serve) -> None:
        """Call `serve` with the events of the socket."""

    def unwatch(self, sock: socket.socket) -> None:
        """Look at it no more."""

    def announce(self) -> None:
        """Tell those who wait that something happened."""


class Witness(Protocol):
    """Who is told what passes: a trace, or what has this much of one."""

    def opened(self, dialer: Address, listener: Address, label: str = "") -> int:
        """A connection was made; its number."""

    def octets(self, connection: int, sender: Sender, octets: bytes) -> None:
        """An end sent octets. They are told before they are passed on."""

    def room(self, connection: int) -> memoryview | None:
        """Where the next octets of a connection may be read to; None: they come with `octets`."""

    def filled(self, connection: int, sender: Sender, octets: int) -> None:
        """An end sent so many octets, which stand in that room. They are told before they are passed on."""

    def closed(self, connection: int, sender: Sender, how: How) -> None:
        """An end closed its direction."""

    def note(self, text: str) -> None:
        """A remark."""

    def step(self) -> AbstractContextManager[None]:
        """What is told inside is told as one."""


@dataclass(slots=True)
class Pipe:
    """One direction: what `sender` sent and the other end has not taken yet.

    `ended` is how the sender closed, `passed_on` whether its FIN went on. `broken` says that writing
    to the sender failed, `hung_up` that the system reports its socket as done with.
    """

    sender: Sender
    held: bytearray = field(default_factory=bytearray)
    paused: bool = False
    ended: How | None = None
    passed_on: bool = False
    broken: bool = False
    hung_up: bool = False

    @property
    def wants(self) -> bool:
        """Whether to read more from the sender."""
        return self.ended is None and not self.paused and len(self.held) < HELD_MAX_OCTETS


class Relay:
    """Passes octets on between a dialer and the target, and records them. Lives in the hub's thread."""

    def __init__(self, watcher: Watcher, dialer: socket.socket, address: object) -> None:
        dialer.setblocking(False)
        no_delay(dialer)
        self.number = 0
        self.open = False
        self._watcher = watcher
        self._dialer_name = address_of(address)
        self._ends: dict[Sender, socket.socket] = {"dialer": dialer}
        self._pipes: dict[Sender, Pipe] = {sender: Pipe(sender) for sender in SENDERS}
        self._connecting = True
        self._trace: Witness = Trace()

    def begin(
        self, trace: Witness, target: tuple[socket.AddressFamily, tuple[str, int] | str], label: str
    ) -> None:
        """Dial the target and record the connection."""
        family, address = target
        self._trace = trace
        self.number = trace.opened(self._dialer_name, address_of(address), label)
        self.open = True
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        no_delay(sock)
        self._ends["listener"] = sock
        error = sock.connect_ex(address)
        if error in (0, errno.EINPROGRESS):
            self._update()
        else:
            self._refused(error)
        self._watcher.announce()

    # -- steering --------------------------------------------------------------------------------

    def pause(self, senders: Iterable[Sender]) -> None:
        """Read and pass on nothing more from these ends."""
        for sender in senders:
            self._pipes[sender].paused = True
        self._update()

    def resume(self, senders: Iterable[Sender]) -> None:
        """Go on after `pause`."""
        for sender in senders:
            self._pipes[sender].paused = False
            self._flush(self._pipes[sender])
        self._update()

    def cut(self, how: How) -> None:
        """Close both ends, by reset or in good order."""
        if not self.open:
            return
        with self._trace.step():
            self._trace.note(f"connection {self.number} cut by the tap ({how})")
            for sender in SENDERS:
                if self._pipes[sender].ended is None:
                    self._trace.closed(self.number, sender, how)
        self._drop(SENDERS if how == "rst" else ())

    def close(self) -> None:
        """Close both ends in good order, unrecorded: the case is over."""
        if self.open:
            self._drop(())

    # -- serving ---------------------------------------------------------------------------------

    def _update(self) -> None:
        """Watch each end for what can be done there now."""
        if not self.open:
            return
        for end in SENDERS:
            incoming, outgoing = self._pipes[end], self._pipes[other(end)]
            if incoming.ended and outgoing.passed_on:
                self._watcher.unwatch(self._ends[end])
                continue
            connecting = self._connecting and end == "listener"
            sending = connecting or bool(outgoing.held and not outgoing.paused and not self._connecting)
            reading = incoming.wants and not connecting
            events = (select.POLLIN if reading else 0) | (select.POLLOUT if sending else 0)
            if incoming.hung_up and not events:
                self._watcher.unwatch(self._ends[end])
                continue
            self._watcher.watch(self._ends[end], events, self._server_of(end))

    def _server_of(self, end: Sender) -> Serve:
        return self._serve_dialer if end == "dialer" else self._serve_listener

    def _serve_dialer(self, events: int) -> None:
        self._serve("dialer", events)

    def _serve_listener(self, events: int) -> None:
        if self._connecting:
            self._connected()
        else:
            self._serve("listener", events)

    def _connected(self) -> None:
        error = self._ends["listener"].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._refused(error)
            return
        self._connecting = False
        self._flush(self._pipes["dialer"])
        self._update()

    def _refused(self, error: int) -> None:
        with self._trace.step():
            self._trace.note(f"connection {self.number}: the target refused (error {error})")
            self._trace.closed(self.number, "listener", "rst")
        self._drop(("dialer",))

    def _serve(self, end: Sender, events: int) -> None:
        pipe = self._pipes[end]
        if events == select.POLLIN and not pipe.held:
            self._read(pipe)
            if self.open and pipe.ended is None and not pipe.held:
                self._watcher.announce()  # and nothing is to be watched otherwise than before
                return
            events = 0
        if events & select.POLLOUT:
            self._flush(self._pipes[other(end)])
        if events & GONE:
            self._read_to_the_end(end)
        elif events & select.POLLIN:
            self._read(pipe)
        self._update()
        self._watcher.announce()

    def _read(self, pipe: Pipe) -> bool:
        """Read once from an end that may have something; True where octets came."""
        if not self.open or pipe.ended is not None:
            return False
        try:
            octets = self._take(pipe.sender)
        except BlockingIOError:
            return False
        except OSError:
            self._was_reset(pipe.sender)
            return False
        if octets:
            pipe.held += self._send_at_once(pipe, octets)
        elif pipe.broken:
            self._was_reset(pipe.sender)
        else:
            pipe.ended = "fin"
            self._trace.closed(self.number, pipe.sender, "fin")
        if pipe.held or pipe.ended is not None:
            self._flush(pipe)
        return bool(octets)

    def _take(self, end: Sender) -> Buffer:
        """Read once from an end, and tell of it; empty where it has ended. Raises OSError."""
        room = self._trace.room(self.number)
        if room is None:
            octets = self._ends[end].recv(READ_OCTETS)
            if octets:
                self._trace.octets(self.number, end, octets)
            return octets
        size = self._ends[end].recv_into(room)
        if size:
            self._trace.filled(self.number, end, size)
        return room[:size]

    def _send_at_once(self, pipe: Pipe, octets: Buffer) -> Buffer:
        """Pass on what nothing stands before; what is left of it. A fault shows at the next `_flush`."""
        if pipe.held or pipe.paused or self._connecting:
            return octets
        try:
            return octets[self._ends[other(pipe.sender)].send(octets) :]
        except OSError:
            return octets

    def _read_to_the_end(self, end: Sender) -> None:
        """The connection to an end is broken, or closed both ways: take what is left, then pass that on."""
        pipe = self._pipes[end]
        pipe.hung_up = True
        while self._read(pipe):
            pass
        if self.open and self._ends[end].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._was_reset(end)

    def _flush(self, pipe: Pipe) -> None:
        """Pass on what the other end takes now, and the FIN after the last of it."""
        if not self.open or self._connecting or pipe.paused:
            return
        sock = self._ends[other(pipe.sender)]
        while pipe.held:
            try:
                sent = sock.send(pipe.held)
            except BlockingIOError:
                return
            except OSError:
                self._cannot_send(other(pipe.sender))
                return
            del pipe.held[:sent]
        if pipe.ended == "fin" and not pipe.passed_on:
            pipe.passed_on = True
            try:
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                self._cannot_send(other(pipe.sender))
        if all(each.passed_on for each in self._pipes.values()):
            self._drop(())

    def _cannot_send(self, end: Sender) -> None:
        """An end has reset. What it sent before goes on first; the error itself is told only once."""
        pipe = self._pipes[end]
        pipe.broken = True
        self._pipes[other(end)].held.clear()
        while self._read(pipe):
            pass
        self._was_reset(end)

    # -- ending ----------------------------------------------------------------------------------

    def _was_reset(self, end: Sender) -> None:
        """Pass a reset on, after what came before it."""
        if not self.open:
            return
        pipe = self._pipes[end]
        pipe.ended = "rst"
        self._trace.closed(self.number, end, "rst")
        self._flush(pipe)
        self._drop((other(end),))

    def _drop(self, resetting: Iterable[Sender]) -> None:
        if not self.open:
            return
        self.open = False
        for end, sock in self._ends.items():
            self._watcher.unwatch(sock)
            if end in resetting:
                if sock.family != socket.AF_UNIX:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                _finish(sock)
            sock.close()
        self._watcher.announce()


def _finish(sock: socket.socket) -> None:
    """Send a FIN and throw away what was not read, so that closing does not turn it into a reset."""
    try:
        sock.shutdown(socket.SHUT_WR)
        for _ in range(DRAIN_READS):
            if not sock.recv(READ_OCTETS):
                return
    except OSError:
        return
