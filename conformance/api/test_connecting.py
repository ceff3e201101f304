"""How connections are made: only to who is there, never again, or not for longer than a while.

Source: zmq_setsockopt of libzmq 4.3, ZMQ_IMMEDIATE, ZMQ_RECONNECT_IVL and ZMQ_HANDSHAKE_IVL.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.pipeline.ends import reserved_port
from conformance.reqrep.ends import attempt
from harness.case import Judge, case
from harness.exchange import PARTNER, expect_serves
from harness.peer import Outcome, Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Greeting, Ready

pytestmark = pytest.mark.waits

WAITS = "libzmq-4/immediate/waits"
ONLY = "libzmq-4/immediate/only-completed"
NEVER = "libzmq-4/reconnect/never"
IN_TIME = "libzmq-4/handshake/ends-in-time"
STAYS = "libzmq-4/handshake/complete-stays"
NO_LIMIT = "libzmq-4/handshake/zero-is-no-limit"
HEADS = {"PUSH": (), "DEALER": (), "REQ": (b"",)}  # what goes out in front of what the application sends
COUNT = 10
PATIENCE_S = 0.2
INTERVAL_MS = 50
HANDSHAKE_MS = 500


def nothing(raw: RawPeer) -> None:
    """Say nothing at all."""


def half_a_greeting(raw: RawPeer) -> None:
    """Say half of a greeting."""
    raw.send(Greeting().serialize()[:32])


def a_greeting(raw: RawPeer) -> None:
    """Greet, and no more."""
    raw.greet()


STAGES: dict[str, Callable[[RawPeer], None]] = {
    "silent": nothing,
    "half-a-greeting": half_a_greeting,
    "greeting": a_greeting,
}


@case("api/connecting/immediate-waits", clauses=[WAITS], needs=["{socket_type}", "option:immediate"])
@pytest.mark.parametrize("socket_type", HEADS)
def test_immediate_waits(peer: Peer, listen: Listen, judge: Judge, socket_type: str) -> None:
    """While nobody listens where the socket dials, it takes no message; once somebody does, it does."""
    sock = peer.open(socket_type, immediate=True)
    with reserved_port(peer) as port:
        sock.connect(f"tcp://{peer.hosts.listen}:{port}")
        outcome = attempt(sock, b"too early", within_s=PATIENCE_S)
        judge.equal(outcome.value, Outcome.WOULD_BLOCK.value)
        raw = listen(port=port).accept().handshake(PARTNER[socket_type])
        sock.send([b"in time"], WAITS)
        raw.expect_message(*HEADS[socket_type], b"in time")


@case(
    "api/connecting/immediate-goes-where-somebody-is",
    clauses=[ONLY],
    needs=["{socket_type}", "option:immediate"],
)
@pytest.mark.parametrize("socket_type", ["PUSH", "DEALER"])
def test_immediate_goes_where_somebody_is(peer: Peer, listen: Listen, socket_type: str) -> None:
    """Of a socket that dials two, one of them in vain, every message reaches the other."""
    sock, listener = peer.open(socket_type, immediate=True), listen()
    with reserved_port(peer) as port:
        sock.connect(f"tcp://{peer.hosts.listen}:{port}")
        sock.connect(listener.endpoint)
        raw = listener.accept().handshake(PARTNER[socket_type])
        for number in range(COUNT):
            sock.send([b"%d" % number], ONLY)
        for number in range(COUNT):
            raw.expect_message(b"%d" % number)


@case(
    "api/connecting/never-dials-again",
    clauses=[NEVER],
    needs=["PULL", "option:reconnect-interval-ms"],
)
def test_never_dials_again(peer: Peer, listen: Listen, judge: Judge) -> None:
    """A socket that is told to make no connection twice does not, while another one does so many times."""
    once, often = (
        peer.open("PULL", reconnect_interval_ms=-1),
        peer.open("PULL", reconnect_interval_ms=INTERVAL_MS),
    )
    left, kept = listen(), listen()
    once.connect(left.endpoint)
    lost = left.accept().handshake("PUSH")
    expect_serves(once, lost, clause="37/sockets/bind-and-connect")
    lost.close()
    often.connect(kept.endpoint)
    for _ in range(COUNT):
        kept.accept(clause="37/errors/close-reconnect").handshake("PUSH").close()
    judge.that(not left.arrived(), "no other attempt", "another connection")


@case(
    "api/connecting/handshake-ends-in-time",
    clauses=[IN_TIME, STAYS],
    needs=["PULL", "option:handshake-interval-ms"],
)
@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_handshake_ends_in_time(peer: Peer, dial: Dial, stage: Callable[[RawPeer], None]) -> None:
    """Who does not finish the handshake within the interval is cut off; who has finished it stays."""
    pull = peer.open("PULL", handshake_interval_ms=HANDSHAKE_MS)
    endpoint = pull.bind()
    steady = dial(endpoint).handshake("PUSH")
    expect_serves(pull, steady)
    slow = dial(endpoint)
    stage(slow)
    slow.expect_closed(IN_TIME)
    expect_serves(pull, steady, clause=STAYS)


@case(
    "api/connecting/handshake-without-limit",
    clauses=[NO_LIMIT, IN_TIME],
    needs=["PULL", "option:handshake-interval-ms"],
)
def test_handshake_without_limit(peer: Peer, attach: Attach, dial: Dial) -> None:
    """Where there is no limit, a handshake ends well that begins when another one has been cut off."""
    patient = peer.open("PULL", handshake_interval_ms=0)
    hasty = peer.open("PULL", handshake_interval_ms=HANDSHAKE_MS)
    slow = attach(patient)
    dial(hasty.bind()).expect_closed(IN_TIME)
    slow.send(Greeting())
    slow.expect(Greeting, clause=NO_LIMIT)
    slow.send(Ready("PUSH"))
    slow.expect(Ready, clause=NO_LIMIT)
    expect_serves(patient, slow, clause=NO_LIMIT)
