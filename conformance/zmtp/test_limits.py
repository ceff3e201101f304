"""High-water marks: how much a socket queues, and what it does then (RFC 28 to 31, 41, 49 and 52).

The exact number of messages is free, for the operating system and the accounting of each connection add to
the mark: judged are bounds, and what becomes of the messages.
"""

from collections.abc import Sequence

import pytest

from conformance.pipeline.ends import expect_flood, read_flood, reserved_port, small_window
from conformance.pipeline.kinds import CHANNEL, CLIENT, DISH, GATHER, PAIR, PULL, PUSH, SCATTER, Kind, clauses
from conformance.pubsub.probe import PUBLISHERS, rule, subscriber
from harness.case import Judge, case
from harness.control.flood import body
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Join, Message

pytestmark = pytest.mark.waits

MARK = 10
LARGE_MARK = 400
SIZE_OCTETS = 1 << 16
FLOOD = 1000
HEARD = 420  # messages to who does not read: more than it has room for, as far as is known
BUFFERED_OCTETS = 24 << 20  # what the operating system and the library may keep beside the queue
SMALL_OCTETS = 8000
BACKLOG = 1000
TURNS = 300
PATIENCE = 10  # probes on end in which nothing is taken, until the partner counts as full
FENCE = b"fence"


DEALER = Kind("DEALER", "ROUTER", "28/dealer")
ROUTER = Kind("ROUTER", "DEALER", "28/router")
SENDERS = [PUSH, DEALER, PAIR, CLIENT, SCATTER, CHANNEL]
RECEIVERS = [PULL, DEALER, PAIR, ROUTER, CLIENT, GATHER, CHANNEL]
ANONYMOUS = [PULL, DEALER, ROUTER, CLIENT, GATHER]
SUBSCRIBERS = [Kind("SUB", "XPUB", "29/sub"), Kind("XSUB", "XPUB", "29/xsub"), DISH]
GROUP = b"group"


def kinds(*of: Kind) -> pytest.MarkDecorator:
    """The case for each of these, with the socket type as a capability that it needs."""
    made = [(kind.type, kind) for kind in of]
    return pytest.mark.parametrize(("socket_type", "kind"), made, ids=map(str, of))


def met(peer: Peer, raw: RawPeer, sock: RemoteSocket, kind: Kind) -> RawPeer:
    """The raw end past the handshake, once the socket has it as a peer."""
    raw.handshake(kind.partner)
    sock.send([b"probe"], f"{kind.rules}/create-on-accept")
    raw.expect_message(b"probe")
    return raw


def offer_flood(
    raw: RawPeer, seed: int, count: int, size_octets: int, head: Sequence[bytes] = ()
) -> tuple[int, bytes]:
    """Send a flood until the partner takes no more: how many messages it began, what is left of the last."""
    for number in range(count):
        rest = Message(*head, body(seed, number, size_octets)).serialize()
        probes = 0
        while rest and probes < PATIENCE:
            taken = raw.offer(rest)
            rest = rest[taken:]
            probes = 0 if taken else probes + 1
        if rest:
            return number + 1, rest
    return count, b""


@case(
    "zmtp/limits/sender-stops-at-the-mark",
    clauses=[*clauses("limit", *SENDERS), *clauses("no-discard", *SENDERS)],
    needs=["{socket_type}", "option:send-hwm"],
)
@kinds(*SENDERS)
def test_sender_stops_at_the_mark(
    peer: Peer, attach: Attach, judge: Judge, seed: int, socket_type: str, kind: Kind
) -> None:
    """A peer that does not read stops the sender near the mark; all that was accepted arrives."""
    sock = peer.open(socket_type, send_hwm=MARK)
    raw = small_window(met(peer, attach(sock), sock, kind))
    accepted = sock.flood(FLOOD, SIZE_OCTETS, seed, within_s=sock.peer.deadlines.probe_s)
    judge.note(f"{accepted} accepted")
    most = MARK + BUFFERED_OCTETS // SIZE_OCTETS
    with judge.soft():
        # The probe of the meeting may still count, as libraries acknowledge messages in batches.
        judge.that(
            MARK // 2 <= accepted <= most, f"{MARK} to {most} accepted", accepted, f"{kind.rules}/limit"
        )
    expect_flood(raw, seed, accepted, SIZE_OCTETS, f"{kind.rules}/no-discard")
    sock.send([b"fence"], f"{kind.rules}/no-discard")
    raw.expect_message(b"fence", clause=f"{kind.rules}/no-discard")


