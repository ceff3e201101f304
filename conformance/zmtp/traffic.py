"""What cases on ZMTP do again and again: show that traffic flows, and wait for one of several legal ends."""

from __future__ import annotations

from collections.abc import Callable

from harness.case import Judge
from harness.deadlines import Deadline, DeadlineExceeded
from harness.exchange import expect_serves
from harness.peer import Parts, RemoteSocket
from harness.pytest_fixtures import Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import AnyCommand, Error, Message, Ping, Ready, Received

POLL_S = 0.02
REFUSAL = "ERROR, or the connection closed"


def start_handshake(raw: RawPeer, ready: Ready | bytes) -> RawPeer:
    """Greet and send READY (or octets in its place), without looking at what comes back for it."""
    raw.greet()
    raw.send(ready)
    return raw


def expect_reaction(raw: RawPeer, clause: str | None = None) -> Received | None:
    """The partner's very next thing, whatever it is, or None for a close."""
    try:
        return raw.next("reaction", "close")
    except DeadlineExceeded as late:
        raise raw.mismatch(REFUSAL, f"neither within {late.seconds:g} s", clause) from None


def expect_refused(raw: RawPeer, clause: str | None = None) -> Error | None:
    """The partner refuses us: by ERROR, by a close, or both; its READY may have gone out before.

    Returns the ERROR, after which the partner may leave the closing to us, or None.
    """
    while True:
        received = expect_reaction(raw, clause)
        if received is None:
            return None
        if isinstance(received.value, Error):
            return received.value
        if not isinstance(received.value, Ready | Ping):
            actual = type(received.value).__name__.lower()
            raise raw.mismatch(REFUSAL, actual, clause, received.start)


def closed_or_served(
    raw: RawPeer, sock: RemoteSocket, *fence: bytes, clause: str | None = None
) -> tuple[str, list[Parts]]:
    """Wait until `sock` has the message `fence`, or has left its connection with `raw`.

    Returns "served", "closed" or "ERROR", and the messages that came before. The time in which the adapter
    hands a message over does not count: that of a large one is no fault of the library's.
    """
    end, came = _watch(raw, sock, lambda parts: parts == list(fence), clause)
    return end, [parts for parts in came if parts != list(fence)]


def routed_as(raw: RawPeer, router: RemoteSocket, *parts: bytes, clause: str | None = None) -> bytes | None:
    """Send a message to a router: the routing id it gets there, None where the router closes instead."""
    raw.send(Message(*parts))
    _, came = _watch(raw, router, lambda got: got[1:] == list(parts), clause)
    return came[-1][0] if came else None


def _watch(
    raw: RawPeer, sock: RemoteSocket, is_fence: Callable[[Parts], bool], clause: str | None
) -> tuple[str, list[Parts]]:
    deadline = raw.deadlines.deadline("reaction")
    came: list[Parts] = []
    while not deadline.expired:
        if sock.peer.readable(sock, within_s=POLL_S):
            left_s = deadline.remaining_s()
            came.append(sock.recv())
            deadline = Deadline(deadline.name, left_s)
            if is_fence(came[-1]):
                return "served", came
        elif end := _end_of(raw):
            return end, came
    raise Mismatch("the connection closed, or its next message delivered", "neither", clause)


def _end_of(raw: RawPeer) -> str | None:
    """ "ERROR" or "closed" where the partner has refused us by now."""
    while raw.arrived():
        received = raw.next()
        if received is None:
            return "closed"
        if isinstance(received.value, Error):
            return "ERROR"
    return None


def expect_silence(raw: RawPeer, bystander: RemoteSocket, dial: Dial, expected: str, actual: str) -> None:
    """Nothing has come to our end once a PULL of the same peer, which speaks NULL, has served a partner."""
    expect_serves(bystander, dial(bystander.bind()).handshake("PUSH"))  # all that was under way is done
    Judge.that(not raw.arrived(), expected, actual)


def data_of(command: AnyCommand) -> bytes:
    """The body of a command: name and data as its frame carries them."""
    return command.to_command().body()
