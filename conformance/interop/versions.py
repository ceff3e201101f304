"""What the wire shows of two ends' versions (RFC 37, Version Negotiation; Backwards Interoperability)."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.interop.line import is_probe
from harness.pairing import Joint
from harness.peer import RemoteSocket
from harness.verdict import Mismatch
from harness.wire.render import describe
from harness.wire.trace import SENDERS, Sender, announced_major
from harness.zmtp import Cancel, Greeting, LegacyGreeting, Message, Subscribe, Undecodable

Version = tuple[int, int]
CLAUSES = {3: "37/version/own-protocol", 2: "37/interop/d20-old", 1: "37/interop/d10-continue"}
OLD = {0: (1, 0), 1: (2, 0), 2: (2, 0)}
MAJOR_OFFSET, MINOR_OFFSET = 10, 11


def announced(joint: Joint) -> dict[Sender, Version]:
    """The version that each end announced on the first connection, as far as the other let it.

    An end that meets an older one shows its major version alone: it counts as 3.0.
    """
    streams = {sender: joint.tap.trace.stream(joint.tap.connections[0], sender) for sender in SENDERS}
    majors = {sender: announced_major(stream) for sender, stream in streams.items()}
    if min(major or 0 for major in majors.values()) >= 3:
        return {sender: (stream[MAJOR_OFFSET], stream[MINOR_OFFSET]) for sender, stream in streams.items()}
    return {sender: OLD.get(major or 0, (3, 0)) for sender, major in majors.items()}


def lower(versions: Mapping[Sender, Version]) -> Version:
    """The lower of both."""
    return min(versions.values())


def expect_framing(joint: Joint) -> None:
    """Each end's greeting is of the lower version that was announced, and all behind it can be read so."""
    version = lower(announced(joint))
    clause = CLAUSES[min(version[0], 3)]
    for sender in SENDERS:
        seen = joint.seen_of(joint.ends[sender], joint.tap.connections[0])
        title = joint.ends[sender].peer.title
        wanted = Greeting if version >= (3, 0) else LegacyGreeting
        if not seen or not isinstance(seen[0].received.value, wanted):
            actual = describe(seen[0].received.value) if seen else "nothing"
            raise Mismatch(f"a greeting of ZMTP {version[0]}.{version[1]} from {title}", actual, clause)
        for each in seen:
            if isinstance(each.received.value, Undecodable):
                expected = f"frames of ZMTP {version[0]}.{version[1]} from {title}"
                raise Mismatch(expected, describe(each.received.value), clause)


def requests_in(joint: Joint, subscriber: RemoteSocket) -> tuple[list[object], list[Message]]:
    """The subscriptions and cancellations that crossed the wire: as commands, and as messages."""
    values = [each.received.value for each in joint.seen_of(subscriber)]
    commands = [value for value in values if isinstance(value, Subscribe | Cancel)]
    messages = [
        value for value in values if isinstance(value, Message) and value.parts[0][:1] in (b"\0", b"\1")
    ]
    return list(commands), [message for message in messages if not is_probe(message.parts)]
