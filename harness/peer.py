"""A peer as a case sees it: sockets of a real library behind the control protocol.

`LivePeer` is the warm process that serves many cases; `Peer` is its face for one case, which records
every operation in the case's trace and closes what the case left open. What a peer does wrong is a
Mismatch, so that its crash, hang or lie becomes that case's verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from harness.control.client import (
    ControlClient,
    ControlError,
    OperationFailed,
    OperationTimeout,
    PeerGone,
    PendingCall,
)
from harness.deadlines import Deadlines
from harness.manifest import Manifest
from harness.memory import Memory
from harness.verdict import Mismatch
from harness.wire.render import describe
from harness.wire.trace import Trace
from harness.zmtp import Message

Parts = list[bytes]
Start = Callable[[Manifest], ControlClient]
MAX_FAILED_STARTS = 3


class Outcome(StrEnum):
    """What became of a message that was offered to a socket."""

    ACCEPTED = "accepted"
    WOULD_BLOCK = "would-block"
    UNROUTABLE = "unroutable"
    REFUSED = "refused"


class PeerUnavailable(Exception):
    """The peer does not start, so the question cannot be asked; one line says why."""


class LivePeer:
    """A peer's process, kept warm from case to case and started again after a crash or a hang."""

    def __init__(self, manifest: Manifest, start: Start) -> None:
        self.manifest = manifest
        self.hello: Mapping[str, Any] = {}
        self._start = start
        self._client: ControlClient | None = None
        self._failed_starts = 0
        self._last_failure = ""

    def client(self) -> ControlClient:
        """A client that has said hello. Raises PeerUnavailable, at once after three failed starts."""
        if self._client is not None and self._client.gone is None:
            return self._client
        if self._failed_starts >= MAX_FAILED_STARTS:
            raise PeerUnavailable(f"{self._last_failure} (not tried again after {MAX_FAILED_STARTS} times)")
        try:
            self._client = self._start(self.manifest)
            self.hello = self._client.hello()
        except Exception as error:
            self._failed_starts += 1
            self._last_failure = str(error)
            self.kill()
            raise PeerUnavailable(self._last_failure) from None
        self._failed_starts = 0
        return self._client

    def kill(self) -> None:
        """End the process at once; the next case starts another."""
        if self._client is not None:
            self._client.kill()
            self._client = None

    def leave(self) -> None:
        """End the process in good order. Raises PeerGone where it does not exit cleanly and in time."""
        client, self._client = self.client(), None
        client.close()

    def stop(self) -> None:
        """End the process in good order, or by force."""
        if self._client is None:
            return
        try:
            self._client.close()
        except ControlError:
            self._client.kill()
        self._client = None


class Peer:
    """The peer under test in one case, or one of two; `title` is what its records and findings call it."""

    def __init__(self, live: LivePeer, trace: Trace, deadlines: Deadlines, title: str | None = None) -> None:
        self.live = live
        self.trace = trace
        self.manifest = live.manifest
        self.name = live.manifest.name
        self.title = title or self.name
        self.subject = title or "the peer"
        self.deadlines = deadlines
        self._client = live.client()
        self.hosts = self._client.hosts
        self._sockets: list[RemoteSocket] = []
        self._under_way: Pending | None = None
        self._ended = ""

    @property
    def died(self) -> str:
        """How the peer ended by itself in this case, as far as anybody has noticed; "" where it has not."""
        gone = self._client.gone
        return self._ended or (gone.reason if gone is not None and gone.ended else "")

    def claims(self, capability: str) -> bool:
        """Whether the peer's manifest claims a capability, such as "option:handover"."""
        return self.manifest.claims(capability)

    def open(self, socket_type: str, **options: Any) -> RemoteSocket:
        """Open a socket; options are set before it binds or connects (`send_hwm=1` is send-hwm)."""
        named = {name.replace("_", "-"): value for name, value in options.items()}
        answer = self.call("open", type=socket_type, options=named)
        sock = RemoteSocket(self, answer["socket"], socket_type)
        self._sockets.append(sock)
        return sock

    def call(self, op: str, timeout_s: float | None = None, **fields: Any) -> dict[str, Any]:
        """Ask an operation, record it, and turn what the peer does wrong into a Mismatch.

        OperationTimeout passes through: what it means depends on the operation.
        """
        return self.start(op, timeout_s, **fields).result()

    def start(self, op: str, timeout_s: float | None = None, **fields: Any) -> Pending:
        """Ask an operation and come back at once, for when the raw end must act while the peer waits."""
        self.trace.check_end(self.deadlines.case_s)
        began_s = self.trace.now_s()
        try:
            call = self._client.start(op, timeout_s=timeout_s, **fields)
        except PeerGone as gone:
            self.trace.called(self.title, op, fields, None, began_s)
            raise self._died(op, gone) from None
        self._under_way = Pending(self, call, fields, began_s)
        return self._under_way

    def _died(self, op: str, gone: PeerGone) -> Mismatch:
        return Mismatch(f"{self.subject} answers {op}", gone.reason, fatal=True)

    def readable(self, *sockets: RemoteSocket, within_s: float | None = None) -> list[RemoteSocket]:
        """Which of the sockets can be received from, waiting until at least one can."""
        timeout_s = self.deadlines.delivery_s if within_s is None else within_s
        ids = [sock.id for sock in sockets]
        ready = self.call("poll", timeout_s, sockets=ids)["readable"]
        return [sock for sock in sockets if sock.id in ready]

    def memory(self, *, forget: bool = False) -> Memory | None:
        """What the peer has resident, None where nobody can tell; with `forget` its peak counts from here."""
        return self._client.memory(forget=forget)

    def proxy(self, frontend: RemoteSocket, backend: RemoteSocket) -> None:
        """Let the peer's own proxy carry messages between two of its sockets."""
        self.call("proxy", frontend=frontend.id, backend=backend.id)

    def finish(self) -> str:
        """Close what the case left open. A peer that cannot is killed; the next case gets a fresh one.

        How the peer ended by itself, though nobody has noticed yet; "" where it has not.
        """
        if self._client.gone is not None or self._client.pending is not None:
            self._ended = self._ended or self._client.ended()
            if self._under_way is not None:
                self._under_way.give_up()
            self.live.kill()
            return ""
        for sock in self._sockets:
            if not sock.closed:
                sock.closed = True
                try:
                    self._client.call("close", socket=sock.id)
                except ControlError as error:
                    self.live.kill()
                    return error.reason if isinstance(error, PeerGone) and error.ended else ""
        return ""


