"""How those that receive take what comes in (RFC 41, 49, 51 and 52)."""

from __future__ import annotations

import pytest

from conformance.pair import exclusive
from conformance.pipeline import incoming
from conformance.pipeline.kinds import CHANNEL, CLIENT, GATHER, PEER, SERVER, Kind, all_clauses, of_kinds
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

from .bodies import BODIES

SEVERAL = (CLIENT, GATHER, SERVER, PEER)
ALL = (*SEVERAL, CHANNEL)
BOTH_WAYS = (CLIENT, CHANNEL)
ROUTED = (CLIENT, SERVER, PEER)
FENCED = ["{kind}", "feature:heartbeat"]


@case(
    "draft/incoming/delivers-messages-unchanged",
    clauses=[*all_clauses(ALL, "no-filter", "deliver"), "52/channel/receive"],
    needs=["{kind}"],
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@of_kinds(*ALL)
def test_delivers_messages_unchanged(peer: Peer, attach: Attach, kind: Kind, body: bytes) -> None:
    """A message of one frame reaches the application as it came, whatever is in it."""
    sock = kind.open(peer)
    raw = attach(sock).handshake(kind.partner)
    raw.send(Message(body), Message(b"fence"))
    incoming.expect_body(sock, body, kind.clause("no-filter"))
    incoming.expect_body(sock, b"fence", kind.clause("deliver"))


@case(
    "draft/incoming/delivers-all-in-order",
    clauses=[*all_clauses(ALL, "deliver"), "37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["{kind}"],
)
@pytest.mark.parametrize("size", [8, 8192], ids=str)
@of_kinds(*ALL)
def test_delivers_all_in_order(
    peer: Peer, attach: Attach, judge: Judge, seed: int, kind: Kind, size: int
) -> None:
    """Many messages of a peer all reach the application, each once and in order."""
    incoming.delivers_all_in_order(kind, peer, attach, judge, seed, size)


@case("draft/incoming/hears-by-turns", clauses=all_clauses(SEVERAL, "fair-queue"), needs=FENCED)
@of_kinds(*SEVERAL)
def test_hears_by_turns(peer: Peer, attach: Attach, kind: Kind) -> None:
    """Of three peers with many messages waiting none is left for last."""
    incoming.hears_by_turns(kind, peer, attach)


@case(
    "draft/incoming/hears-the-quiet-beside-the-busy",
    clauses=all_clauses(SEVERAL, "fair-queue", "queue", "deliver"),
    needs=FENCED,
)
@of_kinds(*SEVERAL)
def test_hears_the_quiet_beside_the_busy(peer: Peer, attach: Attach, judge: Judge, kind: Kind) -> None:
    """The single message of one peer does not wait until the many of others are done."""
    incoming.hears_the_quiet_beside_the_busy(kind, peer, attach, judge)


@case(
    "draft/incoming/dials-and-goes-on-after-reconnect",
    clauses=[
        *all_clauses(ALL, "keep-unconnected"),
        *all_clauses(ALL, "create-on-connect"),
        "37/errors/close-reconnect",
    ],
    needs=FENCED,
)
@of_kinds(*ALL)
def test_dials_and_goes_on_after_reconnect(peer: Peer, listen: Listen, judge: Judge, kind: Kind) -> None:
    """What a dialled peer sent before it broke off stays readable, and after the reconnect more follows."""
    incoming.dials_and_goes_on_after_reconnect(kind, peer, listen, judge)


@case(
    "draft/incoming/hears-who-joins-late", clauses=all_clauses(SEVERAL, "create-on-accept"), needs=["{kind}"]
)
@of_kinds(*SEVERAL)
def test_hears_who_joins_late(peer: Peer, dial: Dial, kind: Kind) -> None:
    """A peer that connects while others are served is served too."""
    incoming.hears_who_joins_late(kind, peer, dial)


@case(
    "draft/incoming/unread-input-of-departed-peer",
    clauses=[*all_clauses(ROUTED, "discard"), "37/errors/close-is-temporary"],
    needs=FENCED,
)
@of_kinds(*ROUTED)
def test_unread_input_of_departed_peer(peer: Peer, dial: Dial, judge: Judge, kind: Kind) -> None:
    """What a peer sent before it went is delivered or dropped, and the next peer is served."""
    incoming.unread_input_of_departed_peer(kind, peer, dial, judge)


@case(
    "draft/incoming/gather-only-receives",
    clauses=["49/gather/receive-only"],
    needs=["GATHER", "feature:heartbeat"],
)
def test_gather_only_receives(peer: Peer, attach: Attach) -> None:
    """The application cannot send, nothing goes upstream, and receiving goes on."""
    incoming.only_receives(GATHER, peer, attach)


@case(
    "draft/incoming/full-output-does-not-stop-input",
    clauses=[
        *all_clauses(BOTH_WAYS, "queue"),
        *all_clauses(BOTH_WAYS, "deliver"),
        *all_clauses(BOTH_WAYS, "no-discard"),
    ],
    needs=["{kind}", "option:send-hwm"],
)
@of_kinds(*BOTH_WAYS)
def test_full_output_does_not_stop_input(peer: Peer, attach: Attach, seed: int, kind: Kind) -> None:
    """A peer that does not read is heard all the same."""
    exclusive.full_output_does_not_stop_input(kind, peer, attach, seed)


@case(
    "draft/incoming/full-input-does-not-stop-output",
    clauses=all_clauses(BOTH_WAYS, "queue", "deliver"),
    needs=["{kind}", "option:receive-hwm"],
)
@of_kinds(*BOTH_WAYS)
def test_full_input_does_not_stop_output(peer: Peer, attach: Attach, seed: int, kind: Kind) -> None:
    """An application that does not read can send all the same, and then reads what has waited."""
    exclusive.full_input_does_not_stop_output(kind, peer, attach, seed)
