"""The lines of a peer in a container, over the streams that the engine attaches.

One attached stream carries standard input and output, another standard error, which a thread copies to
the log all the time. Both arrive in the engine's frames: an octet that names the stream, three octets of
zero, four octets of size (big-endian), then the octets. Reading and writing are system calls on the sockets.
"""

from __future__ import annotations

import atexit
import contextlib
import select
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness.deadlines import Deadline
from harness.hosts import Hosts
from harness.memory import Memory

from .lines import LineBuffer
from .log import BoundedLog

STDOUT, STDERR = 1, 2
HEADER_OCTETS = 8
_CHUNK_OCTETS = 2**18
_REAP_S = 20.0
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Demultiplexer:
    """Takes the frames of an attached stream apart, in whatever pieces they arrive."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._stream = 0
        self._left = 0

    def feed(self, octets: bytes) -> Iterator[tuple[int, bytes]]:
        """The number of the stream and octets of it, for each piece in what has arrived."""
        rest = memoryview(octets)
        while rest:
            if self._left == 0:
                wanted = HEADER_OCTETS - len(self._header)
                self._header += rest[:wanted]
                rest = rest[wanted:]
                self._begin()
                continue
            piece = bytes(rest[: self._left])
            rest = rest[len(piece) :]
            self._left -= len(piece)
            yield self._stream, piece

    def _begin(self) -> None:
        if len(self._header) == HEADER_OCTETS:
            self._stream = self._header[0]
            self._left = int.from_bytes(self._header[4:], "big")
            self._header.clear()


@dataclass(slots=True)
class Exit:
    """The end of a container, once it is removed; `status` is None where the engine did not tell it."""

    removed: threading.Event = field(default_factory=threading.Event)
    status: int | None = None

    def wait(self, deadline: Deadline) -> bool:
        """Wait for the removal; False at the deadline."""
        return self.removed.wait(deadline.remaining_s())

    @property
    def text(self) -> str:
        """How the peer ended; the engine reports a signal as 128 and its number."""
        if self.status is None:
            return "removed by the engine"
        if self.status > 128:
            with contextlib.suppress(ValueError):
                return f"died of {signal.Signals(self.status - 128).name} (signal {self.status - 128})"
        return f"exited with status {self.status}"


@dataclass(frozen=True, slots=True)
class Box:
    """A started container: its streams, its end, how to remove it by force and how to weigh it."""

    lines: socket.socket
    errors: socket.socket
    exit: Exit
    remove: Callable[[], None]
    hosts: Hosts
    image: str
    memory: Callable[[bool], Memory | None] = lambda forget: None


class ContainerChannel:
    """A Channel to the peer in `box`; its standard error goes to `log`."""

    def __init__(self, name: str, box: Box, log: BoundedLog) -> None:
        self._name = name
        self._box = box
        self._sock = box.lines
        self._sock.setblocking(False)
        self._poller = select.poll()
        self._poller.register(self._sock, select.POLLIN)
        self._frames = Demultiplexer()
        self._lines = LineBuffer()
        self._log = log
        self._copier = threading.Thread(target=self._copy_errors, name=f"log {log.name}", daemon=True)
        self._copier.start()
        _running.add(self)

    @property
    def name(self) -> str:
        """The peer's name."""
        return self._name

    @property
    def hosts(self) -> Hosts:
        """Where this container can be dialled and can dial."""
        return self._box.hosts

    @property
    def image(self) -> str:
        """The image's name and id."""
        return self._box.image

    def write_line(self, line: bytes, deadline: Deadline) -> None:
        """Write `line` whole; DeadlineExceeded if the peer does not read it in time."""
        rest = memoryview(line)
        while rest:
            try:
                rest = rest[self._sock.send(rest) :]
            except _WOULD_BLOCK:
                self._wait_writable(deadline)

    def _wait_writable(self, deadline: Deadline) -> None:
        poller = select.poll()
        poller.register(self._sock, select.POLLOUT)
        if not poller.poll(deadline.remaining_ms()):
            raise deadline.exceeded("reading of the request")

    def read_line(self, deadline: Deadline, limit_octets: int) -> bytes:
        """Read one line; without a newline it is all that was left, or longer than the limit."""
        while True:
            line = self._lines.take_line(limit_octets)
            if line is not None:
                return line
            chunk = self._receive(deadline)
            if not chunk:
                return self._lines.take_rest()
            for stream, octets in self._frames.feed(chunk):
                if stream == STDOUT:
                    self._lines.add(octets)

    def _receive(self, deadline: Deadline) -> bytes:
        """What has arrived, b"" at the end of output."""
        while True:
            try:
                return self._sock.recv(_CHUNK_OCTETS)
            except ConnectionResetError:
                return b""
            except _WOULD_BLOCK:
                if not self._poller.poll(deadline.remaining_ms()):
                    raise deadline.exceeded("answer") from None

    def close(self, deadline: Deadline) -> None:
        """End the peer's input; DeadlineExceeded, and a kill, if it does not exit in time."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        exited = self._box.exit.wait(deadline)
        self.kill()
        if not exited:
            raise deadline.exceeded("exit")

    def exit_status(self, deadline: Deadline) -> str | None:
        """How the container ended, or None if it still runs at the deadline."""
        return self._box.exit.text if self._box.exit.wait(deadline) else None

    def memory(self, *, forget: bool = False) -> Memory | None:
        """What the container has resident; `forget` the peak until now, where the engine lets us."""
        return self._box.memory(forget)

    def kill(self) -> None:
        """Remove the container at once, keep its log; may be called twice."""
        if self not in _running:
            return
        _running.discard(self)
        if not self._box.exit.removed.is_set():
            self._box.remove()
        deadline = Deadline("exit", _REAP_S)
        self._box.exit.wait(deadline)
        self._copier.join(deadline.remaining_s())
        with contextlib.suppress(OSError):
            self._box.errors.shutdown(socket.SHUT_RDWR)
        self._copier.join()
        self._box.errors.close()
        self._sock.close()
        self._log.close()

    def _copy_errors(self) -> None:
        frames = Demultiplexer()
        self._box.errors.setblocking(True)
        with contextlib.suppress(OSError):
            while chunk := self._box.errors.recv(_CHUNK_OCTETS):
                for stream, octets in frames.feed(chunk):
                    if stream == STDERR:
                        self._log.write(octets)


_running: set[ContainerChannel] = set()


def _kill_all() -> None:
    for channel in list(_running):
        channel.kill()


atexit.register(_kill_all)
