"""The reference peer as a subprocess, and real libzmq beside it."""

import json
import socket as sockets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from harness.zmtp import AnyCommand, Config, Connection, Event, GreetingReceived, HandshakeDone, Message

FOLDER = Path(__file__).parents[2] / "peers" / "reference"
WAIT_MS = 3_000


class Refused(Exception):
    """An error answer: its kind, and its detail."""


class Peer:
    """Raw lines of the control protocol; octets as bytes."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "peers.reference"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=FOLDER)
        self.last = 0

    def start(self, op: str, **fields: Any) -> None:
        assert self.process.stdin is not None
        self.last += 1
        self.process.stdin.write(json.dumps({"id": self.last, "op": op, **fields}).encode() + b"\n")
        self.process.stdin.flush()

    def finish(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        assert answer["id"] == self.last
        if "error" in answer:
            raise Refused(answer["error"]["kind"], answer["error"]["detail"])
        ok: dict[str, Any] = answer["ok"]
        return ok

    def call(self, op: str, **fields: Any) -> dict[str, Any]:
        self.start(op, **fields)
        return self.finish()

    def open(self, kind: str, **options: Any) -> "Handle":
        named = {name.replace("_", "-"): value for name, value in options.items()}
        handle = Handle(self, self.call("open", type=kind, options=named)["socket"])
        assert handle.events() == []  # from here on they are kept
        return handle

    def close(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        status = self.process.wait(3)
        self.process.stdout.close()
        return status


class Handle:
    """One socket of the reference."""

    def __init__(self, peer: Peer, number: int) -> None:
        self.peer = peer
        self.number = number

    def call(self, op: str, **fields: Any) -> dict[str, Any]:
        return self.peer.call(op, socket=self.number, **fields)

    def bind(self, endpoint: str = "tcp://127.0.0.1:*") -> str:
        return str(self.call("bind", endpoint=endpoint)["endpoint"])

    def connect(self, endpoint: str) -> None:
        self.call("connect", endpoint=endpoint)

    def send(self, *parts: bytes, timeout_ms: int = WAIT_MS) -> str:
        return str(self.call("send", parts=[part.hex() for part in parts], timeout_ms=timeout_ms)["outcome"])

    def recv(self, timeout_ms: int = WAIT_MS) -> list[bytes]:
        return [bytes.fromhex(part) for part in self.call("recv", timeout_ms=timeout_ms)["parts"]]

    def subscribe(self, prefix: bytes) -> None:
        self.call("subscribe", prefix=prefix.hex())

    def cancel(self, prefix: bytes) -> None:
        self.call("cancel", prefix=prefix.hex())

    def events(self) -> list[str]:
        return [event["event"] for event in self.call("monitor")["events"]]

    def close(self) -> None:
        self.call("close")


@pytest.fixture(scope="module")
def shared_peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    assert peer.close() == 0


@pytest.fixture
def peer(shared_peer: Peer) -> Iterator[Peer]:
    """The reference: one process a module; every test closes what it opened."""
    before = shared_peer.call("open", type="PAIR", options={})["socket"]
    yield shared_peer
    after = shared_peer.call("open", type="PAIR", options={})["socket"]
    for number in range(before, after + 1):
        try:
            shared_peer.call("close", socket=number)
        except Refused:
            continue


class Raw:
    """A scripted partner: the codec on a blocking socket."""

    def __init__(self, sock: sockets.socket, kind: str, **config: Any) -> None:
        sock.settimeout(WAIT_MS / 1000)
        sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        self.sock = sock
        self.codec = Connection(Config(kind, **config))
        self.received: list[Event] = []

    def handshake(self) -> HandshakeDone:
        """From the greeting to the end of the handshake."""
        self.codec.start()
        self.write()
        done = self.expect(HandshakeDone)
        assert isinstance(done, HandshakeDone)
        return done

    def write(self) -> None:
        self.sock.sendall(self.codec.take_output())

    def send(self, *values: Message | AnyCommand) -> None:
        for value in values:
            self.codec.send(value)
        self.write()

    def next(self) -> Event | None:
        """The next event but for greetings; None when the reference has closed."""
        while not self.received:
            try:
                octets = self.sock.recv(65_536)
            except ConnectionResetError:
                octets = b""
            if not octets:
                return None
            found = self.codec.receive(octets)
            self.write()
            self.received.extend(event for event in found if not isinstance(event, GreetingReceived))
        return self.received.pop(0)

    def expect(self, what: Any) -> Event:
        """The next event is of this type, or equal to this value."""
        event = self.next()
        assert isinstance(event, what) if isinstance(what, type) else event == what
        assert event is not None
        return event

    def expect_closed(self) -> None:
        assert self.next() is None


class Net:
    """Makes scripted partners, and closes them."""

    def __init__(self) -> None:
        self.made: list[sockets.socket] = []

    def dial(self, endpoint: str, kind: str, **config: Any) -> Raw:
        """Connect to the reference; no octets yet."""
        sock = sockets.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])), 3)
        self.made.append(sock)
        return Raw(sock, kind, **config)

    def listen(self) -> tuple[sockets.socket, str]:
        """A listening socket and its endpoint."""
        sock = sockets.create_server(("127.0.0.1", 0))
        sock.settimeout(WAIT_MS / 1000)
        self.made.append(sock)
        return sock, f"tcp://127.0.0.1:{sock.getsockname()[1]}"

    def accept(self, listener: sockets.socket, kind: str, **config: Any) -> Raw:
        """What the reference dials."""
        sock, _ = listener.accept()
        self.made.append(sock)
        return Raw(sock, kind, **config)


def partner(net: Net, endpoint: str, kind: str, identity: bytes = b"", minor: int = 1) -> Raw:
    """A scripted partner past its handshake."""
    raw = net.dial(endpoint, kind, identity=identity, version=(3, minor), lowest=3)
    raw.handshake()
    return raw


def attached(socket: Handle, count: int) -> None:
    """Wait until `count` handshakes are done on the reference's side."""
    seen = 0
    for _ in range(1_000):
        seen += socket.events().count("handshake-succeeded")
        if seen >= count:
            return
    raise AssertionError(f"{seen} handshakes of {count}")


@pytest.fixture
def net() -> Iterator[Net]:
    """Scripted partners on loopback."""
    made = Net()
    yield made
    for sock in made.made:
        sock.close()


Libzmq = Callable[..., "zmq.Socket[bytes]"]


@pytest.fixture
def libzmq() -> Iterator[Libzmq]:
    """Makes sockets of real libzmq that wait no longer than WAIT_MS."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made: list[zmq.Socket[bytes]] = []

    def make(kind: int, **options: Any) -> "zmq.Socket[bytes]":
        socket = context.socket(kind)
        made.append(socket)
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = WAIT_MS
        for name, value in options.items():
            setattr(socket, name, value)
        return socket

    yield make
    for socket in made:
        socket.close(0)
    context.term()
