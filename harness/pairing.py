"""Two peers in one case: their sockets joined through taps, and what the recorded wire says of each.

`Pairing` is the face of a pair for one case, as `harness.peer.Peer` is that of one peer. Both peers share a
trace, so that what both applications did and what went over the wire stand in one record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from harness.deadlines import DeadlineExceeded, Deadlines
from harness.pairs import SIDES, ZMTP_3
from harness.peer import LivePeer, Peer, RemoteSocket
from harness.verdict import Mismatch
from harness.wire.checks import Finding, run_checks
from harness.wire.hub import TapHub
from harness.wire.tap import Tap
from harness.wire.trace import SENDERS, Decoded, How, Sender, Trace
from harness.zmtp import CurveMessage, Introduction, LegacyGreeting, Undecodable

T = TypeVar("T")
ROLES = ("first-binds", "second-binds")


class Joint:
    """Two sockets, of two peers, and the tap between them: the listener binds, the dialer connects."""

    def __init__(self, dialer: RemoteSocket, listener: RemoteSocket, tap: Tap) -> None:
        self.ends: dict[Sender, RemoteSocket] = {"dialer": dialer, "listener": listener}
        self.tap = tap
        self._cuts = 0

    def sender_of(self, sock: RemoteSocket) -> Sender:
        """Which end of the wire a socket is."""
        return "dialer" if self.ends["dialer"] is sock else "listener"

    def sent_by(self, sock: RemoteSocket) -> list[list[bytes]]:
        """The messages that a socket put on the wire, as their frames' bodies."""
        return self.tap.messages(self.sender_of(sock))

    def seen_of(self, sock: RemoteSocket, connection: int | None = None) -> list[Decoded]:
        """Everything that a socket put on the wire, on one connection or on all."""
        numbers = self.tap.connections if connection is None else [connection]
        sender = self.sender_of(sock)
        return [each for number in numbers for each in self.tap.decoded(number) if each.sender == sender]

    def has_ended(self) -> bool:
        """Whether a connection that there was has been closed, by either end."""
        return any(self.tap.trace.closings(number) for number in self.tap.connections)

    def wait_for(
        self, seen: Callable[[], T], what: str, clause: str | None = None, within: str = "reaction"
    ) -> T:
        """Wait until something shows on the wire; that it does not is a Mismatch."""
        try:
            with self.tap.trace.waiting():
                return self.tap.wait_for(seen, within, what)
        except DeadlineExceeded as late:
            raise Mismatch(what, f"not within {late.seconds:g} s", clause) from None

    def shaken_hands(self, connection: int) -> bool:
        """Whether both ends have said on a connection what comes before messages, as far as can be read."""
        seen = self.tap.decoded(connection)
        last = Introduction | LegacyGreeting | Undecodable
        said = {each.sender for each in seen if isinstance(each.received.value, last)}
        return said == set(SENDERS)

    def await_reconnect(self, clause: str | None = None) -> None:
        """Wait until both have shaken hands on another connection than those that there were before."""
        before = self.tap.connections[: self._cuts]

        def again() -> bool:
            return any(self.shaken_hands(each) for each in self.tap.connections if each not in before)

        self.wait_for(again, "a connection made anew, and the handshake on it", clause, "reconnect")

    def is_readable(self, sock: RemoteSocket) -> bool:
        """Whether all that a socket put on the wire can be read: it is ZMTP, and not in boxes."""
        hidden = Undecodable | CurveMessage
        return not any(isinstance(each.received.value, hidden) for each in self.seen_of(sock))

    def cut(self, how: How) -> None:
        """Break the connections that there are."""
        self._cuts = len(self.tap.connections)
        self.tap.cut(how=how)


@dataclass(frozen=True, slots=True)
class Blame:
    """What the wire shows against one of the two."""

    peer: Peer
    finding: Finding

    def __str__(self) -> str:
        return f"{self.peer.title}: {self.finding.message} [{self.finding.clause}]"

    def mismatch(self) -> Mismatch:
        """The same as what a case raises."""
        expected = f"{self.peer.title} keeps this rule on the wire"
        actual = f"{self.peer.title}: {self.finding.message}"
        return Mismatch(expected, actual, self.finding.clause, self.finding.place)


def blames_of(joints: Iterable[Joint], trace: Trace) -> Iterator[Blame]:
    """What the checks that hold for every trace find on these wires, each rule once for each peer.

    They are for peers of ZMTP 3.x.
    """
    seen: set[tuple[str, str]] = set()
    for joint in joints:
        for connection in joint.tap.connections:
            for sender in SENDERS:
                peer = joint.ends[sender].peer
                if not peer.manifest.zmtp & ZMTP_3:
                    continue
                for finding in run_checks(trace, connection, sender):
                    if (peer.title, finding.clause) not in seen:
                        seen.add((peer.title, finding.clause))
                        yield Blame(peer, finding)


class Pairing:
    """Two warm peers and the taps between their sockets; `role` says which one binds."""

    def __init__(
        self, live: list[LivePeer], role: str, trace: Trace, hub: TapHub, deadlines: Deadlines
    ) -> None:
        names = [one.manifest.name for one in live]
        same = names[0] == names[1]
        self.first, self.second = (
            Peer(one, trace, deadlines, f"{name} ({side})" if same else name)
            for one, name, side in zip(live, names, SIDES, strict=True)
        )
        self.role = role
        self.trace = trace
        self.deadlines = deadlines
        self.joints: list[Joint] = []
        self._hub = hub

    def join(
        self,
        sock_of_first: RemoteSocket,
        sock_of_second: RemoteSocket,
        alone: Callable[[RemoteSocket], None] = lambda _: None,
    ) -> Joint:
        """Bind one of the two, put a tap in front of it, and connect the other to the tap.

        `alone` is given the one that is bound while nobody is connected to it yet.
        """
        listener, dialer = sock_of_first, sock_of_second
        if self.role == "second-binds":
            listener, dialer = dialer, listener
        host = dialer.peer.hosts.listen
        tap = Tap(listener.bind(), self.trace, host, hub=self._hub, deadlines=self.deadlines)
        joint = Joint(dialer, listener, tap)
        self.joints.append(joint)
        alone(listener)
        dialer.connect(tap.endpoint)
        return joint

    def blames(self) -> Iterator[Blame]:
        """What the checks that hold for every trace find on the wires."""
        return blames_of(self.joints, self.trace)

    def finish(self) -> None:
        """Close everything, the sockets first, so that nobody dials what is closing."""
        self.first.finish()
        self.second.finish()
        for joint in self.joints:
            joint.tap.close()
