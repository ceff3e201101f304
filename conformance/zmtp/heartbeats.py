"""What the cases on heartbeats share: what comes back for odd PINGs, times of closes, steady talk."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from harness.deadlines import DeadlineExceeded
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.wire.trace import Octets
from harness.zmtp import Message, Ping, Pong

TRIES = 5
TIMER_GRAIN_S = 0.02
"""Timers of libraries count in milliseconds or coarser, and may round down."""


def contexts_before_fence(raw: RawPeer, odd: bytes, clause: str) -> tuple[list[bytes], str]:
    """Send `odd` and a PING in one go: contexts of all PONGs before that PING's, or before a close.

    Also those that are too long to be legal. The second value is "served" or "closed".
    """
    fence = b"fence of context"
    raw.send(odd, Ping(0, fence))
    came: list[bytes] = []
    while True:
        try:
            received = raw.next("reaction", "PONG, or the connection closed")
        except DeadlineExceeded as late:
            actual = f"neither within {late.seconds:g} s"
            raise raw.mismatch("PONG, or the connection closed", actual, clause) from None
        if received is None:
            return came, "closed"
        if received.value == Pong(fence):
            return came, "served"
        if isinstance(received.value, Message):
            raise raw.mismatch("PONG or a close", describe(received.value), clause, received.start)
        came.extend(frame.body.removeprefix(b"\4PONG") for frame in received.frames)


def closed_after_s(raw: RawPeer, since_s: float, clause: str) -> float:
    """Seconds from `since_s` on the trace's clock to the partner's close, for which this waits."""
    raw.expect_closed(clause)
    return raw.trace.closings(raw.connection)[-1].at_s - since_s


def expect_not_before(elapsed_s: float, least_s: float, clause: str) -> None:
    """A timer that began within `elapsed_s` and was set to `least_s` has not run out too early."""
    if elapsed_s < least_s - TIMER_GRAIN_S:
        raise Mismatch(f"a close not before {least_s:g} s", f"closed after {elapsed_s:.3f} s", clause)


def expect_open_for(raw: RawPeer, for_s: float, clause: str) -> None:
    """The partner leaves the link open for so long though nothing is sent, and then answers PING."""
    until_s = raw.trace.now_s() + for_s
    while raw.trace.now_s() < until_s:
        try:
            received = raw.next("probe")
        except DeadlineExceeded:
            continue
        actual = f"closed ({raw.closed})" if received is None else describe(received.value)
        raise raw.mismatch(f"nothing for {for_s:g} s", actual, clause)
    raw.fence(clause)


def expect_life_counts(
    connect: Callable[[], RawPeer],
    silence_s: float,
    pings_first: bool,
    clause: str,
) -> None:
    """A link on which messages come in quick succession stays open for twice `silence_s` and more.

    `connect` makes a fresh link on which the partner's patience is `silence_s`. Where our own process was
    held up for so long that a close may be right, it is tried again with another.
    """
    for _ in range(TRIES):
        raw = connect()
        if pings_first:
            raw.expect(Ping)
        if _talk(raw, 2.5 * silence_s):
            return
        if _longest_pause_s(raw) < silence_s - TIMER_GRAIN_S:
            raise raw.mismatch("an open connection", f"closed ({raw.closed}) while messages came", clause)
    raise RuntimeError(f"this process was held up for {silence_s:g} s in each of {TRIES} tries")


def _talk(raw: RawPeer, for_s: float) -> bool:
    """Send a message again and again, and never PONG; False where the partner closes."""
    until_s = raw.trace.now_s() + for_s
    while raw.trace.now_s() < until_s:
        raw.send(Message(b"life"))
        try:
            if raw.next("probe") is None:
                return False
        except DeadlineExceeded:
            pass
    return True


def _longest_pause_s(raw: RawPeer) -> float:
    """The longest time between two of our sends, or the last of them and the close."""
    sent = [record.at_s for record in raw.trace.octets_of(raw.connection) if _is_ours(raw, record)]
    ended = [closed.at_s for closed in raw.trace.closings(raw.connection)]
    return max((b - a for a, b in pairwise([*sent, *ended])), default=0.0)


def _is_ours(raw: RawPeer, record: Octets) -> bool:
    return record.sender == raw.role
