"""The NULL handshake: READY both ways, and nothing before it (RFC 37 and 23, The NULL Security Mechanism)."""

import pytest

from conformance.zmtp.traffic import closed_or_served, data_of, expect_silence, start_handshake
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Command, Greeting, Message, Ping, Ready, malformed
from harness.zmtp.grammar import SOCKET_TYPES

SOCKET_TYPE = malformed.property_octets(b"Socket-Type", b"PUSH")
MALFORMED = {
    "name-overrun": malformed.ready(SOCKET_TYPE, b"\xc8X-Short"),
    "size-cut": malformed.ready(SOCKET_TYPE, b"\x07X-Short\0\0"),
    "value-overrun": malformed.ready(malformed.property_octets(b"Socket-Type", b"PUSH", value_size=400)),
    "value-missing": malformed.ready(SOCKET_TYPE, malformed.property_octets(b"X-Short", b"", value_size=1)),
    "trailing-octet": malformed.ready(SOCKET_TYPE, b"\x01"),
}
TOO_LARGE = {
    "two-to-the-31": malformed.property_octets(b"X-Huge", b"some", value_size=1 << 31),
    "two-to-the-32-less-one": malformed.property_octets(b"X-Huge", b"some", value_size=(1 << 32) - 1),
    "two-to-the-31-and-nothing-sent": malformed.property_octets(b"X-Huge", b"", value_size=1 << 31),
}
EARLY = {
    "message": Message(b"early").serialize(),
    "unknown-command": Command(b"UNKNOWN", b"early").serialize(),
    "subscribe": Command(b"SUBSCRIBE", b"").serialize(),
    "ping": Ping(0, b"early").serialize(),
}


