"""The high-water mark of libzmq 2.x for a partner that is away, and SWAP, which goes beyond it.

Source: zmq_setsockopt of libzmq 2.2, ZMQ_HWM and ZMQ_SWAP.
"""

from __future__ import annotations

from harness.case import Judge, case
from harness.control.flood import body
from harness.peer import Peer
from harness.pytest_fixtures import Dial
from harness.zmtp import Message

from .away import KEEPS_IDENTITIES, KEPT, go, listener, notices, numbers, send_all, settled

MARK = 10
COUNT = 300
MANY = 3000
BODY_OCTETS = 1000
SWAP_OCTETS = 100_000
ROOMY_OCTETS = 1 << 20
KEEPS = ["PUB", "option:send-hwm", *KEEPS_IDENTITIES]
HARD_LIMIT = "libzmq-2/hwm/hard-limit"
DROPS = "libzmq-2/hwm/drops-the-rest"
UNLIMITED = "libzmq-2/hwm/zero-is-no-limit"
BEYOND = "libzmq-2/swap/beyond-the-mark"
SWAP_IN_ORDER = "libzmq-2/swap/in-order"
SWAP_SIZE = "libzmq-2/swap/size"


@case("legacy/hwm/limits-what-is-kept", clauses=[HARD_LIMIT, DROPS], needs=KEEPS)
def test_limits_what_is_kept(peer: Peer, dial: Dial, judge: Judge) -> None:
    """Up to the mark is kept for a subscriber that is away, the first messages first; the rest is dropped."""
    pub = peer.open("PUB", send_hwm=MARK)
    endpoint = pub.bind()
    go(settled(endpoint, dial, pub, DROPS).raw)
    send_all(pub, notices(COUNT))
    came = numbers(listener(endpoint, dial, pub, DROPS).collect(DROPS))
    judge.note(f"{len(came)} kept with a mark of {MARK}")
    judge.that(len(came) > 0, "some of them", "none", DROPS)
    judge.equal(came, list(range(len(came))), DROPS)
    judge.that(len(came) <= MARK, f"at most {MARK} messages kept", len(came), HARD_LIMIT)


@case("legacy/hwm/zero-is-no-limit", clauses=[UNLIMITED, KEPT], needs=KEEPS)
def test_zero_is_no_limit(peer: Peer, dial: Dial, judge: Judge, seed: int) -> None:
    """With a mark of zero everything is kept for a subscriber that is away."""
    pub = peer.open("PUB", send_hwm=0)
    endpoint = pub.bind()
    go(settled(endpoint, dial, pub, UNLIMITED).raw)
    accepted = pub.flood(MANY, BODY_OCTETS, seed, peer.deadlines.delivery_s)
    judge.equal(accepted, MANY, UNLIMITED)
    came = listener(endpoint, dial, pub, UNLIMITED).collect(UNLIMITED)
    judge.equal(len(came), MANY, UNLIMITED)
    judge.that(came == flooded(seed, MANY), "the messages that were sent", "others", UNLIMITED)


@case("legacy/swap/beyond-the-mark", clauses=[BEYOND, SWAP_IN_ORDER], needs=[*KEEPS, "option:swap-octets"])
def test_beyond_the_mark(peer: Peer, dial: Dial, judge: Judge) -> None:
    """With a swap that is large enough nothing is lost beyond the mark, and all of it arrives in order."""
    pub = peer.open("PUB", send_hwm=MARK, swap_octets=ROOMY_OCTETS)
    endpoint = pub.bind()
    go(settled(endpoint, dial, pub, BEYOND).raw)
    send_all(pub, notices(COUNT))
    came = numbers(listener(endpoint, dial, pub, BEYOND).collect(SWAP_IN_ORDER))
    judge.equal(sorted(set(came)), list(range(COUNT)), BEYOND)
    judge.equal(came, list(range(COUNT)), SWAP_IN_ORDER)


@case("legacy/swap/size", clauses=[SWAP_SIZE, BEYOND, SWAP_IN_ORDER], needs=[*KEEPS, "option:swap-octets"])
def test_size(peer: Peer, dial: Dial, judge: Judge, seed: int) -> None:
    """A swap takes messages up to its size, and no more: the first ones arrive, and the rest is dropped."""
    pub = peer.open("PUB", send_hwm=MARK, swap_octets=SWAP_OCTETS)
    endpoint = pub.bind()
    go(settled(endpoint, dial, pub, BEYOND).raw)
    judge.equal(pub.flood(COUNT, BODY_OCTETS, seed, peer.deadlines.delivery_s), COUNT, SWAP_SIZE)
    came = listener(endpoint, dial, pub, BEYOND).collect(SWAP_IN_ORDER)
    judge.note(f"{len(came)} kept with a mark of {MARK} and a swap of {SWAP_OCTETS // BODY_OCTETS}")
    judge.that(len(came) > MARK, f"more than {MARK} messages", len(came), BEYOND)
    most = MARK + SWAP_OCTETS // BODY_OCTETS
    judge.that(len(came) <= most, f"at most {most} messages kept", len(came), SWAP_SIZE)
    whole = came == flooded(seed, len(came))
    judge.that(whole, "the first ones sent, whole and in order", "others", SWAP_IN_ORDER)


def flooded(seed: int, count: int) -> list[Message]:
    """The first messages of a flood."""
    return [Message(body(seed, number, BODY_OCTETS)) for number in range(count)]
