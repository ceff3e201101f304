"""The stage of one scenario: its roles, each a peer of its own, and the tapped legs between their sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from harness.control.client import PeerGone
from harness.deadlines import Deadlines
from harness.pairing import Blame, Joint, blames_of
from harness.peer import LivePeer, Peer, RemoteSocket
from harness.stage.play import Actor, Role, play
from harness.verdict import Mismatch
from harness.wire.endpoints import reserve
from harness.wire.hub import TapHub
from harness.wire.tap import Tap
from harness.wire.trace import How, Trace

DIALS_AGAIN = "the dialer of a connection that broke dials again"
GUIDE_SECOND_S = 0.04
"""How long a second of the guide takes here: its heartbeats, lives and pauses are scaled by this."""


class Leg:
    """What dialers have with one listener: each goes through a tap of its own, so that the wire tells who."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.name = name
        self.joints: list[Joint] = []
        self._stage = stage
        self._listener: RemoteSocket | None = None
        self._endpoint: str | None = None
        self._nobody: socket.socket | None = None

    def listen(self, listener: RemoteSocket) -> Leg:
        """Let a socket listen for those that dial now or later; it may take the place of one before."""
        self._listener, self._endpoint = listener, listener.bind()
        for joint in self.joints:
            joint.ends["listener"] = listener
            joint.tap.open(self._endpoint)
        return self

    @property
    def endpoint(self) -> str:
        """Where the listener listens, behind the taps; "" where nobody does."""
        return self._endpoint or ""

    def shut(self) -> None:
        """Refuse who dials, as if nobody listened, until `listen`; connections stay as they are."""
        self._endpoint = None
        for joint in self.joints:
            joint.tap.shut()

    def is_heard_by(self, peer: Peer) -> bool:
        """Whether a socket of this peer listens on the leg."""
        return self._listener is not None and self._listener.peer is peer

    def join(self, *dialers: RemoteSocket, wait: bool = True) -> Leg:
        """Connect sockets to the listener; with `wait` come back when both ends have shaken hands."""
        new = [self._join(dialer) for dialer in dialers]
        for joint in new if wait else []:
            joint.wait_for(partial(_is_up, joint), f"a handshake on {self.name}", within="connect")
        return self

    def _join(self, dialer: RemoteSocket) -> Joint:
        tap = self._stage.tap(self._endpoint, dialer.peer.hosts.listen, self.name)
        made = Joint(dialer, self._listener or dialer, tap)
        self.joints.append(made)
        dialer.connect(tap.endpoint)
        return made

    def of(self, dialer: RemoteSocket) -> Joint:
        """What a dialer has with the listener: its tap, and what both have sent."""
        return next(joint for joint in self.joints if joint.ends["dialer"] is dialer)

    def sent(self, dialer: RemoteSocket) -> list[list[bytes]]:
        """The messages that a dialer put on the wire, as their frames' bodies."""
        return self.of(dialer).sent_by(dialer)

    def sent_to(self, dialer: RemoteSocket) -> list[list[bytes]]:
        """The messages that the listener sent to a dialer."""
        joint = self.of(dialer)
        return joint.sent_by(joint.ends["listener"])

    def cut(self, how: How = "rst") -> None:
        """Break every connection of the leg; who dials may do so again."""
        for joint in self.joints:
            joint.cut(how)

    def part(self, clause: str | None = None) -> None:
        """Break every connection and reset who dials again, until `rejoin`; come back when each dialer has
        noticed: it has dialled again. `clause` is broken by one that does not."""
        self._nobody, nowhere = reserve("127.0.0.1")
        before = {joint: len(joint.tap.connections) for joint in self._open_joints()}
        for joint in before:
            joint.tap.open(nowhere)
            joint.cut("rst")
        for joint, count in before.items():
            joint.wait_for(partial(_has_more, joint, count), DIALS_AGAIN, clause, "reconnect")

    def rejoin(self, clause: str | None = None) -> None:
        """Let those in that were parted; come back when they have shaken hands again."""
        for joint in self._open_joints():
            if self._endpoint is not None:
                joint.tap.open(self._endpoint)
            joint.await_reconnect(clause)
        if self._nobody is not None:
            self._nobody.close()

    def _open_joints(self) -> list[Joint]:
        return [joint for joint in self.joints if not joint.ends["dialer"].closed]

    def hold(self) -> None:
        """Let nothing more through, as a network does that has stopped; `release` lets all go on."""
        for joint in self.joints:
            joint.tap.pause()

    def release(self) -> None:
        """Go on after `hold`."""
        for joint in self.joints:
            joint.tap.resume()

    def close(self) -> None:
        """End the leg: its connections break, and nobody can dial it any more."""
        for joint in self.joints:
            joint.tap.close()
        if self._nobody is not None:
            self._nobody.close()


