"""What the cases on ZMTP 2.0 share: partners that speak it."""

from __future__ import annotations

from conformance.zmtp.partners import expect_legacy_greeting
from harness.wire.rawpeer import RawPeer
from harness.zmtp import LegacyGreeting


def meet(raw: RawPeer, socket_type: str, identity: bytes = b"", clause: str | None = None) -> RawPeer:
    """Greet as a socket of that type in ZMTP 2.0; ready for messages."""
    expect_legacy_greeting(
        raw, LegacyGreeting(1, socket_type, identity), clause or "15/grammar/abnf-greeting"
    )
    return raw
