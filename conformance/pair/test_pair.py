"""PAIR: one peer, both ways (RFC 31)."""

import pytest

from conformance.pair import exclusive
from conformance.pipeline import outgoing
from conformance.pipeline.ends import (
    MESSAGES,
)
from conformance.pipeline.kinds import PAIR
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Message

MARK = 5
FLOOD = 300
LEAVING = ("fin", "rst")


@case("pair/pair/sends-messages-unchanged", clauses=["31/pair/no-filter"], needs=["PAIR"])
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_sends_messages_unchanged(peer: Peer, attach: Attach, message: list[bytes]) -> None:
    """A message goes out as the application gave it, whatever its frames look like."""
    pair = peer.open("PAIR")
    raw = attach(pair).handshake("PAIR")
    pair.send(message)
    pair.send([b"fence"])
    raw.expect_message(*message)
    raw.expect_message(b"fence")


@case(
    "pair/pair/delivers-messages-unchanged",
    clauses=["31/pair/no-filter", "31/pair/deliver"],
    needs=["PAIR"],
)
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_delivers_messages_unchanged(peer: Peer, attach: Attach, message: list[bytes]) -> None:
    """A message reaches the application as it came, whatever its frames look like."""
    pair = peer.open("PAIR")
    raw = attach(pair).handshake("PAIR")
    raw.send(Message(*message), Message(b"fence"))
    pair.expect(*message)
    pair.expect(b"fence", clause="31/pair/deliver")


@case(
    "pair/pair/keeps-order-both-ways",
    clauses=["31/pair/deliver", "31/pair/no-discard", "37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=["PAIR"],
)
def test_keeps_order_both_ways(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """Many messages in each direction all arrive, each once and in order."""
    exclusive.keeps_order_both_ways(PAIR, peer, attach, judge, seed)


@case("pair/pair/second-peer-changes-nothing", clauses=["31/pair/peers"], needs=["PAIR"])
def test_second_peer_changes_nothing(peer: Peer, dial: Dial, judge: Judge) -> None:
    """A second peer gets nothing and is not heard; the first goes on undisturbed."""
    exclusive.second_peer_changes_nothing(PAIR, peer, dial, judge)


@case(
    "pair/pair/successor-is-served",
    clauses=["31/pair/create-on-accept", "37/errors/close-is-temporary"],
    needs=["PAIR"],
)
@pytest.mark.parametrize("how", LEAVING)
def test_successor_is_served(peer: Peer, dial: Dial, how: str) -> None:
    """When the first peer has gone, another one can take its place."""
    exclusive.successor_is_served(PAIR, peer, dial, how)


@case("pair/pair/queue-goes-with-its-peer", clauses=["31/pair/destroy"], needs=["PAIR", "option:send-hwm"])
def test_queue_goes_with_its_peer(peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    exclusive.queue_goes_with_its_peer(PAIR, peer, dial)


@case(
    "pair/pair/accepts-nothing-without-peer",
    clauses=["31/pair/accept-none", "31/pair/block-none", "31/pair/create-on-accept"],
    needs=["PAIR"],
)
def test_accepts_nothing_without_peer(peer: Peer, dial: Dial) -> None:
    """With nobody connected a message is not accepted and never appears; a peer that connects is served."""
    outgoing.accepts_nothing_without_peer(PAIR, peer, dial)


@case("pair/pair/sends-as-soon-as-a-peer-comes", clauses=["31/pair/create-on-accept"], needs=["PAIR"])
def test_sends_as_soon_as_a_peer_comes(peer: Peer, dial: Dial) -> None:
    """A message that waits for a peer goes to the one that connects."""
    outgoing.sends_as_soon_as_a_peer_comes(PAIR, peer, dial)


@case("pair/pair/queues-while-connecting", clauses=["31/pair/create-on-connect"], needs=["PAIR"])
def test_queues_while_connecting(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message offered while a connection is still being made arrives once it is, before later ones."""
    outgoing.queues_while_connecting(PAIR, peer, listen, judge)


@case(
    "pair/pair/queues-while-away",
    clauses=["31/pair/keep-unconnected", "37/errors/close-reconnect"],
    needs=["PAIR", "feature:heartbeat"],
)
def test_queues_while_away(peer: Peer, listen: Listen, judge: Judge) -> None:
    """Over a reconnect, output waits for the dialled peer and its earlier input stays readable."""
    exclusive.queues_while_away(PAIR, peer, listen, judge)


@case(
    "pair/pair/waits-when-peer-is-full",
    clauses=["31/pair/no-discard", "31/pair/available", "31/pair/limit", "37/sockets/ordered"],
    needs=["PAIR", "option:send-hwm"],
)
def test_waits_when_peer_is_full(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """When the peer does not read, sending stops; what was accepted arrives, and sending goes on."""
    exclusive.waits_when_peer_is_full(PAIR, peer, attach, judge, seed)


@case(
    "pair/pair/full-output-does-not-stop-input",
    clauses=["31/pair/double-queue"],
    needs=["PAIR", "option:send-hwm"],
)
def test_full_output_does_not_stop_input(peer: Peer, attach: Attach, seed: int) -> None:
    """A peer that does not read is heard all the same."""
    exclusive.full_output_does_not_stop_input(PAIR, peer, attach, seed)


@case(
    "pair/pair/full-input-does-not-stop-output",
    clauses=["31/pair/double-queue", "31/pair/deliver"],
    needs=["PAIR", "option:receive-hwm"],
)
def test_full_input_does_not_stop_output(peer: Peer, attach: Attach, seed: int) -> None:
    """An application that does not read can send all the same, and then reads what has waited."""
    exclusive.full_input_does_not_stop_output(PAIR, peer, attach, seed)
