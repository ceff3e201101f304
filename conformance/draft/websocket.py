"""What the cases on ZMTP over WebSocket share (RFC 45): odd messages, and whether they were delivered."""

from __future__ import annotations

from harness.exchange import PARTNER, expect_serves
from harness.peer import Parts, RemoteSocket, show_parts
from harness.pytest_fixtures import AttachWs
from harness.verdict import Mismatch
from harness.wire.websocket import WebSendable, WebSocketPeer
from harness.zmtp import Message
from harness.zmtp.zws import NO_MECHANISM, NULL_PROTOCOL

NEEDS = ["transport:ws"]
FENCE = b"fence"
LOOK_S = 0.02
# What a raw end asks for, or chooses first of what is offered: with a mechanism, and without.
SESSIONS = {"null": (NULL_PROTOCOL, NO_MECHANISM), "no-mechanism": (NO_MECHANISM, NULL_PROTOCOL)}


def expect_not_delivered(
    sock: RemoteSocket,
    raw: WebSocketPeer,
    *odd: WebSendable,
    clause: str,
    allowed: tuple[Parts, ...] = (),
) -> None:
    """Nothing of `odd` is delivered but what is `allowed`: until a fence, or the end of the link."""
    raw.send(*odd, Message(FENCE))
    for parts in _until_fence(sock, raw, clause):
        if parts not in allowed:
            raise Mismatch("no message of what was sent", show_parts(parts), clause)


def _until_fence(sock: RemoteSocket, raw: WebSocketPeer, clause: str) -> list[Parts]:
    """What the application gets before the fence, or until the link has ended and nothing is left."""
    seen: list[Parts] = []
    deadline = raw.deadlines.deadline("delivery")
    over = False
    while True:
        if sock.peer.readable(sock, within_s=LOOK_S):
            parts = sock.recv(clause=clause)
            if parts == [FENCE]:
                return seen
            seen.append(parts)
        elif over:
            return seen
        elif deadline.expired:
            raise Mismatch("a message or a close", f"neither within {deadline.seconds:g} s", clause)
        over = raw.is_over()


def expect_healthy(sock: RemoteSocket, attach_ws: AttachWs, clause: str | None = None) -> None:
    """A good partner is served as ever."""
    expect_serves(sock, attach_ws(sock).handshake(PARTNER[sock.socket_type]), clause=clause)
