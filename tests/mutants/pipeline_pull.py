"""Faults of a PULL socket (RFC 30)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.pipe import Parts, Pipe
from peers.reference.pipeline import Pull
from tests.mutants import faults
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant(
    "pipeline/pull/delivers-messages-unchanged",
    breaks=["26/message/recipient-rejects", "37/framing/*", "37/sockets/ordered"],
)
def pull_takes_messages_for_subscriptions() -> None:
    """Does not deliver a message that looks like a subscription or a cancellation."""
    faults.takes_messages_for_subscriptions(Pull)


@mutant("pipeline/pull/delivers-messages-unchanged", breaks=["37/framing/size-ranges"])
def pull_leaves_out_empty_frames() -> None:
    """Gives the application the frames that are not empty."""

    @patch(Pull, "take_message")
    def take(original: Original, self: Pull, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, tuple(part for part in parts if part) or (b"",))


@mutant("pipeline/pull/delivers-all-in-order")
def pull_keeps_a_hundred() -> None:
    """Drops what comes while a hundred messages of a peer wait."""
    faults.keeps_a_hundred(Pull)


@mutant("pipeline/pull/delivers-all-in-order")
def pull_delivers_last_message_twice() -> None:
    """Delivers message 299 of a connection twice."""
    faults.delivers_message_299_twice(Pull)


@mutant("pipeline/pull/hears-peers-by-turns", "pipeline/pull/hears-quiet-peer-beside-busy-ones")
def pull_hears_one_peer_out() -> None:
    """Takes all messages of the peer that came first before those of any other."""
    faults.hears_one_peer_out(Pull)


@mutant("pipeline/pull/only-receives")
def pull_sends() -> None:
    """Sends messages upstream."""
    Pull.can_send = True


@mutant(
    "pipeline/pull/only-receives",
    breaks=["26/hello/*", "37/errors/other-errors-close", "37/sockets/bind-and-connect"],
)
def pull_acknowledges_upstream() -> None:
    """Answers every message with an empty one."""

    @patch(Pull, "take_message")
    def take(original: Original, self: Pull, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts)
        pipe.put((b"",))


@mutant("pipeline/pull/dials-and-goes-on-after-reconnect")
def pull_drops_input_of_dialled_peer() -> None:
    """Drops what a dialled peer sent when it goes away."""
    faults.drops_input_of_who_was_dialled(Pull)


@mutant(
    "pipeline/pull/hears-who-joins-late",
    breaks=[
        "37/abnf/message-last",
        "37/abnf/zmtp",
        "37/errors/close-is-temporary",
        "37/framing/commands-hidden",
        "37/sockets/*",
    ],
)
def pull_hears_first_peer_only() -> None:
    """Discards what comes from peers after the first."""
    faults.hears_the_first_peer_only(Pull)


@mutant("pipeline/pull/unread-input-of-departed-peer")
def pull_delivers_the_end_of_a_departed_peer() -> None:
    """Of a peer that has gone only the last message is kept."""
    faults.keeps_the_last_message_of_who_has_gone(Pull)


@mutant(
    "pipeline/pull/unread-input-of-departed-peer",
    breaks=[
        "24/abnf/plain",
        "26/differences/atomic-messages",
        "27/message/status-200",
        "37/*",
        "libzmq-4/handshake/complete-stays",
    ],
)
def pull_stops_when_a_peer_goes() -> None:
    """Delivers nothing more once a peer has gone."""

    @patch(Pull, "remove_pipe")
    def remove(original: Original, self: Pull, pipe: Pipe) -> None:
        original(self, pipe)
        self.take_message = lambda pipe, parts: None  # type: ignore[method-assign]
