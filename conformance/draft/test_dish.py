"""DISH: what is sent to the groups that it joined (RFC 48, The DISH Socket Type; RFC 37, Radio-Dish)."""

from __future__ import annotations

from contextlib import suppress

import pytest

from conformance.reqrep.ends import expect_fair, put_before, settle
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import OperationRefused, Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Join, Leave, Message

from .members import BODIES, GROUPS, NO_GROUPS, radio_of

EACH = 60
ODD = {
    "group-alone": (b"group",),
    "three-frames": (b"group", b"body", b"more"),
    "empty-last": (b"group", b"", b""),
}


@case(
    "draft/dish/joins-by-command",
    clauses=[
        "37/radiodish/join-command",
        "37/radiodish/abnf-join",
        "37/radiodish/abnf-group",
        "37/radiodish/abnf-group-char",
        "48/group/abnf-group",
        "48/group/length",
    ],
    needs=["DISH"],
)
@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_joins_by_command(peer: Peer, attach: Attach, group: bytes) -> None:
    """JOIN tells a radio of each group, of one joined before the connection was made and of one after."""
    dish = peer.open("DISH")
    dish.subscribe(b"before")
    raw = radio_of(attach(dish), b"before")
    dish.subscribe(group)
    raw.expect(Join(group), clause="37/radiodish/join-command")


@case(
    "draft/dish/leaves-by-command",
    clauses=["37/radiodish/leave-command", "37/radiodish/abnf-leave"],
    needs=["DISH"],
)
@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_leaves_by_command(peer: Peer, attach: Attach, group: bytes) -> None:
    """LEAVE tells a radio that a group is left."""
    dish = peer.open("DISH")
    dish.subscribe(group)
    raw = radio_of(attach(dish), group)
    dish.cancel(group)
    raw.expect(Leave(group), clause="37/radiodish/leave-command")


@case(
    "draft/dish/delivers-with-its-group",
    clauses=[
        "48/dish/attach-group",
        "48/dish/get-group",
        "48/dish/deliver",
        "48/dish/no-modify",
        "48/dish/create-on-accept",
        "37/radiodish/abnf-radio-dish-message",
    ],
    needs=["DISH"],
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_delivers_with_its_group(peer: Peer, attach: Attach, body: bytes) -> None:
    """Each message reaches the application as it came, with its own group."""
    dish = peer.open("DISH")
    for group in (b"A", b"", b"B"):
        dish.subscribe(group)
    raw = radio_of(attach(dish), b"A", b"", b"B")
    raw.send(Message(b"A", body), Message(b"", body), Message(b"B", body), Message(b"A", b"fence"))
    for group in (b"A", b"", b"B"):
        dish.expect(group, body, clause="48/dish/no-modify")
    dish.expect(b"A", b"fence", clause="48/dish/deliver")


@case(
    "draft/dish/hears-by-turns",
    clauses=["48/dish/fair-queue", "48/dish/queue", "48/dish/deliver"],
    needs=["DISH", "feature:heartbeat"],
)
def test_hears_by_turns(peer: Peer, attach: Attach) -> None:
    """Of three radios with many messages waiting none is left for last."""
    dish = peer.open("DISH")
    dish.subscribe(b"group")
    names = (b"a", b"b", b"c")
    raws = [radio_of(attach(dish), b"group") for _ in names]
    put_before(
        dish, *((raw, [Message(b"group", name)] * EACH) for raw, name in zip(raws, names, strict=True))
    )
    heard = [dish.recv(clause="48/dish/deliver")[-1] for _ in range(EACH * len(names))]
    expect_fair(heard, names, "48/dish/fair-queue")


@case("draft/dish/only-receives", clauses=["48/dish/receive-only"], needs=["DISH", "feature:heartbeat"])
def test_only_receives(peer: Peer, attach: Attach) -> None:
    """The application cannot send, nothing but commands goes upstream, and receiving goes on."""
    dish = peer.open("DISH")
    dish.subscribe(b"group")
    raw = radio_of(attach(dish), b"group")
    dish.expect_send_refused(b"group", b"upstream", clause="48/dish/receive-only")
    raw.fence("48/dish/receive-only")
    raw.send(Message(b"group", b"news"))
    dish.expect(b"group", b"news", clause="48/dish/deliver")


@case(
    "draft/dish/odd-messages",
    clauses=["37/radiodish/abnf-radio-dish-message", "48/goals/no-multipart"],
    needs=["DISH", "feature:heartbeat"],
)
@pytest.mark.parametrize("parts", ODD.values(), ids=ODD)
def test_odd_messages(peer: Peer, dial: Dial, judge: Judge, parts: tuple[bytes, ...]) -> None:
    """A message of one frame, or of three, is dropped or ends the connection, and the next radio is heard."""
    clause = "37/radiodish/abnf-radio-dish-message"
    dish = peer.open("DISH")
    endpoint = dish.bind()
    raw = dial(endpoint).handshake("RADIO")
    dish.subscribe(b"group")
    raw.expect(Join(b"group"), clause="37/radiodish/join-command")
    raw.send(Message(*parts))
    if settle(raw, clause):
        judge.note("the radio is heard on")
        raw.send(Message(b"group", b"news"))
        dish.expect(b"group", b"news", clause=clause)
    else:
        judge.note("the radio is cut off")
        dish.cancel(b"group")
        expect_serves(dish, dial(endpoint).handshake("RADIO"), clause)


@case(
    "draft/dish/goes-on-after-reconnect",
    clauses=[
        "48/dish/keep-unconnected",
        "48/dish/create-on-connect",
        "37/radiodish/join-command",
        "37/errors/close-reconnect",
    ],
    needs=["DISH", "feature:heartbeat"],
)
def test_goes_on_after_reconnect(peer: Peer, listen: Listen, judge: Judge) -> None:
    """What a radio sent before it broke off stays readable; afterwards it is told the groups again."""
    dish = peer.open("DISH")
    dish.subscribe(b"group")
    listener = listen()
    dish.connect(listener.endpoint)
    raw = radio_of(listener.accept(), b"group")
    raw.send(Message(b"group", b"first"))
    dish.expect(b"group", b"first", clause="48/dish/create-on-connect")
    raw.send(Message(b"group", b"second"))
    raw.fence()
    raw.close()
    again = radio_of(listener.accept(clause="37/errors/close-reconnect"), b"group")
    again.send(Message(b"group", b"third"))
    came = sorted(dish.recv(clause="48/dish/keep-unconnected") for _ in range(2))
    judge.equal(came, [[b"group", b"second"], [b"group", b"third"]], "48/dish/keep-unconnected")


@case(
    "draft/dish/what-is-no-group",
    clauses=["48/group/length", "48/group/characters", "37/radiodish/abnf-group"],
    needs=["DISH"],
)
@pytest.mark.parametrize("group", NO_GROUPS.values(), ids=NO_GROUPS)
def test_what_is_no_group(peer: Peer, attach: Attach, judge: Judge, group: bytes) -> None:
    """A group that is too long, or has an octet of zero, is refused or ends before that; none goes out."""
    dish = peer.open("DISH")
    raw = radio_of(attach(dish))
    with suppress(OperationRefused):
        dish.subscribe(group)
    dish.subscribe(b"kept")
    joined = list(iter(lambda: raw.expect(Join, clause="48/group/length").group, b"kept"))
    judge.note(f"joins {joined}" if joined else "joins nothing")
    judge.that(b"\0" not in b"".join(joined), "no octet of zero", joined, "48/group/characters")
    judge.that(len(b"".join(joined)) < 256, "255 octets at most", joined, "48/group/length")
