"""Who keeps a queue for a partner that is away: libzmq 2.x does, for one that has a name."""

from __future__ import annotations

from harness.pairing import Joint
from harness.peer import RemoteSocket
from harness.zmtp import LegacyGreeting


def keeps_for(sender: RemoteSocket, joint: Joint) -> bool:
    """Whether a socket says that it keeps what it sends to a partner with a name, who came by ZMTP 1.0."""
    if not sender.peer.claims("feature:durable-identity"):
        return False
    return any(isinstance(each.received.value, LegacyGreeting) for each in joint.seen_of(sender))
