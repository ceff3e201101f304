"""Faults at the high-water marks (RFC 28 to 31)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.base import Outcome, Socket
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Xpub, Xsub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant(
    "zmtp/limits/sender-stops-at-the-mark",
    "zmtp/limits/queue-before-connection-is-bounded",
    breaks=[
        "28/router/limit",
        "29/pub/limit",
        "29/xsub/limit",
        "libzmq-2/hwm/hard-limit",
        "libzmq-2/swap/size",
        "libzmq-4/mandatory/full-queue",
    ],
)
def mark_is_ignored_when_sending() -> None:
    """Queues whatever there is for a peer that does not read."""

    @patch(Pipe, "is_full")
    def is_full(original: property, self: Pipe) -> bool:
        return False


@mutant(
    "zmtp/limits/queue-before-connection-is-bounded",
    breaks=[
        "28/dealer/*",
        "30/push/*",
        "31/pair/*",
        "libzmq-2/durable/kept-while-away",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/*",
        "libzmq-3/durable/gone",
        "libzmq-4/conflate/sends-the-last",
    ],
)
def connecting_costs_a_message() -> None:
    """Loses the oldest of the messages that were queued before a connection was made."""

    @patch(Socket, "attach")
    def attach(original: Original, self: Socket, pipe: Pipe) -> None:
        if pipe.outgoing:
            pipe.outgoing.popleft()
        original(self, pipe)


@mutant("zmtp/limits/sender-stops-at-the-mark")
def overflow_is_dropped() -> None:
    """Drops the oldest message of a full queue for a new one, a hundred times, before it refuses one."""

    @patch(Socket, "send_message")
    def send(original: Original, self: Socket, parts: Parts) -> Outcome:
        outcome = Outcome(original(self, parts))
        pipes = [pipe for pipe in self.senders if pipe.outgoing]
        self.dropped = getattr(self, "dropped", 0)  # type: ignore[attr-defined]
        if outcome is not Outcome.WOULD_BLOCK or not pipes or self.dropped == 100:  # type: ignore[attr-defined]
            return outcome
        self.dropped += 1  # type: ignore[attr-defined]
        pipes[0].outgoing.popleft()
        return Outcome(original(self, parts))


@mutant(
    "zmtp/limits/larger-mark-holds-more",
    breaks=[
        "libzmq-2/durable/kept-while-away",
        "libzmq-2/hwm/zero-is-no-limit",
        "libzmq-2/swap/beyond-the-mark",
        "libzmq-3/durable/gone",
    ],
)
def mark_is_always_ten() -> None:
    """Has the same high-water mark whatever is set."""

    @patch(Pipe, "is_full")
    def is_full(original: property, self: Pipe) -> bool:
        return len(self.outgoing) >= 10


@mutant(
    "zmtp/limits/publisher-goes-on-after-overflow",
    breaks=[
        "29/pub/receive-requests",
        "29/xpub/receive-requests",
        "libzmq-2/hwm/drops-the-rest",
        "libzmq-2/swap/beyond-the-mark",
    ],
)
def overflow_ends_a_subscription() -> None:
    """Sends nothing more to a subscriber whose queue has been full."""

    @patch(Xpub, "is_available")
    def available(original: Original, self: Xpub, pipe: Pipe) -> bool:
        pipe.given_up = getattr(pipe, "given_up", False) or pipe.is_full  # type: ignore[attr-defined]
        return bool(original(self, pipe)) and not pipe.given_up  # type: ignore[attr-defined]


@mutant("zmtp/limits/full-receiver-holds-sender-back")
def mark_is_ignored_when_receiving() -> None:
    """Takes in whatever comes, though the application does not read."""

    @patch(Pipe, "wants_more")
    def wants_more(original: Original, self: Pipe) -> bool:
        return True


@mutant("zmtp/limits/full-receiver-holds-sender-back", breaks=["37/sockets/no-duplicates"])
def full_receiver_drops() -> None:
    """Drops what comes while its queue is full, instead of holding its peer back."""
    Socket.drops_incoming = True


@mutant("zmtp/limits/full-receiver-holds-sender-back")
def full_receiver_stops_for_good() -> None:
    """Does not read from a peer again once it had to stop."""

    @patch(Pipe, "get")
    def get(original: Original, self: Pipe) -> Parts:
        return self.incoming.popleft()


@mutant("zmtp/limits/full-subscriber-recovers")
def subscriber_is_never_full() -> None:
    """Takes in and keeps whatever a publisher sends, though the application does not read."""

    @patch(Xsub, "has_room")
    def has_room(original: Original, self: Xsub, pipe: Pipe) -> bool:
        return True


@mutant("zmtp/limits/full-subscriber-recovers")
def full_subscriber_shortens_messages() -> None:
    """Keeps only the number of a message that comes when its queue is almost full."""

    @patch(Xsub, "take_message")
    def take(original: Original, self: Xsub, pipe: Pipe, parts: Parts) -> None:
        almost = len(pipe.incoming) * 2 >= self.options.receive_hwm
        original(self, pipe, tuple(part[:8] for part in parts) if almost else parts)


@mutant("zmtp/limits/full-subscriber-recovers")
def full_subscriber_hears_nothing_more() -> None:
    """Drops everything once its queue has been full."""

    @patch(Xsub, "has_room")
    def has_room(original: Original, self: Xsub, pipe: Pipe) -> bool:
        pipe.given_up = getattr(pipe, "given_up", False) or pipe.is_incoming_full  # type: ignore[attr-defined]
        return not pipe.given_up  # type: ignore[attr-defined]


@mutant(
    "zmtp/limits/held-back-peer-leaves-room-for-others",
    breaks=["28/rep/fair-queue", "29/sub/fair-queue", "29/xpub/fair-queue"],
)
def busy_peer_is_heard_out() -> None:
    """Takes all messages of the peer that came first before those of any other."""

    @patch(Socket, "choose_incoming")
    def choose(original: Original, self: Socket) -> Pipe | None:
        ready = [pipe for pipe in self.receivers if pipe.incoming]
        return min(ready, key=lambda pipe: pipe.number, default=None)
