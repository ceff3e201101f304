"""Faults in a streamer, scripted and built in."""

from __future__ import annotations

from conformance.guide import relays
from conformance.guide import test_streamer as streamer
from conformance.guide.test_built_in_proxy import test_built_in_streamer
from conformance.guide.test_streamer import EACH, ONCE, ORDER, test_streamer
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_streamer, ONCE, "pass_on", owner=relays)
async def streamer_leaves_parts_out(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """The device passes on the first of every seventh message's parts only."""
    passed = 0
    while True:
        parts = await receive(inlet)
        passed += 1
        await say(outlet, *(parts[:1] if passed % 7 == 0 and parts[-1] != b"end" else parts))


@broken(test_streamer, ORDER, "speak")
async def source_speaks_backwards(sock: RemoteSocket, name: bytes) -> None:
    """The last number comes first."""
    for number in reversed(range(EACH)):
        await say(sock, name, b"", b"%d" % number)
    await say(sock, name, b"", b"end")


@broken(test_built_in_streamer, ORDER, "speak", owner=streamer)
async def source_speaks_backwards_to_a_proxy(sock: RemoteSocket, name: bytes) -> None:
    """The last number comes first."""
    await source_speaks_backwards(sock, name)


played_by(test_built_in_streamer, ONCE, "streamer", "push-copies-every-hundredth-message")
