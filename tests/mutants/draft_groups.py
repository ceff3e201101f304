"""Faults of RADIO and DISH (RFC 48; RFC 37, Radio-Dish)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Command, Frame, Join, Leave, Message
from harness.zmtp.grammar import LONG, MORE
from peers.reference.base import Outcome
from peers.reference.groups import Dish, Radio
from peers.reference.pipe import Parts, Pipe
from tests.mutants import faults
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
SERVED = ["37/radiodish/*", "37/sockettype/*", "37/threadsafe/*"]


@mutant("draft/radio/sends-to-exact-members", breaks=SERVED)
def radio_matches_the_start_of_a_group() -> None:
    """Takes a dish for a member where its group is the start of the message's."""

    @patch(Radio, "is_member")
    def is_member(original: Original, self: Radio, pipe: Pipe, group: bytes) -> bool:
        return any(group.startswith(joined) for joined in pipe.subscriptions)


@mutant("draft/radio/sends-to-exact-members", breaks=SERVED)
def radio_does_not_tell_capitals() -> None:
    """Takes a dish for a member of a group that differs in capitals."""

    @patch(Radio, "is_member")
    def is_member(original: Original, self: Radio, pipe: Pipe, group: bytes) -> bool:
        return group.lower() in {joined.lower() for joined in pipe.subscriptions}


@mutant("draft/radio/form-of-a-message", breaks=SERVED)
def radio_sends_group_and_body_in_one_frame() -> None:
    """Sends the group in front of the body in the same frame."""

    @patch(Radio, "put")
    def put(original: Original, self: Radio, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts if parts[0].startswith(b"~") else (b"".join(parts),))


@mutant("draft/radio/form-of-a-message", breaks=[*SERVED, "37/*", "23/*", "28/*", "29/*", "30/*", "31/*"])
def short_frames_with_more_are_sent_in_long_form() -> None:
    """Sends a short frame that is not the last one in the long form."""

    @patch(Frame, "serialize")
    def serialize(original: Original, self: Frame, version: int = 3) -> bytes:
        long = version == 3 and self.flags == MORE
        return bytes(original(self._replace(flags=MORE | LONG) if long else self, version))


@mutant("draft/radio/each-message-has-its-group", breaks=SERVED)
def radio_keeps_its_first_group() -> None:
    """Sends every message to the group of the first one that had a member."""

    @patch(Radio, "send_message")
    def send(original: Original, self: Radio, parts: Parts) -> Outcome:
        joined = any(self.is_member(pipe, parts[0]) for pipe in self.senders)
        if joined and not parts[0].startswith(b"~"):
            self.kept = getattr(self, "kept", parts[0])  # type: ignore[attr-defined]
            parts = (self.kept, *parts[1:])  # type: ignore[attr-defined]
        return Outcome(original(self, parts))


@mutant("draft/radio/who-leaves-gets-nothing")
def radio_ignores_leave() -> None:
    """Goes on sending to who has left."""

    @patch(Radio, "leave")
    def leave(original: Original, self: Radio, pipe: Pipe, group: bytes) -> None:
        """Nothing."""


@mutant("draft/radio/needless-commands")
def radio_closes_at_a_needless_leave() -> None:
    """Cuts off a dish that leaves what it had not joined."""

    @patch(Radio, "leave")
    def leave(original: Original, self: Radio, pipe: Pipe, group: bytes) -> None:
        if group not in pipe.subscriptions and pipe.link is not None:
            pipe.link.close("no member of that group")
        original(self, pipe, group)


@mutant("draft/radio/only-sends")
def radio_receives() -> None:
    """Gives the application what dishes send upstream."""
    Radio.can_receive = True


@mutant("draft/radio/only-sends")
def radio_passes_on_what_comes_upstream() -> None:
    """Sends what a dish sends upstream to the members of its group."""
    faults.sends_back_what_comes_upstream(Radio)


