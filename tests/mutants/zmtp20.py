"""Mutants for ZMTP 2.0: the reference peer with one fault each with partners that speak it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import harness.zmtp.decoder as decoder
from harness.zmtp import Connection, Decoder, Frame, FrameParser, LegacyGreeting, Message, RemoteProtocolError
from harness.zmtp.grammar import LONG, MORE
from peers.reference.engine import Link
from tests.mutants.older import (
    Header,
    ends_messages_at_empty_frames,
    forgets_more_on_empty_frames,
    reads,
    refuses_needless_long_form,
    wants_header_in_one_piece,
    writes_frames,
)
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
IN_USE = ["15/*", "37/interop/d20-old"]
REFUSED = "15/framing/long-bit"


@mutant("zmtp20/framing/sends-every-size", breaks=IN_USE)
def counts_the_header_of_long_frames_of_2_0() -> None:
    """Announces a long frame of ZMTP 2.0 with its header."""

    def change(frame: Frame) -> bytes:
        octets = frame.serialize(2)
        return octets[:1] + (len(frame.body) + 9).to_bytes(8, "big") + octets[9:] if frame.long else octets

    writes_frames(2, change)


@mutant("zmtp20/framing/sends-every-size", breaks=IN_USE)
def sets_a_reserved_flag_in_2_0() -> None:
    """Marks long frames of ZMTP 2.0 with a reserved flag."""

    def change(frame: Frame) -> bytes:
        return frame._replace(flags=frame.flags | 0x10).serialize(2) if frame.long else frame.serialize(2)

    writes_frames(2, change)


@mutant("zmtp20/framing/sends-more-on-all-but-the-last", breaks=IN_USE)
def forgets_more_on_empty_frames_of_2_0() -> None:
    """Sends empty frames without MORE to partners of ZMTP 2.0."""
    forgets_more_on_empty_frames(2)


@mutant("zmtp20/framing/receives-every-size", breaks=IN_USE)
def reads_long_sizes_of_2_0_in_four_octets() -> None:
    """Takes the last four octets of a size of eight for body."""

    def change(parser: FrameParser, header: Header) -> Header:
        flags, start, size = header
        return (flags, start - 4, size + 4) if flags & LONG else header

    reads(2, change)


@mutant("zmtp20/framing/accepts-the-long-form", breaks=IN_USE)
def refuses_the_long_form_of_small_frames_of_2_0() -> None:
    """Closes on a long frame of ZMTP 2.0 that could have been short."""
    refuses_needless_long_form(2, 256, REFUSED)


@mutant("zmtp20/framing/receives-every-number-of-frames", breaks=IN_USE)
def ends_messages_of_2_0_at_empty_frames() -> None:
    """Takes an empty frame of ZMTP 2.0 for the end of its message."""
    ends_messages_at_empty_frames(2)


@mutant("zmtp20/framing/octet-by-octet", breaks=["37/errors/close-is-temporary"])
def wants_header_of_2_0_in_one_piece() -> None:
    """Closes where a read ends between the flags and the size of a frame of ZMTP 2.0."""
    wants_header_in_one_piece(2, REFUSED)


@mutant("zmtp20/framing/reserved-flags", "zmtp20/greeting/identity-with-flags")
def takes_reserved_flags_of_2_0_for_more() -> None:
    """Waits for another frame behind one of ZMTP 2.0 that has a reserved flag, and forgives the flag."""

    def change(parser: FrameParser, header: Header) -> Header:
        flags, start, size = header
        return (flags & (MORE | LONG) | (MORE if flags & ~(MORE | LONG) else 0), start, size)

    reads(2, change)

    @patch(Decoder, "_read_identity")
    def read_identity(
        original: Original, self: Decoder, parser: FrameParser, out: Any, greeting: LegacyGreeting
    ) -> None:
        original(self, parser, out, greeting)
        if self._identity_of is None and parser.version == 2 and out[-1].frames[0].more:
            out[-1] = out[-1]._replace(faults=())
            self._message.append(out[-1].frames[0])


@mutant(
    "zmtp20/greeting/own-signature", breaks=["37/interop/d10-size", "37/interop/d10-continue", "13/*", "15/*"]
)
def counts_no_flags_in_its_signature() -> None:
    """Has the size of its identity in the signature, and one more than that plus one."""

    @patch(Connection, "_own_greeting")
    def own(original: Original, self: Connection) -> bytes:
        octets: bytes = original(self)
        if self.config.lowest > 1 or self.version == 1:
            return octets
        return octets[:1] + (len(self.config.identity) + 2).to_bytes(8, "big") + octets[9:]


@mutant(
    "zmtp20/greeting/goes-out-at-once",
    "zmtp20/greeting/own-signature",
    breaks=["37/*", "23/*", "26/*", "24/*"],
)
def lets_the_partner_greet_first() -> None:
    """Sends nothing before an octet of the partner has come."""

    @patch(Connection, "start")
    def start(original: Original, self: Connection) -> None:
        """Wait."""


@mutant("zmtp20/greeting/own-identity-is-a-short-frame", breaks=["15/*"])
def sends_its_identity_in_the_long_form() -> None:
    """Has eight octets for the size of its identity in ZMTP 2.0."""

    @patch(LegacyGreeting, "serialize")
    def serialize(original: Original, self: LegacyGreeting) -> bytes:
        octets: bytes = original(self)
        if not self.revision:
            return octets
        return octets[:12] + Frame.of(self.identity, long=True).serialize(2)


@mutant("zmtp20/greeting/routes-by-identity")
def cuts_identities_of_2_0() -> None:
    """Knows partners of ZMTP 2.0 by the first 200 octets of their identity."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Any) -> Any:
        old = isinstance(greeting, LegacyGreeting) and greeting.socket_type is not None
        return original(self, replace(greeting, identity=greeting.identity[:200]) if old else greeting)


