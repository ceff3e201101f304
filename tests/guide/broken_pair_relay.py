"""Faults in passing a signal on."""

from __future__ import annotations

from conformance.guide.test_pair_relay import (
    BOTH_HOPS,
    EXCLUSIVE,
    test_pair_relay,
    test_pair_relay_inproc,
    test_pair_relay_ipc,
)
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_pair_relay, BOTH_HOPS, "pass_signal")
async def second_step_signals_something_else(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """The third step is told something that is not the signal."""
    await receive(inlet)
    await say(outlet, b"not yet")


@broken(test_pair_relay_ipc, BOTH_HOPS, "pass_signal")
async def second_step_signals_something_else_over_ipc(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """The third step is told something that is not the signal."""
    await second_step_signals_something_else(inlet, outlet)


@broken(test_pair_relay_inproc, BOTH_HOPS, "signal")
async def first_step_says_nothing(sock: RemoteSocket) -> None:
    """There is no signal."""


played_by(test_pair_relay, EXCLUSIVE, "second", "pair-serves-two-peers")
