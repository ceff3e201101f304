"""Faults of PUB and of the publishing half of XPUB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Cancel, Subscribe
from peers.reference.base import Outcome
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Pub, Xpub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("pubsub/pub/sends-nothing-unasked", breaks=["15/pubsub/sub-msg", "37/framing/not-altered"])
def publishes_to_whoever_has_any_subscription() -> None:
    """Sends everything to a subscriber with any subscription at all."""

    @patch(Xpub, "matches")
    def matches(original: Original, self: Xpub, pipe: Pipe, first_frame: bytes) -> bool:
        return bool(pipe.subscriptions)


@mutant("pubsub/pub/prefix-match")
def prefix_ends_at_null() -> None:
    """Compares text: case does not count, and a prefix ends at its first null octet."""

    @patch(Xpub, "matches")
    def matches(original: Original, self: Xpub, pipe: Pipe, first_frame: bytes) -> bool:
        return any(first_frame.lower().startswith(p.lower().split(b"\0")[0]) for p in pipe.subscriptions)


@mutant("pubsub/pub/empty-prefix-matches-all", breaks=["37/abnf/command-size"])
def empty_topic_is_never_selected() -> None:
    """An empty first frame is selected by no subscription."""

    @patch(Xpub, "matches")
    def matches(original: Original, self: Xpub, pipe: Pipe, first_frame: bytes) -> bool:
        return bool(first_frame) and bool(original(self, pipe, first_frame))


@mutant("pubsub/pub/matches-first-frame-only")
def matches_over_frame_boundaries() -> None:
    """Compares subscriptions with all frames joined together."""

    @patch(Xpub, "send_message")
    def send_message(original: Original, self: Xpub, parts: Parts) -> Outcome:
        for pipe in self.senders:
            if self.matches(pipe, b"".join(parts)) and self.is_available(pipe):
                self.put(pipe, parts)
        return Outcome.ACCEPTED


@mutant("pubsub/pub/sends-messages-unchanged")
def drops_empty_frames_of_what_it_publishes() -> None:
    """Leaves empty frames after the first out of what it publishes."""

    @patch(Xpub, "put")
    def put(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, (parts[0], *(part for part in parts[1:] if part)))


@mutant(
    "pubsub/pub/subscriptions-add-up",
    breaks=["15/pubsub/sub-msg", "29/xpub/*", "libzmq-4/xpub-verbose/first-without"],
)
def newest_subscription_replaces_the_others() -> None:
    """Only fences and the newest of the other subscriptions are in force."""

    @patch(Xpub, "add_subscription")
    def add_subscription(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        if not prefix.startswith(b"\xf5"):
            pipe.subscriptions.clear()
        original(self, pipe, prefix)


@mutant("pubsub/pub/overlapping-subscriptions-send-once")
def sends_once_for_each_subscription() -> None:
    """Sends a message as often as subscriptions select it."""

    @patch(Xpub, "put")
    def put(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> None:
        for prefix in pipe.subscriptions.elements():
            if parts[0].startswith(prefix):
                original(self, pipe, parts)


@mutant("pubsub/pub/one-cancel-leaves-the-second")
def equal_subscriptions_are_merged() -> None:
    """One cancellation ends all equal subscriptions."""

    @patch(Xpub, "count_down")
    def count_down(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        del pipe.subscriptions[prefix]


@mutant("pubsub/pub/two-cancels-undo-two")
def second_cancel_is_forgotten() -> None:
    """The last of equal subscriptions, once there were two, cannot be cancelled."""

    @patch(Xpub, "add_subscription")
    def add_subscription(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        original(self, pipe, prefix)
        if pipe.subscriptions[prefix] == 2:
            pipe.subscriptions[prefix] = 3


@mutant("pubsub/pub/cancelled-prefix-is-not-sent")
def cancel_takes_longer_prefixes_along() -> None:
    """A cancellation ends all subscriptions that begin with it."""

    @patch(Xpub, "count_down")
    def count_down(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        original(self, pipe, prefix)
        for longer in [p for p in pipe.subscriptions if p != prefix and p.startswith(prefix)]:
            del pipe.subscriptions[longer]


@mutant("pubsub/pub/cancel-without-subscription")
def counts_below_zero() -> None:
    """A cancellation without a subscription makes the next subscription void."""

    @patch(Xpub, "remove_subscription")
    def remove_subscription(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        if prefix in pipe.subscriptions:
            original(self, pipe, prefix)
        else:
            pipe.subscriptions[prefix] = -1

    @patch(Xpub, "matches")
    def matches(original: Original, self: Xpub, pipe: Pipe, first_frame: bytes) -> bool:
        return any(count > 0 and first_frame.startswith(p) for p, count in pipe.subscriptions.items())


@mutant("pubsub/pub/each-subscriber-has-its-own-filter", breaks=["37/framing/not-altered"])
def all_subscribers_share_one_filter() -> None:
    """What any subscriber asks for is sent to all."""

    @patch(Xpub, "matches")
    def matches(original: Original, self: Xpub, pipe: Pipe, first_frame: bytes) -> bool:
        return any(original(self, other, first_frame) for other in self.senders)


@mutant(
    "pubsub/pub/serves-both-who-dials-and-who-is-dialled",
    breaks=["37/errors/close-is-temporary", "libzmq-2/durable/by-identity", "libzmq-3/durable/gone"],
)
def serves_only_one_at_a_time() -> None:
    """Sends each message to one subscriber in turn only."""

    @patch(Xpub, "send_message")
    def send_message(original: Original, self: Xpub, parts: Parts) -> Outcome:
        pipe = self.senders.next(lambda pipe: self.matches(pipe, parts[0]) and self.is_available(pipe))
        if pipe is not None:
            self.put(pipe, parts)
        return Outcome.ACCEPTED


@mutant("pubsub/pub/receives-nothing")
def pub_hears_its_own_messages() -> None:
    """Gives the application of a PUB socket what it has published itself."""
    Pub.can_receive = True

    @patch(Pub, "send_message")
    def send_message(original: Original, self: Pub, parts: Parts) -> Outcome:
        self.notices.append(parts)
        return Outcome(original(self, parts))

    Pub.is_readable = Xpub.is_readable  # type: ignore[method-assign]


@mutant("pubsub/pub/hides-requests")
def pub_shows_requests() -> None:
    """Gives subscriptions to the application of a PUB socket, as XPUB does."""

    @patch(Pub, "notify")
    def notify(original: Original, self: Pub, command: Subscribe | Cancel) -> None:
        Xpub.notify(self, command)

    Pub.can_receive = True
    Pub.is_readable = Xpub.is_readable  # type: ignore[method-assign]
