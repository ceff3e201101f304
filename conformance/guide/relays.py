"""Devices between two networks: what comes to one socket of a role is sent by another."""

from __future__ import annotations

from collections.abc import Callable

from harness.peer import RemoteSocket
from harness.stage.play import Role, receive, say

Roles = Callable[[], list[Role]]
Device = Callable[[RemoteSocket, RemoteSocket], Roles]
"""Set up between a front and a back socket; what it gives back is asked for the roles of each play."""


def one_way(front: RemoteSocket, back: RemoteSocket) -> Roles:
    """Our script carries what comes to the front to the back."""
    return lambda: [pass_on(front, back)]


def both_ways(front: RemoteSocket, back: RemoteSocket) -> Roles:
    """Our script carries messages both ways."""
    return lambda: [pass_on(front, back), pass_on(back, front)]


def built_in(front: RemoteSocket, back: RemoteSocket) -> Roles:
    """The peer's own proxy does, from now on."""
    front.peer.proxy(front, back)
    return list


async def pass_on(inlet: RemoteSocket, outlet: RemoteSocket) -> None:
    """Send each message on with all its parts, for ever."""
    while True:
        await say(outlet, *await receive(inlet))
