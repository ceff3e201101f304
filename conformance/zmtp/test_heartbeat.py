"""Heartbeats: PING, PONG, the ttl, and what happens in silence (RFC 37, Connection Heartbeating)."""

import pytest

from conformance.zmtp.framing import random_parts
from conformance.zmtp.heartbeats import (
    closed_after_s,
    contexts_before_fence,
    expect_life_counts,
    expect_not_before,
    expect_open_for,
)
from conformance.zmtp.partners import expect_delivered_or_closed, expect_still_served
from conformance.zmtp.test_null import partner_of
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import Message, Ping, Pong, Ready, malformed
from harness.zmtp.grammar import PING_CONTEXT_MAX_OCTETS, SOCKET_TYPES

pytestmark = pytest.mark.waits

TTL_DS = 2
INTERVAL_MS = 50
TIMEOUT_MS = 200
PATIENT_MS = 5000
ANSWERED_MS = 300
ANSWERS = 8  # one interval too few or too short may go unnoticed, so many in a row do not
QUIET_S = 0.2
LARGE_TTLS_DS = [656, 6554, 65_535]
OVERLONG = [17, 18, 255, 256, 70_000]
CUT = {"no-ttl": b"", "half-a-ttl": b"\0"}
PINGING = ["feature:heartbeat", "option:heartbeat-interval-ms"]
DYING = [*PINGING, "option:heartbeat-timeout-ms"]


