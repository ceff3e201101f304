"""Faults of a PUSH socket (RFC 30)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Message
from peers.reference.base import Outcome
from peers.reference.pipe import Parts, Pipe
from peers.reference.pipeline import Push
from tests.mutants import faults
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("pipeline/push/sends-messages-unchanged")
def push_leaves_out_empty_frames() -> None:
    """Sends a message without its last frame where that is empty."""

    @patch(Push, "put")
    def put(original: Original, self: Push, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts[:-1] if len(parts) > 1 and not parts[-1] else parts)


@mutant(
    "pipeline/push/sends-messages-unchanged",
    breaks=["26/abnf/message", "26/hello/nonce-incrementing", "30/push/*", "37/sockets/ordered"],
)
def push_takes_messages_for_subscriptions() -> None:
    """Swallows a message that looks like a subscription or a cancellation."""
    faults.swallows_what_looks_like_a_subscription(Push)


@mutant("pipeline/push/shares-work-in-rotation")
def push_gives_two_thirds_to_one_peer() -> None:
    """Gives most messages to the peer that came first, and the others one now and then."""
    faults.gives_most_to_one_peer(Push)


@mutant("pipeline/push/sends-each-message-to-one-peer", breaks=["26/hello/nonce-incrementing"])
def push_copies_every_hundredth_message() -> None:
    """Sends every hundredth message to two peers."""
    faults.sends_every_hundredth_message_to_two(Push)


@mutant(
    "pipeline/push/sends-each-message-to-one-peer",
    breaks=[
        "26/abnf/message",
        "28/dealer/no-discard",
        "29/pub/*",
        "29/xsub/drop-out-when-full",
        "31/pair/no-discard",
        "37/framing/atomic",
        "37/interop/d20-new",
        "37/version/accept-higher",
        "libzmq-2/durable/*",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/*",
        "libzmq-3/durable/gone",
        "libzmq-4/conflate/sends-the-last",
        "libzmq-4/linger/kept",
    ],
)
def push_sends_in_pairs_swapped() -> None:
    """Sends the second of two messages that wait for one peer before the first."""

    @patch(Pipe, "put")
    def put(original: Original, self: Pipe, parts: Parts) -> None:
        self.outgoing.append(Message(*parts))
        if len(self.outgoing) > 1 or len(parts[-1]) < 100:
            self.outgoing.reverse()
            self.flush()


@mutant("pipeline/push/keeps-frames-together")
def push_spreads_frames() -> None:
    """Sends each frame of a message as a message of its own, to one peer after the other."""

    @patch(Push, "send_message")
    def send(original: Original, self: Push, parts: Parts) -> Outcome:
        return [Outcome(original(self, (part,))) for part in parts][-1]


@mutant("pipeline/push/never-receives")
def push_receives() -> None:
    """Gives the application what peers send upstream."""
    Push.can_receive = True


@mutant("pipeline/push/never-receives")
def push_sends_back_what_comes_upstream() -> None:
    """Pushes what a peer sends upstream, as if the application had."""
    faults.sends_back_what_comes_upstream(Push)


@mutant("pipeline/push/accepts-nothing-without-peer")
def push_drops_without_peer() -> None:
    """Accepts a message for nobody, and drops it."""
    faults.drops_without_peer(Push)


@mutant("pipeline/push/accepts-nothing-without-peer", breaks=["30/push/*", "libzmq-4/immediate/waits"])
def push_sends_what_it_refused() -> None:
    """Keeps a message that it did not take, and sends it to the first peer that comes."""
    faults.sends_what_it_refused(Push)


@mutant("pipeline/push/sends-as-soon-as-a-peer-comes")
def push_forgets_who_came_while_it_waited() -> None:
    """Has no queue for a peer that connects while a message waits for one."""
    faults.forgets_who_came_while_it_waited(Push)


@mutant(
    "pipeline/push/queues-while-connecting", breaks=["30/push/no-discard", "libzmq-4/conflate/sends-the-last"]
)
def push_forgets_what_waits_for_connection() -> None:
    """Throws away, when a connection is made for the first time, what was queued for it."""
    faults.forgets_what_waits_for_connection(Push)


@mutant("pipeline/push/queues-while-away", breaks=["libzmq-2/durable/kept-while-away"])
def push_forgets_what_waits_for_reconnection() -> None:
    """Throws away, when a connection is made again, what was queued meanwhile."""
    faults.forgets_what_waits_for_reconnection(Push)


@mutant("pipeline/push/serves-who-joins-late")
def push_ignores_late_joiners() -> None:
    """Gives no work to a peer that comes after ten messages have gone out."""
    faults.ignores_late_joiners(Push)


@mutant("pipeline/push/goes-on-without-departed-peer")
def push_keeps_queue_of_departed_peer() -> None:
    """Goes on queueing messages for a peer that has gone, while another is there."""
    faults.keeps_the_queue_of_who_has_gone(Push)


@mutant("pipeline/push/queue-goes-with-its-peer")
def push_bequeaths_its_queue() -> None:
    """Gives the next peer what was queued for the one that has gone."""
    faults.bequeaths_its_queue(Push)


@mutant("pipeline/push/passes-over-full-peer", breaks=["libzmq-4/immediate/only-completed"])
def push_waits_for_whose_turn_it_is() -> None:
    """Waits for the peer whose turn it is, though another one has room."""
    faults.waits_for_whose_turn_it_is(Push)


@mutant(
    "pipeline/push/passes-over-full-peer",
    "pipeline/push/waits-when-all-are-full",
    breaks=["libzmq-4/immediate/*"],
)
def push_drops_what_a_full_peer_cannot_take() -> None:
    """Drops a message when the peer whose turn it is has no room."""
    faults.drops_what_a_full_peer_cannot_take(Push)


@mutant("pipeline/push/waits-when-all-are-full", breaks=["libzmq-4/immediate/*"])
def push_queues_without_limit() -> None:
    """Queues whatever there is for peers that do not read."""
    faults.queues_without_limit(Push)
