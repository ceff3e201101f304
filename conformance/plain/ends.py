"""What the cases on PLAIN share: sockets and raw ends in both roles, and how a refusal looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.zmtp.secured import FORGED, expect_refused
from harness.case import Judge
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach
from harness.wire.link import Sendable
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import (
    Command,
    Greeting,
    Hello,
    Initiate,
    Ready,
    Subscribe,
    Welcome,
)

USER, PASSWORD = b"admin", b"secret"
GOOD = Hello(USER, PASSWORD)
AS_CLIENT = Greeting(mechanism="PLAIN")
AS_SERVER = Greeting(mechanism="PLAIN", as_server=1)
# Traffic that has no place in a handshake.
EARLY: dict[str, Sendable] = {
    "message": FORGED,
    "unknown-command": Command(b"UNKNOWN", b"early"),
    "subscribe": Subscribe(b""),
}
SERVER_NEEDS = ["mechanism:PLAIN", "option:plain-server", "option:plain-passwords"]
CLIENT_NEEDS = ["mechanism:PLAIN", "option:plain-username", "option:plain-password"]
# The side that the peer is on, by an option that makes it so: the server, or the client.
SIDES = ["plain-server", "plain-username"]
EITHER_NEEDS = ["mechanism:PLAIN", "option:{side}"]


def open_server(peer: Peer, socket_type: str = "PULL", hello: Hello = GOOD, **options: Any) -> RemoteSocket:
    """A socket of the peer that is a server, and lets in whoever sends this HELLO."""
    passwords = [(hello.username, hello.password)]
    return peer.open(socket_type, plain_server=True, plain_passwords=passwords, **options)


def open_client(peer: Peer, socket_type: str = "PULL", **options: Any) -> RemoteSocket:
    """A socket of the peer that is a client and has good credentials."""
    return peer.open(socket_type, plain_username=USER, plain_password=PASSWORD, **options)


def open_as(peer: Peer, side: str, socket_type: str = "PULL", **options: Any) -> RemoteSocket:
    """A socket of the peer in one of SIDES."""
    return (open_server if side == "plain-server" else open_client)(peer, socket_type, **options)


def log_in(
    raw: RawPeer,
    socket_type: str = "PUSH",
    hello: Sendable = GOOD,
    identity: bytes | None = None,
    version: tuple[int, int] = (3, 1),
) -> RawPeer:
    """The whole handshake with a server, as a client of that type; returns our end, ready for traffic."""
    reach_initiate(raw, hello, version)
    raw.send(Initiate(socket_type, identity))
    raw.expect(Ready, clause="24/flow/server-ready")
    return raw


def let_in(
    raw: RawPeer,
    socket_type: str = "PUSH",
    identity: bytes | None = None,
    version: tuple[int, int] = (3, 1),
) -> RawPeer:
    """The whole handshake with a client, as a server of that type; returns our end, ready for traffic."""
    reach_ready(raw, version)
    raw.send(Ready(socket_type, identity))
    return raw


def reach_initiate(raw: RawPeer, hello: Sendable = GOOD, version: tuple[int, int] = (3, 1)) -> None:
    """The handshake with a server until our INITIATE is awaited."""
    raw.greet(replace(AS_CLIENT, version=version))
    raw.send(hello)
    raw.expect(Welcome, clause="24/flow/server-welcome")


def reach_ready(raw: RawPeer, version: tuple[int, int] = (3, 1)) -> None:
    """The handshake with a client until our READY is awaited."""
    meet_client(raw, version)
    raw.send(Welcome())
    raw.expect(Initiate, clause="24/flow/client-initiate")


def meet_client(raw: RawPeer, version: tuple[int, int] = (3, 1)) -> Hello:
    """Greet a client as a server does, and take its HELLO."""
    raw.greet(replace(AS_SERVER, version=version))
    return raw.expect(Hello, clause="24/flow/client-hello")


def shake_hands(raw: RawPeer, side: str, socket_type: str = "PUSH", **fields: Any) -> RawPeer:
    """The whole handshake with a socket of the peer in one of SIDES; `fields` as `log_in` has them."""
    return (log_in if side == "plain-server" else let_in)(raw, socket_type, **fields)


def expect_healthy(sock: RemoteSocket, attach: Attach, side: str, clause: str | None = None) -> None:
    """A good partner is served as ever, and nothing that others sent is delivered before its message."""
    expect_serves(sock, shake_hands(attach(sock), side, PARTNER[sock.socket_type]), clause=clause)


def judge_refusal(
    judge: Judge, raw: RawPeer, sock: RemoteSocket, attach: Attach, side: str, rule: str
) -> None:
    """What has been sent gets `raw` refused, by this rule, and a good partner is served as ever."""
    with judge.soft():
        expect_refused(raw, clause=rule)
    expect_healthy(sock, attach, side, clause="37/errors/close-is-temporary")


def expect_faultless(raw: RawPeer, kind: type, clause: str) -> None:
    """The partner's very next thing is of this kind, and breaks no rule of form."""
    raw.expect(kind, clause=clause)
    received = raw.last
    assert received is not None
    for fault in received.faults:
        raise raw.mismatch(f"{describe(kind)} without fault", fault.message, clause, received.start)
