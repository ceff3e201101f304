"""How cases about publish-subscribe wait: a subscription takes effect at a later message only.

A raw subscriber asks for a topic of its own and the publisher's application publishes to it until a
message gets through. What the subscriber had sent before that request is in force then, and what was
published before has arrived: so the same step is the fence that shows that nothing else came.
"""

from __future__ import annotations

from collections import Counter

from harness.deadlines import DeadlineExceeded
from harness.peer import OperationRefused, RemoteSocket, show_parts
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer, as_message
from harness.wire.render import describe
from harness.zmtp import Cancel, Greeting, Message, Ping, Pong, Subscribe

Request = Subscribe | Cancel
PUBLISHERS = ("PUB", "XPUB")
SUBSCRIBERS = ("SUB", "XSUB")
GROUPED = ("RADIO", "DISH")
ZMTP_3_0 = Greeting(version=(3, 0))
FENCE = b"\xf5fence-"
READY = b"~ready"  # text: some libraries take nothing else for a prefix
MESSAGES = {
    "one-frame": (b"Aone",),
    "frames": (b"A", b"two", b"three"),
    "empty-frames": (b"A", b"", b"", b"x", b""),
    "every-octet": (b"A" + bytes(range(256)), bytes(range(256))),
    "255": (b"A" + bytes(254), b"\xff" * 255),
    "256": (b"A" + bytes(255), b"\xff" * 256),
    "65536": (b"A" + bytes(65_535), b"\xff" * 65_536),
    "many-frames": (b"A", *(b"%d" % n for n in range(200))),
}


def rule(sock: RemoteSocket, name: str) -> str:
    """The clause for this socket's own type, such as "29/xpub/no-block" (RFC 29; RFC 48, RADIO and DISH)."""
    return f"{48 if sock.socket_type in GROUPED else 29}/{sock.socket_type.lower()}/{name}"


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


class Audience:
    """A raw end that listens to what a socket under test sends to all its peers.

    `clause` is what is blamed if nothing that the socket sends gets through.
    """

    fence = FENCE

    def __init__(self, raw: RawPeer, sender: RemoteSocket, clause: str) -> None:
        self.raw = raw
        self.sender = sender
        self.clause = clause
        self.fences = 0

    def expect(self, *parts: bytes, clause: str | None = None) -> None:
        """The sender's next message for this end has these parts."""
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
            if not message.parts[0].startswith(self.fence):
                return message

    def settle(self, clause: str | None = None) -> None:
        """Come back when the sender has acted on everything that this end sent so far.

        Nothing sent before may arrive here any more, which is blamed on `clause`.
        """
        came = self.collect(clause)
        if came:
            raise self.raw.mismatch("nothing before the fence", describe(came[0]), clause)

    def collect(self, clause: str | None = None) -> list[Message]:
        """What was sent and had not been read, once the sender has acted on everything.

        A close is blamed on `clause`.
        """
        topic = self.open_fence()
        deadline = self.raw.deadlines.deadline("delivery")
        came: list[Message] = []
        sent = arrived = 0
        while not arrived and not deadline.expired:
            sent += 1
            self.sender.send([topic, b"%d" % sent], rule(self.sender, "no-block"))
            arrived = self._fence(topic, "probe", clause, came)
        while 0 < arrived < sent:
            arrived = self._fence(topic, "reaction", clause, came) or sent
        if not arrived:
            late = f"none of {sent} within {deadline.seconds:g} s"
            raise self.raw.mismatch("messages that this end is to have", late, self.clause)
        return came

    def open_fence(self) -> bytes:
        """The topic of a new fence."""
        self.fences += 1
        return b"%b%d-%d" % (self.fence, self.raw.connection, self.fences)

    def stays(self) -> bool:
        """Whether the sender goes on serving this end; False where it closed the connection."""
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
            if not message.parts[0].startswith(self.fence):
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
        return self.raw.mismatch(expected, actual, clause, self.raw.last_start)


