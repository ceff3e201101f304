"""Faults of XSUB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.base import Outcome
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Xsub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("pubsub/xsub/subscribes-by-message-of-the-application")
def takes_01_for_a_message() -> None:
    """Subscribes for itself, but does not tell the publishers what the application sends as 01."""

    @patch(Xsub, "send_message")
    def send_message(original: Original, self: Xsub, parts: Parts) -> Outcome:
        if parts[0][:1] == b"\1":
            self.subscriptions[parts[0][1:]] += 1
            return Outcome.ACCEPTED
        return Outcome(original(self, parts))


@mutant("pubsub/xsub/sends-upstream-to-all")
def sends_upstream_in_turn() -> None:
    """Sends each message to one publisher, in turn."""

    @patch(Xsub, "send_upstream")
    def send_upstream(original: Original, self: Xsub, parts: Parts) -> None:
        pipe = self.senders.next(lambda pipe: pipe.is_connected)
        if pipe is not None:
            self.put(pipe, parts)


@mutant("pubsub/xsub/sends-upstream-to-all")
def sends_upstream_without_frames_like_cancellations() -> None:
    """Leaves frames that begin with 00 out of messages upstream."""

    @patch(Xsub, "send_upstream")
    def send_upstream(original: Original, self: Xsub, parts: Parts) -> None:
        original(self, tuple(part for part in parts if part[:1] != b"\0"))


@mutant("pubsub/xsub/full-queue-drops-without-waiting")
def subscriber_waits_for_room() -> None:
    """Does not take a message while the queue of a publisher is full."""

    @patch(Xsub, "send_message")
    def send_message(original: Original, self: Xsub, parts: Parts) -> Outcome:
        if any(pipe.is_full for pipe in self.senders):
            return Outcome.WOULD_BLOCK
        return Outcome(original(self, parts))


@mutant("pubsub/xsub/full-queue-drops-without-waiting")
def upstream_queue_without_limit() -> None:
    """Queues whatever there is for a publisher that does not read."""

    @patch(Xsub, "send_upstream")
    def send_upstream(original: Original, self: Xsub, parts: Parts) -> None:
        for pipe in self.senders:
            self.put(pipe, parts)


@mutant(
    "pubsub/xsub/queue-goes-with-its-publisher",
    breaks=["13/content/sub-silent", "15/pubsub/unsub-msg", "37/abnf/command", "37/auth/command-long"],
)
def replays_to_who_comes_back() -> None:
    """Sends the last message upstream again to a publisher that comes later."""
    last: list[Parts] = []

    @patch(Xsub, "send_upstream")
    def send_upstream(original: Original, self: Xsub, parts: Parts) -> None:
        last[:] = [parts]
        original(self, parts)

    @patch(Xsub, "greet")
    def greet(original: Original, self: Xsub, pipe: Pipe) -> None:
        original(self, pipe)
        for parts in last:
            self.put(pipe, parts)


@mutant("pubsub/xsub/cancels-before-it-closes")
def leaves_without_a_word() -> None:
    """Closes connections without cancelling anything."""

    @patch(Xsub, "farewell")
    def farewell(original: Original, self: Xsub, pipe: Pipe) -> None:
        pass
