"""Faults with names that somebody has."""

from __future__ import annotations

from typing import Any

from conformance.guide.test_identity_rules import (
    BEFORE,
    HELD,
    LENGTH,
    NAME,
    TAKEN_OVER,
    test_identity_held,
    test_identity_rules,
    test_identity_taken_over,
)
from harness.peer import RemoteSocket
from harness.stage.stage import Stage
from tests.guide.mutants import broken, played_by

_open = Stage.open


@broken(test_identity_rules, LENGTH, "open", owner=Stage)
def library_cuts_what_is_too_long(self: Stage, role: str, socket_type: str, **options: Any) -> RemoteSocket:
    """Of an identity that is too long the beginning is taken."""
    if "identity" in options:
        options["identity"] = options["identity"][:255]
    return _open(self, role, socket_type, **options)


played_by(test_identity_rules, LENGTH, "router", "router-cuts-identity")
played_by(test_identity_rules, BEFORE, "dealer", "keeps-the-identity-of-its-first-connection")
played_by(test_identity_held, HELD, "router", "router-lets-identity-be-shared", name=NAME)
played_by(test_identity_held, HELD, "router", "reads-handover-upside-down", name=NAME)
played_by(test_identity_taken_over, TAKEN_OVER, "router", "router-never-hands-over")
