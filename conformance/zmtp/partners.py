"""What the cases on greetings and versions share: good partners, and waits for either of two legal ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.deadlines import DeadlineExceeded
from harness.peer import RemoteSocket
from harness.pytest_fixtures import Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Greeting, LegacyGreeting, Message, Ready, Received


def send_in_pieces(raw: RawPeer, octets: bytes, sizes: Iterable[int], dealer: RemoteSocket) -> None:
    """Send octets in pieces of these sizes (in octets).

    Between two pieces the peer answers an operation, so that it has occasion to read each by itself.
    """
    at = 0
    for size in sizes:
        raw.send(octets[at : at + size])
        dealer.peer.readable(dealer, within_s=0.0)
        at += size


def expect_served(raw: RawPeer, dealer: RemoteSocket, clause: str | None = None) -> None:
    """A partner that does well completes the handshake, and its message is the very next one delivered."""
    raw.send(Greeting())
    raw.expect(Greeting, clause=clause)
    raw.send(Ready("ROUTER"))
    raw.expect(Ready, clause=clause)
    raw.send(Message(b"fence"))
    dealer.expect(b"fence", clause=clause)


def expect_still_served(dealer: RemoteSocket, dial: Dial, clause: str | None = None) -> None:
    """The socket serves a fresh partner, and nothing that others sent is delivered before its message."""
    expect_served(dial(dealer.bind()), dealer, clause)


def expect_tolerated_or_closed(raw: RawPeer, dealer: RemoteSocket, clause: str | None = None) -> str:
    """The partner completes the handshake and takes a message, or it closes without taking any.

    Our greeting and READY must be under way. Returns "tolerated" or "closed".
    """
    if not _came(raw, lambda received: isinstance(received.value, Ready), "READY", clause):
        return "closed"
    raw.send(Message(b"odd"))
    return _tolerated(raw, dealer, clause)


def expect_delivered_or_closed(raw: RawPeer, dealer: RemoteSocket, clause: str | None = None) -> str:
    """The partner takes our message ["odd"], which is under way behind READY, or closes without taking it.

    Returns "tolerated" or "closed".
    """
    if not _came(raw, lambda received: isinstance(received.value, Ready), "READY", clause):
        return "closed"
    return _tolerated(raw, dealer, clause)


def _tolerated(raw: RawPeer, dealer: RemoteSocket, clause: str | None) -> str:
    """What became of the message ["odd"]: a partner may close even after its READY."""
    try:
        dealer.expect(b"odd", clause=clause)
    except Mismatch:
        raw.expect_closed(clause)
        return "closed"
    return "tolerated"


def came_down(raw: RawPeer, socket_type: str, clause: str | None = None) -> bool:
    """Whether the partner greets in the old version that we greeted in, or else closes.

    What it sent in its own version before it knew ours is passed over.
    """

    def fits(received: Received) -> bool:
        value = received.value
        return isinstance(value, LegacyGreeting) and value.socket_type in (None, socket_type)

    return _came(raw, fits, "a greeting in our version", clause)


def _came(raw: RawPeer, fits: Callable[[Received], bool], what: str, clause: str | None) -> bool:
    while True:
        try:
            received = raw.next()
        except DeadlineExceeded as late:
            raise raw.mismatch(
                f"{what}, or the connection closed", f"neither within {late.seconds:g} s", clause
            ) from None
        if received is None:
            return False
        if fits(received):
            return True
