"""What the cases on ZMTP 1.0 share: a partner that speaks it, and a look at the frames that came."""

from __future__ import annotations

from conformance.zmtp.framing import expect_frames
from conformance.zmtp.partners import expect_legacy_greeting
from harness.case import Judge
from harness.wire.rawpeer import RawPeer
from harness.zmtp import LegacyGreeting

SHORT_MAX_OCTETS = 253  # the length counts the flags octet, and 255 begins the long form


def meet(raw: RawPeer, identity: bytes = b"") -> RawPeer:
    """Greet as a partner of ZMTP 1.0, which tells nothing but its identity; ready for messages."""
    expect_legacy_greeting(raw, LegacyGreeting(None, None, identity), "13/connection/send-greeting")
    return raw


def expect_plain_frames(raw: RawPeer, judge: Judge, *parts: bytes, clause: str) -> None:
    """The next message has these parts, in frames without reserved flags, short where they can be."""
    for frame in expect_frames(raw, *parts, clause=clause):
        flags = raw.received[frame.offset + (9 if frame.long else 1)]
        judge.equal(f"flags {flags:02X}", f"flags {frame.more:02X}", clause="13/framing/reserved-zero")
        can_be_short = len(frame.body) <= SHORT_MAX_OCTETS
        judge.that(frame.long != can_be_short, "the short form", "the long form", "13/framing/len-short-form")
