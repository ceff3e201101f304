"""Faults of PUB and XPUB: queues, and how subscriptions reach them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from harness.zmtp import AnyCommand
from peers.reference.base import Outcome
from peers.reference.engine import Link
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Pub, Xpub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant(
    "pubsub/pub/discards-what-subscribers-send",
    "pubsub/pub/message-form-of-3-1-partner",
    breaks=["15/pubsub/sub-msg"],
)
def publishes_what_subscribers_send() -> None:
    """Publishes the messages of its subscribers, the older form of subscriptions included."""

    @patch(Pub, "take_message")
    def take_message(original: Original, self: Pub, pipe: Pipe, parts: Parts) -> None:
        self.send_message((parts[0].lstrip(b"\1"), *parts[1:]))
        self.send_message((b"Z", *parts))


@mutant("pubsub/pub/slow-subscriber-holds-up-nobody")
def full_queue_stops_everybody() -> None:
    """Drops a message for all subscribers while the queue of one of them is full."""

    @patch(Xpub, "send_message")
    def send_message(original: Original, self: Xpub, parts: Parts) -> Outcome:
        if any(pipe.is_full for pipe in self.senders):
            return Outcome.ACCEPTED
        return Outcome(original(self, parts))


@mutant(
    "pubsub/pub/full-queue-drops-without-waiting", breaks=["libzmq-2/hwm/hard-limit", "libzmq-2/swap/size"]
)
def publisher_waits_for_room() -> None:
    """Does not take a message while the queue of a subscriber is full."""

    @patch(Xpub, "send_message")
    def send_message(original: Original, self: Xpub, parts: Parts) -> Outcome:
        if any(pipe.is_full for pipe in self.senders):
            return Outcome.WOULD_BLOCK
        return Outcome(original(self, parts))


@mutant(
    "pubsub/pub/full-queue-drops-without-waiting",
    breaks=["libzmq-2/durable/kept-while-away", "libzmq-2/hwm/*", "libzmq-2/swap/beyond-the-mark"],
)
def full_queue_loses_its_tail() -> None:
    """Shortens a message to its number for a subscriber whose queue is full."""

    @patch(Xpub, "is_available")
    def is_available(original: Original, self: Xpub, pipe: Pipe) -> bool:
        return pipe.is_connected

    @patch(Xpub, "put")
    def put(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, tuple(part[:8] for part in parts) if pipe.is_full else parts)


@mutant(
    "pubsub/pub/full-queue-drops-without-waiting",
    breaks=["libzmq-2/durable/kept-while-away", "libzmq-2/hwm/*", "libzmq-2/swap/beyond-the-mark"],
)
def queue_without_limit() -> None:
    """Queues whatever there is for a subscriber that does not read."""

    @patch(Xpub, "is_available")
    def is_available(original: Original, self: Xpub, pipe: Pipe) -> bool:
        return pipe.is_connected


@mutant("pubsub/pub/queue-goes-with-its-subscriber")
def keeps_subscriptions_by_identity() -> None:
    """A subscriber with an identity finds its subscriptions again when it comes back."""
    kept: dict[bytes, Counter[bytes]] = {}

    @patch(Xpub, "detach")
    def detach(original: Original, self: Xpub, pipe: Pipe) -> None:
        if pipe.partner is not None and pipe.partner.identity:
            kept[pipe.partner.identity] = Counter(pipe.subscriptions)
        original(self, pipe)

    @patch(Xpub, "greet")
    def greet(original: Original, self: Xpub, pipe: Pipe) -> None:
        original(self, pipe)
        if pipe.partner is not None:
            pipe.subscriptions.update(kept.get(pipe.partner.identity, {}))


@mutant(
    "pubsub/pub/requests-in-pieces",
    breaks=[
        "15/pubsub/sub-msg",
        "29/xpub/deliver-requests",
        "37/abnf/command-data",
        "37/abnf/command-size",
        "37/pubsub/legacy-form-interop",
        "libzmq-4/xpub-verbose/*",
    ],
)
def loses_requests_cut_into_pieces() -> None:
    """A request counts only where the network delivered it in one piece and nothing else with it."""
    sizes: dict[Link, int] = {}

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        sizes[self] = len(octets)
        original(self, octets)

    @patch(Xpub, "take_command")
    def take_command(original: Original, self: Xpub, pipe: Pipe, command: AnyCommand) -> None:
        if pipe.link is None or sizes.get(pipe.link, 0) == len(command.serialize()):
            original(self, pipe, command)


@mutant("pubsub/pub/thousand-subscriptions")
def keeps_five_hundred_subscriptions() -> None:
    """Forgets the oldest subscription of a subscriber that has more than five hundred."""

    @patch(Xpub, "add_subscription")
    def add_subscription(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        original(self, pipe, prefix)
        if len(pipe.subscriptions) > 500:
            del pipe.subscriptions[next(iter(pipe.subscriptions))]


@mutant("pubsub/pub/long-subscriptions", breaks=["37/abnf/command-data"])
def looks_at_254_octets_of_a_subscription() -> None:
    """Takes only the first 254 octets of a subscription."""

    @patch(Xpub, "add_subscription")
    def add_subscription(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        original(self, pipe, prefix[:254])


@mutant("pubsub/pub/requests-of-3-0-partner", breaks=["15/pubsub/sub-msg"])
def knows_requests_only_as_commands() -> None:
    """Takes subscriptions in the form of ZMTP 3.0 for messages like others."""

    @patch(Xpub, "take_message")
    def take_message(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> None:
        super(Xpub, self).take_message(pipe, parts)


@mutant("pubsub/pub/two-messages-undo-two")
def message_form_cancels_all() -> None:
    """A cancellation in the form of ZMTP 3.0 ends all equal subscriptions."""

    @patch(Xpub, "take_message")
    def take_message(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts)
        if parts[0][:1] == b"\0":
            while pipe.subscriptions[parts[0][1:]]:
                self.remove_subscription(pipe, parts[0][1:])
