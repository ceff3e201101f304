"""What the request-reply cases do with raw ends again and again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from harness.deadlines import DeadlineExceeded
from harness.peer import OperationRefused, Outcome, Pending, RemoteSocket, show_parts
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import Message, Ping, Pong, Ready

FLOOD_OCTETS = 65_536
FLOOD_COUNT = 1_000
MOST_QUEUED = 100_000  # in front of a fence


def joined(sock: RemoteSocket, raw: RawPeer, partner: str) -> RawPeer:
    """`raw` after the handshake, when the peer has made a place for it as far as that can be told.

    Nothing can be received on a REQ that has not asked yet: a PONG is the only sign of life there is.
    """
    raw.handshake(partner)
    if sock.peer.claims("feature:heartbeat"):
        raw.fence(clause="37/heartbeat/pong-reply")
    return raw


def acquainted(req: RemoteSocket, raw: RawPeer, partner: str) -> RawPeer:
    """`raw` after a first request and its reply, which show that the REQ has a route to it.

    How the first request looks is not judged: it may have been under way while the route was made.
    """
    joined(req, raw, partner)
    req.send([b"first"])
    raw.expect(Message, clause="28/req/format")
    raw.send(Message(b"", b"first"))
    req.recv(clause="28/req/format")
    return raw


def settle(raw: RawPeer, clause: str | None = None) -> bool:
    """Wait until the peer has dealt with all that was sent; True if the connection is still open.

    The peer may answer a PING, or it has closed the connection. A message before that is a Mismatch.
    """
    expected = "PONG, or the connection closed"
    context = b"settle"
    raw.send(Ping(0, context))
    while True:
        try:
            received = raw.next("reaction", expected)
        except DeadlineExceeded as late:
            actual = f"nothing within {late.seconds:g} s"
            raise raw.mismatch(expected, actual, "37/heartbeat/pong-reply") from None
        if received is None:
            return False
        if received.value == Pong(context):
            return True
        if isinstance(received.value, Message):
            raise raw.mismatch(expected, describe(received.value), clause, received.start)


def attempt(sock: RemoteSocket, *parts: bytes, within_s: float = 0.0) -> Outcome:
    """Offer a message that the socket may refuse in any way, and say what became of it."""
    try:
        return sock.offer(parts, within_s)
    except OperationRefused as refused:
        if refused.failed:
            return Outcome.REFUSED
        raise


def expect_not_accepted(sock: RemoteSocket, *parts: bytes, clause: str | None = None) -> None:
    """The socket has nobody to send to: it would wait, or says so."""
    outcome = attempt(sock, *parts)
    if outcome is Outcome.ACCEPTED:
        raise Mismatch("the message is not accepted", outcome.value, clause)


def expect_not_waiting(sock: RemoteSocket, *parts: bytes, clause: str | None = None) -> Outcome:
    """The socket takes the message, drops it, or refuses it, but does not wait."""
    outcome = attempt(sock, *parts, within_s=0.2)
    if outcome is Outcome.WOULD_BLOCK:
        raise Mismatch("sending does not wait", outcome.value, clause)
    return outcome


def finish_send(sock: RemoteSocket, pending: Pending, parts: Sequence[bytes]) -> None:
    """What a begun send comes to once there is a peer: a socket that refused it is asked again."""
    insist(sock, Outcome(pending.result()["outcome"]), parts)


def insist(sock: RemoteSocket, outcome: Outcome, parts: Sequence[bytes]) -> None:
    """Send what the socket has not accepted before there was a peer."""
    if outcome is not Outcome.ACCEPTED:
        sock.send(parts)


def meet(sock: RemoteSocket, *raws: RawPeer, clause: str | None = None) -> list[bytes]:
    """Let the application (of a DEALER or ROUTER) hear from each end, so that the peer's routes exist.

    The first frame of what arrived from each: a ROUTER's routing id of it.
    """
    blamed = clause or f"28/{sock.socket_type.lower()}/deliver"
    heads = []
    for raw in raws:
        raw.send(Message(b"hello"))
        parts = sock.recv(clause=blamed)
        if parts[-1] != b"hello":
            raise Mismatch(show_parts([b"hello"]), show_parts(parts), blamed)
        heads.append(parts[0])
    return heads


def read_until_fence(sock: RemoteSocket, raw: RawPeer, *fence: bytes) -> int:
    """Let `raw` read, offering the fence (routing id and body) again each time, until it arrives.

    How many messages came before it. The fence may be dropped while the queue is full; it is not then
    the last message in the queue, so there is always another one to read.
    """
    expected = Message(*fence[1:])
    attempt(sock, *fence)
    for count in range(MOST_QUEUED):
        came = raw.expect(Message)
        if came == expected:
            return count
        if came.parts[-1] == fence[-1]:
            raise raw.mismatch(describe(expected), describe(came), None, raw.last_start)
        attempt(sock, *fence)
    raise raw.mismatch(describe(expected), f"{MOST_QUEUED} other messages", None, raw.last_start)


def probe(sock: RemoteSocket, raw: RawPeer, *parts: bytes, clause: str | None = None) -> None:
    """Send again and again until something reaches `raw`, which must be the message sent.

    For a socket that may not have noticed yet that another connection is gone.
    """
    deadline = raw.deadlines.deadline("delivery")
    while not (raw.arrived() or deadline.expired):
        attempt(sock, *parts)
        sock.peer.readable(sock, within_s=raw.deadlines.probe_s)
    raw.expect_message(*parts, clause=clause)


def knock(raw: RawPeer, announcement: Ready | bytes) -> None:
    """A handshake that the peer may refuse: it answers READY or ERROR, or closes."""
    raw.greet()
    raw.send(announcement)
    with suppress(DeadlineExceeded):
        raw.next("reaction")


def heard_until(router: RemoteSocket, fence: RawPeer) -> list[list[bytes]]:
    """All that the application can get by the time it has heard a last message from `fence`."""
    fence.send(Message(b"the fence"))
    heard = []
    while (parts := router.recv())[-1] != b"the fence":
        heard.append(parts)
    while router.peer.readable(router, within_s=0.0):
        heard.append(router.recv())
    return heard


def fill(sock: RemoteSocket, head: Sequence[bytes] = ()) -> int:
    """Send large messages until no more are accepted; how many were."""
    return sock.flood(FLOOD_COUNT, FLOOD_OCTETS, within_s=0.2, head=head)


def until(sock: RemoteSocket, wanted: Outcome, *parts: bytes, clause: str | None = None) -> None:
    """Offer a message until it comes out as `wanted`: a peer notices a close in its own time."""
    deadline = sock.peer.deadlines.deadline("delivery")
    outcome = attempt(sock, *parts)
    while outcome is not wanted:
        if deadline.expired:
            raise Mismatch(wanted.value, f"{outcome.value} for {deadline.seconds:g} s", clause)
        outcome = attempt(sock, *parts)


def put_before(sock: RemoteSocket, *batches: tuple[RawPeer, Sequence[Message]]) -> None:
    """Send messages from each of these ends and come back when the application of `sock` can hear them all.

    Two fences each: PONG may leave before what came in the segment of PING is handed on. And the application
    has to look: while it has others to hear, libzmq tells it of a new route at every hundredth message only.
    """
    for raw, messages in batches:
        raw.send(*messages)
        raw.fence()
        raw.fence()
    sock.peer.readable(sock)


def expect_fair(received: Sequence[bytes], payloads: Sequence[bytes], clause: str) -> None:
    """Equally many messages of each peer waited when the application began: none was left for last."""
    each = len(received) // len(payloads)
    if sorted(received) != sorted(list(payloads) * each):
        raise Mismatch(f"{each} messages of each peer", repr(received), clause)
    half = received[: len(received) // 2]
    seen = {payload: half.count(payload) for payload in payloads}
    if min(seen.values()) * 10 < each:
        raise Mismatch("each peer is heard in the first half", f"{seen} of {len(half)} messages", clause)
