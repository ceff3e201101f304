"""Mutants for ZMTP 1.0: the reference peer with one fault each with partners that speak it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.zmtp import Config, Connection, Frame, FrameParser, LegacyGreeting, Message, RemoteProtocolError
from harness.zmtp.grammar import LONG, MORE
from peers.reference.engine import Link
from tests.mutants.older import (
    Header,
    ends_messages_at_empty_frames,
    forgets_more_on_empty_frames,
    reads,
    refuses_needless_long_form,
    takes,
    wants_header_in_one_piece,
    writes,
    writes_frames,
)
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
IN_USE = ["13/*", "37/interop/d10-*", "15/interop/v1-continue", "libzmq-2/*", "libzmq-3/durable/gone"]
REFUSED = "13/framing/abnf-length"


@mutant("zmtp10/framing/sends-every-size", breaks=IN_USE)
def leaves_the_flags_out_of_long_lengths() -> None:
    """Announces a long frame of ZMTP 1.0 by the size of its body alone."""

    def change(frame: Frame) -> bytes:
        octets = frame.serialize(1)
        return octets[:1] + len(frame.body).to_bytes(8, "big") + octets[9:] if octets[0] == 0xFF else octets

    writes_frames(1, change)


@mutant("zmtp10/framing/sends-every-size", breaks=IN_USE)
def writes_254_octets_in_the_short_form() -> None:
    """Puts a length of 255 into the one octet that announces the long form of ZMTP 1.0."""

    def change(frame: Frame) -> bytes:
        flags = bytes([frame.flags & MORE])
        return b"\xff" + flags + frame.body if len(frame.body) == 254 else frame.serialize(1)

    writes_frames(1, change)


@mutant("zmtp10/framing/sends-every-size", breaks=IN_USE)
def writes_small_frames_in_the_long_form() -> None:
    """Uses the long form of ZMTP 1.0 for frames of every size."""
    writes(1, None, lambda message: message.serialize(1, long=True))


@mutant("zmtp10/framing/sends-every-size", breaks=IN_USE)
def sets_a_reserved_flag_in_1_0() -> None:
    """Sets a reserved flag on short frames of ZMTP 1.0 that have a body."""

    def change(frame: Frame) -> bytes:
        octets = frame.serialize(1)
        return octets[:1] + bytes([octets[1] | 0x02]) + octets[2:] if 1 < octets[0] < 255 else octets

    writes_frames(1, change)


@mutant("zmtp10/framing/sends-more-on-all-but-the-last", breaks=IN_USE)
def forgets_more_on_empty_frames_of_1_0() -> None:
    """Sends empty frames without MORE to partners of ZMTP 1.0."""
    forgets_more_on_empty_frames(1)


@mutant("zmtp10/framing/receives-every-size", breaks=IN_USE)
def takes_the_flags_of_long_frames_for_body() -> None:
    """Counts the octet of the flags to the body of a long frame of ZMTP 1.0."""

    def change(parser: FrameParser, header: Header) -> Header:
        flags, start, size = header
        return (flags, start - 1, size + 1) if flags & LONG and parser.offset else header

    reads(1, change)


@mutant("zmtp10/framing/accepts-the-long-form", breaks=["13/*", "libzmq-2/*"])
def refuses_the_long_form_of_small_frames_of_1_0() -> None:
    """Closes on a long frame of ZMTP 1.0 that could have been short."""
    refuses_needless_long_form(1, 254, REFUSED)


@mutant("zmtp10/framing/receives-every-number-of-frames", breaks=IN_USE)
def ends_messages_of_1_0_at_empty_frames() -> None:
    """Takes an empty frame of ZMTP 1.0 for the end of its message."""
    ends_messages_at_empty_frames(1)


@mutant("zmtp10/framing/waits-for-the-last-frame", breaks=IN_USE)
def delivers_frames_of_1_0_as_they_come() -> None:
    """Makes a message of every frame of ZMTP 1.0."""
    reads(1, lambda _, header: (header[0] & ~MORE, *header[1:]))


@mutant("zmtp10/framing/cut-message-is-not-delivered")
def delivers_what_came_of_a_cut_message_of_1_0() -> None:
    """Delivers the frames of an unfinished message of ZMTP 1.0 when the link ends."""

    @patch(Link, "close")
    def close(original: Original, self: Link, reason: str) -> None:
        frames = self.codec.decoder.open_message
        if not self.closed and self.version == 1 and frames:
            self.owner.message(self, Message(*(frame.body for frame in frames)))
        original(self, reason)


@mutant("zmtp10/framing/octet-by-octet", breaks=["13/connection/*", "37/errors/close-is-temporary"])
def wants_header_of_1_0_in_one_piece() -> None:
    """Closes where a read ends between the length and the flags of a frame of ZMTP 1.0."""
    wants_header_in_one_piece(1, REFUSED)


@mutant("zmtp10/framing/length-zero-is-passed-over")
def closes_on_length_zero() -> None:
    """Closes on a frame of ZMTP 1.0 of length zero."""
    _at_length_zero(None)


@mutant("zmtp10/framing/length-zero-is-passed-over")
def reads_flags_behind_length_zero() -> None:
    """Takes the octet behind a length of zero for that frame's flags, and passes over both."""
    _at_length_zero(2)


def _at_length_zero(octets: int | None) -> None:
    """Pass over so many octets where the length is zero; None: close."""

    @patch(FrameParser, "_discard_empty")
    def discard(original: Original, self: FrameParser) -> None:
        if self.pending[:1] != b"\0":
            return
        if octets is None:
            raise RemoteProtocolError(REFUSED, "length zero", self.offset)
        self._at += octets


