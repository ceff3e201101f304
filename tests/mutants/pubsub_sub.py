"""Faults of SUB, and of XSUB as far as it subscribes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Cancel, Command, Connection, Greeting, Subscribe
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Sub, Xsub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant(
    "pubsub/sub/subscribes-by-command", breaks=["37/abnf/command", "37/auth/command-long", "37/heartbeat/*"]
)
def subscribes_by_message_always() -> None:
    """Subscribes in the form of ZMTP 3.0 whatever the partner's version."""

    @patch(Connection, "partner_speaks_subscribe")
    def partner_speaks_subscribe(original: Original, self: Connection) -> bool:
        return False


@mutant("pubsub/sub/cancels-by-command", breaks=["29/xsub/*"])
def cancels_by_another_name() -> None:
    """Calls the command that ends a subscription UNSUBSCRIBE."""

    @patch(Cancel, "to_command")
    def to_command(original: Original, self: Cancel) -> Command:
        return Command(b"UNSUBSCRIBE", self.prefix)


@mutant("pubsub/sub/message-form-to-3-0-partner")
def subscribes_by_command_always() -> None:
    """Subscribes by commands whatever the partner's version."""

    @patch(Connection, "partner_speaks_subscribe")
    def partner_speaks_subscribe(original: Original, self: Connection) -> bool:
        return isinstance(self.partner, Greeting)


@mutant("pubsub/sub/tells-every-publisher")
def tells_later_publishers_only_the_newest() -> None:
    """A publisher that comes later is told only the newest subscription."""

    @patch(Xsub, "greet")
    def greet(original: Original, self: Xsub, pipe: Pipe) -> None:
        for prefix in list(self.subscriptions)[-1:]:
            pipe.put_command(Subscribe(prefix))


@mutant("pubsub/sub/subscribes-again-after-reconnect")
def greets_a_publisher_once() -> None:
    """Tells the subscriptions only at the first connection of a pipe."""
    greeted: set[Pipe] = set()

    @patch(Xsub, "greet")
    def greet(original: Original, self: Xsub, pipe: Pipe) -> None:
        if pipe not in greeted:
            greeted.add(pipe)
            original(self, pipe)


@mutant("pubsub/sub/subscribes-again-after-reconnect")
def loses_unread_messages_with_the_connection() -> None:
    """Discards what a lost publisher had sent, though it dials it again."""

    @patch(Xsub, "detach")
    def detach(original: Original, self: Xsub, pipe: Pipe) -> None:
        pipe.incoming.clear()
        original(self, pipe)


@mutant("pubsub/sub/equal-requests-balance")
def cancels_only_the_last() -> None:
    """Sends SUBSCRIBE for each of equal subscriptions, but CANCEL only for the last."""

    @patch(Xsub, "cancel")
    def cancel(original: Original, self: Xsub, prefix: bytes) -> None:
        if self.subscriptions[prefix] > 1:
            self.subscriptions[prefix] -= 1
        else:
            original(self, prefix)


@mutant(
    "pubsub/sub/delivers-messages-unchanged",
    breaks=["37/framing/*", "libzmq-4/req-correlate/*", "libzmq-4/req-relaxed/late-with-ids"],
)
def drops_empty_frames_of_what_it_delivers() -> None:
    """Leaves empty frames after the first out of what it delivers."""

    @patch(Pipe, "deliver")
    def deliver(original: Original, self: Pipe, parts: Parts) -> None:
        original(self, (parts[0], *(part for part in parts[1:] if part)))


@mutant("pubsub/sub/messages-not-asked-for", breaks=["13/content/sub-silent"])
def delivers_nothing_after_what_was_not_asked_for() -> None:
    """A message that was not asked for makes a subscriber deaf."""

    @patch(Xsub, "admits")
    def admits(original: Original, self: Xsub, pipe: Pipe, parts: Parts) -> bool:
        if not original(self, pipe, parts):
            self.subscriptions.clear()
        return bool(original(self, pipe, parts))


@mutant("pubsub/sub/sends-nothing")
def sub_sends_upstream() -> None:
    """Sends messages of a SUB socket's application to the publishers."""
    Sub.can_send = True


@mutant("pubsub/sub/fair-queue")
def empties_one_publisher_first() -> None:
    """Takes everything of one publisher before anything of the next."""

    @patch(Xsub, "choose_incoming")
    def choose_incoming(original: Original, self: Xsub) -> Pipe | None:
        waiting = [pipe for pipe in self.receivers if pipe.incoming]
        return min(waiting, key=lambda pipe: pipe.number, default=None)


@mutant("pubsub/sub/full-queue", breaks=["29/sub/limit"])
def cuts_messages_beyond_the_limit() -> None:
    """Keeps the first frame of a message for which there is no room."""

    @patch(Xsub, "take_message")
    def take_message(original: Original, self: Xsub, pipe: Pipe, parts: Parts) -> None:
        if pipe.is_incoming_full:
            pipe.deliver(parts[:1])
        else:
            original(self, pipe, parts)
