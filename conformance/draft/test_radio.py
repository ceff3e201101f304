"""RADIO: to the members of a message's group (RFC 48, The RADIO Socket Type; RFC 37, Radio-Dish)."""

from __future__ import annotations

import pytest

from conformance.pipeline.ends import BIG_OCTETS, small_window
from conformance.pubsub.probe import receives_nothing
from conformance.reqrep.ends import attempt
from harness.case import Judge, case
from harness.control.flood import body as flooded
from harness.peer import Outcome, Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Message
from harness.zmtp.grammar import MORE

from .members import BODIES, GROUPS, NO_GROUPS, member

MARK = 5
FLOOD = 100
SHARED = 40
MEMBERSHIP = ["48/radio/exact-group", "37/radiodish/exact-match", "37/radiodish/radio-filters"]
TWO_FRAMES = "37/radiodish/abnf-radio-dish-message"
FORM = [
    "37/radiodish/two-part",
    "37/radiodish/abnf-group-part",
    "37/radiodish/abnf-body-part",
    TWO_FRAMES,
    "48/radio/no-modify",
    "48/radio/attach-group",
]


@case(
    "draft/radio/sends-to-exact-members",
    clauses=[
        *MEMBERSHIP,
        "48/radio/receive-commands",
        "48/radio/create-on-accept",
        "48/radio/create-on-connect",
        "37/radiodish/group-delivery",
        "37/radiodish/abnf-group",
        "37/radiodish/abnf-group-char",
    ],
    needs=["RADIO"],
)
@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_sends_to_exact_members(peer: Peer, attach: Attach, group: bytes) -> None:
    """A dish gets what is sent to a group that it joined, and nothing of one that only resembles it."""
    radio = peer.open("RADIO")
    dish = member(attach(radio), radio, group)
    for other in {group[:-1], group[1:], group + b"s", group.upper(), b"other"} - {group}:
        if len(other) < 256:
            radio.send([other, b"not for you"], "48/radio/no-block")
    radio.send([group, b"for you"], "48/radio/no-block")
    dish.expect(group, b"for you")
    dish.settle("48/radio/exact-group")