def _has_more(joint: Joint, before: int) -> bool:
    return len(joint.tap.connections) > before


def _is_up(joint: Joint) -> bool:
    return any(joint.shaken_hands(number) for number in joint.tap.connections)


class Stage:
    """The roles of a scenario and the legs between them. `seed` is the case's own."""

    def __init__(
        self, cast: Mapping[str, LivePeer], trace: Trace, hub: TapHub, deadlines: Deadlines, seed: int
    ) -> None:
        self.trace = trace
        self.deadlines = deadlines
        self.seed = seed
        self.legs: list[Leg] = []
        self._hub = hub
        self._live = dict(cast)
        self.actors = {role: Actor(live, trace, deadlines, role) for role, live in cast.items()}

    def open(self, role: str, socket_type: str, **options: Any) -> RemoteSocket:
        """Open a socket of a role; options as `Peer.open` has them."""
        return self.actors[role].open(socket_type, **options)

    def leg(self, name: str, listener: RemoteSocket, *dialers: RemoteSocket, wait: bool = True) -> Leg:
        """Let one socket listen and the others dial it, each through a tap; see `Leg.join`."""
        return self.empty_leg(name).listen(listener).join(*dialers, wait=wait)

    def empty_leg(self, name: str) -> Leg:
        """A leg on which nobody listens yet: who joins it dials in vain until somebody does."""
        made = Leg(self, name)
        self.legs.append(made)
        return made

    def tap(self, target: str | None, host: str, label: str) -> Tap:
        """A tap in front of an endpoint, where a peer can dial it."""
        return Tap(target, self.trace, host, hub=self._hub, deadlines=self.deadlines, label=label)

    def seconds(self, guide_seconds: float) -> float:
        """How many real seconds so many of the guide's take here."""
        return guide_seconds * GUIDE_SECOND_S * self.deadlines.scale

    def play(self, *ends: str, **roles: Role | Sequence[Role]) -> None:
        """Run roles side by side until those named in `ends` (all where none is) have come to their end."""
        play(roles, ends, self.deadlines, self.trace, self._hub)

    def kill(self, role: str) -> None:
        """End a role's peer at once, as a crash does; its sockets are gone."""
        self.actors[role].forget()
        self._shut_legs_of(role)
        self._live[role].kill()

    def _shut_legs_of(self, role: str) -> None:
        """Refuse who dials a role that goes, until somebody listens on its leg.

        Where a container has gone nobody answers at all, and a dialer that was quick would wait there longer
        than the scenario.
        """
        for leg in self.legs:
            if leg.is_heard_by(self.actors[role]):
                leg.shut()

    def leave(self, role: str, clause: str | None = None) -> None:
        """End a role's peer in good order, as an application does that has finished; its sockets are gone.

        Raises Mismatch, with `clause`, where it does not exit cleanly and in time.
        """
        actor = self.actors[role]
        actor.settle()
        self._shut_legs_of(role)
        try:
            self._live[role].leave()
        except PeerGone as gone:
            raise Mismatch(f"{actor.title} exits in good order", gone.reason, clause) from None

    def restart(self, role: str) -> None:
        """Start a role's peer again after `kill` or `leave`; it has no sockets yet."""
        self.actors[role] = Actor(self._live[role], self.trace, self.deadlines, role)

    def blames(self) -> Iterator[Blame]:
        """What the checks that hold for every trace find on the legs."""
        return blames_of(self.joints, self.trace)

    @property
    def joints(self) -> list[Joint]:
        """The wires of all legs."""
        return [joint for leg in self.legs for joint in leg.joints]

    def finish(self) -> None:
        """Close everything, the sockets first, so that nobody dials what is closing."""
        for actor in self.actors.values():
            actor.finish()
        for leg in self.legs:
            leg.close()
