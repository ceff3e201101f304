"""Faults with keys and data."""

from __future__ import annotations

from conformance.guide.test_envelope_pubsub import (
    END,
    FIRST_FRAME,
    KEY,
    TOGETHER,
    WANTED,
    test_envelope_pubsub,
)
from harness.peer import RemoteSocket
from harness.stage.play import say
from tests.guide.mutants import broken, played_by


@broken(test_envelope_pubsub, FIRST_FRAME, "publish")
async def publisher_looks_at_all_frames(sock: RemoteSocket) -> None:
    """What has the key in a later frame is published under it, too."""
    await say(sock, *WANTED[0])
    await say(sock, KEY + b" of another", *WANTED[1])
    await say(sock, *END)


played_by(test_envelope_pubsub, TOGETHER, "publisher", "drops-empty-frames-of-what-it-publishes")
played_by(test_envelope_pubsub, TOGETHER, "subscriber", "drops-empty-frames-of-what-it-delivers")
