"""ERROR, and connections that end (RFC 37, Error Handling)."""

from collections.abc import Callable

import pytest

from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.endpoints import RawListener
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Error, Greeting, Message, Ready, malformed

pytestmark = pytest.mark.waits

REASONS = {"empty": b"", "word": b"Refused", "255-octets": b"r" * 255}
MALFORMED = {
    "reason-overrun": malformed.error_reason_overrun(),
    "no-reason-size": malformed.command_named(b"ERROR"),
    "octets-behind-the-reason": malformed.command_named(b"ERROR", b"\x01xmore"),
}
INTERVAL_MS = 50


def nothing(raw: RawPeer) -> None:
    """Up to the connection itself."""


def greeting(raw: RawPeer) -> None:
    """Up to the greetings."""
    raw.greet()


def half_a_greeting(raw: RawPeer) -> None:
    """Up to half of our greeting."""
    raw.send(Greeting().serialize()[:32])


def their_ready(raw: RawPeer) -> None:
    """Up to the partner's READY, without ours."""
    raw.greet()
    raw.expect(Ready, clause="37/null/client-ready-first")


def handshake(raw: RawPeer) -> None:
    """Up to traffic."""
    raw.handshake("PUSH")


STAGES: dict[str, Callable[[RawPeer], None]] = {
    "at-once": nothing,
    "in-the-greeting": half_a_greeting,
    "after-the-greeting": greeting,
    "after-its-ready": their_ready,
    "in-traffic": handshake,
}
LISTENER_STAGES = {name: stage for name, stage in STAGES.items() if stage is not their_ready}
ENDS: dict[str, Callable[[RawPeer], None]] = {"fin": RawPeer.close, "rst": RawPeer.reset}


@case("zmtp/errors/error-ends-the-handshake", clauses=["37/errors/error-fatal"], needs=["DEALER"])
@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_error_ends_the_handshake(peer: Peer, attach: Attach, reason: bytes) -> None:
    """A peer that gets ERROR in place of READY closes the connection, whatever the reason says."""
    raw = attach(peer.open("DEALER"))
    raw.greet()
    raw.send(Error(reason))
    raw.expect_closed()


@case(
    "zmtp/errors/no-retry-after-error",
    clauses=["37/errors/error-no-retry", "37/errors/close-reconnect", "37/errors/error-fatal"],
    needs=["PULL", "option:reconnect-interval-ms"],
)
def test_no_retry_after_error(peer: Peer, listen: Listen) -> None:
    """A dialer that was sent ERROR does not dial there again; where it was merely cut off it does."""
    sock, refusing, cutting = peer.open("PULL", reconnect_interval_ms=INTERVAL_MS), listen(), listen()
    sock.connect(refusing.endpoint)
    refused = refusing.accept()
    refused.greet()
    refused.send(Error(b"Refused"))
    refused.expect_closed("37/errors/error-fatal")
    sock.connect(cutting.endpoint)
    for _ in range(4):  # as many attempts with the same interval as the refused connection could have made
        cut = cutting.accept(clause="37/errors/close-reconnect").handshake("PUSH")
        expect_serves(sock, cut, clause="37/errors/close-reconnect")
        cut.close()
    Judge.that(not refusing.arrived(), "no other attempt", "another connection")


