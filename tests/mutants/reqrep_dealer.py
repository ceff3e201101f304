"""Faults of a DEALER socket, and of double queues that ROUTER has too (RFC 28)."""

from __future__ import annotations

from typing import Any

from peers.reference.base import Outcome
from peers.reference.pipe import Pipe
from peers.reference.reqrep import Dealer
from tests.mutants.registry import mutant, patch


@mutant("reqrep/dealer/sends-as-it-is", breaks=["37/framing/not-altered"])
def dealer_adds_delimiter() -> None:
    """Puts an empty frame before what it sends, as if it were a REQ."""

    @patch(Dealer, "put")
    def put(original: Any, self: Dealer, pipe: Any, parts: Any) -> None:
        original(self, pipe, (b"", *parts))


@mutant("reqrep/dealer/sends-as-it-is")
def dealer_leaves_out_empty_last_frames() -> None:
    """Leaves out empty frames at the end of a message."""

    @patch(Dealer, "put")
    def put(original: Any, self: Dealer, pipe: Any, parts: Any) -> None:
        while len(parts) > 1 and not parts[-1]:
            parts = parts[:-1]
        original(self, pipe, parts)


@mutant("reqrep/dealer/receives-as-it-is", breaks=["37/framing/not-altered"])
def dealer_strips_delimiter() -> None:
    """Takes an empty first frame off what it receives."""

    @patch(Dealer, "receive_message")
    def receive(original: Any, self: Dealer) -> Any:
        parts = original(self)
        return parts[1:] if parts and len(parts) > 1 and not parts[0] else parts


@mutant("reqrep/dealer/delivers-all", breaks=["37/framing/not-altered"])
def dealer_loses_a_message_in_fifty() -> None:
    """Drops each fiftieth message that comes."""
    seen = 0

    @patch(Dealer, "admits")
    def admits(original: Any, self: Dealer, pipe: Any, parts: Any) -> bool:
        nonlocal seen
        seen += 1
        return seen % 50 != 0


@mutant("reqrep/dealer/delivers-all", breaks=["37/framing/not-altered"])
def dealer_delivers_last_come_first() -> None:
    """Gives the application the youngest message first."""

    @patch(Dealer, "receive_message")
    def receive(original: Any, self: Dealer) -> Any:
        pipe = self.choose_incoming()
        return None if pipe is None else pipe.incoming.pop()


@mutant("reqrep/dealer/sends-in-rotation")
def dealer_prefers_one_peer() -> None:
    """Sends to the peer that came first as long as it has room."""

    @patch(Dealer, "choose_outgoing")
    def choose(original: Any, self: Dealer) -> Any:
        able = [pipe for pipe in self.senders if self.is_available(pipe)]
        return min(able, key=lambda pipe: pipe.number, default=None)


@mutant("reqrep/dealer/hears-peers-by-turns")
def dealer_hears_one_peer_out() -> None:
    """Takes all messages of one peer before any of the next."""

    @patch(Dealer, "choose_incoming")
    def choose(original: Any, self: Dealer) -> Any:
        waiting = [pipe for pipe in self.receivers if pipe.incoming]
        return min(waiting, key=lambda pipe: pipe.number, default=None)


@mutant("reqrep/dealer/accepts-nothing-without-peer", "reqrep/dealer/keeps-what-it-accepts")
def dealer_accepts_what_it_cannot_queue() -> None:
    """Says that it took a message for which there was no room, or nobody, and drops it."""

    @patch(Dealer, "send_message")
    def send(original: Any, self: Dealer, parts: Any) -> Any:
        return original(self, parts) and Outcome.ACCEPTED


@mutant("reqrep/dealer/queues-while-connecting", "reqrep/dealer/queues-while-away")
def dealer_empties_queue_when_connected() -> None:
    """Throws away what was queued before a connection was ready."""

    @patch(Dealer, "greet")
    def greet(original: Any, self: Dealer, pipe: Any) -> None:
        pipe.outgoing.clear()
        original(self, pipe)


@mutant(
    "reqrep/dealer/keeps-what-it-accepts",
    "reqrep/router/never-waits-for-full-peer",
    breaks=[
        "29/pub/limit",
        "29/xsub/limit",
        "30/push/limit",
        "31/pair/limit",
        "libzmq-2/hwm/hard-limit",
        "libzmq-2/swap/size",
        "libzmq-4/mandatory/full-queue",
    ],
)
def queues_have_no_limit() -> None:
    """Queues without end, whatever the high-water mark is."""
    patch(Pipe, "is_full")(lambda original, self: False)


@mutant("reqrep/dealer/passes-over-full-peer")
def dealer_waits_for_full_peer() -> None:
    """Waits for the peer whose turn it is, though another one has room."""

    @patch(Dealer, "choose_outgoing")
    def choose(original: Any, self: Dealer) -> Any:
        pipe = next(iter(self.senders), None)
        return original(self) if pipe is not None and self.is_available(pipe) else None


@mutant(
    "reqrep/dealer/full-output-leaves-input",
    "reqrep/router/full-output-leaves-input",
    breaks=[
        "28/rep/pass-data",
        "29/xpub/double-queue",
        "29/xsub/double-queue",
        "31/pair/double-queue",
        "37/abnf/greeting",
    ],
)
def full_output_stops_input() -> None:
    """Does not read from a peer whose outgoing queue is full."""

    @patch(Pipe, "wants_more")
    def wants_more(original: Any, self: Pipe) -> bool:
        return bool(original(self)) and not self.is_full


@mutant(
    "reqrep/dealer/full-input-leaves-output",
    "reqrep/router/full-input-leaves-output",
    breaks=["31/pair/double-queue"],
)
def full_input_stops_output() -> None:
    """Does not write to a peer whose incoming queue is full."""

    @patch(Pipe, "flush")
    def flush(original: Any, self: Pipe) -> None:
        if not self.is_incoming_full:
            original(self)


@mutant("reqrep/dealer/forgets-peer-that-goes", breaks=["15/grammar/abnf-identity", "37/*"])
def dealer_bequeaths_queue() -> None:
    """Gives what was queued for a peer that has gone to the next one that comes."""
    left: list[Any] = []

    @patch(Dealer, "remove_pipe")
    def remove(original: Any, self: Dealer, pipe: Any) -> None:
        left.extend(pipe.outgoing)
        original(self, pipe)

    @patch(Dealer, "greet")
    def greet(original: Any, self: Dealer, pipe: Any) -> None:
        pipe.outgoing.extendleft(reversed(left))
        original(self, pipe)
        pipe.flush()
