"""Faults in who may talk to whom."""

from __future__ import annotations

from conformance.guide.test_valid_pairs import NOTHING, REFUSED, VALID, test_other_pairs, test_valid_pairs
from harness.zmtp.grammar import are_partners
from tests.guide.mutants import broken, played_by

played_by(test_valid_pairs, VALID, "listener", "dealers-do-not-meet")
played_by(test_other_pairs, NOTHING, "dialer+listener", "lets-dealer-speak-to-req")


@broken(test_other_pairs, REFUSED, "are_partners")
def pub_and_sub_should_refuse_each_other(one: str, other: str) -> bool:
    """Both ends accept a partner that is held for an illegal one."""
    return are_partners(one, other) and {one, other} != {"PUB", "SUB"}
