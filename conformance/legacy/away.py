"""What the cases on libzmq 2.x share: partners of ZMTP 1.0 with a name that go away and come back."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.pubsub.probe import Audience
from conformance.zmtp.partners import expect_legacy_greeting
from harness.peer import RemoteSocket
from harness.pytest_fixtures import Dial
from harness.wire.rawpeer import RawPeer
from harness.zmtp import LegacyGreeting, Message

NAME = b"alice"
KEPT = "libzmq-2/durable/kept-while-away"
IN_ORDER = "libzmq-2/durable/in-order"
KEEPS_IDENTITIES = ["zmtp:1.0", "feature:durable-identity"]


def come(endpoint: str, dial: Dial, name: bytes = NAME) -> RawPeer:
    """A raw end of ZMTP 1.0 that says its name (empty for none), past the greeting."""
    raw = dial(endpoint)
    expect_legacy_greeting(raw, LegacyGreeting(None, None, name))
    return raw


def go(raw: RawPeer, clause: str | None = None) -> None:
    """Leave, and come back when the partner has noticed: its own end is closed then, too."""
    raw.half_close()
    raw.expect_closed(clause)


def listener(
    endpoint: str, dial: Dial, pub: RemoteSocket, clause: str = KEPT, name: bytes = NAME
) -> Audience:
    """A subscriber of ZMTP 1.0, which gets everything. What waits for it has not been read yet."""
    return Audience(come(endpoint, dial, name), pub, clause)


def settled(endpoint: str, dial: Dial, pub: RemoteSocket, clause: str = KEPT, name: bytes = NAME) -> Audience:
    """A subscriber of ZMTP 1.0 that has heard the publisher, and for which nothing waited.

    Who is to leave comes last: it must not be sent the fences of another on its way out.
    """
    made = listener(endpoint, dial, pub, clause, name)
    made.settle(clause)
    return made


def notices(count: int, about: bytes = b"news") -> list[Message]:
    """That many messages of two frames, the second one its number."""
    return [Message(about, b"%d" % number) for number in range(count)]


def send_all(sock: RemoteSocket, messages: Sequence[Message], *address: bytes) -> None:
    """Send messages, each behind the frames of an address."""
    for message in messages:
        sock.send([*address, *message.parts])


def numbers(came: Sequence[Message]) -> list[int]:
    """The numbers that notices have."""
    return [int(message.parts[1]) for message in came]