@case(
    "zmtp/null/ready-in-both-roles",
    clauses=["37/null/server-ready-reply", "23/null/both-ready"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_ready_in_both_roles(peer: Peer, attach: Attach, socket_type: str) -> None:
    """A peer that gets READY from a legal partner has sent its own, or sends it now, whoever dialled."""
    raw = start_handshake(attach(peer.open(socket_type)), Ready(partner_of(socket_type)))
    raw.expect(Ready, socket_type=socket_type)


def partner_of(socket_type: str) -> str:
    """A type that may talk to this one."""
    return {
        "REQ": "REP", "REP": "REQ", "DEALER": "ROUTER", "ROUTER": "DEALER", "PUB": "SUB", "SUB": "PUB",
        "XPUB": "XSUB", "XSUB": "XPUB", "PUSH": "PULL", "PULL": "PUSH", "PAIR": "PAIR",
    }[socket_type]  # fmt: skip


@case(
    "zmtp/null/dialer-sends-ready-unasked",
    clauses=["37/null/client-ready-first"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", ["DEALER", "PUSH", "REQ", "SUB"])
def test_dialer_sends_ready_unasked(peer: Peer, listen: Listen, socket_type: str) -> None:
    """A peer that dials sends READY to a listener that has sent nothing but its greeting."""
    sock, listener = peer.open(socket_type), listen()
    sock.connect(listener.endpoint)
    raw = listener.accept()
    raw.greet()
    raw.expect(Ready, socket_type=socket_type)
    raw.send(Ready(partner_of(socket_type)))
    expect_serves(sock, raw, clause="37/null/server-ready-reply")


@case("zmtp/null/listener-sends-ready-unasked", clauses=["23/null/ready-before-receive"], needs=["DEALER"])
def test_listener_sends_ready_unasked(peer: Peer, dial: Dial) -> None:
    """A peer that listens sends READY without waiting, as 3.0 has it; 3.1 lets it wait for the dialer's."""
    sock = peer.open("DEALER")
    raw = dial(sock.bind())
    raw.greet()
    raw.expect(Ready, socket_type="DEALER")
    raw.send(Ready("ROUTER"))
    expect_serves(sock, raw, clause="37/null/server-ready-reply")


@case(
    "zmtp/null/ready-follows-the-grammar",
    clauses=[
        "37/null/abnf-ready",
        "37/null/abnf-metadata",
        "37/null/abnf-property",
        "37/null/abnf-name",
        "37/null/abnf-name-char",
        "37/null/abnf-value",
        "37/null/name-length",
        "37/null/value-range",
        "37/abnf/command-name",
        "37/abnf/command-body",
        "37/abnf/handshake",
    ],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_ready_follows_the_grammar(peer: Peer, attach: Attach, socket_type: str) -> None:
    """READY is a command of that name in capitals; legal properties fill it exactly."""
    raw = start_handshake(attach(peer.open(socket_type)), Ready(partner_of(socket_type)))
    raw.expect(object, clause="37/abnf/handshake")
    received = raw.last
    assert received is not None
    for fault in received.faults:
        raise raw.mismatch("READY without fault", fault.message, fault.clause, received.start)
    Judge.that(isinstance(received.value, Ready), "READY", received.value, clause="37/abnf/handshake")


@case("zmtp/null/ready-in-pieces", clauses=["37/null/server-ready-reply"], needs=["PULL"])
def test_ready_in_pieces(peer: Peer, attach: Attach) -> None:
    """READY is understood however TCP cuts it."""
    sock = peer.open("PULL")
    raw = attach(sock)
    raw.greet()
    raw.send(Ready("PUSH", properties=((b"X-Filler", bytes(40)),)), pieces=1)
    raw.expect(Ready, socket_type="PULL")
    expect_serves(sock, raw)


@case("zmtp/null/ready-in-long-form", clauses=["37/abnf/command-size"], needs=["PULL"])
def test_ready_in_long_form(peer: Peer, attach: Attach) -> None:
    """A READY of few octets may come with the long size."""
    sock = peer.open("PULL")
    raw = start_handshake(attach(sock), malformed.long_command(data_of(Ready("PUSH"))))
    raw.expect(Ready, socket_type="PULL")
    expect_serves(sock, raw)


@case(
    "zmtp/null/sends-no-message-before-both-ready",
    clauses=["37/null/send-after-both"],
    needs=["PUSH", "PULL"],
)
def test_sends_no_message_before_both_ready(peer: Peer, listen: Listen, dial: Dial, judge: Judge) -> None:
    """A message that the application sends early stays at home until the partner's READY has come."""
    sock, listener, bystander = peer.open("PUSH"), listen(), peer.open("PULL")
    sock.connect(listener.endpoint)
    raw = listener.accept()
    raw.greet()
    raw.expect(Ready, socket_type="PUSH", clause="37/null/client-ready-first")
    judge.note(f"an early send is {sock.offer([b'early'], within_s=0.05)}")
    expect_silence(raw, bystander, dial, "nothing before READY", "octets")
    raw.send(Ready("PULL"))
    sock.send([b"late"])
    raw.expect(Message)


@case(
    "zmtp/null/sends-no-subscription-before-both-ready",
    clauses=["37/null/send-after-both"],
    needs=["SUB", "PULL"],
)
def test_sends_no_subscription_before_both_ready(peer: Peer, listen: Listen, dial: Dial) -> None:
    """A subscription stays at home until the partner's READY has come."""
    sock, listener, bystander = peer.open("SUB"), listen(), peer.open("PULL")
    sock.subscribe(b"early")
    sock.connect(listener.endpoint)
    raw = listener.accept()
    raw.greet()
    raw.expect(Ready, socket_type="SUB", clause="37/null/client-ready-first")
    expect_silence(raw, bystander, dial, "nothing before READY", "octets")
    raw.send(Ready("PUB"))
    raw.expect_subscription(b"early")


@case(
    "zmtp/null/message-right-behind-ready",
    clauses=["37/null/send-after-both", "37/example/server-send-after-ready"],
    needs=["PULL"],
)
def test_message_right_behind_ready(peer: Peer, listen: Listen) -> None:
    """A listener that has the dialer's READY may send its own and a message in one segment."""
    sock, listener = peer.open("PULL"), listen()
    sock.connect(listener.endpoint)
    raw = listener.accept()
    raw.greet()
    raw.expect(Ready, clause="37/null/client-ready-first")
    raw.send(Ready("PUSH"), Message(b"at", b"once"))
    sock.expect(b"at", b"once")


@case("zmtp/null/early-message-of-3-0", clauses=["23/null/early-send"], needs=["PULL", "zmtp:3.0"])
def test_early_message_of_3_0(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A partner of ZMTP 3.0 may send READY and a message together, whether READY has come to it or not."""
    sock = peer.open("PULL")
    raw = attach(sock)
    raw.send(Greeting(version=(3, 0)), Ready("PUSH"), Message(b"at", b"once"))
    end, came = closed_or_served(raw, sock, b"at", b"once", clause="23/null/early-send")
    judge.equal((end, came), ("served", []))


@case(
    "zmtp/null/traffic-before-ready-is-not-delivered",
    clauses=["37/abnf/connection", "37/null/abnf-null"],
    needs=["PULL"],
)
@pytest.mark.parametrize("early", EARLY.values(), ids=EARLY)
def test_traffic_before_ready_is_not_delivered(
    peer: Peer, attach: Attach, judge: Judge, early: bytes
) -> None:
    """What comes before READY is ignored or ends the connection; it is not delivered and harms nobody."""
    sock = peer.open("PULL")
    raw = attach(sock)
    raw.greet()
    raw.send(early, Ready("PUSH"), Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence", clause="37/abnf/connection")
    judge.note(end)
    judge.equal(came, [])
    expect_serves(sock, attach(sock).handshake("PUSH"))
    sock.expect_empty()


def expect_not_served(raw: RawPeer, sock: RemoteSocket) -> None:
    """Whoever sent a READY like this is refused, and a message behind it is not delivered."""
    raw.send(Message(b"fence"))
    end, _ = closed_or_served(raw, sock, b"fence")
    Judge.that(end != "served", "READY refused", "READY accepted, and the message behind it delivered")


@case("zmtp/null/ready-without-command-flag", clauses=["37/abnf/handshake"], needs=["PULL"])
def test_ready_without_command_flag(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A READY in a message frame is taken as READY or ends the connection; it is not delivered."""
    sock = peer.open("PULL")
    raw = start_handshake(attach(sock), malformed.ready_as_message(b"PUSH"))
    raw.send(Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence", clause="37/abnf/handshake")
    judge.note(end)
    judge.equal(came, [])
    expect_serves(sock, attach(sock).handshake("PUSH"))
    sock.expect_empty()


@case("zmtp/null/repeated-ready-is-not-delivered", clauses=["37/abnf/traffic"], needs=["PULL"])
def test_repeated_ready_is_not_delivered(peer: Peer, attach: Attach, judge: Judge) -> None:
    """READY again in traffic is ignored or ends the connection; it is not delivered."""
    sock = peer.open("PULL")
    raw = attach(sock).handshake("PUSH")
    raw.send(Message(b"before"))
    sock.expect(b"before")
    raw.send(Ready("PUSH"), Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence", clause="37/abnf/traffic")
    judge.note(end)
    judge.equal(came, [])
    expect_serves(sock, attach(sock).handshake("PUSH"))
    sock.expect_empty()


@case(
    "zmtp/null/malformed-ready-is-refused",
    clauses=["37/null/parse-ready", "23/null/parse-ready", "37/errors/close-is-temporary"],
    needs=["PULL"],
)
@pytest.mark.parametrize("ready", MALFORMED.values(), ids=MALFORMED)
def test_malformed_ready_is_refused(peer: Peer, attach: Attach, judge: Judge, ready: bytes) -> None:
    """A READY whose properties do not fill it exactly is refused, and others are served as before."""
    sock = peer.open("PULL")
    with judge.soft():
        expect_not_served(start_handshake(attach(sock), ready), sock)
    expect_serves(sock, attach(sock).handshake("PUSH"), clause="37/errors/close-is-temporary")


@case(
    "zmtp/null/value-size-has-a-limit",
    clauses=["37/null/parse-ready", "37/null/value-range"],
    needs=["PULL"],
)
@pytest.mark.parametrize("huge", TOO_LARGE.values(), ids=TOO_LARGE)
def test_value_size_has_a_limit(peer: Peer, attach: Attach, huge: bytes) -> None:
    """A value that claims more than 2^31-1 octets is refused at once, and others are served as before."""
    sock = peer.open("PULL")
    expect_not_served(start_handshake(attach(sock), malformed.ready(SOCKET_TYPE, huge)), sock)
    expect_serves(sock, attach(sock).handshake("PUSH"))


@case(
    "zmtp/null/empty-property-name",
    clauses=["37/null/name-1-255", "37/errors/close-is-temporary"],
    needs=["PULL"],
)
def test_empty_property_name(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A property without a name is ignored or refused; what the peer does is recorded."""
    sock = peer.open("PULL")
    nameless = malformed.property_octets(b"", b"value")
    raw = start_handshake(attach(sock), malformed.ready(SOCKET_TYPE, nameless))
    with judge.soft():
        expect_not_served(raw, sock)
    expect_serves(sock, attach(sock).handshake("PUSH"), clause="37/errors/close-is-temporary")