@mutant("zmtp20/greeting/other-odd-octets", breaks=["37/abnf/signature"])
def lets_other_signatures_wait() -> None:
    """Neither serves nor closes on partners whose signature ends with another odd octet than 7F."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        other = octets[:1] == b"\xff" and octets[9:10] not in (b"", b"\x7f") and octets[9] & 1
        if self.codec.partner is not None or not other:
            original(self, octets)


@mutant("zmtp20/greeting/identity-with-flags")
def delivers_identities_with_flags() -> None:
    """Takes an identity of ZMTP 2.0 that has flags for no identity, and for the first message."""

    @patch(Decoder, "_read_identity")
    def read_identity(
        original: Original, self: Decoder, parser: FrameParser, out: Any, greeting: LegacyGreeting
    ) -> None:
        original(self, parser, out, greeting)
        if self._identity_of is None and parser.version == 2 and out[-1].faults:
            out[-1] = out[-1]._replace(faults=())
            out.append(decoder.Received(Message(out[-1].frames[0].body), 12, parser.offset))


@mutant("zmtp20/compat/legal-partner-is-served", breaks=["15/*"])
def asks_no_router_in_2_0() -> None:
    """Cuts off a ROUTER of ZMTP 2.0 that its REQ could ask."""

    @patch(Connection, "_check_partner")
    def check(original: Original, self: Connection, socket_type: str | None, offset: int) -> None:
        if self.version == 2 and (self.config.socket_type, socket_type) == ("REQ", "ROUTER"):
            raise RemoteProtocolError("15/compat/enforce-type", "no ROUTER", offset)
        original(self, socket_type, offset)


@mutant("zmtp20/compat/unknown-type-is-cut-off")
def takes_unknown_types_of_2_0() -> None:
    """Takes a partner of ZMTP 2.0 of no known socket type for a PUSH."""

    @patch(decoder, "parse_legacy_socket_type")
    def parse(original: Original, octet: int, offset: int) -> str:
        return "PUSH" if octet > 8 else str(original(octet, offset))
