"""Dial an endpoint or listen on one, as a raw peer."""

from __future__ import annotations

import select
import socket

from harness.deadlines import Deadlines
from harness.verdict import Mismatch

from .rawpeer import RawPeer
from .trace import Address, Trace

BACKLOG = 64


def parse_endpoint(endpoint: str) -> tuple[socket.AddressFamily, tuple[str, int] | str]:
    """The address family and address of "tcp://host:port", "tcp://[v6]:port", "ipc://path" or "ws://host:port/path".

    Raises ValueError for anything else.
    """
    transport, _, rest = endpoint.partition("://")
    if transport == "ipc" and rest:
        return socket.AF_UNIX, "\0" + rest[1:] if rest.startswith("@") else rest
    if transport == "ws":
        transport, rest = "tcp", rest.partition("/")[0]
    host, _, port = rest.rpartition(":")
    if transport != "tcp" or not host or not port.isdecimal():
        raise ValueError(f"not a tcp or ipc endpoint with a port: {endpoint!r}")
    host = host.strip("[]")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


def dial(endpoint: str, trace: Trace, deadlines: Deadlines) -> RawPeer:
    """Connect to a listening peer. What refuses the connection is a Mismatch: it said it was bound.

    A peer that accepts and resets at once was connected: the raw peer sees the reset.
    """
    sock, connection, was_reset = connect(endpoint, trace, deadlines)
    return RawPeer(sock, "dialer", trace, connection, deadlines, was_reset=was_reset)


def connect(
    endpoint: str, trace: Trace, deadlines: Deadlines, label: str = ""
) -> tuple[socket.socket, int, bool]:
    """A socket that is connected, its number in the trace, and whether it was reset at once."""
    family, address = parse_endpoint(endpoint)
    sock = socket.socket(family, socket.SOCK_STREAM)
    was_reset = False
    try:
        sock.settimeout(deadlines.connect_s)
        sock.connect(address)
        if family != socket.AF_UNIX and sock.getsockname() == address:
            raise ConnectionRefusedError("nobody listens there")
        no_delay(sock)
    except ConnectionResetError:
        was_reset = True
    except OSError as error:
        sock.close()
        raise Mismatch(f"a connection to {endpoint}", str(error), "37/sockets/bind-and-connect") from None
    return sock, trace.opened(address_of(sock.getsockname()), address_of(address), label), was_reset


class RawListener:
    """A listening socket on loopback, or on an ipc `path`, that a peer under test may connect to."""

    def __init__(
        self,
        trace: Trace,
        deadlines: Deadlines,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        path: str | None = None,
    ) -> None:
        self.trace = trace
        self.deadlines = deadlines
        self._sock, self.endpoint = listen(host, port) if path is None else listen_ipc(path)

    def accept(self, within: str = "reconnect", clause: str | None = None) -> RawPeer:
        """The next connection that a peer makes."""
        sock, connection = self._accept(within, clause)
        return RawPeer(sock, "listener", self.trace, connection, self.deadlines)

    def _accept(self, within: str, clause: str | None, label: str = "") -> tuple[socket.socket, int]:
        deadline = self.deadlines.deadline(within)
        self._sock.settimeout(max(deadline.remaining_s(), 0.001))
        try:
            with self.trace.waiting():
                sock, dialer = self._sock.accept()
        except TimeoutError:
            raise Mismatch(
                f"a connection to {self.endpoint}",
                f"none within {deadline.seconds:g} s",
                clause or "37/sockets/bind-and-connect",
            ) from None
        no_delay(sock)
        return sock, self.trace.opened(address_of(dialer), address_of(sock.getsockname()), label)

    def arrived(self) -> bool:
        """Whether somebody has dialled and is not yet accepted; does not wait."""
        return bool(select.select([self._sock], [], [], 0)[0])

    def close(self) -> None:
        """Listen no more."""
        self._sock.close()


def listen(host: str, port: int = 0) -> tuple[socket.socket, str]:
    """A listening TCP socket and its endpoint; `host` is an IPv4 or IPv6 address, port 0 any free one."""
    sock, endpoint = reserve(host, port)
    sock.listen(BACKLOG)
    return sock, endpoint


def reserve(host: str, port: int = 0) -> tuple[socket.socket, str]:
    """The same, not listening yet: who dials it is refused."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    shown = f"[{host}]" if ":" in host else host
    return sock, f"tcp://{shown}:{sock.getsockname()[1]}"


def listen_ipc(path: str) -> tuple[socket.socket, str]:
    """A listening socket at a path of the file system and its endpoint. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock, f"ipc://{path}"


def no_delay(sock: socket.socket) -> None:
    """Send small pieces at once (TCP only)."""
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def address_of(name: object) -> Address:
    """What the operating system calls an end of a connection, as (host, port); port 0 for ipc."""
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    if isinstance(name, bytes):
        return name.decode("utf-8", "backslashreplace").replace("\0", "@", 1), 0
    return str(name).replace("\0", "@", 1), 0