@case(
    "zmtp/heartbeat/every-type-answers",
    clauses=["37/heartbeat/pong-reply", "37/heartbeat/abnf-pong"],
    needs=["{socket_type}", "feature:heartbeat"],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_every_type_answers(peer: Peer, attach: Attach, seed: int, socket_type: str) -> None:
    """A peer of any socket type answers PING with PONG, and serves as before."""
    sock = peer.open(socket_type)
    raw = attach(sock).handshake(partner_of(socket_type))
    (context,) = random_parts(seed, 16)
    raw.send(Ping(0, context))
    raw.expect(Pong(context))
    expect_serves(sock, raw)


@case(
    "zmtp/heartbeat/echoes-the-context",
    clauses=[
        "37/heartbeat/pong-reply",
        "37/heartbeat/abnf-pong",
        "37/heartbeat/abnf-ping",
        "37/heartbeat/abnf-ping-context",
    ],
    needs=["DEALER", "feature:heartbeat"],
)
@pytest.mark.parametrize("size", [0, 1, 15, PING_CONTEXT_MAX_OCTETS])
def test_echoes_the_context(peer: Peer, attach: Attach, seed: int, size: int) -> None:
    """PONG brings back the context of PING, whatever its octets, and no ttl."""
    raw = attach(peer.open("DEALER")).handshake("DEALER")
    (context,) = random_parts(seed, size)
    raw.send(Ping(0x0102, context))
    raw.expect(Pong(context))
    raw.fence()


@case(
    "zmtp/heartbeat/answers-each-ping",
    clauses=["37/heartbeat/pong-reply"],
    needs=["DEALER", "feature:heartbeat"],
)
@pytest.mark.parametrize("count", [2, 50])
def test_answers_each_ping(peer: Peer, attach: Attach, count: int) -> None:
    """PINGs one behind the other are all answered, in their order."""
    raw = attach(peer.open("DEALER")).handshake("DEALER")
    for number in range(count):
        raw.send(Ping(0, b"%d" % number))
        raw.expect(Pong(b"%d" % number))


@case(
    "zmtp/heartbeat/answers-pings-that-come-together",
    clauses=["37/heartbeat/pong-reply"],
    needs=["DEALER", "feature:heartbeat"],
)
@pytest.mark.parametrize("count", [2, 50])
def test_answers_pings_that_come_together(peer: Peer, attach: Attach, judge: Judge, count: int) -> None:
    """PINGs that come in one segment are all answered, each once."""
    raw = attach(peer.open("DEALER")).handshake("DEALER")
    contexts = [b"%d" % number for number in range(count)]
    raw.send(*(Ping(0, context) for context in contexts))
    came = [raw.expect(Pong).context for _ in contexts]
    judge.note("in their order" if came == contexts else "in another order")
    judge.equal(sorted(came), sorted(contexts))


@case(
    "zmtp/heartbeat/overlong-context",
    clauses=["37/heartbeat/abnf-ping-context"],
    needs=["DEALER", "feature:heartbeat"],
)
@pytest.mark.parametrize("size", OVERLONG)
def test_overlong_context(peer: Peer, attach: Attach, dial: Dial, judge: Judge, seed: int, size: int) -> None:
    """A context above 16 octets is ignored, cut, returned or ends the connection; nothing else comes back."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("DEALER")
    (context,) = random_parts(seed, size)
    ping = malformed.ping_context(context)
    came, end = contexts_before_fence(raw, ping, clause="37/heartbeat/abnf-ping-context")
    judge.note(f"{end}, contexts of {[len(each) for each in came]} octets came back")
    judge.that(all(context.startswith(each) for each in came), "octets that were sent", came)
    expect_still_served(dealer, dial)


@case(
    "zmtp/heartbeat/ping-without-a-whole-ttl",
    clauses=["37/heartbeat/abnf-ping-ttl"],
    needs=["DEALER", "feature:heartbeat"],
    security=True,
)
@pytest.mark.parametrize("data", CUT.values(), ids=CUT)
def test_ping_without_a_whole_ttl(peer: Peer, attach: Attach, dial: Dial, judge: Judge, data: bytes) -> None:
    """A PING too short for its ttl brings back no octets that were not sent, and harms nobody."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("DEALER")
    came, end = contexts_before_fence(raw, malformed.ping_cut(data), clause="37/heartbeat/abnf-ping-ttl")
    judge.note(f"{end}, {len(came)} PONG before")
    judge.that(not any(came), "an empty context, or none", came)
    expect_still_served(dealer, dial)


@case(
    "zmtp/heartbeat/ping-during-the-handshake",
    clauses=["37/heartbeat/ping-any-time"],
    needs=["DEALER", "feature:heartbeat"],
)
def test_ping_during_the_handshake(peer: Peer, attach: Attach, dial: Dial, judge: Judge) -> None:
    """A PING before READY is ignored or ends the connection, and harms nobody else."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.greet()
    raw.send(Ping(0, b"early"), Ready("ROUTER"), Message(b"odd"))
    judge.note(expect_delivered_or_closed(raw, dealer, clause="37/heartbeat/ping-any-time"))
    expect_still_served(dealer, dial, clause="37/heartbeat/ping-any-time")


@case(
    "zmtp/heartbeat/pong-that-nobody-asked-for",
    clauses=["37/abnf/traffic"],
    needs=["DEALER", "feature:heartbeat"],
)
def test_pong_that_nobody_asked_for(peer: Peer, attach: Attach) -> None:
    """A PONG without a PING changes nothing."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("DEALER")
    raw.send(Pong(b"unasked"), Pong(), Message(b"fence"))
    dealer.expect(b"fence")
    raw.fence(clause="37/abnf/traffic")


@case(
    "zmtp/heartbeat/closes-after-the-ttl",
    clauses=["37/heartbeat/dead-ttl", "37/heartbeat/ttl-value"],
    needs=["DEALER", "feature:heartbeat"],
)
@pytest.mark.parametrize("ttl_ds", [1, 3])
def test_closes_after_the_ttl(peer: Peer, attach: Attach, ttl_ds: int) -> None:
    """Where nothing follows a PING within its ttl, the peer closes: not earlier, and soon after."""
    raw = attach(peer.open("DEALER")).handshake("DEALER")
    began_s = raw.trace.now_s()
    raw.send(Ping(ttl_ds, b"patience"))
    raw.expect(Pong(b"patience"), clause="37/heartbeat/pong-reply")
    elapsed_s = closed_after_s(raw, began_s, clause="37/heartbeat/dead-ttl")
    expect_not_before(elapsed_s, ttl_ds / 10, clause="37/heartbeat/ttl-value")


@case(
    "zmtp/heartbeat/ttl-of-zero",
    clauses=["37/heartbeat/ttl-zero"],
    needs=["DEALER", "feature:heartbeat"],
)
def test_ttl_of_zero(peer: Peer, attach: Attach) -> None:
    """A ttl of zero asks for nothing: the link stays open in silence."""
    raw = attach(peer.open("DEALER")).handshake("DEALER")
    raw.send(Ping(0, b"for ever"))
    raw.expect(Pong(b"for ever"), clause="37/heartbeat/pong-reply")
    expect_open_for(raw, QUIET_S, clause="37/heartbeat/ttl-zero")


@case(
    "zmtp/heartbeat/large-ttl",
    clauses=["37/heartbeat/ttl-max", "37/heartbeat/ttl-value"],
    needs=["DEALER", "feature:heartbeat"],
)
@pytest.mark.parametrize("ttl_ds", LARGE_TTLS_DS)
def test_large_ttl(peer: Peer, attach: Attach, ttl_ds: int) -> None:
    """A ttl of a minute and more does not run out within a fraction of a second."""
    raw = attach(peer.open("DEALER")).handshake("DEALER")
    raw.send(Ping(ttl_ds, b"long"))
    raw.expect(Pong(b"long"), clause="37/heartbeat/pong-reply")
    expect_open_for(raw, QUIET_S, clause="37/heartbeat/ttl-max")


@case(
    "zmtp/heartbeat/traffic-within-the-ttl",
    clauses=["37/heartbeat/dead-ttl"],
    needs=["PULL", "feature:heartbeat"],
)
def test_traffic_within_the_ttl(peer: Peer, attach: Attach) -> None:
    """While messages keep coming, the ttl of an earlier PING does not end the connection."""

    def connect() -> RawPeer:
        raw = attach(peer.open("PULL")).handshake("PUSH")
        raw.send(Ping(TTL_DS))
        return raw

    expect_life_counts(connect, TTL_DS / 10, pings_first=False, clause="37/heartbeat/dead-ttl")


@case(
    "zmtp/heartbeat/sends-ping",
    clauses=[
        "37/heartbeat/abnf-ping",
        "37/heartbeat/abnf-ping-ttl",
        "37/heartbeat/abnf-ping-context",
        "37/heartbeat/context-max",
        "37/heartbeat/ttl-value",
    ],
    needs=[*DYING, "DEALER", "option:heartbeat-ttl-ms"],
)
@pytest.mark.parametrize("ttl_ms", [0, 1000, 60_000])
def test_sends_ping(peer: Peer, attach: Attach, ttl_ms: int) -> None:
    """A peer with a heartbeat interval sends PING again and again, with the ttl that was set, in tenths."""
    options = {"heartbeat_interval_ms": INTERVAL_MS, "heartbeat_timeout_ms": PATIENT_MS}
    raw = attach(peer.open("DEALER", **options, heartbeat_ttl_ms=ttl_ms)).handshake("DEALER")
    for _ in range(3):
        ping = raw.expect(Ping, clause="37/heartbeat/abnf-ping")
        raw.send(Pong(ping.context))
        Judge.equal(ping.ttl_ds, ttl_ms // 100, clause="37/heartbeat/ttl-value")


@case(
    "zmtp/heartbeat/no-ping-before-the-handshake-is-done",
    clauses=["37/heartbeat/ping-any-time"],
    needs=[*DYING, "DEALER"],
)
def test_no_ping_before_the_handshake_is_done(peer: Peer, attach: Attach, dial: Dial, judge: Judge) -> None:
    """A peer sends no PING to a partner that owes it READY, while it sends several to another."""
    dealer = peer.open("DEALER", heartbeat_interval_ms=INTERVAL_MS, heartbeat_timeout_ms=PATIENT_MS)
    raw = attach(dealer)
    raw.greet()
    clock = dial(dealer.bind()).handshake("DEALER")
    for _ in range(4):
        clock.send(Pong(clock.expect(Ping).context))
    while raw.arrived():
        received = raw.next()
        seen = None if received is None else received.value
        if not isinstance(seen, Ready):
            raise raw.mismatch("READY at most", describe(seen), None, raw.last_start)
    raw.send(Ready("DEALER"))
    if not isinstance(raw.last and raw.last.value, Ready):
        raw.expect(Ready, clause="37/null/server-ready-reply")
    raw.expect(Ping, clause="37/heartbeat/abnf-ping")


@case(
    "zmtp/heartbeat/closes-when-nothing-comes",
    clauses=["37/heartbeat/dead-no-traffic"],
    needs=[*DYING, "{socket_type}"],
)
@pytest.mark.parametrize("socket_type", ["DEALER", "PULL", "PUB"])
def test_closes_when_nothing_comes(peer: Peer, attach: Attach, socket_type: str) -> None:
    """A peer whose PING meets silence closes: not before its timeout, and soon after."""
    sock = peer.open(socket_type, heartbeat_interval_ms=INTERVAL_MS, heartbeat_timeout_ms=TIMEOUT_MS)
    raw = attach(sock)
    raw.greet()
    began_s = raw.trace.now_s()
    raw.send(Ready(partner_of(socket_type)))
    raw.expect(Ready, clause="37/null/server-ready-reply")
    raw.expect(Ping, clause="37/heartbeat/abnf-ping")
    elapsed_s = closed_after_s(raw, began_s, clause="37/heartbeat/dead-no-traffic")
    expect_not_before(elapsed_s, TIMEOUT_MS / 1000, clause="37/heartbeat/dead-no-traffic")


@case(
    "zmtp/heartbeat/any-traffic-is-life",
    clauses=["37/heartbeat/any-traffic", "37/heartbeat/dead-no-traffic"],
    needs=[*DYING, "PULL"],
)
def test_any_traffic_is_life(peer: Peer, attach: Attach) -> None:
    """Messages alone keep a link alive whose PINGs are never answered."""

    def connect() -> RawPeer:
        pull = peer.open("PULL", heartbeat_interval_ms=INTERVAL_MS, heartbeat_timeout_ms=TIMEOUT_MS)
        return attach(pull).handshake("PUSH")

    expect_life_counts(connect, TIMEOUT_MS / 1000, pings_first=True, clause="37/heartbeat/any-traffic")


@case(
    "zmtp/heartbeat/answered-pings-are-life",
    clauses=["37/heartbeat/any-traffic"],
    needs=[*PINGING, "DEALER"],
)
def test_answered_pings_are_life(peer: Peer, dial: Dial) -> None:
    """A link whose every PING is answered at once, and on which nothing else comes, stays open."""
    raw = dial(peer.open("DEALER", heartbeat_interval_ms=ANSWERED_MS).bind()).handshake("DEALER")
    for _ in range(ANSWERS):
        raw.send(Pong(raw.expect(Ping).context))


@case(
    "zmtp/heartbeat/reconnects-after-a-failed-heartbeat",
    clauses=["37/heartbeat/reconnect-after-hb"],
    needs=[*DYING, "DEALER"],
)
def test_reconnects_after_a_failed_heartbeat(peer: Peer, listen: Listen) -> None:
    """A peer that dialled dials again when its heartbeat has failed, and then is served."""
    dealer = peer.open("DEALER", heartbeat_interval_ms=INTERVAL_MS, heartbeat_timeout_ms=TIMEOUT_MS)
    listener = listen()
    dealer.connect(listener.endpoint)
    raw = listener.accept().handshake("DEALER")
    raw.expect_closed(clause="37/heartbeat/dead-no-traffic")
    again = listener.accept(clause="37/heartbeat/reconnect-after-hb").handshake("DEALER")
    again.send(Message(b"fence"))
    dealer.expect(b"fence", clause="37/heartbeat/reconnect-after-hb")
