"""The thread behind taps: waits for all their sockets at once and serves whichever is ready."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from .relay import Relay, Serve

T = TypeVar("T")
CALL_S = 10.0
READ_EVENTS = select.POLLIN


class TapHub:
    """One background thread for any number of taps and connections.

    What goes wrong inside it is raised at the next `call`.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._changed = threading.Condition()
        self._poller = select.poll()
        self._masks: dict[int, int] = {}
        self._serving: dict[int, Serve] = {}
        self._calls: deque[Callable[[], None]] = deque()
        self._failure: Exception | None = None
        self._stopping = False
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        self._poller.register(self._wake_reader, select.POLLIN)
        self._thread = threading.Thread(target=self._run, name="tap-hub", daemon=True)
        self._thread.start()

    # -- for every thread ------------------------------------------------------------------------

    def call(self, act: Callable[[], T]) -> T:
        """Run `act` in the hub's thread and return what it returns. Raises what it raises."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(act())
            except Exception as error:
                future.set_exception(error)

        self.check()
        if not self._thread.is_alive():
            raise RuntimeError("the tap's hub is closed")
        self._calls.append(run)
        self._wake()
        return future.result(CALL_S)

    def wait_change(self, seen: int, seconds: float) -> None:
        """Wait until `changes` is no longer `seen`, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.changes != seen, seconds)
        self.check()

    def check(self) -> None:
        """Raise RuntimeError where the thread has failed."""
        if self._failure is not None:
            raise RuntimeError("the tap's thread has failed") from self._failure

    def close(self) -> None:
        """End the thread. Sockets belong to their taps. Closing twice does nothing."""
        if self._stopping:
            return
        self._stopping = True
        self._wake()
        self._thread.join(CALL_S)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def _wake(self) -> None:
        try:
            os.write(self._wake_writer, b"\0")
        except BlockingIOError:
            return

    # -- for the hub's own thread ----------------------------------------------------------------

    def watch(self, sock: socket.socket, events: int, serve: Serve) -> None:
        """Call `serve` whenever the socket has one of these events, an error or a hang-up."""
        fd = sock.fileno()
        self._serving[fd] = serve
        if self._masks.get(fd) != events:
            self._masks[fd] = events
            self._poller.register(fd, events)

    def unwatch(self, sock: socket.socket) -> None:
        """Look at the socket no more; to be called before it is closed."""
        fd = sock.fileno()
        if self._masks.pop(fd, None) is not None:
            self._poller.unregister(fd)
            del self._serving[fd]

    def watch_listener(self, sock: socket.socket, accepted: Callable[[Relay], None]) -> None:
        """Hand every connection that comes in to `accepted`, as a relay that is not begun yet."""

        def serve(_: int) -> None:
            try:
                dialer, address = sock.accept()
            except (BlockingIOError, ConnectionError):
                return
            accepted(Relay(self, dialer, address))

        self.watch(sock, READ_EVENTS, serve)

    def announce(self) -> None:
        """Tell those who wait that something went through."""
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while not self._stopping:
                ready = [(fd, events, self._serving.get(fd)) for fd, events in self._poller.poll()]
                for fd, events, serve in ready:
                    if fd == self._wake_reader:
                        self._run_calls()
                    elif serve is not None and serve == self._serving.get(fd):
                        serve(events)
        except Exception as error:
            self._failure = error
            self.announce()

    def _run_calls(self) -> None:
        os.read(self._wake_reader, 4096)
        while self._calls:
            self._calls.popleft()()
        self.announce()
