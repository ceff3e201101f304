"""Values against the octets that the RFCs print, and the values that must not become octets."""

import pytest

from harness.zmtp import (
    Cancel,
    Command,
    Error,
    Frame,
    Greeting,
    Join,
    Leave,
    LegacyGreeting,
    LocalProtocolError,
    Message,
    Ping,
    Pong,
    ProtocolError,
    Ready,
    RemoteProtocolError,
    Subscribe,
    cancellation,
    subscription,
)
from harness.zmtp.commands import AnyCommand
from harness.zmtp.grammar import DRAFT_SOCKET_TYPES, PARTNERS, SOCKET_TYPES, are_partners
from harness.zmtp.metadata import parse_properties, property_faults, serialize_properties

# RFC 37 and 23, "Worked Example".
CLIENT_READY = (
    bytes([0x04, 41])
    + b"\x05READY"
    + b"\x0bSocket-Type\x00\x00\x00\x06DEALER"
    + b"\x08Identity\x00\x00\x00\x00"
)
SERVER_READY = bytes([0x04, 28]) + b"\x05READY" + b"\x0bSocket-Type\x00\x00\x00\x06ROUTER"


def greeting_octets(minor: int) -> bytes:
    partial = b"\xff" + bytes(8) + b"\x7f" + b"\x03"
    return partial + bytes([minor]) + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)


class TestWorkedExample:
    @pytest.mark.parametrize("minor", [0, 1])
    def test_greeting(self, minor: int) -> None:
        assert Greeting((3, minor)).serialize() == greeting_octets(minor)
        assert Greeting.parse(greeting_octets(minor)) == Greeting((3, minor))

    def test_client_ready(self) -> None:
        assert Ready("DEALER", b"").serialize() == CLIENT_READY
        assert len(CLIENT_READY) == 2 + 41

    def test_server_ready(self) -> None:
        assert Ready("ROUTER").serialize() == SERVER_READY
        assert len(SERVER_READY) == 2 + 28


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (Subscribe(b"A"), b"\x04\x0b\x09SUBSCRIBEA"),
        (Cancel(b"A"), b"\x04\x08\x06CANCELA"),
        (Join(b"A"), b"\x04\x06\x04JOINA"),
        (Leave(b""), b"\x04\x06\x05LEAVE"),
        (Ping(0x0102, b"ctx"), b"\x04\x0a\x04PING\x01\x02ctx"),
        (Pong(b"ctx"), b"\x04\x08\x04PONGctx"),
        (Error(b"why"), b"\x04\x0a\x05ERROR\x03why"),
        (Command(b"JOIN", b"g"), b"\x04\x06\x04JOINg"),
        (Subscribe(bytes(246)), b"\x06" + (256).to_bytes(8, "big") + b"\x09SUBSCRIBE" + bytes(246)),
        (Ready(), b"\x04\x06\x05READY"),
    ],
)
def test_commands_as_octets(value: AnyCommand, octets: bytes) -> None:
    assert value.serialize() == octets


@pytest.mark.parametrize(
    ("version", "parts", "octets"),
    [
        (3, (b"",), b"\0\0"),
        (3, (b"ab", b"c"), b"\x01\x02ab\x00\x01c"),
        (3, (bytes(255),), b"\x00\xff" + bytes(255)),
        (3, (bytes(256),), b"\x02" + (256).to_bytes(8, "big") + bytes(256)),
        (2, (bytes(256), b""), b"\x03" + (256).to_bytes(8, "big") + bytes(256) + b"\0\0"),
        (1, (b"",), b"\x01\x00"),
        (1, (b"ab", b"c"), b"\x03\x01ab\x02\x00c"),
        (1, (bytes(253),), b"\xfe\x00" + bytes(253)),
        (1, (bytes(254),), b"\xff" + (255).to_bytes(8, "big") + b"\x00" + bytes(254)),
    ],
)
def test_messages_in_each_framing(version: int, parts: tuple[bytes, ...], octets: bytes) -> None:
    assert Message(*parts).serialize(version) == octets


@pytest.mark.parametrize(
    ("version", "octets"),
    [
        (3, b"\x02\0\0\0\0\0\0\0\x01a"),
        (2, b"\x02\0\0\0\0\0\0\0\x01a"),
        (1, b"\xff\0\0\0\0\0\0\0\x02\x00a"),
    ],
)
def test_the_long_form_can_be_forced(version: int, octets: bytes) -> None:
    assert Message(b"a").serialize(version, long=True) == octets


