"""How cases about publishers wait: a publisher takes a subscription into account only at a later message.

A raw subscriber asks for a topic of its own and the publisher's application publishes to it until a
message gets through. What the subscriber had sent before that request is in force then, and what was
published before has arrived: so the same step is the fence that shows that nothing else came.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.deadlines import DeadlineExceeded
from harness.peer import OperationRefused, RemoteSocket, show_parts
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


def receives_nothing(sock: RemoteSocket, clause: str | None = None) -> str:
    """The application gets nothing from this socket; says whether recv was refused or waited in vain.

    "Only sends" does not say which of the two (RFC 29, The PUB Socket Type).
    """
    if sock.peer.readable(sock, within_s=0):
        raise Mismatch("nothing to receive", "the socket is readable", clause)
    try:
        sock.expect_empty(clause)
    except OperationRefused as refused:
        if not refused.failed:
            raise
        return "recv is refused"
    return "recv waits in vain"


class Subscriber:
    """A raw subscriber of a publisher under test.

    `form` is how it puts its requests on the wire, `clause` what is blamed if they take no effect.
    """

    def __init__(
        self, raw: RawPeer, publisher: RemoteSocket, form: Form = as_command, clause: str | None = None
    ) -> None:
        self.raw = raw
        self.publisher = publisher
        self.form = form
        self.clause = clause or rule(publisher, "receive-requests")
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

    def settle(self, clause: str | None = None) -> None:
        """Come back when the publisher has acted on every request sent so far.

        Nothing published before may arrive here any more, which is blamed on `clause`.
        """
        came = self.collect(clause)
        if came:
            raise self.raw.mismatch("nothing before the fence", describe(came[0]), clause)

    def collect(self, clause: str | None = None) -> list[Message]:
        """What was published and had not been read, once the publisher has acted on every request.

        A close is blamed on `clause`, a request that takes no effect on the publisher.
        """
        self.fences += 1
        topic = b"%b%d-%d" % (FENCE, self.raw.connection, self.fences)
        self.subscribe(topic)
        deadline = self.raw.deadlines.deadline("delivery")
        came: list[Message] = []
        published = arrived = 0
        while not arrived and not deadline.expired:
            published += 1
            self.publisher.send([topic, b"%d" % published], rule(self.publisher, "no-block"))
            arrived = self._fence(topic, "probe", clause, came)
        while 0 < arrived < published:
            arrived = self._fence(topic, "reaction", clause, came) or published
        if not arrived:
            late = f"none of {published} within {deadline.seconds:g} s"
            raise self.raw.mismatch("messages to a topic subscribed to", late, self.clause)
        return came

    def stays(self) -> bool:
        """Whether the publisher goes on serving this subscriber; False where it closed the connection."""
        try:
            self.collect()
        except Mismatch:
            if self.raw.closed is None:
                raise
            return False
        return True

    def _fence(self, topic: bytes, within: str, clause: str | None, came: list[Message]) -> int:
        """The number of the next message of our own fence, or 0 where nothing comes in time."""
        while (message := self._read(within, clause)) is not None:
            if message.parts[0] == topic:
                return int(message.parts[1])
            if not message.parts[0].startswith(FENCE):
                came.append(message)
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
    raw: RawPeer, publisher: RemoteSocket, *prefixes: bytes, identity: bytes | None = None
) -> Subscriber:
    """A raw SUB after its handshake, whose subscriptions to these prefixes are in force."""
    made = Subscriber(raw.handshake("SUB", identity=identity), publisher)
    made.subscribe(*prefixes)
    made.settle()
    return made


def subscriber_3_0(raw: RawPeer, publisher: RemoteSocket, *prefixes: bytes) -> Subscriber:
    """A raw SUB of ZMTP 3.0; where the publisher refuses it, the step down to 3.0 is what is blamed."""
    clause = "37/pubsub/legacy-form-interop"
    made = Subscriber(handshake_3_0(raw, "SUB", clause), publisher, as_message, clause)
    made.subscribe(*prefixes)
    made.settle()
    return made


def handshake_3_0(raw: RawPeer, socket_type: str, clause: str) -> RawPeer:
    """The handshake of a ZMTP 3.0 partner; that it is refused is blamed on `clause`."""
    try:
        return raw.handshake(socket_type, greeting=ZMTP_3_0)
    except Mismatch as refused:
        raise Mismatch(refused.expected, refused.actual, clause, refused.place) from None
