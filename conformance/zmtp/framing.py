"""What the cases on framing and commands share: bodies, legal frames, partners beside the odd one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge
from harness.peer import Parts, RemoteSocket, show_parts
from harness.pytest_fixtures import Dial
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Frame, Message


def random_parts(seed: int, *sizes: int) -> list[bytes]:
    """Bodies of these sizes in octets, the same for the same seed."""
    source = Random(seed)
    return [source.randbytes(size) for size in sizes]


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
