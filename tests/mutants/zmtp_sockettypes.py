"""Mutants for the table of legal partners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness.zmtp.connection as connection_module
from harness.zmtp import Command, Connection, Error, Ready
from harness.zmtp.grammar import DRAFT_SOCKET_TYPES, SOCKET_TYPES
from peers.reference.base import Socket
from peers.reference.engine import Link
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("zmtp/sockettype/legal-partner-is-served")
def dealers_do_not_meet() -> None:
    """Takes DEALER for an illegal partner of DEALER."""

    @patch(connection_module, "are_partners")
    def are_partners(original: Original, one: str, other: str) -> bool:
        return bool(original(one, other)) and not one == other == "DEALER"


@mutant(
    "zmtp/sockettype/illegal-partner-is-refused",
    "zmtp/sockettype/illegal-partner-is-not-heard",
    breaks=["37/null/name-case"],
)
def lets_dealer_speak_to_req() -> None:
    """Takes REQ and DEALER for legal partners of each other, and PUB for one of PULL."""

    @patch(connection_module, "are_partners")
    def are_partners(original: Original, one: str, other: str) -> bool:
        return bool(original(one, other)) or {one, other} in ({"REQ", "DEALER"}, {"PUB", "PULL"})


@mutant("zmtp/sockettype/illegal-partner-is-not-heard", breaks=["15/compat/enforce-type", "37/*"])
def is_spoiled_by_an_illegal_partner() -> None:
    """Serves nobody any more on a socket that has refused a partner."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: Any) -> None:
        getattr(self.owner, "socket").spoiled = True  # noqa: B009
        original(self, error)

    @patch(Socket, "accepts")
    def accepts(original: Original, self: Socket, pipe: Any) -> bool:
        return not hasattr(self, "spoiled")


@mutant("zmtp/sockettype/illegal-partner-gets-error")
def closes_without_a_word() -> None:
    """Closes on an illegal partner without ERROR."""

    @patch(Connection, "fail")
    def fail(original: Original, self: Connection, reason: bytes) -> None:
        pass


@mutant("zmtp/sockettype/illegal-partner-gets-error", breaks=["26/abnf/error"])
def forgets_the_size_of_the_reason() -> None:
    """Sends ERROR with the bare reason, without its length octet."""

    @patch(Error, "to_command")
    def to_command(original: Original, self: Error) -> Command:
        return Command(b"ERROR", self.reason)


@mutant("zmtp/sockettype/unknown-type-is-refused")
def knows_every_type() -> None:
    """Lets in whatever it has no row for."""

    @patch(connection_module, "are_partners")
    def are_partners(original: Original, one: str, other: str) -> bool:
        return bool(original(one, other)) or other.upper() not in SOCKET_TYPES + DRAFT_SOCKET_TYPES


@mutant("zmtp/sockettype/small-letters")
def crashes_on_small_letters() -> None:
    """Exits when a socket type has small letters."""

    @patch(Connection, "_take_ready")
    def take(original: Original, self: Connection, ready: Ready, offset: int) -> Any:
        if (ready.socket_type or "").upper() != (ready.socket_type or ""):
            raise SystemExit(1)
        return original(self, ready, offset)
