"""PAIR: one peer, both ways (RFC 31)."""

import pytest

from conformance.pipeline.ends import (
    BIG_OCTETS,
    MESSAGES,
    expect_flood,
    intrude,
    leave,
    make_sure,
    next_served,
    read_flood,
    small_window,
)
from conformance.reqrep.ends import attempt, expect_not_accepted, finish_send, meet, until
from harness.case import Judge, case
from harness.control.flood import body, flood_digest
from harness.peer import Outcome, Peer
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
    pair = peer.open("PAIR")
    raw = attach(pair).handshake("PAIR")
    raw.send(*(Message(body(seed, number, 100)) for number in range(FLOOD)))
    accepted = pair.flood(FLOOD, 100, seed, within_s=pair.peer.deadlines.delivery_s)
    judge.equal(accepted, FLOOD, "31/pair/no-discard")
    expect_flood(raw, seed, FLOOD, 100, "31/pair/no-discard")
    came = pair.drain(FLOOD)
    judge.equal(came["received"], FLOOD)
    judge.equal(came["digest"], flood_digest(seed, FLOOD, 100), "37/sockets/ordered")
    meet(pair, raw)
    pair.send([b"fence"])
    raw.expect_message(b"fence", clause="37/sockets/no-duplicates")


@case("pair/pair/second-peer-changes-nothing", clauses=["31/pair/peers"], needs=["PAIR"])
def test_second_peer_changes_nothing(peer: Peer, dial: Dial, judge: Judge) -> None:
    """A second peer gets nothing and is not heard; the first goes on undisturbed."""
    pair = peer.open("PAIR")
    endpoint = pair.bind()
    first = dial(endpoint).handshake("PAIR")
    meet(pair, first)
    second = intrude(endpoint, dial, "PAIR")
    for number in range(20):
        first.send(Message(b"in", b"%d" % number))
        pair.expect(b"in", b"%d" % number)
        pair.send([b"out", b"%d" % number])
        first.expect_message(b"out", b"%d" % number)
    judge.note(second.fate())


@case(
    "pair/pair/successor-is-served",
    clauses=["31/pair/create-on-accept", "37/errors/close-is-temporary"],
    needs=["PAIR"],
)
@pytest.mark.parametrize("how", LEAVING)
def test_successor_is_served(peer: Peer, dial: Dial, how: str) -> None:
    """When the first peer has gone, another one can take its place."""
    pair = peer.open("PAIR")
    endpoint = pair.bind()
    first = dial(endpoint).handshake("PAIR")
    meet(pair, first)
    leave(first, how)
    successor = next_served(pair, endpoint, dial, "31/pair/create-on-accept")
    pair.send([b"welcome"])
    successor.expect_message(b"welcome")


@case("pair/pair/queue-goes-with-its-peer", clauses=["31/pair/destroy"], needs=["PAIR", "option:send-hwm"])
def test_queue_goes_with_its_peer(peer: Peer, dial: Dial) -> None:
    """What was queued for a peer that has gone is not given to the one that comes next."""
    pair = peer.open("PAIR", send_hwm=1000)
    endpoint = pair.bind()
    leaving = small_window(dial(endpoint).handshake("PAIR"))
    meet(pair, leaving)
    pair.flood(FLOOD, BIG_OCTETS)
    leaving.reset()
    until(pair, Outcome.WOULD_BLOCK, b"too late")
    successor = next_served(pair, endpoint, dial, "31/pair/create-on-accept")
    pair.send([b"fence"])
    successor.expect_message(b"fence")


@case(
    "pair/pair/accepts-nothing-without-peer",
    clauses=["31/pair/accept-none", "31/pair/block-none", "31/pair/create-on-accept"],
    needs=["PAIR"],
)
def test_accepts_nothing_without_peer(peer: Peer, dial: Dial) -> None:
    """With nobody connected a message is not accepted and never appears; a peer that connects is served."""
    pair = peer.open("PAIR")
    endpoint = pair.bind()
    expect_not_accepted(pair, b"too early", clause="31/pair/block-none")
    raw = dial(endpoint).handshake("PAIR")
    pair.send([b"message"], clause="31/pair/create-on-accept")
    raw.expect_message(b"message")


