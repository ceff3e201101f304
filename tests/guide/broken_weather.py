"""Faults in the weather service."""

from __future__ import annotations

from conformance.guide.test_weather import END, MATCHING, ONE_WAY, PLACE, SILENCE, test_weather
from harness.peer import RemoteSocket
from harness.stage.play import say
from harness.stage.stage import Stage
from tests.guide.mutants import broken, played_by


@broken(test_weather, MATCHING, "forecast")
async def publisher_leaves_one_out(sock: RemoteSocket, updates: list[bytes]) -> None:
    """The second update of the place is not published."""
    own = [update for update in updates if update.startswith(PLACE)]
    for update in [own[0], *own[2:], END]:
        await say(sock, update)


_open = Stage.open


@broken(test_weather, SILENCE, "open", owner=Stage)
def bystander_wants_everything(self: Stage, role: str, socket_type: str) -> RemoteSocket:
    """Who has asked for nothing is subscribed to all."""
    sock = _open(self, role, socket_type)
    if role == "bystander":
        sock.subscribe(b"")
    return sock


played_by(test_weather, ONE_WAY, "subscriber", "sub-sends-upstream")
played_by(test_weather, ONE_WAY, "publisher", "pub-hears-its-own-messages")
