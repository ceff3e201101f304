"""Faults of XPUB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Cancel, Subscribe
from peers.reference.base import Socket
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Xpub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("pubsub/xpub/shows-requests", breaks=["37/abnf/command-data"])
def cuts_topics_at_255_octets() -> None:
    """Shows at most 255 octets of a topic."""

    @patch(Xpub, "notify")
    def notify(original: Original, self: Xpub, command: Subscribe | Cancel) -> None:
        original(self, type(command)(command.prefix[:255]))


@mutant("pubsub/xpub/shows-requests-of-3-0-partner", breaks=["15/pubsub/unsub-msg", "23/pubsub/two-undo"])
def shows_old_cancellations_as_subscriptions() -> None:
    """Takes a cancellation in the form of ZMTP 3.0 for a message and shows another topic."""

    @patch(Xpub, "take_message")
    def take_message(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> None:
        if parts[0][:1] == b"\0":
            Socket.take_message(self, pipe, (b"\1" + parts[0][1:],))
        else:
            original(self, pipe, parts)


@mutant("pubsub/xpub/shows-messages-of-subscribers")
def discards_messages_of_subscribers() -> None:
    """Hears requests of subscribers and no messages."""

    @patch(Xpub, "admits")
    def admits(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> bool:
        return False


@mutant("pubsub/xpub/message-that-begins-as-a-request")
def tears_apart_what_begins_like_a_request() -> None:
    """Shows each frame of a message that begins like a request as a message of its own."""

    @patch(Xpub, "take_message")
    def take_message(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> None:
        like = len(parts) > 1 and parts[0][:1] in (b"\0", b"\1")
        for each in [(part,) for part in parts] if like else [parts]:
            original(self, pipe, each)


@mutant("pubsub/xpub/cancels-for-who-is-gone", "pubsub/xpub/topic-that-others-hold")
def says_nothing_of_the_departed() -> None:
    """Forgets the subscriptions of who is gone without telling the application."""

    @patch(Xpub, "detach")
    def detach(original: Original, self: Xpub, pipe: Pipe) -> None:
        pipe.subscriptions.clear()


@mutant("pubsub/xpub/equal-subscriptions", breaks=["libzmq-4/xpub-verbose/*"])
def shows_subscriptions_of_one_subscriber_only() -> None:
    """Shows no subscription of a subscriber that is not the first."""

    @patch(Xpub, "notify")
    def notify(original: Original, self: Xpub, command: Subscribe | Cancel) -> None:
        newest = list(self.senders)[-1]
        if not (len(self.senders) > 1 and command.prefix in newest.subscriptions):
            original(self, command)


@mutant("pubsub/xpub/verbose", breaks=["libzmq-4/xpub-verbose/shows-each"])
def verbose_means_nothing() -> None:
    """Shows equal subscriptions once even if told to be verbose."""

    @patch(Xpub, "add_subscription")
    def add_subscription(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        self.options.xpub_verbose = False
        original(self, pipe, prefix)


@mutant("pubsub/xpub/fair-queue")
def empties_one_subscriber_first() -> None:
    """Takes everything of one subscriber before anything of the next."""

    @patch(Xpub, "choose_incoming")
    def choose_incoming(original: Original, self: Xpub) -> Pipe | None:
        waiting = [pipe for pipe in self.receivers if pipe.incoming]
        return min(waiting, key=lambda pipe: pipe.number, default=None)


@mutant("pubsub/xpub/full-output-does-not-stop-input")
def does_not_hear_who_is_full() -> None:
    """Discards what a subscriber sends while its output queue is full."""

    @patch(Xpub, "admits")
    def admits(original: Original, self: Xpub, pipe: Pipe, parts: Parts) -> bool:
        return not pipe.is_full and bool(original(self, pipe, parts))