def test_subscriptions_as_messages() -> None:
    assert subscription(b"A").serialize(2) == b"\x00\x02\x01A"
    assert cancellation(b"A").serialize(2) == b"\x00\x02\x00A"


@pytest.mark.parametrize(
    ("greeting", "octets"),
    [
        (LegacyGreeting(1, "REQ", b"me"), b"\xff" + bytes(8) + b"\x7f\x01\x03\x00\x02me"),
        (LegacyGreeting(1, "XPUB"), b"\xff" + bytes(8) + b"\x7f\x01\x01\x00\x00"),
        (LegacyGreeting(1, "XSUB"), b"\xff" + bytes(8) + b"\x7f\x01\x02\x00\x00"),
        (LegacyGreeting(None), b"\x01\x00"),
        (LegacyGreeting(None, None, b"ABC"), b"\x04\x00ABC"),
        (LegacyGreeting(None, None, bytes(255)), b"\xff" + (256).to_bytes(8, "big") + b"\0" + bytes(255)),
        (LegacyGreeting(0, None, b"ABC"), b"\xff\0\0\0\0\0\0\0\x04\x7fABC"),
    ],
)
def test_old_greetings(greeting: LegacyGreeting, octets: bytes) -> None:
    assert greeting.serialize() == octets


@pytest.mark.parametrize(
    ("socket_type", "octet"),
    [("PAIR", 0), ("PUB", 1), ("SUB", 2), ("REQ", 3), ("REP", 4), ("DEALER", 5), ("ROUTER", 6), ("PULL", 7),
     ("PUSH", 8)],
)  # fmt: skip
def test_socket_types_as_one_octet(socket_type: str, octet: int) -> None:
    assert LegacyGreeting(1, socket_type).serialize()[11] == octet


@pytest.mark.parametrize(
    ("clause", "value"),
    [
        ("37/abnf/version-major", Greeting((2, 0))),
        ("37/abnf/version-major", Greeting((3, 256))),
        ("37/abnf/mechanism", Greeting(mechanism="")),
        ("37/abnf/mechanism", Greeting(mechanism="A" * 21)),
        ("37/auth/name-charset", Greeting(mechanism="null")),
        ("37/abnf/as-server", Greeting(as_server=2)),
        ("37/abnf/padding", Greeting(padding=b"")),
        ("37/abnf/filler", Greeting(filler=b"")),
        ("15/grammar/abnf-identity", LegacyGreeting(1, "REQ", bytes(256))),
        ("15/grammar/abnf-socket-type", LegacyGreeting(1, None)),
        ("15/grammar/abnf-socket-type", LegacyGreeting(1, "CLIENT")),
        ("15/grammar/abnf-greeting", LegacyGreeting(1, "REQ", padding=b"")),
        ("15/grammar/abnf-greeting", LegacyGreeting(256, "REQ")),
        ("37/abnf/command-name", Command(b"")),
        ("37/abnf/command-name", Command(b"A-B")),
        ("37/abnf/command-name", Command(b"A" * 256)),
        ("37/null/abnf-error-reason", Error(b"two words")),
        ("37/null/abnf-error-reason", Error(b"x" * 256)),
        ("37/heartbeat/abnf-ping-ttl", Ping(65536)),
        ("37/heartbeat/abnf-ping-ttl", Ping(-1)),
        ("37/heartbeat/context-max", Ping(0, bytes(17))),
        ("37/heartbeat/context-max", Pong(bytes(17))),
        ("37/identity/abnf-identity", Ready("REQ", bytes(256))),
        ("37/null/name-length", Ready(properties=((b"", b""),))),
        ("37/null/name-length", Ready(properties=((b"a" * 256, b""),))),
        ("37/null/abnf-name-char", Ready(properties=((b"a b", b""),))),
    ],
    ids=str,
)
def test_what_the_grammar_does_not_have_is_refused(
    clause: str, value: Greeting | LegacyGreeting | AnyCommand
) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        value.serialize()
    assert caught.value.clause == clause
    assert caught.value.offset is None