class Pending:
    """An operation under way."""

    def __init__(self, peer: Peer, call: PendingCall, fields: Mapping[str, Any], began_s: float) -> None:
        self._peer = peer
        self._call = call
        self._fields = fields
        self._began_s = began_s
        self._recorded = False

    def arrived(self) -> bool:
        """Whether the answer is there, so that `result` need not wait."""
        return self._call.arrived()

    def give_up(self) -> None:
        """Record an operation whose answer nobody will wait for, unless its end is recorded already."""
        if not self._recorded:
            self._record(None)

    def _record(self, answer: dict[str, Any] | None) -> None:
        self._recorded = True
        self._peer.trace.called(self._peer.title, self._call.op, self._fields, answer, self._began_s)

    def result(self) -> dict[str, Any]:
        """Wait for the answer. Raises Mismatch, or OperationTimeout where the operation has a timeout."""
        answer: dict[str, Any] | None = None
        try:
            with self._peer.trace.waiting():
                answer = self._call.result()
            return answer
        except OperationTimeout as error:
            answer = {"error": "timeout", "detail": error.detail}
            raise
        except PeerGone as gone:
            raise self._peer._died(self._call.op, gone) from None
        except ControlError as error:
            answer = {"error": str(error)}
            raise OperationRefused(self._call.op, error) from None
        finally:
            self._record(answer)


class OperationRefused(Mismatch):
    """The peer answered that the operation failed, or that it has no such operation."""

    def __init__(self, op: str, error: ControlError) -> None:
        super().__init__(f"{op} succeeds", str(error), None)
        self.failed = isinstance(error, OperationFailed)


