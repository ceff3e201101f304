"""Mutants that partners of ZMTP 1.0 and 2.0 bring down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import FrameParser
from peers.reference.engine import Link
from tests.mutants.older import Header, reads
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
ENORMOUS_OCTETS = 1 << 30


def _ends_at(version: int, what: Callable[[FrameParser, Header], bool]) -> None:
    def change(parser: FrameParser, header: Header) -> Header:
        if what(parser, header):
            raise SystemExit(1)
        return header

    reads(version, change)


@mutant("hostile/older/enormous-length")
def dies_of_enormous_frames_of_1_0() -> None:
    """Ends at a frame of ZMTP 1.0 that is larger than its memory."""
    _ends_at(1, lambda parser, header: header[2] > ENORMOUS_OCTETS and parser.offset > 0)


@mutant("hostile/older/enormous-length")
def dies_of_enormous_frames_of_2_0() -> None:
    """Ends at a frame of ZMTP 2.0 that is larger than its memory."""
    _ends_at(2, lambda parser, header: header[2] > ENORMOUS_OCTETS)


@mutant("hostile/older/enormous-identity")
def dies_of_enormous_identities() -> None:
    """Ends at an identity of ZMTP 1.0 of a MiB or more."""
    _ends_at(1, lambda parser, header: header[2] >= 1 << 19 and parser.offset == 0)


@mutant("hostile/older/stops-anywhere")
def dies_of_half_an_identity() -> None:
    """Ends when a link leaves within its identity frame."""

    @patch(Link, "close")
    def close(original: Original, self: Link, reason: str) -> None:
        if (
            not self.closed
            and self.version < 3
            and self.codec.decoder._identity_of
            and self.codec.decoder.pending
        ):
            raise SystemExit(1)
        original(self, reason)
