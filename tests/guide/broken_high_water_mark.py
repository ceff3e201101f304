"""Faults with full queues."""

from __future__ import annotations

from conformance.guide.floods import gather
from conformance.guide.test_high_water_mark import (
    BLOCKS,
    BODY_OCTETS,
    DROPS,
    KEEPS,
    LIMIT,
    MARK,
    test_dealer,
    test_pub,
    test_push,
    test_req,
    test_router,
)
from harness.peer import RemoteSocket
from tests.guide.mutants import broken, played_by


def stop_early(sender: RemoteSocket, seed: int) -> list[int]:
    """A socket that has room for fewer than its mark says."""
    return list(range(sender.flood(MARK - 1, BODY_OCTETS, seed, sender.peer.deadlines.delivery_s)))


@broken(test_push, LIMIT, "fill")
def source_stops_early(sender: RemoteSocket, seed: int) -> list[int]:
    """PUSH has room for fewer than its mark says."""
    return stop_early(sender, seed)


@broken(test_dealer, LIMIT, "fill")
def talker_stops_early(sender: RemoteSocket, seed: int) -> list[int]:
    """DEALER has room for fewer than its mark says."""
    return stop_early(sender, seed)


@broken(test_push, KEEPS, "gather")
def source_loses_the_first(
    sender: RemoteSocket, receiver: RemoteSocket, *head: bytes, clause: str
) -> list[int]:
    """Of what PUSH took the oldest message does not arrive."""
    return gather(sender, receiver, *head, clause=clause)[1:]


@broken(test_dealer, KEEPS, "gather")
def talker_loses_the_first(
    sender: RemoteSocket, receiver: RemoteSocket, *head: bytes, clause: str
) -> list[int]:
    """Of what DEALER took the oldest message does not arrive."""
    return gather(sender, receiver, *head, clause=clause)[1:]


@broken(test_pub, KEEPS, "gather")
def publisher_turns_its_queue_around(
    sender: RemoteSocket, receiver: RemoteSocket, *head: bytes, clause: str
) -> list[int]:
    """What PUB took last arrives first."""
    return gather(sender, receiver, *head, clause=clause)[::-1]


@broken(test_router, KEEPS, "gather")
def router_turns_its_queue_around(
    sender: RemoteSocket, receiver: RemoteSocket, *head: bytes, clause: str
) -> list[int]:
    """What ROUTER took last arrives first."""
    return gather(sender, receiver, *head, clause=clause)[::-1]


played_by(test_push, BLOCKS, "source", "push-queues-without-limit")
played_by(test_push, BLOCKS, "source", "push-drops-what-a-full-peer-cannot-take")
played_by(test_dealer, BLOCKS, "talker", "queues-have-no-limit")
played_by(test_req, BLOCKS, "client", "req-sends-twice")
played_by(test_req, BLOCKS, "client", "req-drops-request-without-peer")
played_by(test_pub, DROPS, "publisher", "publisher-waits-for-room")
played_by(test_pub, LIMIT, "publisher", "queue-without-limit")
played_by(test_router, DROPS, "router", "router-waits-for-full-peer")
played_by(test_router, LIMIT, "router", "mark-is-ignored-when-sending")
