"""What can be said to a socket of each type, and what it can say: one exchange past the handshake.

RFC 37 ("Messages"), and for what stands in front of the application's frames RFC 28 ("Overall Goals of this
Pattern" and what it says of each type), RFC 29 (subscriptions), RFC 41 and 51 (routing ids) and RFC 48
(groups).
"""

from __future__ import annotations

from collections.abc import Callable

from harness.peer import RemoteSocket, show_parts
from harness.verdict import Mismatch
from harness.wire.endpoints import RawListener
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Join, Message, Subscribe

Frames = tuple[bytes, ...]
PARTNER = {
    "REQ": "REP", "REP": "REQ", "DEALER": "ROUTER", "ROUTER": "DEALER", "PUB": "SUB", "SUB": "PUB",
    "XPUB": "XSUB", "XSUB": "XPUB", "PUSH": "PULL", "PULL": "PUSH", "PAIR": "PAIR", "CLIENT": "SERVER",
    "SERVER": "CLIENT", "RADIO": "DISH", "DISH": "RADIO", "SCATTER": "GATHER", "GATHER": "SCATTER",
    "PEER": "PEER", "CHANNEL": "CHANNEL",
}  # fmt: skip


def connected(
    sock: RemoteSocket, role: str, dial: Callable[[str], RawPeer], listen: Callable[[], RawListener]
) -> RawPeer:
    """A raw end connected with a socket: "peer-binds" dials it, "peer-connects" listens for it."""
    if role == "peer-binds":
        return dial(sock.bind())
    listener = listen()
    sock.connect(listener.endpoint)
    return listener.accept()


def expect_serves(sock: RemoteSocket, raw: RawPeer, clause: str | None = None, more: Frames = ()) -> None:
    """Messages flow in each legal way between a socket and a partner that is past the handshake.

    Each ends with the frames of `more`.
    """
    _EXCHANGES[sock.socket_type](sock, raw, clause, more)


def _ask(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    sock.send([b"request", *more], clause)
    raw.expect(Message(b"", b"request", *more), clause=clause)
    raw.send(Message(b"", b"reply", *more))
    sock.expect(b"reply", *more, clause=clause)


def _reply(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    raw.send(Message(b"", b"request", *more))
    sock.expect(b"request", *more, clause=clause)
    sock.send([b"reply", *more], clause)
    raw.expect(Message(b"", b"reply", *more), clause=clause)


def _deal(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    raw.send(Message(b"", b"in", *more))
    sock.expect(b"", b"in", *more, clause=clause)
    sock.send([b"", b"out", *more], clause)
    raw.expect(Message(b"", b"out", *more), clause=clause)


def _route(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    raw.send(Message(b"", b"in", *more))
    routing_id, *parts = sock.recv(clause=clause)
    if parts != [b"", b"in", *more]:
        raise Mismatch(f"{show_parts([b'', b'in', *more])} behind a routing id", show_parts(parts), clause)
    sock.send([routing_id, b"", b"out", *more], clause)
    raw.expect(Message(b"", b"out", *more), clause=clause)


def _publish(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    """A subscription takes force at a later publish: publish until a message arrives."""
    raw.request(Subscribe(b""))
    deadline = raw.deadlines.deadline("delivery")
    while not raw.arrived() and not deadline.expired:
        sock.send([b"news", *more], clause)
    raw.expect(Message(b"news", *more), clause=clause)


def _subscribe(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    sock.subscribe(b"")
    raw.expect_subscription(b"", clause=clause)
    _pull(sock, raw, clause, more)


def _push(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    sock.send([b"work", *more], clause)
    raw.expect(Message(b"work", *more), clause=clause)


def _pull(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    raw.send(Message(b"work", *more))
    sock.expect(b"work", *more, clause=clause)


def _pair(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    raw.send(Message(b"in", *more))
    sock.expect(b"in", *more, clause=clause)
    sock.send([b"out", *more], clause)
    raw.expect(Message(b"out", *more), clause=clause)


def _serve(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    raw.send(Message(b"in", *more))
    routing_id, *parts = sock.recv(clause=clause)
    if parts != [b"in", *more]:
        raise Mismatch(f"{show_parts([b'in', *more])} behind a routing id", show_parts(parts), clause)
    sock.send([routing_id, b"out", *more], clause)
    raw.expect(Message(b"out", *more), clause=clause)


def _radio(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    """A group is joined some time after JOIN: send until a message arrives."""
    raw.send(Join(b"group"))
    deadline = raw.deadlines.deadline("delivery")
    while not raw.arrived() and not deadline.expired:
        sock.send([b"group", b"news", *more], clause)
    raw.expect(Message(b"group", b"news", *more), clause=clause)


def _dish(sock: RemoteSocket, raw: RawPeer, clause: str | None, more: Frames) -> None:
    sock.subscribe(b"group")
    raw.expect(Join(b"group"), clause=clause)
    raw.send(Message(b"group", b"news", *more))
    sock.expect(b"group", b"news", *more, clause=clause)


_EXCHANGES = {
    "REQ": _ask, "REP": _reply, "DEALER": _deal, "ROUTER": _route, "PUB": _publish, "XPUB": _publish,
    "SUB": _subscribe, "XSUB": _subscribe, "PUSH": _push, "PULL": _pull, "PAIR": _pair,
    "CLIENT": _pair, "SERVER": _serve, "RADIO": _radio, "DISH": _dish, "SCATTER": _push, "GATHER": _pull,
    "PEER": _serve, "CHANNEL": _pair,
}  # fmt: skip
