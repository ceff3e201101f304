"""A publisher and a subscriber of two implementations, joined through the tap.

A subscription takes effect at a later message only: `settle` subscribes to a topic of its own and publishes
to it until a message gets through. What the subscriber asked for before is in force then.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from conformance.interop.line import PROBE, PUBLISHERS, SUBSCRIBING, is_probe
from harness.pairing import Joint, Pairing
from harness.peer import RemoteSocket, show_parts
from harness.verdict import Mismatch


class Audience:
    """`subscriber` hears what `publisher` publishes, if it has subscribed to it."""

    _numbers = itertools.count(1)

    def __init__(self, joint: Joint, publisher: RemoteSocket, subscriber: RemoteSocket, topic: bytes) -> None:
        self.joint = joint
        self.topic = topic
        self.publisher = publisher
        self.subscriber = subscriber
        self.crossed = 0

    @classmethod
    def open(cls, pair: Pairing, first_type: str, second_type: str, **options: int) -> Audience:
        """Two new sockets that have met: the subscriber has subscribed to `topic` alone, and heard of it.

        So what a case subscribes to is not caught in the making of the link. The options are for both.
        """
        first, second = pair.first.open(first_type, **options), pair.second.open(second_type, **options)
        publishing, listening = (first, second) if first_type in PUBLISHERS else (second, first)
        topic = cls._new_topic()
        listening.subscribe(topic)
        audience = cls(pair.join(first, second), publishing, listening, topic)
        audience._hear_of(topic)
        return audience

    def settle(self) -> list[list[bytes]]:
        """Come back when all that the subscriber asked for is in force; what came meanwhile.

        None of the messages sent for that is left over.
        """
        topic = self._new_topic()
        self.subscriber.subscribe(topic)
        return self._hear_of(topic)

    @classmethod
    def _new_topic(cls) -> bytes:
        return PROBE + b"%d/" % next(cls._numbers)

    def _hear_of(self, topic: bytes) -> list[list[bytes]]:
        """Publish to a topic until it gets through and nothing of it is left over; what else came."""
        deadline = self.publisher.peer.deadlines.deadline("reconnect")
        came: list[list[bytes]] = []
        sent = arrived = 0
        for wait_s in self.publisher.peer.deadlines.probes_s():
            sent += 1
            self.publisher.send([topic + b"%d" % sent])
            arrived = self._arrived(topic, came, wait_s)
            if arrived:
                break
            if deadline.expired:
                late = f"not within {deadline.seconds:g} s"
                raise Mismatch("a subscription takes effect", late, SUBSCRIBING)
        while arrived < sent:
            arrived = self._arrived(topic, came, None)
        return came

    def _arrived(self, topic: bytes, came: list[list[bytes]], within_s: float | None) -> int:
        """The number of the next message of this topic, or 0 where none comes in time."""
        while self.subscriber.peer.readable(self.subscriber, within_s=within_s):
            parts = self.subscriber.recv()
            if parts[0].startswith(topic):
                return int(parts[0].removeprefix(topic))
            if not is_probe(parts):
                came.append(parts)
        if within_s is None:
            raise Mismatch("every message that was published behind one that arrived", "none in time")
        return 0

    def expect(self, *messages: Sequence[bytes]) -> None:
        """These and no others come, and went over the wire, since the last time."""
        came = self.settle()
        if came != [list(parts) for parts in messages]:
            raise Mismatch(shown(messages), shown(came))
        before, self.crossed = self.crossed, len(self.joint.sent_by(self.publisher))
        crossed = [parts for parts in self.joint.sent_by(self.publisher)[before:] if not is_probe(parts)]
        if crossed != came and self.joint.is_readable(self.publisher):
            raise Mismatch(shown(messages), f"on the wire {shown(crossed)}", "37/pubsub/filter-at-pub")

    def expect_told(self, request: bytes) -> None:
        """XPUB's application gets this request next."""
        self.publisher.expect(request)


def shown(messages: Sequence[Sequence[bytes]]) -> str:
    """Messages for people."""
    return ", ".join(map(show_parts, messages)) or "no message"
