"""Endpoints as text, and the operating system's sockets for them: tcp, ipc, ws over tcp, inproc."""

import contextlib
import errno
import os
import re
import socket
import tempfile
from pathlib import Path

from .errors import Failed, Unsupported

_WEB = re.compile(r"ws(://[^/]+)(/.*)?")
_TCP = re.compile(r"tcp://(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+):(\*|\d+)")
BACKLOG = 100
_OWN_FOLDER = "reference-peer-"

Address = tuple[str, int] | str
Place = tuple[socket.AddressFamily, Address]


def listen(endpoint: str) -> tuple[socket.socket, str]:
    """A listening socket, and the endpoint with the port or path it really has."""
    family, address = _resolve(endpoint, wildcard=True)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family is socket.AF_UNIX:
            _remove_stale(str(address))
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise Failed(f"{endpoint}: {error.strerror}") from None
    if endpoint.startswith("inproc://"):
        return sock, endpoint
    web = _WEB.fullmatch(endpoint)
    return sock, _actual(sock) if web is None else f"ws{_actual(sock).removeprefix('tcp')}{web[2] or ''}"


def begin_connecting(endpoint: str) -> socket.socket:
    """A socket on its way to `endpoint`: writable once the outcome is known. Raises OSError."""
    family, address = _resolve(endpoint, wildcard=False)
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.connect(address)
    except BlockingIOError:
        pass
    except OSError:
        sock.close()
        raise
    return sock


def check(endpoint: str) -> None:
    """Raise Unsupported for another transport, Failed for what cannot be connected to."""
    _resolve(endpoint, wildcard=False)


def prepare(sock: socket.socket) -> None:
    """What every connection has: no blocking, and no waiting to fill segments."""
    sock.setblocking(False)
    if sock.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def is_connected(sock: socket.socket) -> bool:
    """Whether connecting has led to somebody else (a free port of this machine can meet itself)."""
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        return False
    try:
        return sock.family == socket.AF_UNIX or sock.getsockname() != sock.getpeername()
    except OSError:
        return False


def remove_path(endpoint: str) -> None:
    """Remove the file of an ipc endpoint that is no longer listened on."""
    if endpoint.startswith("ipc://") and not endpoint.startswith("ipc://@"):
        path = Path(endpoint.removeprefix("ipc://"))
        with contextlib.suppress(OSError):
            path.unlink()
            if path.parent.name.startswith(_OWN_FOLDER):
                path.parent.rmdir()


def is_web(endpoint: str) -> bool:
    """Whether ZMTP over WebSocket is spoken there."""
    return endpoint.startswith("ws://")


def host_and_target(endpoint: str) -> tuple[str, str]:
    """What a request names as its host and asks for as its path (RFC 45, Handshake)."""
    host, _, path = endpoint.removeprefix("ws://").partition("/")
    return host, f"/{path}"


def _resolve(endpoint: str, *, wildcard: bool) -> Place:
    transport, separator, rest = endpoint.partition("://")
    if not separator:
        raise Failed(f"{endpoint}: not an endpoint")
    if transport == "ipc":
        return socket.AF_UNIX, _path(rest, endpoint, wildcard)
    if transport == "inproc" and rest:
        return socket.AF_UNIX, f"\0{_OWN_FOLDER}{os.getpid()}-{rest}"  # nobody else's, and no file
    if (web := _WEB.fullmatch(endpoint)) is not None:
        return _resolve_tcp(f"tcp{web[1]}", wildcard)
    if transport != "tcp":
        raise Unsupported(f"transport {transport}")
    return _resolve_tcp(endpoint, wildcard)


def _path(rest: str, endpoint: str, wildcard: bool) -> str:
    if rest == "*" and wildcard:
        return str(Path(tempfile.mkdtemp(prefix=_OWN_FOLDER)) / "socket")
    if not rest or rest == "*":
        raise Failed(f"{endpoint}: not a path")
    return "\0" + rest[1:] if rest.startswith("@") else rest


def _resolve_tcp(endpoint: str, wildcard: bool) -> Place:
    match = _TCP.fullmatch(endpoint)
    if match is None or (not wildcard and "*" in endpoint):
        raise Failed(f"{endpoint}: not an endpoint")
    host = "0.0.0.0" if match[1] == "*" else match[1].strip("[]")
    port = 0 if match[2] == "*" else int(match[2])
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, OverflowError) as error:
        raise Failed(f"{endpoint}: {error}") from None
    found.sort(key=lambda info: info[0] != socket.AF_INET)
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


def _actual(sock: socket.socket) -> str:
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return "ipc://" + ("@" + name[1:].decode() if isinstance(name, bytes) else name)
    host = f"[{name[0]}]" if sock.family == socket.AF_INET6 else name[0]
    return f"tcp://{host}:{name[1]}"


def _remove_stale(path: str) -> None:
    """Remove a socket's file that nobody listens on any more."""
    if path.startswith("\0") or not Path(path).is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(path) in (errno.ECONNREFUSED, errno.ENOENT):
            Path(path).unlink(missing_ok=True)
