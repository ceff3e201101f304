"""Much is announced and little sent: what it costs in memory (RFC 37, Framing, Security Considerations)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.hostile.aftermath import OTHERS_SERVED, Scene
from conformance.hostile.memory import MEMORY, MIB
from conformance.hostile.steps import IN_TRAFFIC
from harness.case import case
from harness.peer import Peer
from harness.pytest_fixtures import Dial
from harness.wire.rawpeer import RawPeer
from harness.zmtp import malformed
from harness.zmtp.grammar import COMMAND, LONG, MORE

SIZES = "37/framing/size-ranges"
ANNOUNCED_OCTETS = 4 * MIB
IN_TURN = 10
ROUNDS = 4
BEGUN = b"\4PING" + bytes(1000)
FRAMES = {"message": LONG, "first-of-several": LONG | MORE, "command": LONG | COMMAND}
frames = pytest.mark.parametrize("flags", FRAMES.values(), ids=FRAMES)


def begun(flags: int) -> bytes:
    """A link in traffic that has sent a thousand octets of a frame of some MiB."""
    return IN_TRAFFIC + malformed.frame(flags, BEGUN, ANNOUNCED_OCTETS)


@case("hostile/memory/half-sent-frames", clauses=[OTHERS_SERVED, SIZES, MEMORY], needs=["PULL"])
@frames
@pytest.mark.parametrize("leave", [RawPeer.close, RawPeer.reset], ids=["fin", "rst"])
def test_half_sent_frames(peer: Peer, dial: Dial, flags: int, leave: Callable[[RawPeer], None]) -> None:
    """What a link had begun to send goes when the link goes, and so does the room that was made for it."""
    scene = Scene(peer, dial)
    for _ in range(ROUNDS):
        crowd = scene.meet_many([begun(flags)] * IN_TURN)
        scene.serve_fresh()
        for raw in crowd:
            leave(raw)
    scene.expect_aftermath()