class RemoteSocket:
    """A socket inside the peer. Times are seconds; a message is a list of its frames' bodies."""

    def __init__(self, peer: Peer, id: int | str, socket_type: str) -> None:
        self.peer = peer
        self.id = id
        self.socket_type = socket_type
        self.closed = False

    def bind(self, endpoint: str | None = None) -> str:
        """Listen, by default where the harness can dial; returns the endpoint bound, with its port."""
        wanted = self.peer.hosts.wildcard if endpoint is None else endpoint
        return str(self.peer.call("bind", socket=self.id, endpoint=wanted)["endpoint"])

    def connect(self, endpoint: str) -> None:
        """Dial an endpoint, now or as soon as it is there."""
        self.peer.call("connect", socket=self.id, endpoint=endpoint)

    def connect_peer(self, endpoint: str, clause: str | None = None) -> bytes:
        """Dial as a PEER (RFC 51): the routing id of whoever will be met there, four octets."""
        answer = self.peer.call("connect", socket=self.id, endpoint=endpoint)
        if "routing_id" not in answer:
            raise Mismatch("connect answers a routing id", "none", clause)
        return bytes(answer["routing_id"])

    def unbind(self, endpoint: str) -> None:
        """Listen there no more."""
        self.peer.call("unbind", socket=self.id, endpoint=endpoint)

    def disconnect(self, endpoint: str) -> None:
        """Dial there no more."""
        self.peer.call("disconnect", socket=self.id, endpoint=endpoint)

    def set(self, option: str, value: Any) -> None:
        """Set an option by its portable name, such as "send-hwm"."""
        self.peer.call("set", socket=self.id, option=option, value=value)

    def get(self, option: str) -> Any:
        """The value of an option."""
        return self.peer.call("get", socket=self.id, option=option)["value"]

    def subscribe(self, prefix: bytes = b"") -> None:
        """Subscribe to messages whose first frame starts with `prefix`."""
        self.peer.call("subscribe", socket=self.id, prefix=prefix)

    def cancel(self, prefix: bytes = b"") -> None:
        """Take one subscription for `prefix` back."""
        self.peer.call("cancel", socket=self.id, prefix=prefix)

    def offer(self, parts: Iterable[bytes], within_s: float = 0.0) -> Outcome:
        """Offer a message, waiting at most `within_s` for room, and say what became of it."""
        return Outcome(self._send(parts, within_s).result()["outcome"])

    def send(self, parts: Iterable[bytes], clause: str | None = None) -> None:
        """Send a message that the socket has to accept in reasonable time."""
        outcome = self.offer(parts, self.peer.deadlines.delivery_s)
        if outcome is not Outcome.ACCEPTED:
            raise Mismatch("the socket accepts the message", outcome.value, clause)

    def start_send(self, parts: Iterable[bytes], within_s: float | None = None) -> Pending:
        """Begin to send; `.result()["outcome"]` says later what became of it."""
        return self._send(parts, self.peer.deadlines.delivery_s if within_s is None else within_s)

    def _send(self, parts: Iterable[bytes], within_s: float) -> Pending:
        return self.peer.start("send", within_s, socket=self.id, parts=list(parts))

    def recv(self, within_s: float | None = None, clause: str | None = None) -> Parts:
        """The next message, as the application gets it."""
        return self.received(self.start_recv(within_s), clause)

    def start_recv(self, within_s: float | None = None) -> Pending:
        """Begin to receive; give it to `received` later."""
        timeout_s = self.peer.deadlines.delivery_s if within_s is None else within_s
        return self.peer.start("recv", timeout_s, socket=self.id)

    def received(self, pending: Pending, clause: str | None = None) -> Parts:
        """The message that a begun receive brings. Raises Mismatch where none came in time."""
        try:
            return list(pending.result()["parts"])
        except OperationTimeout:
            raise Mismatch("a message for the application", "none in time", clause) from None

    def expect(self, *parts: bytes, clause: str | None = None) -> None:
        """The next message has exactly these parts."""
        actual = self.recv(clause=clause)
        if actual != list(parts):
            raise Mismatch(show_parts(parts), show_parts(actual), clause)

    def expect_empty(self, clause: str | None = None) -> None:
        """No message waits. Meaningful only behind a fence: after a later message has arrived."""
        try:
            parts = self.peer.call("recv", 0.0, socket=self.id)["parts"]
        except OperationTimeout:
            return
        raise Mismatch("no message for the application", show_parts(parts), clause)

    def expect_recv_refused(self, clause: str | None = None) -> None:
        """The socket refuses to receive: by its type, or in this state."""
        try:
            parts = self.peer.call("recv", 0.0, socket=self.id)["parts"]
        except OperationTimeout:
            raise Mismatch("recv is refused", "recv waits for a message", clause) from None
        except OperationRefused as refused:
            if refused.failed:
                return
            raise
        raise Mismatch("recv is refused", show_parts(parts), clause)

    def expect_send_refused(self, *parts: bytes, clause: str | None = None) -> None:
        """The socket refuses to send: by its type, or in this state."""
        try:
            outcome = self.offer(parts)
        except OperationRefused as refused:
            if refused.failed:
                return
            raise
        if outcome is not Outcome.REFUSED:
            raise Mismatch("send is refused", outcome.value, clause)

    def flood(
        self, count: int, size_octets: int, seed: int = 0, within_s: float = 0.0, head: Iterable[bytes] = ()
    ) -> int:
        """Send up to `count` numbered messages within `within_s`, each behind the parts of `head`.

        How many were accepted before the first that was not.
        """
        fields: dict[str, Any] = {"count": count, "size_octets": size_octets, "seed": seed}
        if parts := list(head):
            fields["head"] = parts
        answer = self.peer.call("flood", within_s, socket=self.id, **fields)
        return int(answer["accepted"])

    def drain(self, count: int, within_s: float | None = None) -> dict[str, Any]:
        """Receive up to `count` messages: {received, digest, first, last}."""
        timeout_s = self.peer.deadlines.delivery_s if within_s is None else within_s
        return self.peer.call("drain", timeout_s, socket=self.id, count=count)

    def monitor(self) -> list[dict[str, Any]]:
        """What happened to the socket's connections so far."""
        return list(self.peer.call("monitor", socket=self.id)["events"])

    def close(self) -> None:
        """Close the socket."""
        self.peer.call("close", socket=self.id)
        self.closed = True


def show_parts(parts: Iterable[bytes]) -> str:
    """A message for people: its parts, quoted or in hex, long ones shortened."""
    return describe(Message(*parts))
