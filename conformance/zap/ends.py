"""What the cases on ZAP share: a handler, servers under each mechanism, and clients that want to get in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from conformance.curve.ends import OF_SERVER, expect_ready, metadata, reach_initiate
from conformance.plain.ends import AS_CLIENT, GOOD
from harness.curve import Client
from harness.deadlines import DeadlineExceeded
from harness.exchange import expect_serves
from harness.peer import Peer, RemoteSocket, show_parts
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Hello, Initiate, Ready, Welcome

ENDPOINT = "inproc://zeromq.zap.01"
DOMAIN = b"realm"
NEEDS = ["feature:zap", "option:zap-domain", "mechanism:{mechanism}", "option:{by}", "ROUTER", "PULL"]
# Each mechanism with the option that makes a socket ask under it.
SECURE = [
    pytest.param("PLAIN", "plain-server", id="PLAIN"),
    pytest.param("CURVE", "curve-server", id="CURVE"),
]
EACH = [pytest.param("NULL", "zap-domain", id="NULL"), *SECURE]
# Frames before the credentials: delimiter, version, id, domain, address, identity, mechanism.
FIELDS = 7
KEPT_OUT = ("closed", "waits", "Error", "Undecodable")


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler on ROUTER gets: `parts` behind the routing id, from the delimiter on."""

    routing_id: bytes
    parts: list[bytes]

    @property
    def number(self) -> bytes:
        """The request id."""
        return self.parts[2]

    @property
    def domain(self) -> bytes:
        """Where the client is to be let in."""
        return self.parts[3]

    @property
    def address(self) -> bytes:
        """Where the client comes from."""
        return self.parts[4]

    @property
    def identity(self) -> bytes:
        """What the client has announced."""
        return self.parts[5]

    @property
    def mechanism(self) -> bytes:
        """Its name."""
        return self.parts[6]

    @property
    def credentials(self) -> list[bytes]:
        """What the mechanism has of them."""
        return self.parts[FIELDS:]


class Handler:
    """A socket of the peer that is asked: ROUTER, so that all that a server sends can be seen."""

    def __init__(self, peer: Peer) -> None:
        self.sock = peer.open("ROUTER")
        self.sock.bind(ENDPOINT)

    def take(self, clause: str = "27/arch/server-connects") -> Request:
        """The next request. Raises Mismatch where none comes, or one that lacks frames."""
        routing_id, *parts = self.sock.recv(clause=clause)
        if len(parts) < FIELDS:
            raise Mismatch(
                f"a request of {FIELDS} frames and credentials",
                show_parts(parts),
                "27/message/req-frame-order",
            )
        return Request(routing_id, parts)

    def reply(self, request: Request, status: bytes = b"200", *rest: bytes) -> None:
        """Say how it ends for the client; `rest` is text, user id and metadata, empty unless given."""
        text_user_metadata = [*rest, b"", b"", b""][:3]
        self.reply_frames(request, b"", b"1.0", request.number, status, *text_user_metadata)

    def reply_frames(self, request: Request, *frames: bytes) -> None:
        """Say anything."""
        self.sock.send([request.routing_id, *frames])

    def let_in(self, clause: str = "27/arch/server-connects") -> Request:
        """Take a request and say yes."""
        request = self.take(clause)
        self.reply(request)
        return request


def open_server(peer: Peer, mechanism: str, domain: bytes = DOMAIN, **options: Any) -> RemoteSocket:
    """A PULL of the peer that asks under a mechanism."""
    if domain:
        options["zap_domain"] = domain
    if mechanism == "PLAIN":
        options["plain_server"] = True
    elif mechanism == "CURVE":
        options |= {"curve_server": True, "curve_secret_key": OF_SERVER.secret}
        options["curve_public_key"] = OF_SERVER.public
    return peer.open("PULL", **options)


class Visitor:
    """A raw end that wants to get into a server; `identity` is what it announces, as a DEALER would."""

    def __init__(
        self, raw: RawPeer, mechanism: str, identity: bytes | None = None, hello: Hello = GOOD
    ) -> None:
        self.raw = raw
        self.mechanism = mechanism
        self.identity = identity
        self.hello = hello
        self.session: Client | None = None

    def knock(self) -> Visitor:
        """All that a client says before it hears whether it is let in."""
        {"NULL": self._knock_null, "PLAIN": self._knock_plain, "CURVE": self._knock_curve}[self.mechanism]()
        return self

    def _knock_null(self) -> None:
        self.raw.greet()
        if self.raw.role == "dialer":  # who listens lets the other speak first
            self.raw.send(Ready("PUSH", self.identity))

    def _knock_plain(self) -> None:
        self.raw.greet(AS_CLIENT)
        self.raw.send(self.hello)

    def _knock_curve(self) -> None:
        self.session = reach_initiate(self.raw)
        self.raw.send(self.session.initiate(metadata("PUSH", self.identity)))

    def expect_admitted(self, clause: str) -> None:
        """The server goes on with the handshake, to its end."""
        if self.session is not None:
            expect_ready(self.raw, self.session, clause)
            return
        if self.mechanism == "PLAIN":
            self.raw.expect(Welcome, clause=clause)
            self.raw.send(Initiate("PUSH", self.identity))
        self.raw.expect(Ready, clause=clause)
        if self.mechanism == "NULL" and self.raw.role == "listener":
            self.raw.send(Ready("PUSH", self.identity))

    def expect_served(self, sock: RemoteSocket, clause: str) -> None:
        """It gets in, and its messages are delivered."""
        self.expect_admitted(clause)
        expect_serves(sock, self.raw, clause=clause)

    def fate(self) -> str:
        """What the server does next, in a word."""
        try:
            received = self.raw.next("probe", "an answer")
        except DeadlineExceeded:
            return "waits"
        return "closed" if received is None else type(received.value).__name__

    def expect_kept_out(self, clause: str) -> str:
        """It has got ERROR, a close, or no answer at all (meaningful behind a fence); returns which.

        An ERROR that is not well formed is for other cases to blame.
        """
        fate = self.fate()
        if fate not in KEPT_OUT:
            raise self.raw.mismatch("ERROR, a close, or nothing", fate, clause, self.raw.last_start)
        return fate
