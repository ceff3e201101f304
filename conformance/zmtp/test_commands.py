"""Commands in traffic: their form, and that the application does not see them (RFC 37 and 23, Commands)."""

import pytest

from conformance.zmtp.framing import bystander, tolerated_or_closed
from conformance.zmtp.traffic import data_of
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import (
    AnyCommand,
    Cancel,
    Command,
    Message,
    Pong,
    Subscribe,
    malformed,
)

RECEIVERS = {"DEALER": "DEALER", "PAIR": "PAIR", "PULL": "PUSH"}
UNKNOWN = {
    "without-data": Command(b"UNKNOWN"),
    "text": Command(b"UNKNOWN", b"data"),
    "looks-like-a-message": Command(b"UNKNOWN", Message(b"ghost", b"frame").serialize()),
    "long": Command(b"UNKNOWN", bytes(range(256)) * 2),
    "long-name": Command(b"U" * 255, b"data"),
    "small-letters": Command(b"ping", b"\0\0data"),
}
USELESS = {
    "subscribe": Subscribe(b"topic"),
    "subscribe-to-all": Subscribe(b""),
    "cancel": Cancel(b"topic"),
    "pong": Pong(b"unasked"),
}
NAMELESS = {
    "no-body": malformed.command_empty(),
    "no-name": malformed.command_named(b"", b"data"),
    "name-overruns": malformed.command_name_overrun(),
    "name-overruns-by-one": malformed.command_name_overrun(6),
}
MISNAMED = {
    "null": malformed.command_named(b"UN\0KNOWN", b"data"),
    "space": malformed.command_named(b" ", b"data"),
    "digits": malformed.command_named(b"PING2", b"\0\0data"),
    "high-octets": malformed.command_named(b"\xff\xfe\x80", b"data"),
}
SHORT = {"body-10": 0, "body-11": 1, "body-255": 245}
LONG = {"body-256": 246, "body-257": 247, "body-65546": 65_536}


