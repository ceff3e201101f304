"""Faults of endpoints: binding, connecting, and connecting again (RFC 37, Socket Semantics)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference import endpoints
from peers.reference.base import Socket
from peers.reference.dialling import Dialer, Listener
from peers.reference.engine import Link
from peers.reference.errors import Failed
from peers.reference.pipe import Parts, Pipe
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("zmtp/topology/every-type-connects", breaks=["29/pub/create-on-accept"])
def only_answers_type_cannot_connect() -> None:
    """Has sockets that answer or publish bind only."""

    @patch(Socket, "connect")
    def connect(original: Original, self: Socket, endpoint: str) -> str:
        if self.type in ("REP", "PUB", "XPUB"):
            raise Failed(f"{self.type} is for servers, which bind")
        return str(original(self, endpoint))


@mutant("zmtp/topology/every-type-binds")
def asking_type_cannot_bind() -> None:
    """Has sockets that ask or subscribe connect only."""

    @patch(Socket, "bind")
    def bind(original: Original, self: Socket, endpoint: str) -> str:
        if self.type in ("REQ", "SUB", "XSUB"):
            raise Failed(f"{self.type} is for clients, which connect")
        return str(original(self, endpoint))


@mutant(
    "zmtp/topology/connects-before-bind",
    "zmtp/topology/missing-endpoint-holds-up-nobody",
    breaks=["37/errors/close-reconnect", "37/sockets/bind-and-connect"],
)
def gives_up_where_nobody_listens() -> None:
    """Gives up an endpoint where the first attempt meets nobody."""

    @patch(Dialer, "retry_later")
    def retry(original: Original, self: Dialer) -> None:
        if self.pipe.partner is not None:
            original(self)


@mutant(
    "zmtp/topology/missing-endpoint-holds-up-nobody",
    breaks=["37/errors/close-reconnect", "37/sockets/bind-and-connect"],
)
def dials_one_endpoint_after_the_other() -> None:
    """Dials the next endpoint only when the one before it is connected."""

    @patch(Dialer, "dial")
    def dial(original: Original, self: Dialer) -> None:
        before = self.socket.dialers[: self.socket.dialers.index(self)]
        if all(one.pipe.is_connected for one in before):
            original(self)
        else:
            self.retry_later()


@mutant(
    "zmtp/topology/hears-on-all-endpoints",
    "zmtp/topology/speaks-on-all-endpoints",
    breaks=["37/abnf/*", "37/errors/close-is-temporary", "37/version/*"],
)
def second_endpoint_is_dead() -> None:
    """Accepts nobody at a second endpoint, and does not dial one."""

    @patch(Listener, "on_readable")
    def on_readable(original: Original, self: Listener) -> None:
        if self.socket.listeners[0] is self:
            original(self)

    @patch(Dialer, "dial")
    def dial(original: Original, self: Dialer) -> None:
        if self.socket.dialers[0] is self:
            original(self)


@mutant(
    "zmtp/topology/hears-on-all-endpoints",
    breaks=["28/dealer/*", "28/router/*", "29/xpub/fair-queue", "30/pull/*", "37/*"],
)
def hears_at_one_endpoint_only() -> None:
    """Takes no messages from a second connection."""

    @patch(Socket, "admits")
    def admits(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> bool:
        return pipe is min(self.receivers, key=lambda one: one.number)


@mutant("zmtp/topology/connects-to-loopback", "zmtp/topology/binds-to-loopback")
def knows_one_family_of_addresses() -> None:
    """Knows no addresses in brackets."""

    @patch(endpoints, "_resolve")
    def resolve(original: Original, endpoint: str, *, wildcard: bool) -> Any:
        if "[" in endpoint:
            raise Failed(f"{endpoint}: not an endpoint")
        return original(endpoint, wildcard=wildcard)


@mutant("zmtp/topology/binds-again-after-unbind")
def unbinds_for_good() -> None:
    """Refuses to bind an endpoint that it had left."""
    left: set[str] = set()

    @patch(Socket, "unbind")
    def unbind(original: Original, self: Socket, endpoint: str) -> None:
        left.add(endpoint)
        original(self, endpoint)

    @patch(Socket, "bind")
    def bind(original: Original, self: Socket, endpoint: str) -> str:
        if endpoint in left:
            raise Failed(f"{endpoint}: address in use")
        return str(original(self, endpoint))


@mutant("zmtp/topology/connects-again-after-disconnect")
def disconnects_for_good() -> None:
    """Does not dial an endpoint again that it had disconnected from."""
    left: set[str] = set()

    @patch(Socket, "disconnect")
    def disconnect(original: Original, self: Socket, endpoint: str) -> None:
        left.add(endpoint)
        original(self, endpoint)

    @patch(Dialer, "dial")
    def dial(original: Original, self: Dialer) -> None:
        if self.endpoint not in left:
            original(self)


@mutant("zmtp/topology/finds-endpoint-that-comes-back", breaks=["37/heartbeat/reconnect-after-hb"])
def gives_up_endpoint_that_was_there() -> None:
    """Does not dial again once a connection that was in use has ended."""

    @patch(Dialer, "link_ended")
    def link_ended(original: Original, self: Dialer, link: Link, refused: bool) -> None:
        original(self, link, refused or link.is_ready)


@mutant(
    "zmtp/topology/repeats-nothing-after-reconnect",
    breaks=["29/sub/keep-unconnected", "30/push/keep-unconnected", "libzmq-4/probe-router/on-return"],
)
def repeats_last_message_after_reconnect() -> None:
    """Sends the last message again on a new connection, in case it was lost."""

    @patch(Pipe, "next_outgoing")
    def next_outgoing(original: Original, self: Pipe) -> Any:
        item = original(self)
        self.last = item or getattr(self, "last", None)  # type: ignore[attr-defined]
        return item

    @patch(Link, "on_handshake_done")
    def on_handshake_done(original: Original, self: Link, done: Any) -> None:
        last = getattr(self.owner, "last", None)
        if last is not None:
            self.owner.outgoing.appendleft(last)  # type: ignore[attr-defined]
        original(self, done)
        self.flush()
