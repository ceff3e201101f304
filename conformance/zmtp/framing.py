"""What the cases on framing and commands share: bodies, legal frames, partners beside the odd one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge
from harness.control.flood import body, digest
from harness.peer import Parts, Pending, RemoteSocket, show_parts
from harness.pytest_fixtures import Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Frame, Message

LARGE_OCTETS = 1 << 20
SHAPES = {
    "1-empty": [b""],
    "2": [b"one", b"two"],
    "empty-first": [b"", b"body"],
    "empty-last": [b"body", b""],
    "3-empty": [b"", b"", b""],
    "long-between-short": [b"short", bytes(256), b"short"],
    "100": [b"%d" % n for n in range(100)],
    "1000-every-third-empty": [b"%d" % n * (n % 3) for n in range(1000)],
}
LEAVES = {"fin": RawPeer.close, "rst": RawPeer.reset}


def random_parts(seed: int, *sizes: int) -> list[bytes]:
    """Bodies of these sizes in octets, the same for the same seed."""
    source = Random(seed)
    return [source.randbytes(size) for size in sizes]


def begin_body(sock: RemoteSocket, seed: int, size: int) -> tuple[bytes, Pending]:
    """Let the application begin to send one frame of that size, and say which. It makes large ones itself."""
    if size < LARGE_OCTETS:
        (octets,) = random_parts(seed, size)
        return octets, sock.start_send([octets])
    flood = {"socket": sock.id, "count": 1, "size_octets": size, "seed": seed}
    return body(seed, 0, size), sock.peer.start("flood", sock.peer.deadlines.delivery_s, **flood)


def finish_body(sending: Pending) -> None:
    """The socket has accepted what was begun."""
    answer = sending.result()
    if answer not in ({"outcome": "accepted"}, {"accepted": 1}):
        raise Mismatch("the socket accepts the message", repr(answer))


def expect_body(sock: RemoteSocket, octets: bytes) -> None:
    """The application gets one frame of these octets. Large ones are compared by their digest."""
    if len(octets) < LARGE_OCTETS:
        sock.expect(octets)
        return
    came = sock.drain(1)
    if came["received"] != 1 or came["digest"] != digest([octets]):
        actual = "another body" if came["received"] else "none in time"
        raise Mismatch(f"a message of {len(octets)} octets as they were sent", actual)


def expect_frames(raw: RawPeer, *parts: bytes, clause: str) -> tuple[Frame, ...]:
    """The next message has these parts, in message frames that break no rule; returns the frames."""
    raw.expect_message(*parts, clause=clause)
    received = raw.last
    assert received is not None
    for fault in received.faults:
        raise raw.mismatch("a frame without fault", fault.message, fault.clause, fault.offset)
    return received.frames


@contextmanager
def bystander(sock: RemoteSocket, dial: Dial, clause: str) -> Iterator[None]:
    """Another partner of a PULL is served before this block and behind it, and nothing else is delivered."""
    other = dial(sock.bind()).handshake("PUSH")
    other.send(Message(b"before"))
    sock.expect(b"before", clause="37/abnf/message-last")
    yield
    other.send(Message(b"behind"))
    sock.expect(b"behind", clause=clause)
    sock.expect_empty(clause)


def tolerated_or_closed(
    raw: RawPeer, sock: RemoteSocket, *allowed: list[Parts], judge: Judge, clause: str
) -> None:
    """Behind something odd the peer serves the link as before, or has closed it; the note says which.

    What was delivered until then is one of the lists of messages in `allowed`; from a link that is closed
    it may be nothing.
    """
    raw.send(Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence", clause=clause)
    judge.note(f"{end}, delivered: {_show(came)}")
    lists = allowed if end == "served" else (*allowed, [])
    judge.that(
        came in lists, f"delivered: {' or '.join(map(_show, lists))}", f"delivered: {_show(came)}", clause
    )


def _show(messages: list[Parts]) -> str:
    return ", ".join(map(show_parts, messages)) or "nothing"