@case(
    "zmtp/limits/larger-mark-holds-more",
    clauses=clauses("limit", *SENDERS),
    needs=["{socket_type}", "option:send-hwm"],
)
@kinds(*SENDERS)
def test_larger_mark_holds_more(
    peer: Peer, attach: Attach, judge: Judge, socket_type: str, kind: Kind
) -> None:
    """With a larger mark a socket takes more messages for a peer that does not read."""
    counts = []
    for mark in (MARK, LARGE_MARK):
        sock = peer.open(socket_type, send_hwm=mark)
        small_window(met(peer, attach(sock), sock, kind))
        counts.append(sock.flood(FLOOD, SIZE_OCTETS, within_s=sock.peer.deadlines.probe_s))
    judge.note(f"{counts} accepted")
    least = (LARGE_MARK - MARK) // 2
    judge.that(counts[1] - counts[0] >= least, f"{least} more or above", counts, f"{kind.rules}/limit")


@case(
    "zmtp/limits/queue-before-connection-is-bounded",
    clauses=[*clauses("limit", *SENDERS), *clauses("no-discard", *SENDERS)],
    needs=["{socket_type}", "option:send-hwm"],
)
@kinds(*SENDERS)
def test_queue_before_connection_is_bounded(
    peer: Peer, listen: Listen, judge: Judge, seed: int, socket_type: str, kind: Kind
) -> None:
    """With nobody there yet a socket queues about as many messages as the mark says, and sends them later."""
    sock = peer.open(socket_type, send_hwm=MARK)
    with reserved_port(peer) as port:
        sock.connect(f"tcp://{peer.hosts.listen}:{port}")
        accepted = sock.flood(FLOOD, SMALL_OCTETS, seed)
        judge.note(f"{accepted} accepted")
        with judge.soft():
            judge.that(accepted <= 5 * MARK, f"at most {5 * MARK} accepted", accepted, f"{kind.rules}/limit")
        raw = listen(port=port).accept().handshake(kind.partner)
        expect_flood(raw, seed, accepted, SMALL_OCTETS, f"{kind.rules}/no-discard")
        sock.send([b"fence"], f"{kind.rules}/no-discard")
        raw.expect_message(b"fence", clause=f"{kind.rules}/no-discard")