@mutant("draft/radio/slow-dish-holds-up-nobody", "draft/radio/full-queue-drops-without-waiting")
def radio_waits_for_the_slowest() -> None:
    """Takes no message while the queue of a dish is full."""

    @patch(Radio, "send_message")
    def send(original: Original, self: Radio, parts: Parts) -> Outcome:
        full = any(pipe.is_full for pipe in self.senders)
        return Outcome.WOULD_BLOCK if full else Outcome(original(self, parts))


@mutant("draft/radio/full-queue-drops-without-waiting")
def radio_queues_without_limit() -> None:
    """Queues whatever there is for a dish that does not read."""

    @patch(Radio, "is_available")
    def available(original: Original, self: Radio, pipe: Pipe) -> bool:
        return pipe.is_connected


@mutant("draft/radio/queue-goes-with-its-dish", breaks=["37/radiodish/*"])
def radio_keeps_the_groups_of_the_departed() -> None:
    """Takes who comes for a member of the groups of the one that went before."""
    kept: set[bytes] = set()

    @patch(Radio, "detach")
    def detach(original: Original, self: Radio, pipe: Pipe) -> None:
        kept.update(pipe.subscriptions)
        original(self, pipe)

    @patch(Radio, "greet")
    def greet(original: Original, self: Radio, pipe: Pipe) -> None:
        pipe.subscriptions.update(group for group in kept if not group.startswith(b"~"))
        kept.clear()


@mutant("draft/radio/what-is-no-group")
def radio_sends_to_any_group() -> None:
    """Sends to every dish whatever has a group that is none."""

    @patch(Radio, "send_message")
    def send(original: Original, self: Radio, parts: Parts) -> Outcome:
        outcome = Outcome(original(self, parts))
        if outcome is Outcome.REFUSED and len(parts) == 2:
            for pipe in self.senders:
                self.put(pipe, parts)
            return Outcome.ACCEPTED
        return outcome


@mutant("draft/dish/joins-by-command", breaks=SERVED)
def dish_joins_when_it_connects_only() -> None:
    """Does not tell a radio that it knows of another group."""

    @patch(Dish, "tell_all")
    def tell_all(original: Original, self: Dish, command: Join | Leave) -> None:
        if isinstance(command, Leave):
            original(self, command)


@mutant("draft/dish/joins-by-command", breaks=SERVED)
def dish_joins_what_it_knows_later_only() -> None:
    """Does not tell a radio that connects of the groups joined before."""

    @patch(Dish, "greet")
    def greet(original: Original, self: Dish, pipe: Pipe) -> None:
        """Nothing."""


@mutant("draft/dish/leaves-by-command", breaks=SERVED)
def dish_does_not_say_that_it_leaves() -> None:
    """Leaves a group without a word."""

    @patch(Dish, "tell_all")
    def tell_all(original: Original, self: Dish, command: Join | Leave) -> None:
        if isinstance(command, Join):
            original(self, command)


@mutant("draft/dish/delivers-with-its-group", breaks=SERVED)
def dish_shows_the_group_of_the_last_message() -> None:
    """Shows each message with the group of the one that came behind it."""

    @patch(Dish, "receive_message")
    def receive(original: Original, self: Dish) -> Parts | None:
        groups = [pipe.incoming[1][0] for pipe in self.receivers if len(pipe.incoming) > 1]
        parts: Parts | None = original(self)
        return (groups[0], *parts[1:]) if groups and parts else parts


@mutant("draft/dish/hears-by-turns")
def dish_hears_one_radio_out() -> None:
    """Takes all messages of the radio that came first before those of any other."""
    faults.hears_one_peer_out(Dish)


@mutant("draft/dish/only-receives")
def dish_sends() -> None:
    """Sends messages upstream."""
    Dish.can_send = True


@mutant("draft/dish/odd-messages")
def dish_delivers_any_number_of_frames() -> None:
    """Delivers what begins with a group that it joined, however many frames follow."""

    @patch(Dish, "admits")
    def admits(original: Original, self: Dish, pipe: Pipe, parts: Parts) -> bool:
        return parts[0] in self.groups


