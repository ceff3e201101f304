"""The reference peer as a subprocess, and real libzmq beside it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

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
        return Handle(self, self.call("open", type=kind, options=named)["socket"])

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