@case(
    "zmtp/limits/publisher-goes-on-after-overflow",
    clauses=["29/pub/drop-when-full", "29/xpub/drop-when-full", "29/pub/no-block", "29/xpub/no-block"],
    needs=["{socket_type}", "option:send-hwm"],
)
@pytest.mark.parametrize("socket_type", PUBLISHERS)
def test_publisher_goes_on_after_overflow(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """A subscriber that was full gets messages again as soon as it reads, time after time."""
    pub = peer.open(socket_type, send_hwm=MARK)
    sub = subscriber(small_window(attach(pub)), pub, b"")
    sub.clause = rule(pub, "drop-when-full")
    for turn in range(3):
        accepted = pub.flood(FLOOD // 4, SIZE_OCTETS, turn, within_s=pub.peer.deadlines.delivery_s)
        judge.equal(accepted, FLOOD // 4, rule(pub, "no-block"))
        sub.collect(rule(pub, "drop-when-full"))
        for number in range(3):
            pub.send([b"again-%d" % number])
            sub.expect(b"again-%d" % number, clause=rule(pub, "drop-when-full"))


@case(
    "zmtp/limits/full-receiver-holds-sender-back",
    clauses=[*clauses("limit", *RECEIVERS), *clauses("deliver", *RECEIVERS)],
    needs=["{socket_type}", "option:receive-hwm"],
)
@kinds(*RECEIVERS)
def test_full_receiver_holds_sender_back(
    peer: Peer, dial: Dial, judge: Judge, seed: int, socket_type: str, kind: Kind
) -> None:
    """An application that does not read stops its peer in the end; then it gets everything, in order."""
    sock = peer.open(socket_type, receive_hwm=MARK)
    raw = dial(sock.bind()).handshake(kind.partner)
    begun, left = offer_flood(raw, seed, FLOOD, SIZE_OCTETS)
    judge.note(f"{begun} of {FLOOD} taken")
    with judge.soft():
        judge.that(bool(left), "the sender is held back", "everything is taken", f"{kind.rules}/limit")
    read_flood(sock, raw, left, seed, begun, SIZE_OCTETS, f"{kind.rules}/deliver")


@case(
    "zmtp/limits/full-subscriber-recovers",
    clauses=[
        "29/sub/drop-when-full",
        "29/xsub/drop-when-full",
        "48/dish/drop-when-full",
        *clauses("limit", *SUBSCRIBERS),
        "37/sockets/ordered",
    ],
    needs=["{socket_type}", "option:receive-hwm"],
)
@kinds(*SUBSCRIBERS)
def test_full_subscriber_recovers(
    peer: Peer, dial: Dial, judge: Judge, seed: int, socket_type: str, kind: Kind
) -> None:
    """A subscriber that does not read drops or holds back; what it then gets is whole and in order."""
    sub = peer.open(socket_type, receive_hwm=MARK)
    head = [GROUP] if kind is DISH else []
    sub.subscribe(b"".join(head))
    raw = dial(sub.bind()).handshake(kind.partner)
    if kind is DISH:
        raw.expect(Join(GROUP), clause="48/dish/deliver")
    else:
        raw.expect_subscription(b"", clause="29/sub/deliver")
    left = offer_flood(raw, seed, HEARD, SIZE_OCTETS, head)[1]
    judge.note("holds back" if left else "drops")
    came = recovered(sub, raw, left, f"{kind.rules}/drop-when-full", [*head, FENCE])
    judge.note(f"{len(came)} delivered")
    numbers = [int.from_bytes(parts[-1][:8], "big") for parts in came]
    whole = [[*head, body(seed, number, SIZE_OCTETS)] for number in numbers]
    judge.that(came == whole, "whole messages", "others", f"{kind.rules}/drop-when-full")
    judge.equal(numbers, sorted(set(numbers)), "37/sockets/ordered")
    limited = bool(left) or len(came) < HEARD
    judge.that(limited, "the sender held back, or messages dropped", "all queued", f"{kind.rules}/limit")


@case(
    "zmtp/limits/held-back-peer-leaves-room-for-others",
    clauses=clauses("fair-queue", *ANONYMOUS),
    needs=["{socket_type}", "option:receive-hwm"],
)
@kinds(*ANONYMOUS)
def test_held_back_peer_leaves_room_for_others(
    peer: Peer, attach: Attach, judge: Judge, seed: int, socket_type: str, kind: Kind
) -> None:
    """A peer is heard although another one has sent more than the socket has room for."""
    sock = peer.open(socket_type, receive_hwm=MARK)
    busy, quiet = (attach(sock).handshake(kind.partner) for _ in range(2))
    offer_flood(busy, seed, BACKLOG, SMALL_OCTETS)
    quiet.send(Message(b"quiet"))
    clause = f"{kind.rules}/fair-queue"
    heard = (sock.recv(clause=clause)[-1] for _ in range(TURNS))
    before = next((turn for turn, last in enumerate(heard) if last == b"quiet"), None)
    judge.that(before is not None, f"the quiet peer among {TURNS} messages", "only the busy one", clause)
    judge.note(f"{before} messages before it")


def recovered(
    sub: RemoteSocket, raw: RawPeer, left: bytes, clause: str, fence: list[bytes]
) -> list[list[bytes]]:
    """What the application gets once it reads: the message that was under way is finished, then a fence.

    A fence that is dropped is sent again when all has been read.
    """
    rest = left
    deadline = raw.deadlines.deadline("reconnect")
    came: list[list[bytes]] = []
    while not deadline.expired:
        rest = rest[raw.offer(rest) :]
        if sub.peer.readable(sub, within_s=raw.deadlines.probe_s):
            parts = sub.recv(clause=clause)
            if parts == fence:
                return came
            came.append(parts)
        elif not rest:
            rest = Message(*fence).serialize()
    raise Mismatch("the fence, when all has been read", f"not within {deadline.seconds:g} s", clause)
