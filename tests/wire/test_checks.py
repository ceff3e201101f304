"""Checks over traces: correct peers pass them all, each kind of fault is found by exactly one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire.checks import ALL_CHECKS, run_checks
from harness.wire.trace import SENDERS, Sender, Trace, other
from harness.zmtp import (
    Cancel,
    Command,
    Error,
    Greeting,
    Hello,
    Initiate,
    Join,
    Leave,
    LegacyGreeting,
    Message,
    Ping,
    Pong,
    Ready,
    Subscribe,
    Welcome,
    malformed,
)
from harness.zmtp.grammar import PARTNERS

ROOT = Path(__file__).resolve().parents[2]
Step = tuple[str, bytes]


def trace_of(*steps: Step) -> Trace:
    """Who sent what, in order: "<" is the peer that is judged (the listener), ">" its partner."""
    trace = Trace()
    number = trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    for arrow, octets in steps:
        trace.octets(number, "listener" if arrow == "<" else "dialer", octets)
    return trace


def hand(*octets: bytes) -> bytes:
    return b"".join(octets)


HELLO = Greeting().serialize()


def after(socket_type: str, *steps: Step) -> Trace:
    """A good NULL handshake as that socket type, then these steps."""
    partner = Ready(min(PARTNERS[socket_type]), b"me").serialize()
    return trace_of((">", HELLO), ("<", HELLO), (">", partner), ("<", Ready(socket_type).serialize()), *steps)


def greeted(greeting: bytes) -> Trace:
    return trace_of((">", HELLO), ("<", greeting))


def plain(*after_welcome: bytes) -> Trace:
    """The judged peer as the client of a good server of PLAIN, up to WELCOME, then these octets."""
    server = Greeting(mechanism="PLAIN", as_server=1).serialize()
    client = Greeting(mechanism="PLAIN").serialize() + Hello(b"admin", b"secret").serialize()
    return trace_of((">", server), ("<", client), (">", Welcome().serialize()), ("<", hand(*after_welcome)))


def readied(ready: bytes) -> Trace:
    return trace_of((">", HELLO), ("<", HELLO), (">", Ready("DEALER").serialize()), ("<", ready))


def property_of(name: bytes, value: bytes) -> Trace:
    first = malformed.property_octets(b"Socket-Type", b"ROUTER")
    return readied(malformed.ready(first, malformed.property_octets(name, value)))


def long_ready(name: bytes, value: bytes) -> Trace:
    data = malformed.property_octets(b"Socket-Type", b"ROUTER") + malformed.property_octets(name, value)
    return readied(malformed.command_named(b"READY", data))


GOOD: dict[str, Trace] = {
    "nothing": trace_of(),
    "half a greeting": trace_of((">", HELLO), ("<", HELLO[:30])),
    "handshake": after("ROUTER"),
    "client of PLAIN": plain(Initiate("DEALER").serialize(), Message(b"a").serialize()),
    "server waits": trace_of((">", HELLO), (">", Ready("REQ").serialize()), ("<", HELLO)),
    "messages": after(
        "ROUTER", ("<", Message(b"a", b"", b"x" * 300).serialize()), (">", Message(b"b").serialize())
    ),
    "long form of a small message": after("ROUTER", ("<", Message(b"a").serialize(long=True))),
    "cut message": after("ROUTER", ("<", malformed.unfinished_message(b"a", b"b"))),
    "cut frame": after("ROUTER", ("<", Message(b"abcdef").serialize()[:4])),
    "other commands": after("ROUTER", ("<", Command(b"NEWS", b"group").serialize())),
    "pings": after(
        "ROUTER",
        (">", Ping(0, b"one").serialize()),
        (">", Ping(5, b"").serialize()),
        ("<", Ping(0, b"c" * 16).serialize()),
        ("<", Pong(b"one").serialize()),
        ("<", Pong().serialize()),
        (">", Ping(0, b"unanswered").serialize()),
    ),
    "subscriptions": after("SUB", ("<", Subscribe(b"a").serialize()), ("<", Cancel(b"a").serialize())),
    "old subscriptions": after("SUB", ("<", Message(b"\1a").serialize()), ("<", Message(b"\0a").serialize())),
    "publications": after("PUB", (">", Subscribe(b"").serialize()), ("<", Message(b"a", b"b").serialize())),
    "groups": after("DISH", ("<", Join(b"a").serialize()), ("<", Leave(b"").serialize())),
    "group": after("RADIO", (">", Join(b"").serialize()), ("<", Message(b"", b"b").serialize())),
    "one frame": after("SERVER", ("<", Message(b"").serialize())),
    "refusal": trace_of((">", HELLO), ("<", HELLO), ("<", Error(b"Invalid").serialize())),
    "late refusal": readied(hand(Ready("REP").serialize(), Error(b"Invalid").serialize())),
    "3.0": trace_of(
        (">", HELLO), ("<", malformed.greeting_version(3, 0)), ("<", Ready("ROUTER").serialize())
    ),
    "4.0 to come": trace_of((">", HELLO), ("<", malformed.greeting_version(4, 0))),
    "2.0 partner": trace_of(
        (">", LegacyGreeting(1, "REQ").serialize()),
        ("<", LegacyGreeting(3, "REP", b"").serialize()),
        ("<", Message(b"a").serialize(2)),
    ),
    "CURVE": trace_of(
        (">", malformed.greeting_mechanism(b"CURVE")),
        ("<", Greeting(mechanism="CURVE", as_server=1).serialize()),
        ("<", Command(b"WELCOME", bytes(160)).serialize()),
    ),
    "draft type": readied(Ready("SERVER", None, ((b"X-mine", b"1"), (b"resource", b"a/b"))).serialize()),
    "identity": readied(Ready("REQ", b"").serialize()),
}

BAD: dict[str, list[Trace]] = {
    "signature": [
        greeted(malformed.greeting_signature_first()),
        greeted(malformed.greeting_signature_last()),
        greeted(malformed.greeting_signature_even()),
        greeted(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ],
    "version": [greeted(malformed.greeting_version(2)), greeted(malformed.greeting_version(0))],
    "mechanism-name": [
        greeted(malformed.greeting_mechanism(b"null")),
        greeted(malformed.greeting_mechanism(b"NU\0LL")),
        greeted(malformed.greeting_mechanism(b"")),
    ],
    "as-server": [greeted(malformed.greeting_as_server(2))],
    "as-server-under-null": [greeted(malformed.greeting_as_server(1))],
    "filler": [greeted(malformed.greeting_filler())],
    "handshake": [
        trace_of((">", HELLO), ("<", HELLO), ("<", Message(b"early").serialize())),
        trace_of((">", HELLO), ("<", HELLO), ("<", Ping().serialize())),
        readied(malformed.ready_as_message(b"ROUTER")),
    ],
    "one-ready": [
        after("ROUTER", ("<", Ready("ROUTER").serialize())),
        readied(hand(Ready("ROUTER").serialize(), Error(b"no").serialize(), Message(b"x").serialize())),
    ],
    "no-early-traffic": [
        trace_of(
            (">", HELLO), ("<", HELLO), ("<", Ready("REP").serialize()), ("<", Message(b"x").serialize())
        ),
        trace_of((">", HELLO), ("<", HELLO), ("<", Ready("REP").serialize()), ("<", Ping().serialize())),
    ],
    "socket-type-sent": [readied(Ready().serialize()), plain(Initiate().serialize())],
    "socket-type-known": [property_of(b"socket-type", b"BROKER"), readied(Ready("req").serialize())],
    "identity-size": [long_ready(b"Identity", b"x" * 256)],
    "identity-first-octet": [property_of(b"Identity", b"\0abc")],
    "resource": [property_of(b"Resource", b"/a")],
    "property-name-length": [property_of(b"", b"x")],
    "property-name-characters": [property_of(b"X mine", b"x")],
    "property-whole": [readied(malformed.ready(b"\x0bSocket-Type\0"))],
    "property-value-whole": [
        readied(malformed.ready(malformed.property_octets(b"Socket-Type", b"REP", value_size=4)))
    ],
    "property-value-size": [
        readied(malformed.ready(malformed.property_octets(b"Socket-Type", b"REP", value_size=1 << 31)))
    ],
    "error-whole": [readied(malformed.error_reason_overrun())],
    "error-reason-visible": [readied(malformed.command_named(b"ERROR", b"\x03a\nb"))],
    "reserved-flags": [after("ROUTER", ("<", malformed.reserved_flag(bit))) for bit in range(3, 8)],
    "command-without-more": [after("ROUTER", ("<", malformed.command_with_more(b"\4PING\0\0")))],
    "command-in-short-form": [after("ROUTER", ("<", malformed.long_command(b"\4PING\0\0")))],
    "frame-size": [after("ROUTER", ("<", malformed.negative_size()))],
    "command-between-frames": [
        after("ROUTER", ("<", malformed.interrupted_message(b"a", Ping().serialize(), b"b")))
    ],
    "command-name": [
        after("ROUTER", ("<", malformed.command_empty())),
        after("ROUTER", ("<", malformed.command_name_overrun())),
    ],
    "command-name-letters": [after("ROUTER", ("<", malformed.command_named(b"PI-NG")))],
    "ping-ttl-whole": [after("ROUTER", ("<", malformed.ping_cut()))],
    "heartbeat-context-size": [after("ROUTER", ("<", malformed.ping_context(b"c" * 17)))],
    "pongs": [
        after("ROUTER", ("<", Pong().serialize())),
        after("ROUTER", (">", Ping(0, b"a").serialize()), ("<", Pong(b"b").serialize())),
        after("ROUTER", (">", Ping(0, b"a").serialize()), ("<", Pong().serialize())),
        after("ROUTER", ("<", Pong(b"a").serialize()), (">", Ping(0, b"a").serialize())),
    ],
    "subscribers-subscribe": [
        after("PUB", ("<", Subscribe(b"a").serialize())),
        after("ROUTER", ("<", Cancel(b"a").serialize())),
    ],
    "command-form": [
        trace_of(
            (">", malformed.greeting_version(3, 0)),
            (">", Ready("PUB").serialize()),
            ("<", HELLO),
            ("<", Ready("SUB").serialize()),
            ("<", Subscribe(b"a").serialize()),
        )
    ],
    "receivers-send-nothing": [
        after("PULL", ("<", Message(b"\1").serialize())),
        after("SUB", ("<", Message(b"hello").serialize())),
        after("SUB", ("<", Message(b"\1a", b"b").serialize())),
        after("GATHER", ("<", Message(b"a").serialize())),
    ],
    "one-frame": [
        after("CLIENT", ("<", Message(b"a", b"b").serialize())),
        after("RADIO", ("<", Message(b"a").serialize())),
        after("RADIO", ("<", Message(b"a\0", b"b").serialize())),
        after("RADIO", ("<", Message(b"a", b"b", b"").serialize())),
    ],
    "dishes-join": [
        after("RADIO", ("<", Join(b"a").serialize())),
        after("CLIENT", ("<", Leave(b"a").serialize())),
    ],
    "group": [
        after("DISH", ("<", malformed.command_named(b"JOIN", b"a\0"))),
        after("DISH", ("<", malformed.command_named(b"LEAVE", b"a" * 256))),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_correct_peers_pass(name: str) -> None:
    for sender in SENDERS if name != "2.0 partner" else SENDERS[1:]:
        assert run_checks(GOOD[name], 1, sender) == []


def test_every_check_has_a_bad_trace() -> None:
    assert set(BAD) == set(ALL_CHECKS)


@pytest.mark.parametrize("name", BAD)
def test_each_fault_is_found_by_its_check_alone(name: str) -> None:
    for trace in BAD[name]:
        caught = {check.name for check in ALL_CHECKS.values() if list(check.run(trace, 1, "listener"))}
        assert caught == {name}
        for finding in run_checks(trace, 1, "listener"):
            assert finding.clause in ALL_CHECKS[name].clauses
            assert finding.place.sender == "listener"
            assert 0 <= finding.place.offset < len(trace.stream(1, "listener"))
            assert re.fullmatch(r"[ -~]+", finding.message)


@pytest.mark.parametrize("name", BAD)
def test_the_partner_is_not_blamed(name: str) -> None:
    for trace in BAD[name]:
        assert run_checks(trace, 1, "dialer") == []


def test_every_clause_blamed_is_in_the_ledger() -> None:
    known = {
        each
        for path in (ROOT / "specs").glob("*/*.toml")
        for each in re.findall(r'^id\s*= "(.*)"$', path.read_text(), re.MULTILINE)
    }
    assert {clause for check in ALL_CHECKS.values() for clause in check.clauses} <= known


def test_every_fault_of_the_codec_has_a_check() -> None:
    """What the codec blames in ZMTP 3.x, outside the greeting's shape and the state machine."""
    folder = ROOT / "harness" / "zmtp"
    files = ("greeting", "frames", "commands", "metadata", "decoder")
    blamed = {
        clause
        for name in files
        for clause in re.findall(r'"(37/[a-z0-9-]+/[a-z0-9-]+)"', (folder / f"{name}.py").read_text())
    }
    never_in_a_trace = {"37/abnf/greeting", "37/abnf/padding"}
    covered = {clause for check in ALL_CHECKS.values() for clause in check.clauses}
    assert blamed - never_in_a_trace <= covered


@given(st.lists(st.tuples(st.sampled_from("<>"), st.binary(max_size=80)), max_size=6), st.booleans())
def test_no_octets_break_a_check(steps: list[Step], greets: bool) -> None:
    trace = after("ROUTER", *steps) if greets else trace_of(*steps)
    senders: tuple[Sender, Sender] = ("dialer", other("dialer"))
    for sender in senders:
        for finding in run_checks(trace, 1, sender):
            assert finding.place.sender == sender


def test_a_trace_that_grew_is_looked_at_again() -> None:
    trace = after("ROUTER")
    assert run_checks(trace, 1, "listener") == []
    trace.octets(1, "listener", malformed.reserved_flag(4))
    assert [each.clause for each in run_checks(trace, 1, "listener")] == ["37/framing/reserved-zero"]
