"""XPUB_VERBOSE: which subscriptions the application of an XPUB is shown.

Source: zmq_setsockopt of libzmq 4.3, ZMQ_XPUB_VERBOSE.
"""

from __future__ import annotations

from harness.case import Judge, case
from harness.peer import Parts, Peer, RemoteSocket
from harness.pytest_fixtures import Attach
from harness.wire.rawpeer import RawPeer, as_message
from harness.zmtp import Subscribe

EACH = "libzmq-4/xpub-verbose/shows-each"
FIRST = "libzmq-4/xpub-verbose/first-without"
NEEDS = ["XPUB", "option:xpub-verbose"]


def shown(topic: bytes) -> Parts:
    """How the application is shown a subscription."""
    return list(as_message(Subscribe(topic)).parts)


def notices(xpub: RemoteSocket, raw: RawPeer, topics: list[bytes], clause: str) -> list[Parts]:
    """What the application is shown while a partner subscribes to these, up to the last of them."""
    raw.request(*map(Subscribe, topics))
    came = [xpub.recv(clause=clause)]
    while came[-1] != shown(topics[-1]):
        came.append(xpub.recv(clause=clause))
    return came


@case("api/xpub/verbose-shows-each", clauses=[EACH], needs=NEEDS)
def test_verbose_shows_each(peer: Peer, attach: Attach, judge: Judge) -> None:
    """With the option, a subscription is shown whoever had it before: another partner, or the same one."""
    xpub = peer.open("XPUB", xpub_verbose=True)
    for name in (b"first", b"second"):
        topics = [b"A", b"A", name]
        came = notices(xpub, attach(xpub).handshake("SUB"), topics, EACH)
        judge.equal(came, [shown(topic) for topic in topics])


@case("api/xpub/first-alone-without-verbose", clauses=[FIRST], needs=NEEDS)
def test_first_alone_without_verbose(peer: Peer, attach: Attach, judge: Judge) -> None:
    """With the option off, a subscription that somebody has already is not shown again."""
    xpub = peer.open("XPUB", xpub_verbose=False)
    ends = [attach(xpub).handshake("SUB") for _ in range(2)]
    judge.equal(notices(xpub, ends[0], [b"A", b"A", b"first"], FIRST), [shown(b"A"), shown(b"first")])
    judge.equal(notices(xpub, ends[1], [b"A", b"second"], FIRST), [shown(b"second")])