@case(
    "zmtp/errors/malformed-error",
    clauses=["37/errors/error-allowed", "37/errors/close-is-temporary"],
    needs=["PULL"],
)
@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
def test_malformed_error(peer: Peer, attach: Attach, judge: Judge, octets: bytes) -> None:
    """An ERROR that is not well formed ends the handshake or is ignored; others are served as before."""
    sock = peer.open("PULL")
    raw = attach(sock)
    raw.greet()
    raw.send(octets, Ready("PUSH"), Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence")
    judge.note(end)
    judge.equal(came, [], clause="37/errors/close-is-temporary")
    expect_serves(sock, attach(sock).handshake("PUSH"), clause="37/errors/close-is-temporary")


@case("zmtp/errors/error-in-traffic-is-not-delivered", clauses=["37/abnf/traffic"], needs=["PULL"])
def test_error_in_traffic_is_not_delivered(peer: Peer, attach: Attach, judge: Judge) -> None:
    """ERROR in traffic is ignored or ends the connection; it is not delivered, and others are served."""
    sock = peer.open("PULL")
    raw = attach(sock).handshake("PUSH")
    raw.send(Message(b"before"))
    sock.expect(b"before")
    raw.send(Error(b"Late"), Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence")
    judge.note(end)
    judge.equal(came, [])
    expect_serves(sock, attach(sock).handshake("PUSH"))
    sock.expect_empty()


@case(
    "zmtp/errors/dials-again",
    clauses=["37/errors/close-reconnect", "37/errors/close-is-temporary"],
    needs=["PULL"],
)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_dials_again(
    peer: Peer, listen: Listen, stage: Callable[[RawPeer], None], end: Callable[[RawPeer], None]
) -> None:
    """Wherever its connection is cut, by FIN or RST, a dialer dials again and is served."""
    sock, listener = open_impatient(peer), listen()
    sock.connect(listener.endpoint)
    first = listener.accept()
    stage(first)
    end(first)
    again = listener.accept(clause="37/errors/close-reconnect").handshake("PUSH")
    expect_serves(sock, again, clause="37/errors/close-is-temporary")


@case(
    "zmtp/errors/pauses-before-it-dials-again",
    clauses=["37/errors/reconnect-random", "37/errors/close-reconnect"],
    needs=["PULL", "option:reconnect-interval-ms"],
)
def test_pauses_before_it_dials_again(peer: Peer, listen: Listen) -> None:
    """How long a dialer waits between a close and the next attempt; a pause passes, its length is free."""
    sock, listener = open_impatient(peer), listen()
    sock.connect(listener.endpoint)
    shortest_s = min(pause_after_close(listener) for _ in range(3))
    Judge.that(shortest_s >= INTERVAL_MS / 1000 / 10, "a pause", f"{shortest_s * 1000:.1f} ms")


def pause_after_close(listener: RawListener) -> float:
    """Seconds from our close of the next connection to the attempt that follows it."""
    raw = listener.accept(clause="37/errors/close-reconnect").handshake("PUSH")
    raw.close()
    began_s = raw.trace.now_s()
    following = listener.accept(clause="37/errors/close-reconnect")
    took_s = raw.trace.now_s() - began_s
    following.handshake("PUSH").close()
    return took_s


def open_impatient(peer: Peer) -> RemoteSocket:
    """A PULL that dials again soon, where the interval can be set."""
    if peer.claims("option:reconnect-interval-ms"):
        return peer.open("PULL", reconnect_interval_ms=INTERVAL_MS)
    return peer.open("PULL")


@case("zmtp/errors/listens-on-after-a-close", clauses=["37/errors/close-is-temporary"], needs=["PULL"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("stage", LISTENER_STAGES.values(), ids=LISTENER_STAGES)
def test_listens_on_after_a_close(
    peer: Peer, dial: Dial, stage: Callable[[RawPeer], None], end: Callable[[RawPeer], None]
) -> None:
    """Wherever one connection is cut, the others go on, and new ones are accepted."""
    sock = peer.open("PULL")
    endpoint = sock.bind()
    steady = dial(endpoint).handshake("PUSH")
    expect_serves(sock, steady)
    leaving = dial(endpoint)
    stage(leaving)
    end(leaving)
    expect_serves(sock, steady)
    expect_serves(sock, dial(endpoint).handshake("PUSH"))


@case(
    "zmtp/errors/illegal-octets-end-one-connection",
    clauses=["37/errors/other-errors-close", "37/errors/close-is-temporary"],
    needs=["PULL"],
)
def test_illegal_octets_end_one_connection(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A partner that sends an impossible size is closed, and the others of the socket are not disturbed."""
    sock = peer.open("PULL")
    steady, failing = attach(sock).handshake("PUSH"), attach(sock).handshake("PUSH")
    expect_serves(sock, failing, clause="37/errors/close-is-temporary")
    failing.send(malformed.negative_size())
    with judge.soft():
        failing.expect_closed()
    expect_serves(sock, steady, clause="37/errors/close-is-temporary")
