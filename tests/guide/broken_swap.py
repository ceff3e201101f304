"""Faults with queues that go on on disk."""

from __future__ import annotations

from conformance.guide.test_swap import BEYOND, IN_ORDER, SIZE, test_swap
from tests.guide.mutants import played_by

ROOMY, SMALL = 1 << 20, 100_000
played_by(test_swap, BEYOND, "publisher", "has-no-swap", swap_octets=ROOMY)
played_by(test_swap, IN_ORDER, "publisher", "delivers-the-swap-first", swap_octets=ROOMY)
played_by(test_swap, SIZE, "publisher", "swap-without-end", swap_octets=SMALL)