@pytest.mark.parametrize(
    ("body", "flags", "clause"),
    [
        (b"", {"command": True, "more": True}, "37/framing/command-no-more"),
        (bytes(256), {"long": False}, "37/framing/size-ranges"),
    ],
)
def test_frames_that_cannot_be(body: bytes, flags: dict[str, bool], clause: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        Frame.of(body, **flags)
    assert caught.value.clause == clause


class TestProperties:
    def test_names_are_found_in_any_case(self) -> None:
        ready = Ready(properties=((b"socket-TYPE", b"REP"), (b"IDENTITY", b"me"), (b"identity", b"you")))
        assert (ready.socket_type, ready.identity) == ("REP", b"me")
        assert ready.get(b"X-none") is None

    def test_order_and_repetition_survive(self) -> None:
        properties = ((b"b", b"1"), (b"a", b""), (b"b", b"2"))
        assert parse_properties(serialize_properties(properties)) == properties

    @pytest.mark.parametrize(
        ("octets", "clause", "offset"),
        [
            (b"\0", "37/null/name-length", 100),
            (b"\x01a\0\0\0\0\0", "37/null/name-length", 106),
            (b"\x01", "37/null/abnf-property", 100),
            (b"\x01a\0\0\0", "37/null/abnf-property", 100),
            (b"\x01a\0\0\0\x01", "37/null/abnf-value", 102),
            (b"\x01a\x80\0\0\0", "37/null/value-range", 102),
        ],
    )
    def test_what_cannot_be_read_has_its_place(self, octets: bytes, clause: str, offset: int) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            parse_properties(octets, 100)
        assert (caught.value.clause, caught.value.offset) == (clause, offset)

    @pytest.mark.parametrize(
        ("name", "value", "clause"),
        [
            (b"a b", b"", "37/null/abnf-name-char"),
            (b"Socket-Type", b"req", "37/sockettype/abnf-socket-type"),
            (b"identity", bytes(256), "37/identity/abnf-identity"),
            (b"Identity", b"\0a", "37/identity/no-leading-zero"),
            (b"Resource", b"/a", "37/resource/abnf-resource"),
        ],
    )
    def test_faults_are_found_behind_good_properties(self, name: bytes, value: bytes, clause: str) -> None:
        good = (b"Resource", b"system/name-service/test"), (b"Socket-Type", b"CLIENT"), (b"Identity", b"")
        before = len(serialize_properties(good))
        [fault] = property_faults((*good, (name, value)), 10)
        assert fault.clause == clause
        into = 0 if clause == "37/null/abnf-name-char" else 1 + len(name) + 4
        assert fault.offset == 10 + before + into


# RFC 37, "The Socket-Type Property", as the RFC 23 draws it: one row a type.
MATRIX = """
       REQ REP DEALER ROUTER PUB XPUB SUB XSUB PUSH PULL PAIR
REQ     .   *    .      *     .   .    .   .    .    .    .
REP     *   .    *      .     .   .    .   .    .    .    .
DEALER  .   *    *      *     .   .    .   .    .    .    .
ROUTER  *   .    *      *     .   .    .   .    .    .    .
PUB     .   .    .      .     .   .    *   *    .    .    .
XPUB    .   .    .      .     .   .    *   *    .    .    .
SUB     .   .    .      .     *   *    .   .    .    .    .
XSUB    .   .    .      .     *   *    .   .    .    .    .
PUSH    .   .    .      .     .   .    .   .    .    *    .
PULL    .   .    .      .     .   .    .   .    *    .    .
PAIR    .   .    .      .     .   .    .   .    .    .    *
"""


def drawn_pairs() -> dict[tuple[str, str], bool]:
    head, *rows = (line.split() for line in MATRIX.strip().splitlines())
    return {(row[0], other): mark == "*" for row in rows for other, mark in zip(head, row[1:], strict=True)}


def test_who_talks_to_whom() -> None:
    drawn = drawn_pairs()
    assert len(drawn) == 121
    assert {(a, b): are_partners(a, b) for a in SOCKET_TYPES for b in SOCKET_TYPES} == drawn
    assert not are_partners("REQ", "CLIENT")
    assert not are_partners("none", "REQ")


def test_each_draft_type_has_one_partner() -> None:
    pairs = {("CLIENT", "SERVER"), ("RADIO", "DISH"), ("SCATTER", "GATHER")}
    pairs |= {("PEER", "PEER"), ("CHANNEL", "CHANNEL")}
    drawn = pairs | {(b, a) for a, b in pairs}
    found = {(a, b) for a in PARTNERS for b in PARTNERS if are_partners(a, b) and a in DRAFT_SOCKET_TYPES}
    assert found == drawn
    assert set(PARTNERS) == {*SOCKET_TYPES, *DRAFT_SOCKET_TYPES}


def test_an_error_reads_as_one_line() -> None:
    assert str(ProtocolError("37/x/y", "odd", 3)) == "odd at octet 3 [37/x/y]"
    assert str(ProtocolError("37/x/y", "odd")) == "odd [37/x/y]"
