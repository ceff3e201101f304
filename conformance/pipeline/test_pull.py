"""PULL: everything that peers push, by turns (RFC 30, The PULL Socket Type)."""

import pytest

from conformance.pipeline import incoming
from conformance.pipeline.ends import MESSAGES
from conformance.pipeline.kinds import PULL
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

EACH = 60
FLOOD = 300


@case(
    "pipeline/pull/delivers-messages-unchanged",
    clauses=["30/pull/no-filter", "30/pull/deliver"],
    needs=["PULL"],
)
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_delivers_messages_unchanged(peer: Peer, attach: Attach, message: list[bytes]) -> None:
    """A message reaches the application as it came, whatever its frames look like."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    raw.send(Message(*message), Message(b"fence"))
    pull.expect(*message)
    pull.expect(b"fence", clause="30/pull/deliver")


@case(
    "pipeline/pull/delivers-all-in-order",
    clauses=["30/pull/deliver", "37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["PULL"],
)
@pytest.mark.parametrize("size", [8, 255, 256, 8192], ids=str)
def test_delivers_all_in_order(peer: Peer, attach: Attach, judge: Judge, seed: int, size: int) -> None:
    """Many messages of a peer all reach the application, each once and in order."""
    incoming.delivers_all_in_order(PULL, peer, attach, judge, seed, size)


@case(
    "pipeline/pull/hears-peers-by-turns",
    clauses=["30/pull/fair-queue"],
    needs=["PULL", "feature:heartbeat"],
)
def test_hears_peers_by_turns(peer: Peer, attach: Attach) -> None:
    """Of three peers with many messages waiting none is left for last."""
    incoming.hears_by_turns(PULL, peer, attach)


@case(
    "pipeline/pull/hears-quiet-peer-beside-busy-ones",
    clauses=["30/pull/fair-queue"],
    needs=["PULL", "feature:heartbeat"],
)
def test_hears_quiet_peer_beside_busy_ones(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The single message of one peer does not wait until the many of others are done."""
    incoming.hears_the_quiet_beside_the_busy(PULL, peer, attach, judge)


@case("pipeline/pull/only-receives", clauses=["30/pull/receive-only"], needs=["PULL", "feature:heartbeat"])
def test_only_receives(peer: Peer, attach: Attach) -> None:
    """The application cannot send, nothing goes upstream, and receiving goes on."""
    incoming.only_receives(PULL, peer, attach)


@case(
    "pipeline/pull/dials-and-goes-on-after-reconnect",
    clauses=["30/pull/keep-unconnected", "30/pull/create-on-connect", "37/errors/close-reconnect"],
    needs=["PULL", "feature:heartbeat"],
)
def test_dials_and_goes_on_after_reconnect(peer: Peer, listen: Listen, judge: Judge) -> None:
    """What a dialled peer sent before it broke off stays readable, and after the reconnect more follows."""
    incoming.dials_and_goes_on_after_reconnect(PULL, peer, listen, judge)


@case(
    "pipeline/pull/hears-who-joins-late",
    clauses=["30/pull/create-on-accept", "30/pull/deliver"],
    needs=["PULL"],
)
def test_hears_who_joins_late(peer: Peer, dial: Dial) -> None:
    """A peer that connects while others are served is served too."""
    incoming.hears_who_joins_late(PULL, peer, dial)


@case(
    "pipeline/pull/unread-input-of-departed-peer",
    clauses=["30/pull/discard", "30/pull/destroy", "37/errors/close-is-temporary"],
    needs=["PULL", "feature:heartbeat"],
)
def test_unread_input_of_departed_peer(peer: Peer, dial: Dial, judge: Judge) -> None:
    """What a peer sent before it went is delivered or dropped, and the next peer is served."""
    incoming.unread_input_of_departed_peer(PULL, peer, dial, judge)
