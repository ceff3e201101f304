"""What the cases on CURVE share: keys, sockets and raw ends in both roles, and how a refusal looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from conformance.zmtp.secured import FORGED, expect_not_served, expect_refused
from harness.case import Judge
from harness.curve import Client, Introduced, KeyPair, Server
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import (
    Cover,
    CurveHello,
    CurveInitiate,
    CurveReady,
    CurveWelcome,
    Error,
    Greeting,
    Message,
    Ready,
    RemoteProtocolError,
)

T = TypeVar("T")
Session = Client | Server

OF_SERVER, OF_CLIENT, OF_OTHERS = (KeyPair.of(bytes([n]) * 32) for n in (0x51, 0xC1, 0x0E))
AS_CLIENT = Greeting(mechanism="CURVE")
AS_SERVER = Greeting(mechanism="CURVE", as_server=1)
SERVER_NEEDS = ["mechanism:CURVE", "option:curve-server", "option:curve-secret-key"]
CLIENT_NEEDS = ["mechanism:CURVE", "option:curve-server-key", "option:curve-secret-key"]
# The side that the peer is on, by an option that makes it so: the server, or the client.
SIDES = ["curve-server", "curve-server-key"]
# Who must not send ERROR: a client never, a server not for a MESSAGE.
NO_ERROR = {
    "curve-server": "26/message/no-error-for-message",
    "curve-server-key": "26/overview/client-no-error",
}
EITHER_NEEDS = ["mechanism:CURVE", "option:curve-secret-key", "option:{side}"]


def open_server(peer: Peer, socket_type: str = "PULL", **options: Any) -> RemoteSocket:
    """A socket of the peer that is a server."""
    keys = {"curve_public_key": OF_SERVER.public, "curve_secret_key": OF_SERVER.secret}
    return peer.open(socket_type, curve_server=True, **keys, **options)


def open_client(peer: Peer, socket_type: str = "PULL", **options: Any) -> RemoteSocket:
    """A socket of the peer that is a client and knows our server."""
    keys = {"curve_public_key": OF_CLIENT.public, "curve_secret_key": OF_CLIENT.secret}
    return peer.open(socket_type, curve_server_key=OF_SERVER.public, **keys, **options)


def open_as(peer: Peer, side: str, socket_type: str = "PULL", **options: Any) -> RemoteSocket:
    """A socket of the peer in one of SIDES."""
    return (open_server if side == "curve-server" else open_client)(peer, socket_type, **options)


def metadata(socket_type: str, identity: bytes | None = None, *more: tuple[bytes, bytes]) -> bytes:
    """What INITIATE and READY say of us, as octets."""
    return Ready(socket_type, identity, more).to_command().data


def new_client(server: bytes = OF_SERVER.public, sent: int = 0) -> Client:
    """Our side as a client; it does not look at short nonces, which have cases of their own."""
    return Client(OF_CLIENT, server, trusts=True, sent=sent)


def new_server(sent: int = 0) -> Server:
    """Our side as a server, likewise."""
    return Server(OF_SERVER, trusts=True, sent=sent)


def opened(raw: RawPeer, act: Callable[[], T], clause: str) -> T:
    """What a box of the partner's last command holds. Raises Mismatch where it does not open."""
    try:
        return act()
    except RemoteProtocolError as error:
        raise raw.mismatch("a box that opens", error.message, clause, raw.last_start) from None


# -- the peer is the server ----------------------------------------------------------------------


def reach_initiate(raw: RawPeer, client: Client | None = None, version: tuple[int, int] = (3, 1)) -> Client:
    """The handshake with a server until our INITIATE is awaited."""
    client = client or new_client()
    raw.greet(Greeting(version, "CURVE"))
    raw.send(client.hello())
    welcome = raw.expect(CurveWelcome, clause="26/welcome/server-sends")
    opened(raw, lambda: client.take_welcome(welcome), "26/abnf/welcome-box")
    return client


def expect_ready(raw: RawPeer, client: Client, clause: str = "26/ready/server-sends") -> bytes:
    """The metadata of the READY that comes next; from here our end speaks through boxes."""
    ready = raw.expect(CurveReady, clause=clause)
    introduction = opened(raw, lambda: client.take_ready(ready), "26/abnf/ready-box")
    raw.cover = Cover(client)
    return introduction


