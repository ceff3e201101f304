"""The operations of the control protocol on the reference's sockets (specs/control-protocol.md)."""

import inspect
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from harness.control.flood import body, digest

from .base import EVENTS_MAX, Outcome, Socket
from .errors import Failed, Unsupported
from .groups import Dish, Radio
from .options import Options
from .pair import Pair
from .pipe import Parts
from .pipeline import Pull, Push
from .proxy import Proxy
from .pubsub import Pub, Sub, Xpub, Xsub
from .reactor import Reactor
from .reqrep import Dealer, Rep, Req, Router
from .singles import Channel, Client, Gather, PeerSocket, Scatter, Server

CONTROL_VERSION = "1"
VERSION = "0.1.0"
SOCKET_TYPES: dict[str, type[Socket]] = {
    kind.type: kind
    for kind in (
        *(Req, Rep, Dealer, Router, Pub, Xpub, Sub, Xsub, Push, Pull, Pair),
        *(Client, Server, Radio, Dish, Scatter, Gather, PeerSocket, Channel),
    )
}
Answer = dict[str, Any]
BATCH = 100


class TimedOut(Exception):
    """What an operation waits for did not happen in time."""


class Adapter:
    """Runs one operation at a time; the reactor serves all sockets meanwhile."""

    def __init__(self, reactor: Reactor, give_up: Callable[[], bool] = lambda: False) -> None:
        self.reactor = reactor
        self.give_up = give_up
        self.sockets: dict[int, Socket] = {}
        self.proxies: list[Proxy] = []
        self._last = 0
        self.operations: dict[str, Callable[..., Answer | None]] = {
            "hello": self.hello,
            "open": self.open,
            "close": self.close,
            "set": self.set,
            "get": self.get,
            "bind": lambda socket, endpoint: {"endpoint": self.socket(socket).bind(endpoint)},
            "connect": self.connect,
            "unbind": lambda socket, endpoint: self.socket(socket).unbind(endpoint),
            "disconnect": lambda socket, endpoint: self.socket(socket).disconnect(endpoint),
            "subscribe": lambda socket, prefix: self.socket(socket).subscribe(bytes.fromhex(prefix)),
            "cancel": lambda socket, prefix: self.socket(socket).cancel(bytes.fromhex(prefix)),
            "send": self.send,
            "recv": self.recv,
            "poll": self.poll,
            "flood": self.flood,
            "drain": self.drain,
            "proxy": self.proxy,
            "monitor": self.monitor,
        }
        self._fields = {op: inspect.signature(one).parameters for op, one in self.operations.items()}

    def answer(self, request: dict[str, Any]) -> Answer:
        """The answer to one request, whatever happens."""
        number, op = request.pop("id", None), request.pop("op", None)
        try:
            return {"id": number, "ok": self.perform(op, request)}
        except Unsupported as error:
            kind, detail = "unsupported", str(error)
        except TimedOut:
            kind, detail = "timeout", f"{op}: not within its timeout"
        except Failed as error:
            kind, detail = "failed", str(error)
        except (TypeError, ValueError) as error:
            kind, detail = "failed", f"{type(error).__name__}: {error}"
        return {"id": number, "error": {"kind": kind, "detail": detail}}

    def perform(self, op: Any, fields: dict[str, Any]) -> Answer:
        """Serve what is there already, then do it; fields that the operation does not know are ignored."""
        operation = self.operations.get(op)
        if operation is None:
            raise Unsupported(f"operation {op}")
        known = self._fields[op]
        self.reactor.poll(0)
        return operation(**{name: value for name, value in fields.items() if name in known}) or {}

    def socket(self, number: int) -> Socket:
        """The open socket with this number. Raises Failed."""
        if number not in self.sockets:
            raise Failed(f"no open socket {number}")
        return self.sockets[number]

    def wait(self, done: Callable[[], bool], timeout_ms: float) -> bool:
        """Serve until `done()` or the timeout (below 0: none); leaves at the end of input."""
        timeout_s = None if timeout_ms < 0 else timeout_ms / 1000
        reached = self.reactor.run_until(lambda: done() or self.give_up(), timeout_s)
        if self.give_up():
            raise SystemExit(0)
        return reached

    # Sockets

    def hello(self, control: str) -> Answer:
        """Who this is, and the control version that it speaks."""
        return {
            "peer": "reference",
            "library": "zconform reference",
            "version": VERSION,
            "language": "Python",
            "control": CONTROL_VERSION,
        }

    def open(self, type: str, options: dict[str, Any] | None = None) -> Answer:
        """A socket of one of the types that there are."""
        if type not in SOCKET_TYPES:
            raise Unsupported(f"socket type {type}")
        values = Options()
        for name, value in (options or {}).items():
            values.set(name, value, type)
        self._last += 1
        self.sockets[self._last] = SOCKET_TYPES[type](self.reactor, values)
        return {"socket": self._last}

    def close(self, socket: int) -> None:
        """Close a socket; proxies that use it end."""
        closing = self.socket(socket)
        del self.sockets[socket]
        closing.close()
        for proxy in [one for one in self.proxies if one.is_over]:
            self.proxies.remove(proxy)
            self.reactor.after_poll.remove(proxy.step)

    def close_all(self) -> None:
        """The end: leave no files."""
        for number in list(self.sockets):
            self.close(number)

    def connect(self, socket: int, endpoint: str) -> Answer:
        """Dial; a PEER is told the routing id of whom it will meet there."""
        target = self.socket(socket)
        answer: Answer = {"endpoint": target.connect(endpoint)}
        if isinstance(target, PeerSocket):
            answer["routing_id"] = target.dialers[-1].pipe.routing_id.hex()
        return answer

    def set(self, socket: int, option: str, value: Any) -> None:
        """Set an option: high-water marks at once, the rest for connections to come."""
        target = self.socket(socket)
        target.options.set(option, value, target.type)

    def get(self, socket: int, option: str) -> Answer:
        """An option's value."""
        value = self.socket(socket).options.get(option)
        return {"value": value.hex() if isinstance(value, bytes) else value}

    def monitor(self, socket: int) -> Answer:
        """The events since the last time; the first time begins to watch."""
        target = self.socket(socket)
        found, target.events = target.events or (), deque(maxlen=EVENTS_MAX)
        return {"events": list(found)}

    def proxy(self, frontend: int, backend: int) -> None:
        """Forward between two sockets from now on."""
        proxy = Proxy(self.socket(frontend), self.socket(backend))
        self.proxies.append(proxy)
        self.reactor.after_poll.append(proxy.step)
        proxy.step()

    # Messages

    def send(self, socket: int, parts: list[str], timeout_ms: int) -> Answer:
        """One message, as soon as there is room."""
        target, message = self.socket(socket), tuple(map(bytes.fromhex, parts))
        if not message:
            raise Failed("a message has at least one part")
        return {"outcome": str(self.try_to_send(target, message, timeout_ms))}

    def try_to_send(self, socket: Socket, parts: Parts, timeout_ms: float) -> Outcome:
        """Try until it does not block, or the timeout."""
        outcome = socket.send(parts)

        def done() -> bool:
            nonlocal outcome
            outcome = socket.send(parts)
            return outcome is not Outcome.WOULD_BLOCK

        if outcome is Outcome.WOULD_BLOCK:
            self.wait(done, timeout_ms)
        return outcome

    def recv(self, socket: int, timeout_ms: int) -> Answer:
        """One message, as soon as there is one."""
        return {"parts": [part.hex() for part in self.try_to_receive(self.socket(socket), timeout_ms)]}

    def try_to_receive(self, socket: Socket, timeout_ms: float) -> Parts:
        """Raises TimedOut when there is none in time."""
        parts = socket.receive()
        if parts is None and self.wait(lambda: socket.is_readable, timeout_ms):
            parts = socket.receive()
        if parts is None:
            raise TimedOut
        return parts

    def poll(self, sockets: list[int], timeout_ms: int) -> Answer:
        """Which sockets have something to receive, as soon as one has."""
        watched = {number: self.socket(number) for number in sockets}
        self.wait(lambda: any(one.is_readable for one in watched.values()), timeout_ms)
        return {"readable": [number for number, one in watched.items() if one.is_readable]}

    def flood(
        self, socket: int, count: int, size_octets: int, seed: int, timeout_ms: int, head: Iterable[str] = ()
    ) -> Answer:
        """Many messages, each behind the parts of `head`."""
        target, front = self.socket(socket), tuple(map(bytes.fromhex, head))
        end = time.monotonic() + timeout_ms / 1000
        for index in range(count):
            left_ms = max(0.0, (end - time.monotonic()) * 1000)
            parts = (*front, body(seed, index, size_octets))
            if self.try_to_send(target, parts, left_ms) is not Outcome.ACCEPTED:
                return {"accepted": index}
            if index % BATCH == BATCH - 1:
                self.reactor.poll(0)
        return {"accepted": count}

    def drain(self, socket: int, count: int, timeout_ms: int) -> Answer:
        """Receive up to `count` messages; what their last parts were, as a digest and two indexes."""
        indexes: list[int | None] = []
        whole = digest(self.receive_many(self.socket(socket), count, timeout_ms, indexes))
        first, last = (indexes[0], indexes[-1]) if indexes else (None, None)
        return {"received": len(indexes), "digest": whole, "first": first, "last": last}

    def receive_many(
        self, socket: Socket, count: int, timeout_ms: int, indexes: list[int | None]
    ) -> Iterator[bytes]:
        """The last parts of up to `count` messages; their numbers go to `indexes`."""
        end = time.monotonic() + timeout_ms / 1000
        while len(indexes) < count:
            try:
                octets = self.try_to_receive(socket, max(0.0, (end - time.monotonic()) * 1000))[-1]
            except TimedOut:
                return
            indexes.append(index_of(octets))
            yield octets


def index_of(octets: bytes) -> int | None:
    """The number that a flooded body begins with."""
    return int.from_bytes(octets[:8], "big") if len(octets) >= 8 else None