class Subscriber(Audience):
    """A raw subscriber of a publisher under test.

    Its requests go in the way of the version that the publisher announced, or all by message.
    """

    def __init__(
        self,
        raw: RawPeer,
        publisher: RemoteSocket,
        clause: str | None = None,
        *,
        by_message: bool = False,
    ) -> None:
        super().__init__(raw, publisher, clause or rule(publisher, "receive-requests"))
        self.by_message = by_message

    def subscribe(self, *prefixes: bytes) -> None:
        """Ask for each of these prefixes, without waiting."""
        self.request(*map(Subscribe, prefixes))

    def cancel(self, *prefixes: bytes) -> None:
        """Cancel each of these prefixes, without waiting."""
        self.request(*map(Cancel, prefixes))

    def request(self, *requests: Request) -> None:
        """Subscribe and cancel, without waiting."""
        if self.by_message:
            self.raw.send(*map(as_message, requests))
        else:
            self.raw.request(*requests)

    def open_fence(self) -> bytes:
        """The topic of a new fence, asked for."""
        topic = super().open_fence()
        self.subscribe(topic)
        return topic


def subscriber(
    raw: RawPeer,
    publisher: RemoteSocket,
    *prefixes: bytes,
    identity: bytes | None = None,
    clause: str | None = None,
) -> Subscriber:
    """A raw SUB after its handshake, whose subscriptions to these prefixes are in force.

    That they do not come into force is blamed on `clause`, without one on the publisher's own rule.
    """
    made = Subscriber(raw.handshake("SUB", identity=identity), publisher, clause)
    made.subscribe(*prefixes)
    made.settle()
    return made


def subscriber_3_0(raw: RawPeer, publisher: RemoteSocket, *prefixes: bytes) -> Subscriber:
    """A raw SUB of ZMTP 3.0; where the publisher refuses it, the step down to 3.0 is what is blamed."""
    clause = "37/pubsub/legacy-form-interop"
    made = Subscriber(handshake_3_0(raw, "SUB", clause), publisher, clause)
    made.subscribe(*prefixes)
    made.settle()
    return made


def handshake_3_0(raw: RawPeer, socket_type: str, clause: str) -> RawPeer:
    """The handshake of a ZMTP 3.0 partner; that it is refused is blamed on `clause`."""
    try:
        return raw.handshake(socket_type, greeting=ZMTP_3_0)
    except Mismatch as refused:
        raise refused.blaming(clause) from None


def publisher(raw: RawPeer, sub: RemoteSocket, socket_type: str = "PUB") -> RawPeer:
    """A raw publisher after its handshake that a subscriber under test has spoken to and heard of.

    So the route exists: a request alone may be the repetition for a peer that is not yet one of all.
    """
    raw.handshake(socket_type)
    sub.subscribe(READY)
    while request_of(raw, "37/pubsub/subscribe-command") != Subscribe(READY):
        pass
    raw.send(Message(READY))
    sub.expect(READY, clause=rule(sub, "deliver"))
    return raw


def request_of(raw: RawPeer, clause: str | None = None) -> Request:
    """The next thing that a raw publisher gets, which is a request, as command or as message."""
    wanted = "a subscription or cancellation"
    while True:
        try:
            received = raw.next("reaction", wanted)
        except DeadlineExceeded as late:
            raise raw.mismatch(wanted, f"nothing within {late.seconds:g} s", clause) from None
        if received is None:
            raise raw.mismatch(wanted, f"the connection closed ({raw.closed})", clause)
        if not isinstance(received.value, Ping):
            break
        raw.send(Pong(received.value.context[:16]))
    request = as_request(received.value)
    if request is None:
        raise raw.mismatch(wanted, describe(received.value), clause, received.start)
    return request


def as_request(value: object) -> Request | None:
    """The request that a value means, as command or as message, or None."""
    if isinstance(value, Subscribe | Cancel):
        return value
    if isinstance(value, Message) and len(value.parts) == 1 and value.parts[0][:1] in (b"\0", b"\1"):
        return (Subscribe if value.parts[0][0] else Cancel)(value.parts[0][1:])
    return None


def told(raw: RawPeer, count: int, clause: str | None = None) -> Counter[bytes]:
    """The next `count` subscriptions that a raw publisher is told, in any order and form."""
    requests = [request_of(raw, clause) for _ in range(count)]
    wrong = [request for request in requests if not isinstance(request, Subscribe)]
    if wrong:
        raise raw.mismatch("subscriptions", describe(wrong[0]), clause)
    return Counter(request.prefix for request in requests)


def octets(count: int) -> bytes:
    """That many octets, all values among them."""
    return (bytes(range(256)) * (count // 256 + 1))[:count]