@case("pair/pair/sends-as-soon-as-a-peer-comes", clauses=["31/pair/create-on-accept"], needs=["PAIR"])
def test_sends_as_soon_as_a_peer_comes(peer: Peer, dial: Dial) -> None:
    """A message that waits for a peer goes to the one that connects."""
    pair = peer.open("PAIR")
    endpoint = pair.bind()
    pending = pair.start_send([b"waiting"])
    raw = dial(endpoint).handshake("PAIR")
    finish_send(pair, pending, [b"waiting"])
    raw.expect_message(b"waiting")


@case("pair/pair/queues-while-connecting", clauses=["31/pair/create-on-connect"], needs=["PAIR"])
def test_queues_while_connecting(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A message offered while a connection is still being made arrives once it is, before later ones."""
    pair = peer.open("PAIR")
    listener = listen()
    pair.connect(listener.endpoint)
    raw = listener.accept()
    outcome = attempt(pair, b"early")
    judge.note(f"while connecting: {outcome}")
    raw.handshake("PAIR")
    make_sure(pair, outcome, b"early")
    pair.send([b"late"])
    raw.expect_message(b"early")
    raw.expect_message(b"late")


@case(
    "pair/pair/queues-while-away",
    clauses=["31/pair/keep-unconnected", "37/errors/close-reconnect"],
    needs=["PAIR", "feature:heartbeat"],
)
def test_queues_while_away(peer: Peer, listen: Listen, judge: Judge) -> None:
    """Over a reconnect, output waits for the dialled peer and its earlier input stays readable."""
    pair = peer.open("PAIR")
    listener = listen()
    pair.connect(listener.endpoint)
    raw = listener.accept().handshake("PAIR")
    meet(pair, raw)
    raw.send(Message(b"unread"))
    raw.fence()
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    outcome = attempt(pair, b"meanwhile")
    judge.note(f"while away: {outcome}")
    again.handshake("PAIR")
    make_sure(pair, outcome, b"meanwhile")
    again.expect_message(b"meanwhile")
    pair.expect(b"unread")


@case(
    "pair/pair/waits-when-peer-is-full",
    clauses=["31/pair/no-discard", "31/pair/available", "31/pair/limit", "37/sockets/ordered"],
    needs=["PAIR", "option:send-hwm"],
)
def test_waits_when_peer_is_full(peer: Peer, attach: Attach, judge: Judge, seed: int) -> None:
    """When the peer does not read, sending stops; what was accepted arrives, and sending goes on."""
    pair = peer.open("PAIR", send_hwm=MARK)
    raw = small_window(attach(pair).handshake("PAIR"))
    meet(pair, raw)
    accepted = pair.flood(FLOOD, BIG_OCTETS, seed)
    judge.that(accepted < FLOOD, "sending stops", f"{accepted} messages accepted", "31/pair/limit")
    expect_flood(raw, seed, accepted, BIG_OCTETS, "31/pair/no-discard")
    pair.send([b"fence"], clause="31/pair/available")
    raw.expect_message(b"fence")


@case(
    "pair/pair/full-output-does-not-stop-input",
    clauses=["31/pair/double-queue"],
    needs=["PAIR", "option:send-hwm"],
)
def test_full_output_does_not_stop_input(peer: Peer, attach: Attach, seed: int) -> None:
    """A peer that does not read is heard all the same."""
    pair = peer.open("PAIR", send_hwm=MARK)
    raw = small_window(attach(pair).handshake("PAIR"))
    meet(pair, raw)
    accepted = pair.flood(FLOOD, BIG_OCTETS, seed)
    for number in range(10):
        raw.send(Message(b"%d" % number))
        pair.expect(b"%d" % number)
    expect_flood(raw, seed, accepted, BIG_OCTETS, "31/pair/no-discard")


@case(
    "pair/pair/full-input-does-not-stop-output",
    clauses=["31/pair/double-queue", "31/pair/deliver"],
    needs=["PAIR", "option:receive-hwm"],
)
def test_full_input_does_not_stop_output(peer: Peer, attach: Attach, seed: int) -> None:
    """An application that does not read can send all the same, and then reads what has waited."""
    pair = peer.open("PAIR", receive_hwm=MARK)
    raw = attach(pair).handshake("PAIR")
    raw.send(*(Message(body(seed, number, 1000)) for number in range(FLOOD)))
    for number in range(10):
        pair.send([b"%d" % number])
        raw.expect_message(b"%d" % number)
    read_flood(pair, raw, b"", seed, FLOOD, 1000, "31/pair/deliver")
