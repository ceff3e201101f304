"""Faults in messages of several parts."""

from __future__ import annotations

from conformance.guide.test_multipart import IN_ORDER, MORE, NOTHING_HALF, test_multipart, test_multipart_cut
from tests.guide.mutants import played_by

played_by(test_multipart, IN_ORDER, "receiver", "truncates-large-bodies", shape="sizes")
played_by(test_multipart, IN_ORDER, "receiver", "pull-leaves-out-empty-frames", shape="empty")
played_by(test_multipart, MORE, "sender", "forgets-more-on-empty-frames", shape="empty")
played_by(test_multipart_cut, NOTHING_HALF, "receiver", "delivers-what-came-of-a-cut-message")
