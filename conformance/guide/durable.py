"""Partners with a name that leave and come back, and who keeps a queue for them: libzmq 2.x does."""

from __future__ import annotations

from harness.pairing import Joint
from harness.peer import RemoteSocket
from harness.stage.stage import Leg, Stage
from harness.zmtp import LegacyGreeting

NAME = b"alice"


def keeps_for(sender: RemoteSocket, joint: Joint) -> bool:
    """Whether a socket says that it keeps what it sends to a partner with a name, who came by ZMTP 1.0."""
    if not sender.peer.claims("feature:durable-identity"):
        return False
    return any(isinstance(each.received.value, LegacyGreeting) for each in joint.seen_of(sender))


def come(stage: Stage, leg: Leg) -> RemoteSocket:
    """A subscriber to everything that has this name; it has shaken hands."""
    sock = stage.open("subscriber", "SUB", identity=NAME)
    sock.subscribe(b"")
    leg.join(sock)
    return sock


def leave(leg: Leg, sock: RemoteSocket) -> None:
    """Leave, and come back when the listener has noticed: its own end is closed then, too."""
    tap = leg.of(sock).tap
    number = tap.connections[-1]
    sock.close()
    leg.of(sock).wait_for(
        lambda: len(tap.trace.closings(number)) > 1, "both ends of the connection are closed"
    )
