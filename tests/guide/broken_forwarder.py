"""Faults in a forwarder, scripted and built in."""

from __future__ import annotations

from conformance.guide import relays
from conformance.guide import test_forwarder as forwarder
from conformance.guide.test_built_in_proxy import test_built_in_forwarder
from conformance.guide.test_forwarder import (
    CANCELLED,
    PARTS,
    ROUNDS,
    UPSTREAM,
    WANTED,
    message,
    test_forwarder,
    test_forwarder_of_subscriptions,
)
from harness.peer import RemoteSocket
from harness.stage.play import receive, say
from tests.guide.mutants import broken, played_by


@broken(test_forwarder, PARTS, "pass_on", owner=relays)
async def forwarder_leaves_parts_out(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """The device passes on the first part only."""
    while True:
        parts = await receive(inlet)
        await say(outlet, parts[0])


@broken(test_forwarder_of_subscriptions, PARTS, "pass_on", owner=relays)
async def forwarder_of_subscriptions_leaves_parts_out(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """The device passes on the first part only."""
    await forwarder_leaves_parts_out(inlet, outlet)


@broken(test_forwarder_of_subscriptions, UPSTREAM, "pass_on", owner=relays)
async def forwarder_wants_everything(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """Whatever a subscriber asks for, the device asks for all."""
    while True:
        parts = await receive(inlet)
        await say(outlet, *([parts[0][:1]] if outlet.socket_type == "XSUB" else parts))


@broken(test_built_in_forwarder, PARTS, "publish", owner=forwarder)
async def publisher_forgets_parts(sock: RemoteSocket) -> None:
    """Half of each message is not published."""
    for number in range(ROUNDS):
        await say(sock, *message(WANTED, number)[:2])


played_by(test_forwarder_of_subscriptions, CANCELLED, "forwarder", "hides-cancellations")
played_by(test_built_in_forwarder, CANCELLED, "forwarder", "hides-cancellations")
played_by(test_built_in_forwarder, UPSTREAM, "publisher", "publishes-to-whoever-has-any-subscription")
