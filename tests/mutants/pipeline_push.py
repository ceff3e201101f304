"""Faults of a PUSH socket (RFC 30)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Message
from peers.reference.base import Outcome
from peers.reference.pipe import Parts, Pipe
from peers.reference.pipeline import Push
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


def nth(thing: Any) -> int:
    """How often this has been asked about the thing, this time included."""
    thing.asked_nth = getattr(thing, "asked_nth", 0) + 1
    return int(thing.asked_nth)


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

    @patch(Push, "put")
    def put(original: Original, self: Push, pipe: Pipe, parts: Parts) -> None:
        if len(parts) > 1 or parts[0][:1] not in (b"\0", b"\1"):
            original(self, pipe, parts)


@mutant("pipeline/push/shares-work-in-rotation")
def push_gives_two_thirds_to_one_peer() -> None:
    """Gives most messages to the peer that came first, and the others one now and then."""

    @patch(Push, "choose_outgoing")
    def choose(original: Original, self: Push) -> Pipe | None:
        turn = nth(self)
        first = min((p for p in self.senders if self.is_available(p)), key=lambda p: p.number, default=None)
        return first if first is not None and turn % 5 else original(self)


@mutant("pipeline/push/sends-each-message-to-one-peer", breaks=["26/hello/nonce-incrementing"])
def push_copies_every_hundredth_message() -> None:
    """Sends every hundredth message to two peers."""

    @patch(Push, "send_message")
    def send(original: Original, self: Push, parts: Parts) -> Outcome:
        if nth(self) % 100 == 0:
            original(self, parts)
        return Outcome(original(self, parts))


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

    @patch(Push, "take_message")
    def take(original: Original, self: Push, pipe: Pipe, parts: Parts) -> None:
        self.send_message(parts)


@mutant("pipeline/push/accepts-nothing-without-peer")
def push_drops_without_peer() -> None:
    """Accepts a message for nobody, and drops it."""

    @patch(Push, "send_message")
    def send(original: Original, self: Push, parts: Parts) -> Outcome:
        return Outcome(original(self, parts)) if len(self.senders) else Outcome.ACCEPTED


@mutant("pipeline/push/accepts-nothing-without-peer", breaks=["30/push/*", "libzmq-4/immediate/waits"])
def push_sends_what_it_refused() -> None:
    """Keeps a message that it did not take, and sends it to the first peer that comes."""
    kept: list[Parts] = []

    @patch(Push, "send_message")
    def send(original: Original, self: Push, parts: Parts) -> Outcome:
        outcome = Outcome(original(self, parts))
        if outcome is Outcome.WOULD_BLOCK:
            kept[:] = [parts]
        return outcome

    @patch(Push, "greet")
    def greet(original: Original, self: Push, pipe: Pipe) -> None:
        for parts in kept:
            pipe.put(parts)
        kept.clear()


@mutant("pipeline/push/sends-as-soon-as-a-peer-comes")
def push_forgets_who_came_while_it_waited() -> None:
    """Has no queue for a peer that connects while a message waits for one."""

    @patch(Push, "send_message")
    def send(original: Original, self: Push, parts: Parts) -> Outcome:
        self.waits = not len(self.senders)  # type: ignore[attr-defined]
        return Outcome(original(self, parts))

    @patch(Push, "add_pipe")
    def add(original: Original, self: Push, pipe: Pipe) -> None:
        if pipe.dialled or not getattr(self, "waits", False):
            original(self, pipe)


@mutant(
    "pipeline/push/queues-while-connecting", breaks=["30/push/no-discard", "libzmq-4/conflate/sends-the-last"]
)
def push_forgets_what_waits_for_connection() -> None:
    """Throws away, when a connection is made for the first time, what was queued for it."""

    @patch(Push, "greet")
    def greet(original: Original, self: Push, pipe: Pipe) -> None:
        if nth(pipe) == 1:
            pipe.outgoing.clear()


@mutant("pipeline/push/queues-while-away", breaks=["libzmq-2/durable/kept-while-away"])
def push_forgets_what_waits_for_reconnection() -> None:
    """Throws away, when a connection is made again, what was queued meanwhile."""

    @patch(Push, "greet")
    def greet(original: Original, self: Push, pipe: Pipe) -> None:
        if nth(pipe) > 1:
            pipe.outgoing.clear()


@mutant("pipeline/push/serves-who-joins-late")
def push_ignores_late_joiners() -> None:
    """Gives no work to a peer that comes after ten messages have gone out."""

    @patch(Push, "put")
    def put(original: Original, self: Push, pipe: Pipe, parts: Parts) -> None:
        nth(self)
        original(self, pipe, parts)

    @patch(Push, "add_pipe")
    def add(original: Original, self: Push, pipe: Pipe) -> None:
        if getattr(self, "asked_nth", 0) < 10:
            original(self, pipe)


@mutant("pipeline/push/goes-on-without-departed-peer")
def push_keeps_queue_of_departed_peer() -> None:
    """Goes on queueing messages for a peer that has gone, while another is there."""

    @patch(Push, "remove_pipe")
    def remove(original: Original, self: Push, pipe: Pipe) -> None:
        if len(self.senders) < 2:
            original(self, pipe)


@mutant("pipeline/push/queue-goes-with-its-peer")
def push_bequeaths_its_queue() -> None:
    """Gives the next peer what was queued for the one that has gone."""
    kept: list[Any] = []

    @patch(Push, "remove_pipe")
    def remove(original: Original, self: Push, pipe: Pipe) -> None:
        kept[:] = pipe.outgoing
        original(self, pipe)

    @patch(Push, "greet")
    def greet(original: Original, self: Push, pipe: Pipe) -> None:
        pipe.outgoing.extend(kept)
        kept.clear()
        pipe.flush()


@mutant("pipeline/push/passes-over-full-peer", breaks=["libzmq-4/immediate/only-completed"])
def push_waits_for_whose_turn_it_is() -> None:
    """Waits for the peer whose turn it is, though another one has room."""

    @patch(Push, "choose_outgoing")
    def choose(original: Original, self: Push) -> Pipe | None:
        turn = next(iter(self.senders), None)
        return original(self) if turn is not None and self.is_available(turn) else None


@mutant(
    "pipeline/push/passes-over-full-peer",
    "pipeline/push/waits-when-all-are-full",
    breaks=["libzmq-4/immediate/*"],
)
def push_drops_what_a_full_peer_cannot_take() -> None:
    """Drops a message when the peer whose turn it is has no room."""

    @patch(Push, "is_available")
    def available(original: Original, self: Push, pipe: Pipe) -> bool:
        return True

    @patch(Push, "put")
    def put(original: Original, self: Push, pipe: Pipe, parts: Parts) -> None:
        if not pipe.is_full:
            original(self, pipe, parts)


@mutant("pipeline/push/waits-when-all-are-full", breaks=["libzmq-4/immediate/*"])
def push_queues_without_limit() -> None:
    """Queues whatever there is for peers that do not read."""

    @patch(Push, "is_available")
    def available(original: Original, self: Push, pipe: Pipe) -> bool:
        return True
