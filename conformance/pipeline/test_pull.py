"""PULL: everything that peers push, by turns (RFC 30, The PULL Socket Type)."""

import pytest

from conformance.pipeline.ends import MESSAGES
from conformance.reqrep.ends import expect_fair, heard_until, meet, put_before
from harness.case import Judge, case
from harness.control.flood import body, flood_digest
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
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    raw.send(*(Message(body(seed, number, size)) for number in range(FLOOD)))
    came = pull.drain(FLOOD)
    judge.equal(came["received"], FLOOD)
    judge.equal(came["digest"], flood_digest(seed, FLOOD, size), "37/sockets/ordered")
    raw.send(Message(b"fence"))
    pull.expect(b"fence", clause="37/sockets/no-duplicates")


@case(
    "pipeline/pull/hears-peers-by-turns",
    clauses=["30/pull/fair-queue"],
    needs=["PULL", "feature:heartbeat"],
)
def test_hears_peers_by_turns(peer: Peer, attach: Attach) -> None:
    """Of three peers with many messages waiting none is left for last."""
    pull = peer.open("PULL")
    names = (b"a", b"b", b"c")
    put_before(pull, *((attach(pull).handshake("PUSH"), [Message(name)] * EACH) for name in names))
    heard = [pull.recv(clause="30/pull/deliver")[0] for _ in range(EACH * len(names))]
    expect_fair(heard, names, "30/pull/fair-queue")


@case(
    "pipeline/pull/hears-quiet-peer-beside-busy-ones",
    clauses=["30/pull/fair-queue"],
    needs=["PULL", "feature:heartbeat"],
)
def test_hears_quiet_peer_beside_busy_ones(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The single message of one peer does not wait until the many of others are done."""
    pull = peer.open("PULL")
    batches = [Message(b"busy")] * EACH, [Message(b"busy")] * EACH, [Message(b"quiet")]
    put_before(pull, *((attach(pull).handshake("PUSH"), batch) for batch in batches))
    heard = [pull.recv(clause="30/pull/deliver")[0] for _ in range(2 * EACH + 1)]
    judge.that(b"quiet" in heard, "the quiet peer's message", "not delivered", "30/pull/deliver")
    before = heard.index(b"quiet")
    judge.that(before <= EACH, f"at most {EACH} messages before it", f"{before} of {2 * EACH}")


@case("pipeline/pull/only-receives", clauses=["30/pull/receive-only"], needs=["PULL", "feature:heartbeat"])
def test_only_receives(peer: Peer, attach: Attach) -> None:
    """The application cannot send, nothing goes upstream, and receiving goes on."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    meet(pull, raw)
    pull.expect_send_refused(b"upstream")
    raw.fence()
    raw.send(Message(b"work"))
    pull.expect(b"work", clause="30/pull/deliver")
    raw.fence()


@case(
    "pipeline/pull/dials-and-goes-on-after-reconnect",
    clauses=["30/pull/keep-unconnected", "30/pull/create-on-connect", "37/errors/close-reconnect"],
    needs=["PULL", "feature:heartbeat"],
)
def test_dials_and_goes_on_after_reconnect(peer: Peer, listen: Listen, judge: Judge) -> None:
    """What a dialled peer sent before it broke off stays readable, and after the reconnect more follows."""
    pull = peer.open("PULL")
    listener = listen()
    pull.connect(listener.endpoint)
    raw = listener.accept().handshake("PUSH")
    raw.send(Message(b"first"))
    pull.expect(b"first", clause="30/pull/create-on-connect")
    raw.send(Message(b"second"), Message(b"third"))
    raw.fence()
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect").handshake("PUSH")
    again.send(Message(b"fourth"))
    came = [pull.recv() for _ in range(3)]
    judge.equal(sorted(came), [[b"fourth"], [b"second"], [b"third"]])
    judge.that(came.index([b"second"]) < came.index([b"third"]), "second before third", came)


@case(
    "pipeline/pull/hears-who-joins-late",
    clauses=["30/pull/create-on-accept", "30/pull/deliver"],
    needs=["PULL"],
)
def test_hears_who_joins_late(peer: Peer, dial: Dial) -> None:
    """A peer that connects while others are served is served too."""
    pull = peer.open("PULL")
    endpoint = pull.bind()
    ends = [dial(endpoint).handshake("PUSH")]
    meet(pull, *ends)
    ends.append(dial(endpoint).handshake("PUSH"))
    for name, raw in zip((b"early", b"late"), ends, strict=True):
        raw.send(Message(name))
        pull.expect(name)


@case(
    "pipeline/pull/unread-input-of-departed-peer",
    clauses=["30/pull/discard", "30/pull/destroy", "37/errors/close-is-temporary"],
    needs=["PULL", "feature:heartbeat"],
)
def test_unread_input_of_departed_peer(peer: Peer, dial: Dial, judge: Judge) -> None:
    """What a peer sent before it went is delivered or dropped, and the next peer is served."""
    pull = peer.open("PULL")
    endpoint = pull.bind()
    leaving = dial(endpoint).handshake("PUSH")
    leaving.send(*(Message(b"old", b"%d" % number) for number in range(3)))
    leaving.fence()
    leaving.close()
    came = heard_until(pull, dial(endpoint).handshake("PUSH"))
    judge.note(f"{len(came)} of 3 delivered")
    expected = [[b"old", b"%d" % number] for number in range(3)]
    judge.that(came == expected[: len(came)], "the first of its messages, in order", came)
