"""Where connections come from: listeners and dialers."""

import os
import random
import socket as sockets
from typing import TYPE_CHECKING

from . import endpoints
from .engine import Link
from .errors import Failed
from .pipe import Pipe

if TYPE_CHECKING:
    from .base import Socket
    from .reactor import Timer

BACK_OFF_MAX_MS = 2_000


class Listener:
    """Accepts connections at one endpoint."""

    def __init__(self, socket: "Socket", endpoint: str) -> None:
        self.socket = socket
        self._sock, self.endpoint = endpoints.listen(endpoint)
        socket.reactor.watch(self._sock.fileno(), self.on_readable)
        socket.note("listening", self.endpoint)

    def on_readable(self) -> None:
        """Accept one connection."""
        try:
            sock, _ = self._sock.accept()
        except OSError:
            return
        self.socket.note("accepted", self.endpoint)
        pipe = Pipe(self.socket, self.endpoint, dialled=False)
        self.socket.begin(pipe, sock)

    def close(self) -> None:
        """Accept no more; connections stay."""
        self.socket.reactor.forget(self._sock.fileno())
        self._sock.close()
        endpoints.remove_path(self.endpoint)
        self.socket.note("closed", self.endpoint)


class Dialer:
    """Connects a pipe, again and again."""

    def __init__(self, socket: "Socket", endpoint: str) -> None:
        endpoints.check(endpoint)
        self.socket = socket
        self.endpoint = endpoint
        self.pipe = Pipe(socket, endpoint, dialled=True)
        self.failures = 0
        self.stopped = False
        self._connecting: sockets.socket | None = None
        self._retry: Timer | None = None

    def dial(self) -> None:
        """Try once."""
        self._retry = None
        try:
            self._connecting = endpoints.begin_connecting(self.endpoint)
        except (OSError, Failed):
            self.retry_later()
            return
        self.socket.note("connect-delayed", self.endpoint)
        self.socket.reactor.watch(self._connecting.fileno(), None, self.on_outcome)

    def on_outcome(self) -> None:
        """Connected, or not."""
        sock, self._connecting = self._connecting, None
        assert sock is not None
        self.socket.reactor.forget(sock.fileno())
        if not endpoints.is_connected(sock):
            sock.close()
            self.retry_later()
            return
        self.socket.note("connected", self.endpoint)
        self.socket.begin(self.pipe, sock)

    def link_ended(self, link: Link, refused: bool) -> None:
        """Dial again, unless the partner refused us by ERROR (RFC 37, Error Handling)."""
        if link.is_ready:
            self.failures = 0
        if refused:
            self.stop()
        elif not self.stopped:
            self.retry_later()

    def retry_later(self) -> None:
        """Wait a while, longer each time; an interval of -1 means never."""
        if self.socket.options.reconnect_interval_ms < 0:
            self.stop()
            return
        self.socket.note("connect-retried", self.endpoint)
        self._retry = self.socket.reactor.call_later(self.delay_s(), self.dial)
        self.failures += 1

    def delay_s(self) -> float:
        """The interval, doubled with every failure, up to a limit; a little at random."""
        interval_ms = self.socket.options.reconnect_interval_ms
        delay_ms = min(interval_ms << min(self.failures, 20), max(interval_ms, BACK_OFF_MAX_MS))
        return max(delay_ms, 1) * random.uniform(0.9, 1.0) / 1000

    def stop(self) -> None:
        """Dial no more; an existing link stays."""
        self.stopped = True
        if self._retry is not None:
            self._retry.cancel()
        if self._connecting is not None:
            self.socket.reactor.forget(self._connecting.fileno())
            self._connecting.close()
            self._connecting = None


def random_number() -> int:
    """31 random bits, for numbers that go on from there."""
    return int.from_bytes(os.urandom(4), "big") >> 1
