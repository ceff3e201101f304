"""What the cases on greetings and versions share: good partners, and waits for either of two legal ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge
from harness.deadlines import DeadlineExceeded
from harness.peer import OperationRefused, Peer, RemoteSocket
from harness.pytest_fixtures import Dial
from harness.wire.endpoints import RawListener
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Greeting, LegacyGreeting, Message, Ready, Received

MORE_THAN_A_GREETING = Message(b"odd" * 30)


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
    end, _ = closed_or_served(raw, dealer, b"odd", clause=clause)
    return "tolerated" if end == "served" else "closed"


def framing_of(greeting: Greeting | LegacyGreeting) -> int:
    """Which framing goes with a greeting: 3, 2 or 1."""
    if isinstance(greeting, Greeting):
        return 3
    return 1 if greeting.socket_type is None else 2


def came_down(raw: RawPeer, socket_type: str, clause: str | None = None) -> bool:
    """Whether the partner ends the handshake in the version that we greeted in, or else closes.

    What it sent in its own version before it knew ours is passed over.
    """

    def fits(received: Received) -> bool:
        value = received.value
        if isinstance(value, LegacyGreeting):
            return value.socket_type in (None, socket_type)
        return isinstance(value, Ready)

    return _came(raw, fits, "the handshake in our version", clause)


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


def expect_exchange(raw: RawPeer, dealer: RemoteSocket, *parts: bytes, clause: str | None = None) -> None:
    """A message of these parts goes from our end to the application, and then one of the same parts back."""
    raw.send(Message(*parts))
    dealer.expect(*parts, clause=clause)
    dealer.send(parts, clause)
    raw.expect(Message(*parts), clause=clause)


def expect_legacy_greeting(
    raw: RawPeer, greeting: LegacyGreeting, clause: str | None = None, **fields: Any
) -> LegacyGreeting:
    """Greet in an old version, whose framing holds from here on; the partner greets in it, too."""
    raw.framing = framing_of(greeting)
    raw.send(greeting)
    received: LegacyGreeting = raw.expect(LegacyGreeting, clause=clause, **fields)
    return received


def expect_routed(router: RemoteSocket, raw: RawPeer, identity: bytes) -> None:
    """The partner's message comes with its identity in front, and the answer to that reaches it."""
    raw.send(Message(b"in"))
    router.expect(identity, b"in")
    router.send([identity, b"out"])
    raw.expect(Message(b"out"))


def expect_octet_by_octet(
    raw: RawPeer, dealer: RemoteSocket, greeting: LegacyGreeting, parts: list[bytes]
) -> None:
    """A partner of an old version is understood though each octet comes by itself: greeting, two messages."""
    raw.framing = framing_of(greeting)
    messages = (Message(b"first"), Message(*parts))
    octets = greeting.serialize() + b"".join(message.serialize(raw.framing) for message in messages)
    send_in_pieces(raw, octets, [1] * len(octets), dealer)
    for message in messages:
        dealer.expect(*message.parts)


def expect_greets_again(
    dealer: RemoteSocket, listener: RawListener, meet: Callable[[RawPeer], RawPeer], clause: str
) -> LegacyGreeting:
    """A connection made again begins with the greeting of the first, and messages follow; returns it.

    That there is no second connection is blamed on `clause`.
    """
    dealer.connect(listener.endpoint)
    raw = meet(listener.accept())
    first = last_received(raw).value
    assert isinstance(first, LegacyGreeting)
    expect_exchange(raw, dealer, b"before")
    raw.close()
    again = meet(listener.accept(clause=clause))
    Judge.equal(last_received(again).value, first)
    expect_exchange(again, dealer, b"behind")
    return first


def last_received(raw: RawPeer) -> Received:
    """What the case has just expected of the partner, with its place."""
    assert raw.last is not None, "nothing was expected of this partner before"
    return raw.last


def expect_served_or_closed(
    raw: RawPeer, dealer: RemoteSocket, greeting: Greeting | LegacyGreeting, clause: str | None = None
) -> str:
    """A partner of a lower version is served in both directions, or closed on with nothing delivered.

    It sends more than 64 octets, so that a peer that waits for a whole greeting can see that it is none.
    Returns "served" or "closed".
    """
    raw.framing = framing_of(greeting)
    raw.send(greeting, Ready("ROUTER") if isinstance(greeting, Greeting) else MORE_THAN_A_GREETING)
    if not came_down(raw, dealer.socket_type, clause):
        return "closed"
    if isinstance(greeting, Greeting):
        raw.send(MORE_THAN_A_GREETING)
    dealer.expect(*MORE_THAN_A_GREETING.parts, clause=clause)
    dealer.send([b"even"], clause)
    raw.expect(Message(b"even"), clause=clause)
    return "served"


def publish_until_heard(
    publisher: RemoteSocket, raw: RawPeer, *parts: bytes, clause: str | None = None
) -> Received | None:
    """Publish until something reaches our end, and say what; more of the same may be under way afterwards.

    That it has a subscriber is known to a publisher in its own time.
    """
    deadline = raw.deadlines.deadline("delivery")
    while not deadline.expired:
        publisher.send(parts, clause)
        with suppress(DeadlineExceeded):
            return raw.next("probe")
    raise raw.mismatch("a message published to all", f"none within {deadline.seconds:g} s", clause)


def opened_with_reserved_identity(peer: Peer, judge: Judge) -> RemoteSocket:
    """A DEALER with such an identity, or with none where the library refuses it."""
    try:
        sock = peer.open("DEALER", identity=b"\0reserved")
    except OperationRefused as refused:
        if not refused.failed:
            raise
        judge.note("the library refuses the identity")
        return peer.open("DEALER")
    judge.note("the library takes the identity")
    return sock
