"""How cases about publishers wait: a publisher takes a subscription into account only at a later message.

A raw subscriber asks for a topic of its own and the publisher's application publishes to it until a
message gets through. What the subscriber had sent before that request is in force then, and what was
published before has arrived: so the same step is the fence that shows that nothing else came.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.deadlines import DeadlineExceeded
from harness.peer import RemoteSocket, show_parts
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import Cancel, Greeting, Message, Ping, Pong, Subscribe, cancellation, subscription

Request = Subscribe | Cancel
Form = Callable[[Request], Request | Message]
PUBLISHERS = ("PUB", "XPUB")
SUBSCRIBERS = ("SUB", "XSUB")
ZMTP_3_0 = Greeting(version=(3, 0))
FENCE = b"\xf5fence-"


def as_command(request: Request) -> Request:
    """A request as ZMTP 3.1 has it (RFC 37, The Publish-Subscribe Pattern)."""
    return request


def as_message(request: Request) -> Message:
    """A request as ZMTP 3.0 has it (RFC 23, The Publish-Subscribe Pattern)."""
    return subscription(request.prefix) if isinstance(request, Subscribe) else cancellation(request.prefix)


def rule(sock: RemoteSocket, name: str) -> str:
    """The clause of RFC 29 for this socket's own type, such as "29/xpub/no-block"."""
    return f"29/{sock.socket_type.lower()}/{name}"


class Subscriber:
    """A raw subscriber of a publisher under test. `form` is how it puts its requests on the wire."""

    def __init__(self, raw: RawPeer, publisher: RemoteSocket, form: Form = as_command) -> None:
        self.raw = raw
        self.publisher = publisher
        self.form = form
        self.fences = 0

    def subscribe(self, *prefixes: bytes) -> None:
        """Ask for each of these prefixes, without waiting."""
        self.raw.send(*(self.form(Subscribe(prefix)) for prefix in prefixes))

    def cancel(self, *prefixes: bytes) -> None:
        """Cancel each of these prefixes, without waiting."""
        self.raw.send(*(self.form(Cancel(prefix)) for prefix in prefixes))

    def expect(self, *parts: bytes, clause: str | None = None) -> None:
        """The publisher's next message for this subscriber has these parts."""
        actual = self.next(clause=clause)
        if actual != Message(*parts):
            raise self._mismatch(show_parts(parts), describe(actual), clause)

    def next(self, within: str = "reaction", clause: str | None = None) -> Message:
        """The next message other than a fence. Raises Mismatch where there is none in time."""
        while True:
            message = self._read(within, clause)
            if message is None:
                late = f"nothing within {self.raw.deadlines.deadline(within).seconds:g} s"
                raise self.raw.mismatch("a message", late, clause)
            if not message.parts[0].startswith(FENCE):
                return message

    def settle(self, clause: str | None = None, *, skip: bool = False) -> None:
        """Come back when the publisher has acted on every request sent so far.

        Nothing published before may arrive here any more, which is blamed on `clause`; with `skip`
        such messages are passed over. A request that takes no effect is blamed on the publisher.
        """
        self.fences += 1
        topic = b"%b%d-%d" % (FENCE, self.raw.connection, self.fences)
        self.subscribe(topic)
        deadline = self.raw.deadlines.deadline("delivery")
        published = arrived = 0
        while not arrived:
            if deadline.expired:
                raise self.raw.mismatch(
                    f"one of {published} messages to a topic subscribed to",
                    f"none within {deadline.seconds:g} s",
                    rule(self.publisher, "receive-requests"),
                )
            published += 1
            self.publisher.send([topic, b"%d" % published], rule(self.publisher, "no-block"))
            arrived = self._fence(topic, "probe", clause, skip)
        while arrived != published:
            arrived = self._fence(topic, "reaction", clause, skip) or published

    def _fence(self, topic: bytes, within: str, clause: str | None, skip: bool) -> int:
        """The number of the next message of our own fence, or 0 where nothing comes in time."""
        while (message := self._read(within, clause)) is not None:
            if message.parts[0] == topic:
                return int(message.parts[1])
            if not skip and not message.parts[0].startswith(FENCE):
                raise self._mismatch("nothing before the fence", describe(message), clause)
        return 0

    def _read(self, within: str, clause: str | None) -> Message | None:
        """The next message of any kind, or None where nothing comes in time; PINGs are answered."""
        while True:
            try:
                received = self.raw.next(within, "a message")
            except DeadlineExceeded:
                return None
            if received is None:
                raise self.raw.mismatch("a message", f"the connection closed ({self.raw.closed})", clause)
            if isinstance(received.value, Message):
                return received.value
            if not isinstance(received.value, Ping):
                raise self._mismatch("a message", describe(received.value), clause)
            self.raw.send(Pong(received.value.context[:16]))

    def _mismatch(self, expected: str, actual: str, clause: str | None) -> Mismatch:
        at = None if self.raw.last is None else self.raw.last.start
        return self.raw.mismatch(expected, actual, clause, at)


def subscriber(
    raw: RawPeer,
    publisher: RemoteSocket,
    *prefixes: bytes,
    greeting: Greeting | None = None,
    form: Form = as_command,
) -> Subscriber:
    """A raw SUB after its handshake, whose subscriptions to these prefixes are in force."""
    made = Subscriber(raw.handshake("SUB", greeting=greeting), publisher, form)
    made.subscribe(*prefixes)
    made.settle()
    return made
