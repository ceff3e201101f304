"""Two sockets of two peers with the tap between them, and what they say to each other.

A case says plain messages; a `Line` adds what the socket types ask of their applications (a ROUTER's first
frame, the delimiter of REQ and REP), compares what the other application gets, and keeps what has to show on
the wire.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import pytest

from harness.control.flood import flood_digest
from harness.pairing import Joint, Pairing
from harness.peer import Outcome, Peer, Pending, RemoteSocket, show_parts
from harness.verdict import Mismatch

PATTERNS = (
    ("REQ", "REP"), ("REQ", "ROUTER"), ("DEALER", "REP"), ("DEALER", "ROUTER"), ("DEALER", "DEALER"),
    ("ROUTER", "ROUTER"), ("PUB", "SUB"), ("PUB", "XSUB"), ("XPUB", "SUB"), ("XPUB", "XSUB"),
    ("PUSH", "PULL"), ("PAIR", "PAIR"),
)  # fmt: skip
PUBLISHERS = ("PUB", "XPUB")
SUBSCRIBERS = ("SUB", "XSUB")
ONE_WAY = ("PUB", "XPUB", "PUSH")
LOCKSTEP = ("REQ", "REP")
DELIMITER = b""
PROBE = b"~probe-"
MARK = 2_000
BODY_OCTETS = 32
Types = tuple[str, str]
# What is blamed where a message goes out, or comes to the application, otherwise than it was given.
SENDS = {
    "REQ": "28/req/add-delimiter", "REP": "28/rep/restore-envelope", "DEALER": "28/dealer/no-filter",
    "ROUTER": "28/router/strip-id", "PUB": "29/pub/no-modify", "XPUB": "29/xpub/no-modify",
    "PUSH": "30/push/no-filter", "PAIR": "31/pair/no-filter",
}  # fmt: skip
DELIVERS = {
    "REQ": "28/req/format", "REP": "28/rep/pass-data", "DEALER": "28/dealer/no-filter",
    "ROUTER": "28/router/prefix-id", "SUB": "29/sub/no-modify", "XSUB": "29/xsub/no-modify-in",
    "PULL": "30/pull/no-filter", "PAIR": "31/pair/no-filter",
}  # fmt: skip
UNCHANGED = ["37/framing/not-altered", *dict.fromkeys([*SENDS.values(), *DELIVERS.values()])]


def both_ways(patterns: Sequence[Types]) -> list[Types]:
    """Each combination of socket types with either peer at either end."""
    return list(dict.fromkeys([*patterns, *((second, first) for first, second in patterns)]))


def of_types(patterns: Sequence[Types]) -> pytest.MarkDecorator:
    """Ask a case for these combinations, either peer at either end: `first_type`, `second_type`."""
    asked = both_ways(patterns)
    return pytest.mark.parametrize(("first_type", "second_type"), asked, ids=map("-".join, asked))


def without(*types: str) -> list[Types]:
    """The combinations in which none of these takes part."""
    return [pattern for pattern in PATTERNS if not set(types) & set(pattern)]


SUBSCRIBING = "29/xsub/send-requests"  # blamed where a subscription never takes effect
NEEDS = ["first:{first_type}", "second:{second_type}"]
NEEDS_2_0 = [*NEEDS, "zmtp>=2.0"]  # subscribers of ZMTP 1.0 ask for nothing and filter by themselves


def open_line(
    pair: Pairing,
    first_type: str,
    second_type: str,
    of: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    **options: Any,
) -> Line:
    """A line between two new sockets of these types, ready to speak.

    The options are for both; those in `of` for the end "first" or "second" alone.
    """
    first = open_end(pair.first, first_type, b"first", **options, **of.get("first", {}))
    second = open_end(pair.second, second_type, b"second", **options, **of.get("second", {}))
    return Line(pair, first, second).meet()


def open_speaking(pair: Pairing, first_type: str, second_type: str, *parts: bytes) -> Line:
    """A line whose speaker, if it is the one that binds, has begun to send before it could have a partner.

    The message has arrived. A socket that refuses to send to nobody is asked again.
    """
    first = open_end(pair.first, first_type, b"first")
    second = open_end(pair.second, second_type, b"second")
    begun: list[Pending] = []

    def speak(sock: RemoteSocket) -> None:
        speaking = first if is_speaker(first_type, second_type) else second
        if sock is speaking:
            begun.append(sock.start_send([*head_of(sock, {first_type, second_type}), *parts]))

    line = Line(pair, first, second, speak)
    if not begun or Outcome(begun[0].result()["outcome"]) is not Outcome.ACCEPTED:
        line.speaker.send(line.framed(line.speaker, parts))
    line.expect_heard(line.speaker, parts)
    return line


def is_speaker(socket_type: str, other_type: str) -> bool:
    """Which of the two speaks first."""
    return (socket_type, other_type) in PATTERNS


def head_of(sock: RemoteSocket, types: set[str]) -> list[bytes]:
    """The delimiter, where REQ or REP takes part and the application of this socket has to say it."""
    return [DELIMITER] if types & set(LOCKSTEP) and sock.socket_type not in LOCKSTEP else []


def open_end(peer: Peer, socket_type: str, identity: bytes, **options: Any) -> RemoteSocket:
    """A socket with room for a flood where that can be set; with an identity where it has to be known."""
    if socket_type not in (*SUBSCRIBERS, "PULL") and peer.claims("option:send-hwm"):
        options["send_hwm"] = MARK
    if socket_type not in ONE_WAY and peer.claims("option:receive-hwm"):
        options["receive_hwm"] = MARK
    if socket_type == "ROUTER" and peer.claims("option:identity"):
        options["identity"] = identity
    sock = peer.open(socket_type, **options)
    if socket_type in SUBSCRIBERS:
        sock.subscribe(b"")
    return sock


class Joining(Protocol):
    """What joins two sockets through a tap: a pair, or the stage of a scenario."""

    def join(
        self,
        sock_of_first: RemoteSocket,
        sock_of_second: RemoteSocket,
        alone: Callable[[RemoteSocket], None] = ...,
    ) -> Joint:
        """Let one listen, which `alone` is given while nobody is connected to it, and the other dial it."""


class Line:
    """Two joined sockets; the `speaker` speaks first, and the `hearer` answers where its type can."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        pair: Joining,
        first: RemoteSocket,
        second: RemoteSocket,
        alone: Callable[[RemoteSocket], None] = lambda _: None,
    ) -> None:
        self.joint: Joint = pair.join(first, second, alone)
        forward = is_speaker(first.socket_type, second.socket_type)
        self.speaker, self.hearer = (first, second) if forward else (second, first)
        self.types = {first.socket_type, second.socket_type}
        self.said: dict[RemoteSocket, list[list[bytes]]] = {first: [], second: []}
        self.routes: dict[RemoteSocket, bytes] = {}
        if self.types == {"ROUTER"}:
            self.routes = {first: b"second", second: b"first"}

    @property
    def answers(self) -> bool:
        """Whether messages go both ways."""
        return self.speaker.socket_type not in ONE_WAY

    @property
    def delimiter(self) -> list[bytes]:
        """What stands before the data where REQ or REP takes part."""
        return [DELIMITER] if self.types & set(LOCKSTEP) else []

    def other(self, sock: RemoteSocket) -> RemoteSocket:
        """The opposite end."""
        return self.hearer if sock is self.speaker else self.speaker

    # -- meeting ---------------------------------------------------------------------------------

    def meet(self) -> Line:
        """Come back when the speaker's messages get through, and none of those sent for that is left over.

        Who waits for a partner before sending needs nothing; PUB and ROUTER drop what has no receiver. A
        first request of REQ may be under way while the route is made: it has a case of its own.
        """
        if self.speaker.socket_type in (*PUBLISHERS, "ROUTER"):
            self.probe()
        elif self.speaker.socket_type == "REQ":
            self.speaker.send([PROBE])
            self.heard(self.hearer)
            self.hearer.send(self.framed(self.hearer, [PROBE]))
            self.speaker.recv()
        return self

    def probe(self, within: str = "reconnect") -> None:
        """Let the speaker say numbered probes until one arrives, and take all of those that follow it."""
        topic = PROBE + b"%d/" % next(self._numbers)
        deadline = self.hearer.peer.deadlines.deadline(within)
        sent = 0
        for wait_s in self.hearer.peer.deadlines.probes_s():
            sent += 1
            self.speaker.send(self.framed(self.speaker, [topic + b"%d" % sent]))
            if self.hearer.peer.readable(self.hearer, within_s=wait_s):
                break
            if deadline.expired:
                clause = SUBSCRIBING if self.speaker.socket_type in PUBLISHERS else None
                late = f"none of {sent} within {deadline.seconds:g} s"
                raise Mismatch("a message gets through", late, clause)
        while self.heard(self.hearer)[-1] != topic + b"%d" % sent:
            pass

    # -- messages --------------------------------------------------------------------------------

    def framed(self, sock: RemoteSocket, parts: Sequence[bytes]) -> list[bytes]:
        """A message as the application of this socket has to give it."""
        route = [self.routes[sock]] if sock.socket_type == "ROUTER" else []
        return [*route, *head_of(sock, self.types), *parts]

    def heard(self, sock: RemoteSocket) -> list[bytes]:
        """The next message as the application of this socket gets it; a ROUTER's first frame is a route."""
        parts = sock.recv()
        if sock.socket_type == "ROUTER":
            if self.types == {"ROUTER"} and parts[0] != self.routes[sock]:
                raise Mismatch(show_parts([self.routes[sock]]), show_parts(parts[:1]), "28/router/prefix-id")
            self.routes[sock] = parts[0]
        return parts

    def say(self, *parts: bytes, sender: RemoteSocket | None = None) -> None:
        """One message from the speaker (or another sender): the other application gets just that."""
        sender = sender or self.speaker
        sender.send(self.framed(sender, parts))
        self.expect_heard(sender, parts)

    def expect_heard(self, sender: RemoteSocket, parts: Sequence[bytes]) -> None:
        """The other application gets this next; if not, the wire tells who of the two is to blame."""
        receiver = self.other(sender)
        self.said[sender].append([*self.delimiter, *parts])
        actual = self.heard(receiver)
        expected = self.framed(receiver, parts)
        if actual != expected:
            self.expect_sent(sender)
            clause = DELIVERS[receiver.socket_type] if self.sent_by(sender) == self.said[sender] else None
            raise Mismatch(
                f"{receiver.peer.title} delivers {show_parts(expected)}", show_parts(actual), clause
            )

    def exchange(self, *parts: bytes) -> None:
        """One message from the speaker, and the same back where messages go both ways."""
        self.say(*parts)
        if self.answers:
            self.say(*parts, sender=self.hearer)

    def flood(self, count: int, size_octets: int, sender: RemoteSocket) -> None:
        """Many messages, or a large one: all arrive, unchanged and in order."""
        receiver, seed = self.other(sender), next(self._numbers)
        within_s = sender.peer.deadlines.delivery_s
        head = self.framed(sender, [])
        accepted = sender.flood(count, size_octets, seed, within_s, head)
        if accepted != count:
            raise Mismatch(f"the socket accepts {count} messages", f"{accepted} within {within_s:g} s")
        drained = receiver.drain(count)
        if (drained["received"], drained["digest"]) != (count, flood_digest(seed, count, size_octets)):
            came = f"{drained['received']} received, the first {drained['first']}, the last {drained['last']}"
            raise Mismatch(f"{count} messages of {size_octets} octets as sent", came)

    def flood_back(self, count: int, size_octets: int) -> None:
        """The same from the hearer, where messages go both ways."""
        if self.answers:
            self.flood(count, size_octets, self.hearer)

    # -- the wire --------------------------------------------------------------------------------

    def expect_wire(self) -> None:
        """What both said went over the wire like that: once, in order, with its delimiter and no route."""
        self.expect_sent(self.speaker)
        self.expect_sent(self.hearer)

    def expect_sent(self, sock: RemoteSocket) -> None:
        """What this one said went over the wire like that, as far as the wire can be read."""
        sent, said = self.sent_by(sock), self.said[sock]
        if sock.socket_type in SUBSCRIBERS or not self.joint.is_readable(sock) or sent == said:
            return
        alike = itertools.takewhile(lambda both: both[0] == both[1], zip(sent, said, strict=False))
        at = sum(1 for _ in alike)
        expected = f"{sock.peer.title} sends {shown(said, at)}"
        raise Mismatch(expected, shown(sent, at), SENDS.get(sock.socket_type))

    def sent_by(self, sock: RemoteSocket) -> list[list[bytes]]:
        """The messages of this end on the wire, without probes."""
        return [parts for parts in self.joint.sent_by(sock) if not is_probe(parts)]

    def count(self, sock: RemoteSocket, kind: type) -> int:
        """How many commands of a kind this end has sent."""
        return sum(isinstance(each.received.value, kind) for each in self.joint.seen_of(sock))


def shown(messages: Sequence[Sequence[bytes]], at: int) -> str:
    """The message at a place, for people."""
    return show_parts(messages[at]) if at < len(messages) else f"nothing behind {at} messages"


def is_probe(parts: Sequence[bytes]) -> bool:
    """Whether a message, on the wire or for an application, was sent to see whether it gets through."""
    return any(part.startswith(PROBE) for part in parts)
