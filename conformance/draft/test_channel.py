"""CHANNEL: one peer, both ways (RFC 52)."""

from __future__ import annotations

import pytest

from conformance.pair import exclusive
from conformance.pipeline.kinds import CHANNEL
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen


@case(
    "draft/channel/keeps-order-both-ways",
    clauses=["52/channel/deliver", "52/channel/no-discard", "37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["CHANNEL"],
)
def test_keeps_order_both_ways(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """Many messages in each direction all arrive, each once and in order."""
    exclusive.keeps_order_both_ways(CHANNEL, peer, attach, judge, seed)


@case("draft/channel/second-peer-changes-nothing", clauses=["52/channel/peers"], needs=["CHANNEL"])
def test_second_peer_changes_nothing(peer: Peer, dial: Dial, judge: Judge) -> None:
    """A second peer gets nothing and is not heard; the first goes on undisturbed."""
    exclusive.second_peer_changes_nothing(CHANNEL, peer, dial, judge)


@case(
    "draft/channel/successor-is-served",
    clauses=["52/channel/create-on-accept", "37/errors/close-is-temporary"],
    needs=["CHANNEL"],
)
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_successor_is_served(peer: Peer, dial: Dial, how: str) -> None:
    """When the first peer has gone, another one can take its place."""
    exclusive.successor_is_served(CHANNEL, peer, dial, how)


@case(
    "draft/channel/queue-goes-with-its-peer",
    clauses=["52/channel/destroy", "52/channel/discard"],
    needs=["CHANNEL", "option:send-hwm"],
)
def test_queue_goes_with_its_peer(peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    exclusive.queue_goes_with_its_peer(CHANNEL, peer, dial)


@case(
    "draft/channel/queues-while-away",
    clauses=["52/channel/keep-unconnected", "37/errors/close-reconnect"],
    needs=["CHANNEL", "feature:heartbeat"],
)
def test_queues_while_away(peer: Peer, listen: Listen, judge: Judge) -> None:
    """Over a reconnect, output waits for the dialled peer and its earlier input stays readable."""
    exclusive.queues_while_away(CHANNEL, peer, listen, judge)


@case(
    "draft/channel/waits-when-peer-is-full",
    clauses=["52/channel/no-discard", "52/channel/available", "52/channel/limit", "37/sockets/ordered"],
    needs=["CHANNEL", "option:send-hwm"],
)
def test_waits_when_peer_is_full(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """When the peer does not read, sending stops; what was accepted arrives, and sending goes on."""
    exclusive.waits_when_peer_is_full(CHANNEL, peer, attach, judge, seed)