def log_in(
    raw: RawPeer,
    socket_type: str = "PUSH",
    identity: bytes | None = None,
    version: tuple[int, int] = (3, 1),
    sent: int = 0,
) -> Client:
    """The whole handshake with a server, as a client of that type; `raw` is ready for traffic.

    Our short nonces count up from behind `sent`.
    """
    client = reach_initiate(raw, new_client(sent=sent), version)
    raw.send(client.initiate(metadata(socket_type, identity)))
    expect_ready(raw, client)
    return client


# -- the peer is the client ----------------------------------------------------------------------


def meet_client(raw: RawPeer, version: tuple[int, int] = (3, 1), sent: int = 0) -> tuple[Server, CurveHello]:
    """Greet a client as a server does, and take its HELLO."""
    server = new_server(sent)
    raw.greet(Greeting(version, "CURVE", 1))
    hello = raw.expect(CurveHello, clause="26/hello/client-sends")
    opened(raw, lambda: server.take_hello(hello), "26/abnf/hello-box")
    return server, hello


def expect_initiate(raw: RawPeer, server: Server) -> tuple[CurveInitiate, Introduced]:
    """The INITIATE that comes next, and what it holds."""
    initiate = raw.expect(CurveInitiate, clause="26/initiate/client-sends")
    return initiate, opened(raw, lambda: server.take_initiate(initiate), "26/abnf/initiate-box")


def reach_ready(raw: RawPeer, version: tuple[int, int] = (3, 1), sent: int = 0) -> Server:
    """The handshake with a client until our READY is awaited."""
    server, _ = meet_client(raw, version, sent)
    raw.send(server.welcome())
    expect_initiate(raw, server)
    return server


def let_in(
    raw: RawPeer,
    socket_type: str = "PUSH",
    identity: bytes | None = None,
    version: tuple[int, int] = (3, 1),
    sent: int = 0,
) -> Server:
    """The whole handshake with a client, as a server of that type; `raw` is ready for traffic.

    Our short nonces count up from behind `sent`.
    """
    server = reach_ready(raw, version, sent)
    raw.send(server.ready(metadata(socket_type, identity)))
    raw.cover = Cover(server)
    return server


# -- either --------------------------------------------------------------------------------------


def shake_hands(raw: RawPeer, side: str, socket_type: str = "PUSH", **fields: Any) -> Session:
    """The whole handshake with a socket of the peer in one of SIDES."""
    if side == "curve-server":
        return log_in(raw, socket_type, **fields)
    return let_in(raw, socket_type, **fields)


def introduce(raw: RawPeer, side: str, octets: bytes) -> Session:
    """The handshake up to our INITIATE or READY, which has these octets as metadata."""
    if side == "curve-server":
        client = reach_initiate(raw)
        raw.send(client.initiate(octets))
        return client
    server = reach_ready(raw)
    raw.send(server.ready(octets))
    raw.cover = Cover(server)
    return server


def expect_healthy(sock: RemoteSocket, attach: Attach, side: str) -> None:
    """A good partner is served as ever, and nothing that others sent is delivered before its message."""
    raw = attach(sock)
    shake_hands(raw, side, PARTNER[sock.socket_type])
    expect_serves(sock, raw, clause="37/errors/close-is-temporary")


def judge_refusal(
    judge: Judge, raw: RawPeer, sock: RemoteSocket, attach: Attach, side: str, rule: str
) -> None:
    """What has been sent gets `raw` refused, by this rule, and a good partner is served as ever."""
    with judge.soft():
        expect_refused(raw, clause=rule)
    expect_healthy(sock, attach, side)


def judge_cut(judge: Judge, raw: RawPeer, sock: RemoteSocket, attach: Attach, side: str, rule: str) -> None:
    """What has been sent in traffic ends the connection, by this rule, and nothing of it is delivered."""
    with judge.soft():
        expect_left(raw, rule, NO_ERROR[side], Message)
    expect_healthy(sock, attach, side)


def expect_left(raw: RawPeer, rule: str, without_error: str, *never: type) -> None:
    """The partner closes, by this rule, without anything of the types `never` or, by another rule, ERROR."""
    try:
        raw.expect_closed(rule, never=(*never, Error))
    except Mismatch:
        if raw.last is not None and isinstance(raw.last.value, Error):
            said = describe(raw.last.value)
            raise raw.mismatch("a close without ERROR", said, without_error, raw.last.start) from None
        raise


def expect_not_taken(raw: RawPeer, sock: RemoteSocket, session: Session, rule: str) -> None:
    """Whoever introduced itself like this is refused, and a message behind it is not delivered."""
    expect_not_served(raw, sock, rule, Cover(session).seal(FORGED))
