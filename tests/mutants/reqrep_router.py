"""Faults of a ROUTER socket (RFC 28)."""

from __future__ import annotations

from typing import Any

from peers.reference.base import Outcome
from peers.reference.reqrep import Router
from tests.mutants.registry import mutant, patch


@mutant("reqrep/router/puts-id-in-front", breaks=["28/router/duplicate-id", "37/identity/identity-announce"])
def router_keeps_id_to_itself() -> None:
    """Gives the application a message without its sender's routing id."""

    @patch(Router, "receive_message")
    def receive(original: Any, self: Router) -> Any:
        parts = original(self)
        return None if parts is None else parts[1:]


@mutant("reqrep/router/delivers-as-it-is")
def router_drops_empty_message() -> None:
    """Drops a message of one empty frame."""

    @patch(Router, "admits")
    def admits(original: Any, self: Router, pipe: Any, parts: Any) -> bool:
        return bool(parts != (b"",))


@mutant(
    "reqrep/router/sends-by-first-frame", breaks=["28/router/duplicate-id", "37/identity/identity-announce"]
)
def router_sends_id_along() -> None:
    """Leaves the routing id in front of the message that it sends."""

    @patch(Router, "put")
    def put(original: Any, self: Router, pipe: Any, parts: Any) -> None:
        original(self, pipe, (pipe.routing_id, *parts))


@mutant("reqrep/router/sends-by-first-frame", breaks=["37/errors/close-is-temporary", "libzmq-4/mandatory/*"])
def router_sends_in_rotation() -> None:
    """Sends to its peers by turns, whatever the first frame says."""

    @patch(Router, "route")
    def route(original: Any, self: Router, routing_id: bytes) -> Any:
        return self.choose_outgoing()


@mutant("reqrep/router/answers-req")
def router_strips_delimiter() -> None:
    """Takes the delimiter off a request, as if it were a REP."""

    @patch(Router, "receive_message")
    def receive(original: Any, self: Router) -> Any:
        parts = original(self)
        return (parts[0], *parts[2:]) if parts and parts[1] == b"" else parts


@mutant("reqrep/router/makes-up-ids")
def router_makes_up_one_id() -> None:
    """Makes up the same routing id for all."""
    patch(Router, "automatic_id")(lambda original, self: b"\0same")


@mutant(
    "reqrep/router/drops-unroutable-message", breaks=["28/router/route", "libzmq-4/mandatory/silent-without"]
)
def router_sends_unroutable_to_anyone() -> None:
    """Sends a message for an unknown routing id to some peer or other."""

    @patch(Router, "route")
    def route(original: Any, self: Router, routing_id: bytes) -> Any:
        return original(self, routing_id) or self.choose_outgoing()


@mutant("reqrep/router/drops-unroutable-message", breaks=["libzmq-4/mandatory/silent-without"])
def router_waits_for_unknown_peer() -> None:
    """Waits until a peer with the routing id comes."""
    patch(Router, "no_route")(lambda original, self: Outcome.WOULD_BLOCK)


@mutant("reqrep/router/reports-unroutable-message")
def router_never_reports() -> None:
    """Drops an unroutable message without a sign, although configured to report it."""
    patch(Router, "no_route")(lambda original, self: Outcome.ACCEPTED)


@mutant("reqrep/router/sends-no-id-alone")
def router_sends_empty_message_for_id_alone() -> None:
    """Sends an empty frame where there was nothing behind the routing id."""

    @patch(Router, "send_message")
    def send(original: Any, self: Router, parts: Any) -> Any:
        return original(self, parts if len(parts) > 1 else (*parts, b""))


@mutant("reqrep/router/hears-peers-by-turns")
def router_hears_one_peer_out() -> None:
    """Takes all messages of one peer before any of the next."""

    @patch(Router, "choose_incoming")
    def choose(original: Any, self: Router) -> Any:
        waiting = [pipe for pipe in self.receivers if pipe.incoming]
        return min(waiting, key=lambda pipe: pipe.number, default=None)


@mutant("reqrep/router/never-waits-for-full-peer")
def router_waits_for_full_peer() -> None:
    """Waits until a peer that does not read has room again."""
    patch(Router, "no_room")(lambda original, self: Outcome.WOULD_BLOCK)


@mutant("reqrep/router/forgets-peer-that-goes", breaks=["37/errors/close-is-temporary"])
def router_keeps_route_of_peer_gone() -> None:
    """Goes on taking messages for a peer that has gone."""
    patch(Router, "unregister")(lambda original, self, pipe: None)


@mutant("reqrep/router/forgets-peer-that-goes")
def router_keeps_queue_for_return() -> None:
    """Keeps what was queued for a peer that has gone, and sends it when the identity comes back."""
    left: dict[bytes, list[Any]] = {}

    @patch(Router, "remove_pipe")
    def remove(original: Any, self: Router, pipe: Any) -> None:
        left[pipe.routing_id] = list(pipe.outgoing)
        original(self, pipe)

    @patch(Router, "greet")
    def greet(original: Any, self: Router, pipe: Any) -> None:
        original(self, pipe)
        pipe.outgoing.extend(left.pop(pipe.routing_id, ()))
        pipe.flush()


@mutant("reqrep/router/message-for-peer-away", breaks=["libzmq-2/durable/kept-while-away"])
def router_renames_peer_that_returns() -> None:
    """Gives a peer that it dials again a made-up routing id, whatever the peer announces."""

    @patch(Router, "register")
    def register(original: Any, self: Router, pipe: Any) -> None:
        known = pipe.routing_id
        original(self, pipe)
        if known:
            del self.routes[pipe.routing_id]
            pipe.routing_id = self.automatic_id()
            self.routes[pipe.routing_id] = pipe
