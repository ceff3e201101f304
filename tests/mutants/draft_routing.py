"""Faults of SERVER and PEER with their routing ids (RFC 41 and 51)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.adapter import Adapter
from peers.reference.base import Outcome
from peers.reference.pipe import Parts, Pipe
from peers.reference.singles import Server
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
RULES = ["37/sockettype/*", "37/threadsafe/*"]


@mutant("draft/routing/each-has-its-id", breaks=RULES)
def server_counts_from_zero() -> None:
    """Gives the routing id zero to the first partner."""

    @patch(Server, "new_routing_id")
    def new(original: Original, self: Server, pipe: Pipe) -> bytes:
        return bytes(original(self, pipe)) if self.routes else bytes(4)


@mutant("draft/routing/each-has-its-id", breaks=RULES)
def server_gives_two_the_same_id() -> None:
    """Gives each partner the routing id of the one before it."""

    @patch(Server, "new_routing_id")
    def new(original: Original, self: Server, pipe: Pipe) -> bytes:
        return max(self.routes, default=b"\0\0\0\1")


@mutant("draft/routing/each-has-its-id", breaks=RULES)
def server_shows_a_new_id_with_each_message() -> None:
    """Tells another routing id with every message of a partner."""

    @patch(Server, "receive_message")
    def receive(original: Original, self: Server) -> Parts | None:
        pipe = self.choose_incoming()
        if pipe is None:
            return None
        pipe.routing_id = self.new_routing_id(pipe)
        self.routes[pipe.routing_id] = pipe
        return (pipe.routing_id, *pipe.get())


@mutant("draft/routing/partners-cannot-choose", breaks=RULES)
def server_takes_an_identity_for_the_id() -> None:
    """Gives a partner its identity as routing id where that has four octets."""

    @patch(Server, "greet")
    def greet(original: Original, self: Server, pipe: Pipe) -> None:
        if pipe.partner is not None and len(pipe.partner.identity) == 4:
            self.routes.pop(pipe.routing_id, None)
            pipe.routing_id = pipe.partner.identity
            self.routes[pipe.routing_id] = pipe


@mutant("draft/routing/sends-to-whom-it-is-for", breaks=RULES)
def server_sends_to_two() -> None:
    """Sends a message to the partner that came after the right one, too."""

    @patch(Server, "send")
    def send(original: Original, self: Server, parts: Parts) -> Outcome:
        number = int.from_bytes(parts[0], "big") + 1
        original(self, (number.to_bytes(8, "big")[-4:], *parts[1:]))
        return Outcome(original(self, parts))


@mutant(
    "draft/routing/sends-to-whom-it-is-for", breaks=["41/*", "51/*", "37/threadsafe/*", "37/sockettype/*"]
)
def server_sends_the_routing_id_along() -> None:
    """Sends the routing id in front of the message, in its frame."""

    @patch(Server, "put")
    def put(original: Original, self: Server, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, (pipe.routing_id + parts[0],))


@mutant("draft/routing/unknown-id-is-an-error", "draft/routing/id-goes-with-its-partner", breaks=RULES)
def server_drops_what_is_for_nobody() -> None:
    """Accepts a message for a routing id that nobody has, and drops it."""

    @patch(Server, "no_route")
    def no_route(original: Original, self: Server) -> Outcome:
        return Outcome.ACCEPTED


@mutant("draft/routing/id-goes-with-its-partner", breaks=RULES)
def server_keeps_the_ids_of_the_departed() -> None:
    """Goes on accepting messages for a partner that has gone."""

    @patch(Server, "remove_pipe")
    def remove(original: Original, self: Server, pipe: Pipe) -> None:
        original(self, pipe)
        self.routes[pipe.routing_id] = pipe


@mutant("draft/routing/queues-while-away", breaks=RULES)
def server_renames_who_comes_back() -> None:
    """Gives a partner that was dialled another routing id when it is back."""

    @patch(Server, "detach")
    def detach(original: Original, self: Server, pipe: Pipe) -> None:
        self.routes.pop(pipe.routing_id, None)
        pipe.routing_id = self.new_routing_id(pipe)
        self.routes[pipe.routing_id] = pipe


@mutant("draft/routing/who-connects-knows-whom", breaks=RULES)
def peer_tells_no_id_when_it_connects() -> None:
    """Does not tell who connects a PEER whom it will meet."""

    @patch(Adapter, "connect")
    def connect(original: Original, self: Adapter, socket: int, endpoint: str) -> dict[str, Any]:
        return {"endpoint": original(self, socket, endpoint)["endpoint"]}


@mutant("draft/routing/who-connects-knows-whom", breaks=RULES)
def peer_tells_an_id_that_it_does_not_keep() -> None:
    """Gives a partner that was dialled a new routing id when the connection is made."""

    @patch(Server, "greet")
    def greet(original: Original, self: Server, pipe: Pipe) -> None:
        if pipe.dialled:
            self.routes.pop(pipe.routing_id, None)
            pipe.routing_id = self.new_routing_id(pipe)
            self.routes[pipe.routing_id] = pipe