@case("draft/radio/form-of-a-message", clauses=FORM, needs=["RADIO"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("group", [b"group", b""], ids=["group", "empty"])
def test_form_of_a_message(peer: Peer, attach: Attach, judge: Judge, group: bytes, body: bytes) -> None:
    """A message is its group, in a short frame with MORE, and its body as it was given, in a last frame."""
    radio = peer.open("RADIO")
    dish = member(attach(radio), radio, group)
    radio.send([group, body], "48/radio/no-block")
    dish.expect(group, body, clause="48/radio/no-modify")
    received = dish.raw.last
    assert received is not None
    flags = [frame.flags for frame in received.frames]
    judge.equal(flags[:1], [MORE], "37/radiodish/abnf-group-part")
    judge.equal(len(flags), 2, "37/radiodish/two-part")


@case(
    "draft/radio/each-message-has-its-group", clauses=["48/radio/attach-group", *MEMBERSHIP], needs=["RADIO"]
)
def test_each_message_has_its_group(peer: Peer, attach: Attach) -> None:
    """Of messages to several groups each member gets those of its own, in order."""
    radio = peer.open("RADIO")
    both = member(attach(radio), radio, b"A", b"B")
    one = member(attach(radio), radio, b"B")
    for number in range(10):
        for group in (b"A", b"B", b"C"):
            radio.send([group, b"%d" % number], "48/radio/no-block")
    for number in range(10):
        both.expect(b"A", b"%d" % number, clause="48/radio/attach-group")
        both.expect(b"B", b"%d" % number, clause="48/radio/attach-group")
        one.expect(b"B", b"%d" % number, clause="48/radio/attach-group")
    both.settle("48/radio/exact-group")
    one.settle("48/radio/exact-group")


@case(
    "draft/radio/who-leaves-gets-nothing",
    clauses=["48/radio/receive-commands", "37/radiodish/radio-filters"],
    needs=["RADIO"],
)
def test_who_leaves_gets_nothing(peer: Peer, attach: Attach) -> None:
    """After LEAVE a dish gets nothing more of that group, and other groups go on."""
    radio = peer.open("RADIO")
    dish = member(attach(radio), radio, b"left", b"kept")
    dish.leave(b"left")
    dish.settle("48/radio/receive-commands")
    radio.send([b"left", b"not for you"], "48/radio/no-block")
    radio.send([b"kept", b"for you"], "48/radio/no-block")
    dish.expect(b"kept", b"for you", clause="48/radio/receive-commands")


@case("draft/radio/needless-commands", clauses=["48/radio/receive-commands"], needs=["RADIO"])
def test_needless_commands(peer: Peer, attach: Attach, judge: Judge) -> None:
    """To leave what was not joined does no harm; whether one LEAVE undoes two JOINs is free."""
    radio = peer.open("RADIO")
    dish = member(attach(radio), radio, b"kept", b"twice", b"twice")
    dish.leave(b"never joined", b"twice")
    dish.settle("48/radio/receive-commands")
    radio.send([b"twice", b"perhaps"], "48/radio/no-block")
    radio.send([b"kept", b"for you"], "48/radio/no-block")
    first = dish.next(clause="48/radio/receive-commands")
    judge.note("one LEAVE undoes two JOINs" if first == Message(b"kept", b"for you") else "a member yet")
    if first == Message(b"twice", b"perhaps"):
        first = dish.next(clause="48/radio/receive-commands")
    judge.equal(first, Message(b"kept", b"for you"))


@case(
    "draft/radio/only-sends",
    clauses=["48/radio/send-only", "48/radio/discard-upstream", "48/radio/hide-commands"],
    needs=["RADIO"],
)
def test_only_sends(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The application gets neither messages nor commands of a dish, and no other dish gets them."""
    radio = peer.open("RADIO")
    talker, other = member(attach(radio), radio, b"A"), member(attach(radio), radio, b"A")
    talker.raw.send(Message(b"A", b"upstream"), Message(b"upstream"))
    judge.note("the talker stays" if talker.stays() else "the talker is disconnected")
    judge.note(receives_nothing(radio, "48/radio/send-only"))
    radio.send([b"A", b"news"], "48/radio/no-block")
    other.expect(b"A", b"news", clause="48/radio/discard-upstream")


@case(
    "draft/radio/slow-dish-holds-up-nobody",
    clauses=["48/radio/queue", "48/radio/no-block"],
    needs=["RADIO", "option:send-hwm"],
)
def test_slow_dish_holds_up_nobody(peer: Peer, attach: Attach) -> None:
    """A dish gets every message though another does not read."""
    radio = peer.open("RADIO", send_hwm=MARK)
    slow = member(small_window(attach(radio)), radio, b"A")
    other = member(attach(radio), radio, b"A")
    for number in range(SHARED):
        body = b"%d" % number + bytes(BIG_OCTETS)
        radio.send([b"A", body], "48/radio/no-block")
        other.expect(b"A", body, clause="48/radio/queue")
    slow.collect("48/radio/queue")


@case(
    "draft/radio/full-queue-drops-without-waiting",
    clauses=["48/radio/no-block", "48/radio/drop-when-full", "48/radio/limit"],
    needs=["RADIO", "option:send-hwm"],
)
def test_full_queue_drops_without_waiting(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """Sending to a dish that does not read never waits; what does not fit is dropped whole."""
    radio = peer.open("RADIO", send_hwm=MARK)
    slow = member(small_window(attach(radio)), radio, b"A")
    accepted = radio.flood(FLOOD, BIG_OCTETS, seed, head=[b"A"])
    judge.that(accepted == FLOOD, f"{FLOOD} messages accepted", accepted, "48/radio/no-block")
    came = slow.collect("48/radio/drop-when-full")
    judge.note(f"{len(came)} of {FLOOD} arrived")
    numbers = [int.from_bytes(message.parts[-1][:8], "big") for message in came]
    whole = [Message(b"A", flooded(seed, number, BIG_OCTETS)) for number in numbers]
    judge.that(came == whole, "whole messages", "one that was not sent so", "48/radio/drop-when-full")
    judge.equal(numbers, sorted(set(numbers)), "48/radio/drop-when-full")
    judge.that(len(came) < FLOOD, "messages dropped at the limit", "all queued", "48/radio/limit")


@case(
    "draft/radio/queue-goes-with-its-dish", clauses=["48/radio/destroy", "48/radio/discard"], needs=["RADIO"]
)
def test_queue_goes_with_its_dish(peer: Peer, dial: Dial) -> None:
    """A dish that comes back finds neither old messages nor its old groups."""
    radio = peer.open("RADIO")
    endpoint = radio.bind()
    leaving, staying = member(dial(endpoint), radio, b"A"), member(dial(endpoint), radio, b"A")
    leaving.raw.close()
    radio.send([b"A", b"while away"], "48/radio/no-block")
    staying.expect(b"A", b"while away", clause="48/radio/destroy")
    back = member(dial(endpoint), radio)
    radio.send([b"A", b"not asked for"], "48/radio/no-block")
    staying.expect(b"A", b"not asked for", clause="48/radio/destroy")
    back.settle("48/radio/destroy")
    back.join(b"A")
    back.settle("48/radio/destroy")
    radio.send([b"A", b"again"], "48/radio/no-block")
    back.expect(b"A", b"again", clause="48/radio/destroy")


@case(
    "draft/radio/what-is-no-group",
    clauses=[
        "48/group/length",
        "48/group/characters",
        "48/group/abnf-group",
        "48/group/abnf-group-char",
        TWO_FRAMES,
    ],
    needs=["RADIO"],
)
@pytest.mark.parametrize("group", NO_GROUPS.values(), ids=NO_GROUPS)
def test_what_is_no_group(peer: Peer, attach: Attach, judge: Judge, group: bytes) -> None:
    """A group that is too long, or has an octet of zero, is refused or ends before that; none goes out."""
    radio = peer.open("RADIO")
    dish = member(attach(radio), radio, group.split(b"\0")[0][:255], b"kept")
    outcome = attempt(radio, group, b"body")
    judge.note(outcome.value)
    radio.send([b"kept", b"for you"], "48/radio/no-block")
    came = dish.next(clause="48/group/length")
    if outcome is Outcome.ACCEPTED and came.parts[0] != b"kept":
        judge.that(b"\0" not in came.parts[0], "no octet of zero", came, "48/group/characters")
        judge.that(len(came.parts[0]) < 256, "255 octets at most", came, "48/group/length")
        came = dish.next(clause="48/group/length")
    judge.equal(came, Message(b"kept", b"for you"), "48/group/length")