@case(
    "zmtp/commands/unknown-command-is-not-delivered",
    clauses=[
        "37/framing/commands-hidden",
        "37/abnf/command-data",
        "37/abnf/traffic",
        "23/framing/defined-commands",
    ],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", RECEIVERS)
@pytest.mark.parametrize("command", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_command_is_not_delivered(
    peer: Peer, attach: Attach, judge: Judge, socket_type: str, command: AnyCommand
) -> None:
    """A command that nobody defined is ignored or ends the connection; nothing of it is delivered."""
    sock = peer.open(socket_type)
    raw = attach(sock).handshake(RECEIVERS[socket_type])
    raw.send(command)
    tolerated_or_closed(raw, sock, [], judge=judge, clause="37/framing/commands-hidden")


@case(
    "zmtp/commands/useless-command-is-not-delivered",
    clauses=["37/framing/commands-hidden"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", RECEIVERS)
@pytest.mark.parametrize("command", USELESS.values(), ids=USELESS)
def test_useless_command_is_not_delivered(
    peer: Peer, attach: Attach, judge: Judge, socket_type: str, command: AnyCommand
) -> None:
    """A subscription or PONG without use for a socket is ignored or ends the connection; never delivered."""
    sock = peer.open(socket_type)
    raw = attach(sock).handshake(RECEIVERS[socket_type])
    raw.send(command)
    tolerated_or_closed(raw, sock, [], judge=judge, clause="37/framing/commands-hidden")


@case(
    "zmtp/commands/between-messages",
    clauses=["37/abnf/traffic", "37/framing/commands-hidden"],
    needs=["DEALER", "feature:heartbeat"],
)
def test_between_messages(peer: Peer, attach: Attach) -> None:
    """Commands between messages disturb neither the messages nor their order."""
    dealer = peer.open("DEALER")
    raw = attach(dealer).handshake("DEALER")
    for number in range(10):
        raw.send(Message(b"%d" % number, b"whole"))
        raw.fence(clause="37/abnf/traffic")
    for number in range(10):
        dealer.expect(b"%d" % number, b"whole")
    dealer.expect_empty()


@case(
    "zmtp/commands/command-without-a-whole-name",
    clauses=["37/abnf/command-name", "37/abnf/command"],
    needs=["PULL"],
)
@pytest.mark.parametrize("octets", NAMELESS.values(), ids=NAMELESS)
def test_command_without_a_whole_name(
    peer: Peer, attach: Attach, dial: Dial, judge: Judge, octets: bytes
) -> None:
    """A command whose name is missing or cut is ignored or ends the connection, and harms nobody."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/abnf/command-name"):
        raw.send(octets)
        tolerated_or_closed(raw, pull, [], judge=judge, clause="37/abnf/command-name")


@case("zmtp/commands/command-name-not-of-letters", clauses=["37/abnf/command-name-char"], needs=["PULL"])
@pytest.mark.parametrize("octets", MISNAMED.values(), ids=MISNAMED)
def test_command_name_not_of_letters(
    peer: Peer, attach: Attach, dial: Dial, judge: Judge, octets: bytes
) -> None:
    """A command whose name has other characters than letters is ignored or ends the connection."""
    pull = peer.open("PULL")
    raw = attach(pull).handshake("PUSH")
    with bystander(pull, dial, clause="37/abnf/command-name-char"):
        raw.send(octets)
        tolerated_or_closed(raw, pull, [], judge=judge, clause="37/abnf/command-name-char")


@case(
    "zmtp/commands/accepts-the-long-form",
    clauses=["37/abnf/command-size", "37/abnf/long-size"],
    needs=["PUB", "zmtp:3.1"],
)
@pytest.mark.parametrize("size", [0, 5, 245])
def test_accepts_the_long_form(peer: Peer, attach: Attach, size: int) -> None:
    """A command with a size of eight octets is understood though it would fit into the short form."""
    pub = peer.open("PUB")
    raw = attach(pub).handshake("SUB")
    topic = b"t" * size
    raw.send(malformed.long_command(data_of(Subscribe(topic))))
    deadline = raw.deadlines.deadline("delivery")
    while not raw.arrived() and not deadline.expired:
        pub.send([topic, b"news"])
    raw.expect_message(topic, b"news")


@case(
    "zmtp/commands/short-body-in-short-form",
    clauses=["37/auth/command-short", "37/abnf/command-size", "37/abnf/command", "37/framing/command-bit"],
    needs=["SUB", "zmtp:3.1"],
)
@pytest.mark.parametrize("size", SHORT.values(), ids=SHORT)
def test_short_body_in_short_form(peer: Peer, attach: Attach, judge: Judge, size: int) -> None:
    """A command with a body of up to 255 octets goes out with a size of one octet."""
    sub = peer.open("SUB")
    raw = attach(sub).handshake("PUB")
    sub.subscribe(b"t" * size)
    raw.expect(Subscribe(b"t" * size), clause="37/abnf/command")
    assert raw.last is not None
    judge.that(not raw.last.frames[0].long, "the short form", "the long form", clause="37/auth/command-short")


@case(
    "zmtp/commands/long-body-in-long-form",
    clauses=["37/auth/command-long", "37/abnf/command-size", "37/abnf/command"],
    needs=["SUB", "zmtp:3.1"],
)
@pytest.mark.parametrize("size", LONG.values(), ids=LONG)
def test_long_body_in_long_form(peer: Peer, attach: Attach, size: int) -> None:
    """A command with a body of 256 octets or more goes out whole, with a size of eight octets."""
    sub = peer.open("SUB")
    raw = attach(sub).handshake("PUB")
    sub.subscribe(b"t" * size)
    raw.expect(Subscribe(b"t" * size))
    sub.subscribe(b"next")
    raw.expect(Subscribe(b"next"), clause="37/abnf/command-size")


@case(
    "zmtp/commands/data-up-to-the-end-of-the-frame",
    clauses=["37/abnf/command-data", "37/abnf/command-body"],
    needs=["XPUB", "zmtp:3.1"],
)
def test_data_up_to_the_end_of_the_frame(peer: Peer, attach: Attach, seed: int) -> None:
    """A command's data is all that follows its name: octets of any value, none of them a separator."""
    xpub = peer.open("XPUB")
    raw = attach(xpub).handshake("SUB")
    topics = [bytes(range(256)), b"\0", b"\0\0", Message(b"ghost").serialize(), b"\xff"]
    raw.send(*map(Subscribe, topics))
    for topic in topics:
        xpub.expect(b"\1" + topic)
    expect_serves(xpub, raw)
