"""Faults of a PAIR socket (RFC 31)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.engine import Link
from peers.reference.pair import Pair
from peers.reference.pipe import Parts, Pipe
from tests.mutants import faults
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("pair/pair/sends-messages-unchanged")
def pair_puts_delimiter_in_front() -> None:
    """Sends an empty frame ahead of a message of several frames."""

    @patch(Pair, "put")
    def put(original: Original, self: Pair, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, (b"", *parts) if len(parts) > 1 else parts)


@mutant("pair/pair/delivers-messages-unchanged")
def pair_takes_messages_for_subscriptions() -> None:
    """Does not deliver a message that looks like a subscription or a cancellation."""

    @patch(Pair, "admits")
    def admits(original: Original, self: Pair, pipe: Pipe, parts: Parts) -> bool:
        return len(parts) > 1 or parts[0][:1] not in (b"\0", b"\1")


@mutant("pair/pair/keeps-order-both-ways")
def pair_loses_input_while_it_sends() -> None:
    """Drops every hundredth message that comes."""
    faults.loses_every_hundredth_message(Pair)


@mutant("pair/pair/keeps-order-both-ways")
def pair_sends_every_hundredth_message_twice() -> None:
    """Sends message 100, 200, 300 twice."""

    @patch(Pair, "put")
    def put(original: Original, self: Pair, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts)
        if faults.nth(pipe) % 100 == 0:
            original(self, pipe, parts)


@mutant("pair/pair/second-peer-changes-nothing")
def pair_serves_two_peers() -> None:
    """Takes any number of peers, and serves them in rotation."""
    faults.serves_two_peers(Pair)


@mutant("pair/pair/second-peer-changes-nothing")
def pair_leaves_its_peer_for_another() -> None:
    """Closes the connection with its peer when another comes."""
    faults.leaves_its_peer_for_another(Pair)


@mutant("pair/pair/successor-is-served")
def pair_has_one_peer_in_its_life() -> None:
    """Takes no other peer once it has had one."""
    faults.has_one_peer_in_its_life(Pair)


@mutant("pair/pair/queue-goes-with-its-peer")
def pair_bequeaths_its_queue() -> None:
    """Gives the next peer what was queued for the one that has gone."""
    faults.bequeaths_its_queue(Pair)


@mutant("pair/pair/accepts-nothing-without-peer")
def pair_drops_without_peer() -> None:
    """Accepts a message for nobody, and drops it."""
    faults.drops_without_peer(Pair)


@mutant("pair/pair/sends-as-soon-as-a-peer-comes")
def pair_forgets_who_came_while_it_waited() -> None:
    """Has no queue for a peer that connects while a message waits for one."""
    faults.forgets_who_came_while_it_waited(Pair)


@mutant("pair/pair/queues-while-connecting")
def pair_forgets_what_waits_for_connection() -> None:
    """Throws away, when a connection is made for the first time, what was queued for it."""
    faults.forgets_what_waits_for_connection(Pair)


@mutant("pair/pair/queues-while-away")
def pair_forgets_what_waits_for_reconnection() -> None:
    """Throws away, when a connection is made again, what was queued meanwhile."""
    faults.forgets_what_waits_for_reconnection(Pair)


@mutant("pair/pair/queues-while-away")
def pair_drops_input_of_dialled_peer() -> None:
    """Drops what a dialled peer sent when it goes away."""

    @patch(Pair, "detach")
    def detach(original: Original, self: Pair, pipe: Pipe) -> None:
        pipe.incoming.clear()


@mutant("pair/pair/waits-when-peer-is-full")
def pair_drops_what_its_peer_cannot_take() -> None:
    """Accepts four messages for which its peer has no room, and drops them."""
    faults.drops_four_messages_of_a_full_queue(Pair)


@mutant("pair/pair/waits-when-peer-is-full")
def pair_queues_without_limit() -> None:
    """Queues whatever there is for a peer that does not read."""
    faults.queues_without_limit(Pair)


@mutant(
    "pair/pair/full-output-does-not-stop-input",
    "draft/incoming/full-output-does-not-stop-input",
    "draft/routing/full-output-does-not-stop-input",
    breaks=[
        "28/dealer/double-queue",
        "28/rep/pass-data",
        "28/router/double-queue",
        "29/xpub/double-queue",
        "29/xsub/double-queue",
        "37/abnf/greeting",
    ],
)
def pair_does_not_read_while_it_cannot_write() -> None:
    """Reads nothing as long as its output queue is full."""

    @patch(Pipe, "wants_more")
    def wants_more(original: Original, self: Pipe) -> bool:
        return bool(original(self)) and not self.is_full


@mutant(
    "pair/pair/full-input-does-not-stop-output",
    "draft/incoming/full-input-does-not-stop-output",
    breaks=["28/dealer/double-queue", "28/router/double-queue"],
)
def pair_does_not_write_while_it_cannot_read() -> None:
    """Writes nothing as long as its input queue is full."""

    @patch(Link, "gather")
    def gather(original: Original, self: Link) -> bytes:
        return b"" if self.is_ready and not self.owner.wants_more() else bytes(original(self))
