"""The lenient reader: what it makes of each version, where things stand, what it says of faults."""

import pytest

from harness.zmtp import (
    Command,
    Decoder,
    Frame,
    FrameParser,
    Greeting,
    LegacyGreeting,
    Message,
    Ready,
    RemoteProtocolError,
    Undecodable,
    malformed,
)

HELLO = Greeting().serialize()


def faults(decoder: Decoder, octets: bytes) -> list[tuple[str, int | None]]:
    return [(fault.clause, fault.offset) for received in decoder.feed(octets) for fault in received.faults]


def test_places_and_frames() -> None:
    octets = HELLO + Ready("REP").serialize() + Message(b"a", b"bc").serialize()
    greeting, ready, message = Decoder().feed(octets)
    assert (greeting.start, greeting.end, greeting.frames) == (0, 64, ())
    assert (ready.start, ready.end, ready.value) == (64, 64 + 27, Ready("REP"))
    assert (message.start, message.end) == (91, 98)
    assert message.frames == (Frame(1, b"a", 91), Frame(0, b"bc", 94))
    assert not any(received.faults for received in (greeting, ready, message))


def test_what_is_open_can_be_seen() -> None:
    decoder = Decoder()
    assert decoder.feed(HELLO[:20]) == []
    assert decoder.pending == HELLO[:20]
    decoder.feed(HELLO[20:] + b"\x01\x01a" + b"\x00\x05ab")
    assert decoder.open_message == (Frame(1, b"a", 64),)
    assert decoder.pending == b"\x00\x05ab"
    assert decoder.total_octets == 64 + 3 + 4


def test_a_command_inside_a_message_hurts_neither() -> None:
    octets = HELLO + malformed.interrupted_message(b"a", Command(b"PONG").serialize(), b"b")
    _, command, message = Decoder().feed(octets)
    assert [fault.clause for fault in command.faults] == ["37/abnf/command-not-inside-message"]
    assert message.value == Message(b"a", b"b")
    assert (message.start, message.end) == (64, len(octets))


def test_a_command_that_cannot_be_read_does_not_stop_the_reading() -> None:
    _, bad, good = Decoder().feed(HELLO + malformed.command_empty() + Message(b"a").serialize())
    assert isinstance(bad.value, Undecodable)
    assert good.value == Message(b"a")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (malformed.command_named(b"ERROR"), ("37/null/abnf-error", 72)),
        (malformed.command_named(b"ERROR", b"\x01ab"), ("37/null/abnf-error", 74)),
        (malformed.command_named(b"ERROR", b"\x03a b"), ("37/null/abnf-error-reason", 73)),
        (malformed.command_named(b"PONG", bytes(17)), ("37/heartbeat/context-max", 71)),
        (malformed.ready(malformed.property_octets(b"X y", b"")), ("37/null/abnf-name-char", 72)),
        (malformed.ready(malformed.property_octets(b"Identity", b"\0")), ("37/identity/no-leading-zero", 85)),
    ],
)
def test_faults_of_commands(octets: bytes, expected: tuple[str, int]) -> None:
    assert faults(Decoder(), HELLO + octets) == [expected]


def test_as_server_is_for_mechanisms_with_roles() -> None:
    assert faults(Decoder(), Greeting(as_server=1).serialize()) == [("37/null/as-server-zero", 32)]
    assert faults(Decoder(), Greeting((3, 0), as_server=1).serialize()) == []
    assert faults(Decoder(), Greeting(mechanism="PLAIN", as_server=1).serialize()) == []


@pytest.mark.parametrize("padding", [bytes(8), bytes(range(8)), b"\xff" * 8])
def test_padding_means_nothing(padding: bytes) -> None:
    [received] = Decoder().feed(Greeting(padding=padding).serialize())
    assert received.value == Greeting(padding=padding)
    assert received.faults == ()


class TestZmtp20:
    GREETING = LegacyGreeting(1, "SUB", b"me").serialize()

    def test_greeting_and_messages(self) -> None:
        greeting, message = Decoder().feed(self.GREETING + b"\x00\x02\x01A")
        assert greeting.value == LegacyGreeting(1, "SUB", b"me")
        assert (greeting.start, greeting.end) == (0, 16)
        assert message.value == Message(b"\x01A")

    @pytest.mark.parametrize("revision", [1, 2])
    def test_both_revisions_lead_here(self, revision: int) -> None:
        decoder = Decoder()
        assert faults(decoder, LegacyGreeting(revision, "REQ").serialize()) == []
        assert decoder.version == 2

    def test_a_newer_sender_steps_down_to_its_partner(self) -> None:
        decoder = Decoder(partner_major=1)
        [received] = decoder.feed(LegacyGreeting(3, "REQ").serialize())
        assert received.value == LegacyGreeting(3, "REQ")

    @pytest.mark.parametrize("bit", range(2, 8))
    def test_reserved_bits(self, bit: int) -> None:
        expected = [("15/framing/reserved-zero", 16)]
        assert faults(Decoder(), self.GREETING + malformed.frame(1 << bit, b"a")) == expected

    @pytest.mark.parametrize("header", [b"\x01\x00", b"\x02" + bytes(8)])
    def test_the_identity_is_one_short_final_frame(self, header: bytes) -> None:
        assert faults(Decoder(), self.GREETING[:12] + header) == [("15/grammar/abnf-identity", 12)]

    def test_an_unknown_socket_type_ends_the_reading(self) -> None:
        decoder = Decoder()
        octets = self.GREETING[:11] + b"\x09\0\0"
        assert faults(decoder, octets) == [("15/grammar/abnf-socket-type", 11)]
        assert decoder.stopped

    def test_revision_zero(self) -> None:
        octets = bytearray(self.GREETING)
        octets[10] = 0
        assert faults(Decoder(), bytes(octets)) == [("15/grammar/abnf-revision", 10)]