@mutant("draft/dish/goes-on-after-reconnect")
def dish_joins_once() -> None:
    """Does not tell a radio of its groups again when the connection is made anew."""

    @patch(Dish, "greet")
    def greet(original: Original, self: Dish, pipe: Pipe) -> None:
        if faults.nth(pipe) == 1:
            original(self, pipe)


@mutant("draft/dish/goes-on-after-reconnect")
def dish_drops_input_of_who_was_dialled() -> None:
    """Drops what a dialled radio sent when it goes away."""
    faults.drops_input_of_who_was_dialled(Dish)


@mutant("draft/dish/what-is-no-group", breaks=["37/radiodish/abnf-group"])
def dish_joins_anything() -> None:
    """Joins whatever the application says."""

    @patch(Dish, "check_group")
    def check(original: Original, self: Dish, group: bytes) -> None:
        """Nothing."""

    @patch(Dish, "tell_all")
    def tell_all(original: Original, self: Dish, command: Join | Leave) -> None:
        name = b"JOIN" if isinstance(command, Join) else b"LEAVE"
        for pipe in self.senders:
            if pipe.is_connected:
                pipe.put_command(Command(name, command.group))


@mutant("zmtp/trace/dishes-join", breaks=["48/*", "37/radiodish/*"])
def radio_joins() -> None:
    """Joins the group of what it has sent."""

    @patch(Radio, "put")
    def put(original: Original, self: Radio, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts)
        if not parts[0].startswith(b"~"):
            pipe.put_command(Join(parts[0]))


@mutant("zmtp/trace/group", breaks=["37/radiodish/*", "48/*"])
def dish_joins_a_group_of_zero() -> None:
    """Leaves a group that is an octet of zero whenever it joins one."""

    @patch(Dish, "tell_all")
    def tell_all(original: Original, self: Dish, command: Join | Leave) -> None:
        original(self, command)
        for pipe in self.senders:
            if isinstance(command, Join) and pipe.is_connected:
                pipe.put_command(Command(b"LEAVE", b"\0"))


@mutant("draft/radio/form-of-a-message", "draft/radio/sends-to-exact-members", breaks=SERVED)
def radio_cuts_bodies() -> None:
    """Sends a body without its last octet."""

    @patch(Radio, "put")
    def put(original: Original, self: Radio, pipe: Pipe, parts: Parts) -> None:
        original(self, pipe, parts if parts[0].startswith(b"~") else (parts[0], parts[1][:-1]))


@mutant("draft/dish/delivers-with-its-group", breaks=SERVED)
def dish_takes_bodies_for_requests() -> None:
    """Does not deliver a body that begins with an octet of zero."""

    @patch(Dish, "admits")
    def admits(original: Original, self: Dish, pipe: Pipe, parts: Parts) -> bool:
        return bool(original(self, pipe, parts)) and not parts[1].startswith(b"\0")


@mutant("draft/radio/queue-goes-with-its-dish", breaks=["37/radiodish/*"])
def radio_bequeaths_what_is_sent_meanwhile() -> None:
    """Keeps what is sent to a group that a departed dish was in for the next one that comes."""
    kept: list[Message] = []
    groups: set[bytes] = set()

    @patch(Radio, "detach")
    def detach(original: Original, self: Radio, pipe: Pipe) -> None:
        groups.update(pipe.subscriptions)
        original(self, pipe)

    @patch(Radio, "send_message")
    def send(original: Original, self: Radio, parts: Parts) -> Outcome:
        if parts[0] in groups and not parts[0].startswith(b"~"):
            kept.append(Message(*parts))
        return Outcome(original(self, parts))

    @patch(Radio, "greet")
    def greet(original: Original, self: Radio, pipe: Pipe) -> None:
        pipe.outgoing.extend(kept)
        kept.clear()
        pipe.flush()
