"""What the cases on pipelines, pairs, queues and connections do with raw ends again and again."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.control.flood import body, digest
from harness.deadlines import DeadlineExceeded
from harness.peer import Outcome, Peer, RemoteSocket, show_parts
from harness.pytest_fixtures import Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.wire.several import first_of
from harness.zmtp import Greeting, Message, Ready

MESSAGES = {
    "one-frame": [b"body"],
    "empty": [b""],
    "three-frames": [b"a", b"b", b"c"],
    "empty-frames-around": [b"", b"body", b""],
    "like-a-subscription": [b"\x01topic"],
    "like-a-cancellation": [b"\x00"],
    "long-frames": [b"x" * 256, b"y" * 65_536],
}
BIG_OCTETS = 1 << 17
SMALL_BUFFER_OCTETS = 1 << 16
BATCH = 4
PATIENCE = 10  # probes until a peer that is not heard counts as held


@contextmanager
def reserved_port(peer: Peer) -> Iterator[int]:
    """A port that the peer can dial and where nobody listens, kept for a listener, as long as this lasts.

    It stays bound, so that the operating system gives it to no one else, not even to who dials it.
    """
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((peer.hosts.listen, 0))
        yield sock.getsockname()[1]


def small_window(raw: RawPeer) -> RawPeer:
    """Let the operating system keep little for a raw end that will not read for a while."""
    raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_OCTETS)
    return raw


def numbered(count: int) -> list[list[bytes]]:
    """That many messages of one frame, each its own number in digits."""
    return [[b"%d" % number] for number in range(count)]


def gather(ends: Sequence[RawPeer], count: int, clause: str | None = None) -> list[list[Message]]:
    """The next `count` messages on all ends together, those of each end in order."""
    came: list[list[Message]] = [[] for _ in ends]
    for _ in range(count):
        end = first_of(*ends, clause=clause)
        came[ends.index(end)].append(end.expect(Message, clause=clause))
    return came


def meet_pullers(push: RemoteSocket, ends: Sequence[RawPeer], clause: str = "30/push/round-robin") -> None:
    """Push probes until each end has had one, so that all of them have their queues. None is left over."""
    deadline = push.peer.deadlines.deadline("delivery")
    met: set[RawPeer] = set()
    while len(met) < len(ends):
        push.send([b"probe"], clause)
        end = first_of(*ends, clause=clause)
        end.expect_message(b"probe", clause=clause)
        met.add(end)
        if deadline.expired:
            actual = f"only {len(met)} do within {deadline.seconds:g} s"
            raise Mismatch(f"each of {len(ends)} peers gets a message", actual, clause)


def deal_out(
    push: RemoteSocket,
    ends: Sequence[RawPeer],
    messages: Sequence[list[bytes]],
    rules: str = "30/push",
) -> list[int]:
    """Push different messages; which end each went to. Each has to arrive whole, once, and in order."""
    for parts in messages:
        push.send(parts, f"{rules}/block-none")
    came = gather(ends, len(messages), f"{rules}/no-filter")
    return dealt([Message(*parts) for parts in messages], came, rules)


def dealt(sent: Sequence[Message], came: Sequence[Sequence[Message]], rules: str = "30/push") -> list[int]:
    """Which end each message went to, given what came at each."""
    where: dict[int, int] = {}
    for end, messages in enumerate(came):
        numbers = [_number(message, sent, f"{rules}/no-filter") for message in messages]
        if numbers != sorted(numbers):
            raise Mismatch("messages in order at each peer", f"{numbers} at one", "37/sockets/ordered")
        for number in numbers:
            if number in where:
                actual = f"{describe(sent[number])} twice"
                raise Mismatch("each message once", actual, "37/sockets/no-duplicates")
            where[number] = end
    return [where[number] for number in range(len(sent))]


def _number(message: Message, sent: Sequence[Message], clause: str) -> int:
    if message not in sent:
        raise Mismatch("messages as they were sent", describe(message), clause)
    return sent.index(message)


def expect_rotation(where: Sequence[int], ends: int, clause: str) -> None:
    """Of any 2n messages in a row, each of n peers gets one or more: nobody is passed over twice."""
    for start in range(len(where) - 2 * ends + 1):
        window = where[start : start + 2 * ends]
        if len(set(window)) < ends:
            raise Mismatch(f"each of {ends} peers in any {2 * ends} messages", f"peers {window}", clause)


def push_while_reading(
    push: RemoteSocket, reading: RawPeer, number: int, clause: str = "30/push/available"
) -> None:
    """The socket takes a big message, body 0 of the flood with seed `number`, as long as one peer reads."""
    deadline = push.peer.deadlines.deadline("delivery")
    while not push.flood(1, BIG_OCTETS, number, within_s=push.peer.deadlines.probe_s):
        reading.arrived()
        if deadline.expired:
            actual = f"not within {deadline.seconds:g} s"
            raise Mismatch("the message is accepted while a peer reads", actual, clause)
    reading.arrived()


def serves_only(sock: RemoteSocket, living: RawPeer, clause: str | None = None) -> None:
    """Send until the socket has noticed that `living` is its only peer: a whole batch arrives there."""
    deadline = sock.peer.deadlines.deadline("delivery")
    batch = 0
    while True:
        batch += 1
        sent = [[b"batch-%d/%d" % (batch, number)] for number in range(BATCH)]
        for parts in sent:
            sock.send(parts, clause)
        came = read_batch(living, b"batch-%d/" % batch)
        if came == sent:
            return
        if deadline.expired:
            raise Mismatch(f"all of {BATCH} messages", f"{len(came)} of them", clause)


def read_batch(raw: RawPeer, name: bytes) -> list[list[bytes]]:
    """What comes of a batch, whose messages begin with its name, before a pause; others are passed over."""
    came: list[list[bytes]] = []
    while len(came) < BATCH:
        try:
            received = raw.next("probe", "a message")
        except DeadlineExceeded:
            return came
        if received is None:
            raise raw.mismatch("a message", f"the connection closed ({raw.closed})", None)
        if isinstance(received.value, Message) and received.value.parts[0].startswith(name):
            came.append(list(received.value.parts))
    return came


def make_sure(sock: RemoteSocket, outcome: Outcome, *parts: bytes) -> None:
    """A message offered before there was a connection has been accepted, or is sent now."""
    if outcome is not Outcome.ACCEPTED:
        sock.send(parts)


def expect_flood(raw: RawPeer, seed: int, count: int, size_octets: int, clause: str | None = None) -> None:
    """The next `count` messages are those of a flood, from its first one on, none left out, in order."""
    for number in range(count):
        message = raw.expect(Message, clause=clause)
        if message != Message(body(seed, number, size_octets)):
            raise raw.mismatch(f"message {number} of {count}", describe(message), clause)


def read_flood(
    sock: RemoteSocket, raw: RawPeer, left: bytes, seed: int, count: int, size_octets: int, clause: str
) -> None:
    """The application gets a whole flood in order, while `raw` sends those of its octets that are left.

    It reads in turns, each of some probes, for as long as each delivery brings something.
    """
    arrived = 0
    deadline = raw.deadlines.deadline("delivery")
    while arrived < count:
        turn_s = PATIENCE * raw.deadlines.probe_s
        reading = sock.peer.start("drain", turn_s, socket=sock.id, count=count - arrived)
        left = left[raw.offer(left) :]
        came = reading.result()
        numbers = range(arrived, arrived + came["received"])
        if came["digest"] != digest(body(seed, number, size_octets) for number in numbers):
            raise Mismatch(f"messages {numbers}", f"others, {came['first']} to {came['last']}", clause)
        arrived += came["received"]
        if came["received"]:
            deadline = raw.deadlines.deadline("delivery")
        elif deadline.expired:
            actual = f"{arrived}, and no more for {deadline.seconds:g} s"
            raise Mismatch(f"{count} messages delivered", actual, clause)


class Intruder:
    """A second peer where only one is served. It says all it has to say at once, and nobody answers it."""

    def __init__(self, raw: RawPeer | None) -> None:
        self.raw = raw

    def fate(self) -> str:
        """How the socket treats it: refused, cut off or held. Raises Mismatch where it got a message."""
        if self.raw is None:
            return "refused"
        while self.raw.arrived():
            received = self.raw.next()
            if received is None:
                return "cut off"
            if isinstance(received.value, Message):
                raise self.raw.mismatch("no message", describe(received.value), None, received.start)
        return "held"


def intrude(endpoint: str, dial: Dial, socket_type: str) -> Intruder:
    """Dial a socket that has its peer, and send a whole handshake and a message."""
    try:
        raw = dial(endpoint)
    except Mismatch:
        return Intruder(None)
    raw.send(Greeting(), Ready(socket_type), Message(b"intruder"))
    return Intruder(raw)


def leave(raw: RawPeer, how: str) -> None:
    """Close the connection in good order ("fin") or by reset ("rst")."""
    {"fin": raw.close, "rst": raw.reset}[how]()


def next_served(sock: RemoteSocket, endpoint: str, dial: Dial, clause: str) -> RawPeer:
    """Dial until the socket serves a peer of its own type: its message is delivered, with nothing before it.

    Until then the socket may refuse or cut off, as long as it has not noticed that the last peer left.
    """
    deadline = sock.peer.deadlines.deadline("reconnect")
    attempts = 0
    while not deadline.expired:
        attempts += 1
        hello = b"hello-%d" % attempts
        try:
            raw = dial(endpoint).handshake(sock.socket_type)
        except Mismatch:
            continue
        raw.send(Message(hello))
        if delivered(sock, raw, hello, clause):
            return raw
        raw.close()
    raise Mismatch("a successor is served", f"none of {attempts} within {deadline.seconds:g} s", clause)


def delivered(sock: RemoteSocket, raw: RawPeer, hello: bytes, clause: str) -> bool:
    """Whether the application gets the message; False where it is closed, or held for some probes."""
    for _ in range(PATIENCE):
        if sock.peer.readable(sock, within_s=sock.peer.deadlines.probe_s):
            parts = sock.recv(clause=clause)
            if parts == [hello]:
                return True
            if not parts[0].startswith(b"hello-"):
                raise Mismatch(show_parts([hello]), show_parts(parts), clause)
        elif raw.arrived() and raw.closed is not None:
            return False
    return False