class TestZmtp10:
    @pytest.mark.parametrize(
        ("partner", "greeting"),
        [
            (3, LegacyGreeting(None)),
            (3, LegacyGreeting(None, None, b"me")),
            (3, LegacyGreeting(None, None, bytes(255))),
            (None, LegacyGreeting(0, None, b"", padding=bytes(7) + b"\x01")),
            (None, LegacyGreeting(0, None, b"me", padding=bytes(7) + b"\x03")),
        ],
    )
    def test_greeting_and_messages(self, partner: int | None, greeting: LegacyGreeting) -> None:
        decoder = Decoder(partner)
        octets = greeting.serialize()
        first, second = decoder.feed(octets + b"\x02\x01a\x01\x00")
        assert first.value == greeting
        assert (first.start, first.end, first.faults) == (0, len(octets), ())
        assert second.value == Message(b"a", b"")
        assert decoder.version == 1

    @pytest.mark.parametrize("flags", [0x00, 0x01, 0x7E, 0xFF])
    def test_flags_of_the_identity_are_not_judged(self, flags: int) -> None:
        [received] = Decoder().feed(bytes([3, flags]) + b"me")
        assert received.value == LegacyGreeting(None, None, b"me")
        assert received.faults == ()

    def test_frames_of_length_zero_are_passed_over_and_told_once(self) -> None:
        decoder = Decoder()
        greeting, empty, message = decoder.feed(b"\x01\x00" + b"\0\0" + b"\x02\x00a" + b"\0")
        assert isinstance(greeting.value, LegacyGreeting)
        assert [(fault.clause, fault.offset) for fault in empty.faults] == [("13/framing/len-min-one", 2)]
        assert (empty.start, empty.end) == (2, 3)
        assert message.value == Message(b"a")
        assert not decoder.stopped

    def test_a_long_frame_of_length_zero_ends_the_reading(self) -> None:
        decoder = Decoder()
        expected = [("13/framing/len-min-one", 2), ("13/framing/length-includes-flags", 3)]
        assert faults(decoder, b"\x01\x00" + b"\0" + b"\xff" + bytes(9)) == expected
        assert decoder.stopped

    def test_identity_too_long(self) -> None:
        octets = b"\xff" + (257).to_bytes(8, "big") + b"\0" + bytes(256)
        assert faults(Decoder(), octets) == [("13/connection/ident-len", 0)]

    def test_oversize(self) -> None:
        assert faults(Decoder(max_octets=1), b"\x01\x00\x03") == []
        assert faults(Decoder(max_octets=1), b"\x01\x00\x03\x00") == [("13/framing/oversize-reject", 2)]


class TestFrameParser:
    def test_offsets_go_on_from_where_it_begins(self) -> None:
        parser = FrameParser(3, 64)
        parser.extend(b"\x00\x01a\x00")
        assert parser.read() == Frame(0, b"a", 64)
        assert parser.read() is None
        assert (parser.offset, parser.pending) == (67, b"\x00")

    @pytest.mark.parametrize("version", [1, 2, 3])
    def test_a_large_frame_in_small_pieces(self, version: int) -> None:
        body = bytes(range(256)) * 40
        octets = Message(body, b"end").serialize(version)
        parser = FrameParser(version)
        frames = []
        for at in range(0, len(octets), 7):
            parser.extend(octets[at : at + 7])
            while (frame := parser.read()) is not None:
                frames.append(frame)
        assert [frame.body for frame in frames] == [body, b"end"]
        assert all(type(frame.body) is bytes for frame in frames)
        assert parser.offset == len(octets)

    def test_the_largest_size_is_legal_and_the_next_is_not(self) -> None:
        legal, illegal = FrameParser(), FrameParser()
        legal.extend(malformed.oversized_frame(2**63 - 1))
        assert legal.read() is None
        illegal.extend(malformed.oversized_frame(2**63))
        with pytest.raises(RemoteProtocolError) as caught:
            illegal.read()
        assert caught.value.clause == "37/framing/size-ranges"
