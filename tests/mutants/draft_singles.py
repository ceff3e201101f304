"""Faults of CLIENT, SCATTER, GATHER and CHANNEL (RFC 41, 49 and 52): mostly those of PUSH, PULL and PAIR."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.base import Outcome, Socket
from peers.reference.groups import Radio
from peers.reference.pipe import Parts, Pipe
from peers.reference.singles import Channel, Gather, Scatter, Server, Single
from tests.mutants import faults
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
SENT = ["37/sockettype/*", "37/threadsafe/*"]


@mutant("draft/outgoing/sends-messages-unchanged")
def single_swallows_what_looks_like_a_subscription() -> None:
    """Swallows a message that looks like a subscription or a cancellation."""
    faults.swallows_what_looks_like_a_subscription(Single)


@mutant("draft/outgoing/shares-in-rotation")
def single_gives_most_to_one_peer() -> None:
    """Gives most messages to the peer that came first, and the others one now and then."""
    faults.gives_most_to_one_peer(Single)


@mutant("draft/outgoing/sends-each-to-one")
def single_sends_every_hundredth_message_to_two() -> None:
    """Sends every hundredth message to two peers."""
    faults.sends_every_hundredth_message_to_two(Single)


@mutant("draft/outgoing/accepts-nothing-without-peer")
def single_drops_without_peer() -> None:
    """Accepts a message for nobody, and drops it."""
    faults.drops_without_peer(Single)


@mutant("draft/outgoing/accepts-nothing-without-peer")
def single_sends_what_it_refused() -> None:
    """Keeps a message that it did not take, and sends it to the first peer that comes."""
    faults.sends_what_it_refused(Single)


@mutant("draft/outgoing/sends-as-soon-as-a-peer-comes")
def single_forgets_who_came_while_it_waited() -> None:
    """Has no queue for a peer that connects while a message waits for one."""
    faults.forgets_who_came_while_it_waited(Single)


@mutant("draft/outgoing/queues-while-connecting")
def single_forgets_what_waits_for_connection() -> None:
    """Throws away, when a connection is made for the first time, what was queued for it."""
    faults.forgets_what_waits_for_connection(Single)


@mutant(
    "draft/outgoing/queues-while-away",
    "draft/channel/queues-while-away",
    "draft/routing/queues-while-away",
)
def single_forgets_what_waits_for_reconnection() -> None:
    """Throws away, when a connection is made again, what was queued meanwhile."""
    faults.forgets_what_waits_for_reconnection(Single)


@mutant("draft/outgoing/serves-who-joins-late")
def single_ignores_late_joiners() -> None:
    """Gives no work to a peer that comes after ten messages have gone out."""
    faults.ignores_late_joiners(Single)


@mutant("draft/outgoing/goes-on-without-departed-peer")
def single_keeps_the_queue_of_who_has_gone() -> None:
    """Goes on queueing messages for a peer that has gone, while another is there."""
    faults.keeps_the_queue_of_who_has_gone(Single)


@mutant(
    "draft/outgoing/queue-goes-with-its-peer",
    "draft/channel/queue-goes-with-its-peer",
    "draft/routing/queue-goes-with-its-partner",
)
def single_bequeaths_its_queue() -> None:
    """Gives the next peer what was queued for the one that has gone."""
    faults.bequeaths_its_queue(Single)


@mutant("draft/outgoing/passes-over-full-peer")
def single_waits_for_whose_turn_it_is() -> None:
    """Waits for the peer whose turn it is, though another one has room."""
    faults.waits_for_whose_turn_it_is(Single)


@mutant(
    "draft/outgoing/passes-over-full-peer",
    "draft/outgoing/waits-when-all-are-full",
    "draft/routing/full-queue-waits",
)
def single_drops_what_a_full_peer_cannot_take() -> None:
    """Drops a message when the peer whose turn it is has no room."""
    faults.drops_what_a_full_peer_cannot_take(Single)


@mutant("draft/outgoing/waits-when-all-are-full", "draft/channel/waits-when-peer-is-full")
def single_queues_without_limit() -> None:
    """Queues whatever there is for peers that do not read."""
    faults.queues_without_limit(Single)


@mutant("draft/outgoing/scatter-never-receives")
def scatter_receives() -> None:
    """Gives the application what peers send upstream."""
    Scatter.can_receive = True


@mutant("draft/outgoing/scatter-never-receives")
def scatter_sends_back_what_comes_upstream() -> None:
    """Sends what comes upstream, as if the application had."""
    faults.sends_back_what_comes_upstream(Scatter)


@mutant("draft/incoming/delivers-messages-unchanged", breaks=SENT)
def single_takes_messages_for_subscriptions() -> None:
    """Does not deliver a message that looks like a subscription or a cancellation."""
    faults.takes_messages_for_subscriptions(Single)


@mutant("draft/incoming/delivers-all-in-order")
def single_keeps_a_hundred() -> None:
    """Drops what comes while a hundred messages of a peer wait."""
    faults.keeps_a_hundred(Single)


@mutant("draft/incoming/delivers-all-in-order")
def single_delivers_message_299_twice() -> None:
    """Delivers message 299 of a connection twice."""
    faults.delivers_message_299_twice(Single)


@mutant("draft/incoming/hears-by-turns", "draft/incoming/hears-the-quiet-beside-the-busy")
def single_hears_one_peer_out() -> None:
    """Takes all messages of the peer that came first before those of any other."""
    faults.hears_one_peer_out(Single)


@mutant("draft/incoming/dials-and-goes-on-after-reconnect")
def single_drops_input_of_who_was_dialled() -> None:
    """Drops what a dialled peer sent when it goes away."""
    faults.drops_input_of_who_was_dialled(Single)


@mutant("draft/incoming/hears-who-joins-late", breaks=SENT)
def single_hears_the_first_peer_only() -> None:
    """Discards what comes from peers after the first."""
    faults.hears_the_first_peer_only(Single)


@mutant("draft/incoming/unread-input-of-departed-peer")
def single_keeps_the_last_message_of_who_has_gone() -> None:
    """Of a peer that has gone only the last message is kept."""
    faults.keeps_the_last_message_of_who_has_gone(Single)


@mutant("draft/incoming/gather-only-receives")
def gather_sends() -> None:
    """Sends messages upstream."""
    Gather.can_send = True


@mutant("draft/incoming/gather-only-receives", breaks=["37/*"])
def gather_acknowledges_upstream() -> None:
    """Answers every message with an empty one."""

    @patch(Gather, "take_message")
    def take(original: Original, self: Gather, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts)
        pipe.put((b"",))


@mutant("draft/channel/keeps-order-both-ways")
def channel_loses_every_hundredth_message() -> None:
    """Drops every hundredth message that comes."""
    faults.loses_every_hundredth_message(Channel)


@mutant("draft/channel/second-peer-changes-nothing")
def channel_serves_two_peers() -> None:
    """Takes any number of peers, and serves them in rotation."""
    faults.serves_two_peers(Channel)


@mutant("draft/channel/second-peer-changes-nothing")
def channel_leaves_its_peer_for_another() -> None:
    """Closes the connection with its peer when another comes."""
    faults.leaves_its_peer_for_another(Channel)


@mutant("draft/channel/successor-is-served", breaks=SENT)
def channel_has_one_peer_in_its_life() -> None:
    """Takes no other peer once it has had one."""
    faults.has_one_peer_in_its_life(Channel)


@mutant("draft/channel/waits-when-peer-is-full")
def channel_drops_four_messages_of_a_full_queue() -> None:
    """Accepts four messages for which its peer has no room, and drops them."""
    faults.drops_four_messages_of_a_full_queue(Channel)


@mutant("draft/threadsafe/refuses-several-frames")
def single_sends_several_frames() -> None:
    """Sends a message of several frames as it is given."""

    @patch(Single, "send")
    def send(original: Original, self: Single, parts: Parts) -> Outcome:
        return Socket.send(self, parts)


@mutant("draft/threadsafe/refuses-several-frames")
def server_sends_the_first_frame() -> None:
    """Accepts a message of several frames, and sends the first."""

    @patch(Server, "send")
    def send(original: Original, self: Server, parts: Parts) -> Outcome:
        return Outcome(original(self, parts[:2]))


@mutant("draft/threadsafe/refuses-several-frames", breaks=["37/radiodish/*"])
def radio_sends_several_frames() -> None:
    """Accepts a message of several frames, and sends them behind the group."""

    @patch(Radio, "send_message")
    def send(original: Original, self: Radio, parts: Parts) -> Outcome:
        outcome = Outcome(original(self, parts[:2]))
        for pipe in self.senders:
            if len(parts) > 2 and self.is_member(pipe, parts[0]):
                self.put(pipe, parts)
        return outcome


@mutant("draft/threadsafe/throws-away-several-frames", breaks=SENT)
def single_delivers_several_frames() -> None:
    """Delivers a message of several frames."""

    @patch(Single, "admits")
    def admits(original: Original, self: Single, pipe: Pipe, parts: Parts) -> bool:
        return True


@mutant("draft/threadsafe/throws-away-several-frames", breaks=SENT)
def single_delivers_the_first_frame() -> None:
    """Delivers the first frame of a message of several."""

    @patch(Single, "take_message")
    def take(original: Original, self: Single, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts[:1])


@mutant("draft/threadsafe/throws-away-several-frames", breaks=SENT)
def single_delivers_the_last_frame() -> None:
    """Delivers the last frame of a message of several."""

    @patch(Single, "take_message")
    def take(original: Original, self: Single, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts[-1:])


@mutant("zmtp/trace/one-frame", breaks=SENT)
def single_ends_messages_with_an_empty_frame() -> None:
    """Sends an empty frame behind each message."""

    @patch(Single, "put")
    def put(original: Original, self: Single, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, (*parts, b""))