@mutant("zmtp10/framing/reserved-flags")
def takes_reserved_flags_of_1_0_for_more() -> None:
    """Waits for another frame behind one of ZMTP 1.0 that has any flag."""

    def change(parser: FrameParser, header: Header) -> Header:
        flags, start, size = header
        raw = parser._data[start - 1] if parser.offset else 0
        return (flags | MORE if raw else flags, start, size)

    reads(1, change)


@mutant("zmtp10/connection/own-idflags", breaks=["*"])
def greets_as_1_0_with_a_flag() -> None:
    """Speaks nothing but ZMTP 1.0, and greets with an identity frame that has MORE."""

    @patch(Link, "configure")
    def configure(original: Original, self: Link) -> Config:
        config: Config = original(self)
        return replace(config, version=(1, 0))

    @patch(LegacyGreeting, "serialize")
    def serialize(original: Original, self: LegacyGreeting) -> bytes:
        return Frame.of(self.identity, more=True).serialize(1)


@mutant("zmtp10/connection/any-idflags")
def refuses_flags_of_identities() -> None:
    """Closes on an identity frame of ZMTP 1.0 whose flags are not zero."""

    def change(parser: FrameParser, header: Header) -> Header:
        if parser.offset == 0 and parser._data[header[1] - 1]:
            raise RemoteProtocolError(REFUSED, "flags", 1)
        return header

    reads(1, change)


def _changes_identity(change: Callable[[bytes], bytes]) -> None:
    """Know partners of ZMTP 1.0 by other identities than theirs."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Any) -> Any:
        old = isinstance(greeting, LegacyGreeting) and greeting.socket_type is None
        return original(self, replace(greeting, identity=change(greeting.identity)) if old else greeting)


@mutant("zmtp10/connection/routes-by-identity", breaks=["37/interop/d10-long", "15/interop/lsb-zero-is-v1"])
def cuts_identities_of_1_0() -> None:
    """Knows partners of ZMTP 1.0 by the first 200 octets of their identity."""
    _changes_identity(lambda identity: identity[:200])


@mutant("zmtp10/connection/short-identity-in-the-long-form")
def cuts_off_small_identities_in_the_long_form() -> None:
    """Takes a long identity frame for one of ZMTP 1.0 only where it could not be short."""

    @patch(Connection, "_step_down_to_1")
    def down(original: Original, self: Connection, offset: int) -> None:
        if offset == 9 and self._head[1:9] < (255).to_bytes(8, "big"):
            raise RemoteProtocolError("37/abnf/signature", "no signature", offset)
        original(self, offset)


@mutant(
    "zmtp10/connection/own-identity-does-not-begin-with-zero", breaks=["37/interop/d10-*", "13/connection/*"]
)
def shows_its_own_routing_id_to_1_0() -> None:
    """Greets partners of ZMTP 1.0 with an identity of its own making, which begins with zero."""

    @patch(Connection, "_own_greeting")
    def own(original: Original, self: Connection) -> bytes:
        octets: bytes = original(self)
        if self.config.identity or self.config.lowest > 1 or self.config.socket_type != "DEALER":
            return octets
        return octets[:1] + (6).to_bytes(8, "big") + octets[9:]

    @patch(Connection, "_step_down_to_1")
    def down(original: Original, self: Connection, offset: int) -> None:
        original(self, offset)
        if not self.config.identity and self.config.socket_type == "DEALER":
            self._out += b"\0\0\0\0\x01"


@mutant("zmtp10/connection/greets-again", "zmtp20/greeting/greets-again")
def greets_otherwise_when_it_comes_again() -> None:
    """Has another identity on each connection with an old partner that a socket makes again."""
    made: dict[int, int] = {}

    @patch(Link, "make_codec")
    def make(original: Original, self: Link) -> Connection:
        codec: Connection = original(self)
        count = made[id(self.owner)] = made.get(id(self.owner), 0) + 1
        if count > 1 and codec.config.mechanism == "NULL":
            return Connection(replace(codec.config, identity=b"again-%d" % count))
        return codec


@mutant("zmtp10/content/broadcast-is-plain", breaks=["libzmq-2/*"])
def publishes_in_envelopes_to_1_0() -> None:
    """Puts a delimiter before what it publishes to partners of ZMTP 1.0."""
    writes(1, "PUB", lambda message: Message(b"", *message.parts).serialize(1))


@mutant("zmtp10/content/request-has-a-delimiter", breaks=["libzmq-2/*"])
def asks_1_0_without_delimiter() -> None:
    """Sends requests to partners of ZMTP 1.0 without the empty frame."""
    writes(1, "REQ", lambda message: Message(*message.parts[1:]).serialize(1))


@mutant("zmtp10/content/reply-has-the-envelope", breaks=["libzmq-2/*"])
def replies_to_1_0_without_envelope() -> None:
    """Sends replies to partners of ZMTP 1.0 behind the delimiter alone."""
    writes(1, "REP", lambda message: Message(*message.parts[message.parts.index(b"") :]).serialize(1))


@mutant("zmtp10/content/forwarder-adds-the-identity")
def forwards_from_1_0_without_envelope() -> None:
    """Drops the envelope that came from a partner of ZMTP 1.0 when its ROUTER hands the message on."""

    def change(link: Link, parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return parts[parts.index(b"") :] if link.socket_type == "ROUTER" and b"" in parts else parts

    takes(1, change)


@mutant("zmtp10/content/neutral-is-plain", breaks=["libzmq-2/*"])
def pairs_in_envelopes_with_1_0() -> None:
    """Puts a delimiter before what a PAIR sends to partners of ZMTP 1.0."""
    writes(1, "PAIR", lambda message: Message(b"", *message.parts).serialize(1))
