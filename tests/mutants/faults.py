"""Faults that several socket types can have: each patches the class that it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.base import Outcome, Socket
from peers.reference.pipe import Parts, Pipe
from tests.mutants.registry import patch

Original = Callable[..., Any]


def nth(thing: Any) -> int:
    """How often this has been asked about the thing, this time included."""
    thing.asked_nth = getattr(thing, "asked_nth", 0) + 1
    return int(thing.asked_nth)


def swallows_what_looks_like_a_subscription(kind: type[Socket]) -> None:
    """Swallows a message that looks like a subscription or a cancellation."""

    @patch(kind, "put")
    def put(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> None:
        if len(parts) > 1 or parts[0][:1] not in (b"\0", b"\1"):
            original(self, pipe, parts)


def gives_most_to_one_peer(kind: type[Socket]) -> None:
    """Gives most messages to the peer that came first, and the others one now and then."""

    @patch(kind, "choose_outgoing")
    def choose(original: Original, self: Socket) -> Pipe | None:
        turn = nth(self)
        first = min((p for p in self.senders if self.is_available(p)), key=lambda p: p.number, default=None)
        return first if first is not None and turn % 5 else original(self)


def sends_every_hundredth_message_to_two(kind: type[Socket]) -> None:
    """Sends every hundredth message to two peers."""

    @patch(kind, "send_message")
    def send(original: Original, self: Socket, parts: Parts) -> Outcome:
        if nth(self) % 100 == 0:
            original(self, parts)
        return Outcome(original(self, parts))


def drops_without_peer(kind: type[Socket]) -> None:
    """Accepts a message for nobody, and drops it."""

    @patch(kind, "send_message")
    def send(original: Original, self: Socket, parts: Parts) -> Outcome:
        return Outcome(original(self, parts)) if len(self.senders) else Outcome.ACCEPTED


def sends_what_it_refused(kind: type[Socket]) -> None:
    """Keeps a message that it did not take, and sends it to the first peer that comes."""
    kept: list[Parts] = []

    @patch(kind, "send_message")
    def send(original: Original, self: Socket, parts: Parts) -> Outcome:
        outcome = Outcome(original(self, parts))
        if outcome is Outcome.WOULD_BLOCK:
            kept[:] = [parts]
        return outcome

    @patch(kind, "greet")
    def greet(original: Original, self: Socket, pipe: Pipe) -> None:
        for parts in kept:
            pipe.put(parts)
        kept.clear()


def forgets_who_came_while_it_waited(kind: type[Socket]) -> None:
    """Has no queue for a peer that connects while a message waits for one."""

    @patch(kind, "send_message")
    def send(original: Original, self: Socket, parts: Parts) -> Outcome:
        self.waits = not len(self.senders)  # type: ignore[attr-defined]
        return Outcome(original(self, parts))

    @patch(kind, "add_pipe")
    def add(original: Original, self: Socket, pipe: Pipe) -> None:
        if pipe.dialled or not getattr(self, "waits", False):
            original(self, pipe)


def forgets_what_waits_for_connection(kind: type[Socket]) -> None:
    """Throws away, when a connection is made for the first time, what was queued for it."""

    @patch(kind, "greet")
    def greet(original: Original, self: Socket, pipe: Pipe) -> None:
        if nth(pipe) == 1:
            pipe.outgoing.clear()


def forgets_what_waits_for_reconnection(kind: type[Socket]) -> None:
    """Throws away, when a connection is made again, what was queued meanwhile."""

    @patch(kind, "greet")
    def greet(original: Original, self: Socket, pipe: Pipe) -> None:
        if nth(pipe) > 1:
            pipe.outgoing.clear()


def ignores_late_joiners(kind: type[Socket]) -> None:
    """Gives no work to a peer that comes after ten messages have gone out."""

    @patch(kind, "put")
    def put(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> None:
        nth(self)
        original(self, pipe, parts)

    @patch(kind, "add_pipe")
    def add(original: Original, self: Socket, pipe: Pipe) -> None:
        if getattr(self, "asked_nth", 0) < 10:
            original(self, pipe)


def keeps_the_queue_of_who_has_gone(kind: type[Socket]) -> None:
    """Goes on queueing messages for a peer that has gone, while another is there."""

    @patch(kind, "remove_pipe")
    def remove(original: Original, self: Socket, pipe: Pipe) -> None:
        if len(self.senders) < 2:
            original(self, pipe)


def bequeaths_its_queue(kind: type[Socket]) -> None:
    """Gives the next peer what was queued for the one that has gone."""
    kept: list[Any] = []

    @patch(kind, "remove_pipe")
    def remove(original: Original, self: Socket, pipe: Pipe) -> None:
        kept[:] = pipe.outgoing
        original(self, pipe)

    @patch(kind, "greet")
    def greet(original: Original, self: Socket, pipe: Pipe) -> None:
        pipe.outgoing.extend(kept)
        kept.clear()
        pipe.flush()


def waits_for_whose_turn_it_is(kind: type[Socket]) -> None:
    """Waits for the peer whose turn it is, though another one has room."""

    @patch(kind, "choose_outgoing")
    def choose(original: Original, self: Socket) -> Pipe | None:
        turn = next(iter(self.senders), None)
        return original(self) if turn is not None and self.is_available(turn) else None


def drops_what_a_full_peer_cannot_take(kind: type[Socket]) -> None:
    """Drops a message when the peer whose turn it is has no room."""

    @patch(kind, "is_available")
    def available(original: Original, self: Socket, pipe: Pipe) -> bool:
        return True

    @patch(kind, "put")
    def put(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> None:
        if not pipe.is_full:
            original(self, pipe, parts)


def queues_without_limit(kind: type[Socket]) -> None:
    """Queues whatever there is for peers that do not read."""

    @patch(kind, "is_available")
    def available(original: Original, self: Socket, pipe: Pipe) -> bool:
        return True


def sends_back_what_comes_upstream(kind: type[Socket]) -> None:
    """Pushes what a peer sends upstream, as if the application had."""

    @patch(kind, "take_message")
    def take(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> None:
        self.send_message(parts)


def takes_messages_for_subscriptions(kind: type[Socket]) -> None:
    """Does not deliver a message that looks like a subscription or a cancellation."""

    @patch(kind, "admits")
    def admits(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> bool:
        return len(parts) > 1 or parts[0][:1] not in (b"\0", b"\1")


def keeps_a_hundred(kind: type[Socket]) -> None:
    """Drops what comes while a hundred messages of a peer wait."""

    @patch(kind, "has_room")
    def has_room(original: Original, self: Socket, pipe: Pipe) -> bool:
        return len(pipe.incoming) < 100


def delivers_message_299_twice(kind: type[Socket]) -> None:
    """Delivers message 299 of a connection twice."""

    @patch(kind, "take_message")
    def take(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts)
        pipe.taken = getattr(pipe, "taken", 0) + 1  # type: ignore[attr-defined]
        if pipe.taken == 300:  # type: ignore[attr-defined]
            original(self, pipe, parts)


def hears_one_peer_out(kind: type[Socket]) -> None:
    """Takes all messages of the peer that came first before those of any other."""

    @patch(kind, "choose_incoming")
    def choose(original: Original, self: Socket) -> Pipe | None:
        ready = [pipe for pipe in self.receivers if pipe.incoming]
        return min(ready, key=lambda pipe: pipe.number, default=None)


def drops_input_of_who_was_dialled(kind: type[Socket]) -> None:
    """Drops what a dialled peer sent when it goes away."""

    @patch(kind, "detach")
    def detach(original: Original, self: Socket, pipe: Pipe) -> None:
        if pipe.dialled:
            pipe.incoming.clear()


def hears_the_first_peer_only(kind: type[Socket]) -> None:
    """Discards what comes from peers after the first."""

    @patch(kind, "admits")
    def admits(original: Original, self: Socket, pipe: Pipe, parts: Parts) -> bool:
        return pipe is min(self.receivers, key=lambda one: one.number)


def keeps_the_last_message_of_who_has_gone(kind: type[Socket]) -> None:
    """Of a peer that has gone only the last message is kept."""

    @patch(kind, "remove_pipe")
    def remove(original: Original, self: Socket, pipe: Pipe) -> None:
        self.senders.remove(pipe)
        while len(pipe.incoming) > 1:
            pipe.incoming.popleft()


def loses_every_hundredth_message(kind: type[Socket]) -> None:
    """Drops every hundredth message that comes."""

    @patch(kind, "has_room")
    def has_room(original: Original, self: Socket, pipe: Pipe) -> bool:
        return bool(nth(pipe) % 100)


def serves_two_peers(kind: type[Socket]) -> None:
    """Takes any number of peers, and serves them in rotation."""

    @patch(kind, "accepts")
    def accepts(original: Original, self: Socket, pipe: Pipe) -> bool:
        return True


def leaves_its_peer_for_another(kind: type[Socket]) -> None:
    """Closes the connection with its peer when another comes."""

    @patch(kind, "accepts")
    def accepts(original: Original, self: Socket, pipe: Pipe) -> bool:
        for other in self.senders:
            if other is not pipe and other.link is not None:
                other.link.close("another peer has come")
        return True


def has_one_peer_in_its_life(kind: type[Socket]) -> None:
    """Takes no other peer once it has had one."""

    @patch(kind, "accepts")
    def accepts(original: Original, self: Socket, pipe: Pipe) -> bool:
        return nth(self) == 1 and bool(original(self, pipe))


def drops_four_messages_of_a_full_queue(kind: type[Socket]) -> None:
    """Accepts four messages for which its peer has no room, and drops them."""

    @patch(kind, "send_message")
    def send(original: Original, self: Socket, parts: Parts) -> Outcome:
        outcome = Outcome(original(self, parts))
        if outcome is Outcome.WOULD_BLOCK and len(self.senders) and nth(self) < 5:
            return Outcome.ACCEPTED
        return outcome
