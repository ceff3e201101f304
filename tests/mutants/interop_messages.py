"""Faults that show between two peers: in messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.base import Outcome
from peers.reference.pipe import Parts, Pipe
from peers.reference.pipeline import Push
from peers.reference.reqrep import DELIMITER, Rep, Req
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
NTH = 7
LIMIT_OCTETS = 1 << 19


@mutant(
    "interop/messages/lockstep",
    "interop/messages/lockstep-by-identity",
    "interop/messages/many",
    "interop/messages/many-through-router",
    breaks=[
        "26/hello/nonce-incrementing",
        "28/dealer/no-discard",
        "29/pub/*",
        "29/xsub/drop-out-when-full",
        "30/push/no-discard",
        "31/pair/*",
        "37/pubsub/additive",
        "37/sockets/no-duplicates",
        "libzmq-2/durable/*",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/*",
        "libzmq-3/durable/gone",
        "libzmq-4/immediate/only-completed",
        "libzmq-4/linger/kept",
        "libzmq-4/mandatory/nothing-dropped",
    ],
)
def says_every_seventh_message_twice() -> None:
    """Sends every seventh message of a connection a second time."""

    @patch(Pipe, "put")
    def put(original: Original, self: Any, parts: Parts) -> None:
        self.count = getattr(self, "count", 0) + 1
        for _ in range(2 if self.count % NTH == 0 else 1):
            original(self, parts)


@mutant("interop/messages/first-waits-for-its-receiver")
def adds_a_delimiter_for_each_try() -> None:
    """Puts another delimiter before a request for each time that there was nobody to take it."""

    @patch(Req, "send_message")
    def send(original: Original, self: Any, parts: Parts) -> Outcome:
        outcome: Outcome = original(self, parts)
        self.tries = getattr(self, "tries", 0) + 1 if outcome is Outcome.WOULD_BLOCK else 0
        return outcome

    @patch(Req, "request_head")
    def head(original: Original, self: Any) -> Parts:
        return (DELIMITER,) * getattr(self, "tries", 0) + tuple(original(self))


@mutant("interop/messages/shapes")
def leaves_out_an_empty_last_frame() -> None:
    """Sends a message that ends with an empty frame without it."""

    @patch(Pipe, "put")
    def put(original: Original, self: Pipe, parts: Parts) -> None:
        original(self, parts[:-1] if len(parts) > 1 and not parts[-1] else parts)


@mutant("interop/messages/large")
def cuts_large_frames() -> None:
    """Sends no more of a frame than half a mebibyte."""

    @patch(Pipe, "put")
    def put(original: Original, self: Pipe, parts: Parts) -> None:
        original(self, tuple(part[:LIMIT_OCTETS] for part in parts))


@mutant(
    "interop/several/publishers-to-one-subscriber",
    "pipeline/pull/delivers-all-in-order",
    breaks=[
        "28/dealer/deliver",
        "28/rep/lockstep",
        "28/router/deliver",
        "29/sub/*",
        "29/xpub/deliver",
        "30/pull/*",
        "31/pair/*",
        "37/abnf/message-last",
        "37/framing/*",
    ],
)
def hands_out_the_newest_first() -> None:
    """Gives its application, of several messages that wait, the one that came last."""

    @patch(Pipe, "get")
    def get(original: Original, self: Pipe) -> Parts:
        self.incoming.rotate(1)
        parts: Parts = original(self)
        return parts


@mutant("interop/several/work-is-shared-among-pullers", breaks=["37/sockets/bind-and-connect"])
def pushes_to_its_first_peer_alone() -> None:
    """Gives all its work to the peer that came first."""

    @patch(Push, "choose_outgoing")
    def choose(original: Original, self: Push) -> Pipe | None:
        return min(filter(self.is_available, self.senders), key=lambda pipe: pipe.number, default=None)


@mutant("interop/several/each-gets-its-own-reply", breaks=["28/rep/*"])
def replies_to_the_first_peer() -> None:
    """Sends every reply to the peer that came first."""

    @patch(Rep, "send_message")
    def send(original: Original, self: Rep, parts: Parts) -> Outcome:
        if self.asker is not None:
            self.asker = min(self.senders, key=lambda pipe: pipe.number)
        outcome: Outcome = original(self, parts)
        return outcome
