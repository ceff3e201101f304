"""Options of ROUTER, and PROBE_ROUTER.

Source: zmq_setsockopt of libzmq 4.3, ZMQ_ROUTER_MANDATORY, ZMQ_ROUTER_HANDOVER and ZMQ_PROBE_ROUTER.
"""

from __future__ import annotations

import pytest

from conformance.pipeline.ends import small_window
from conformance.reqrep.ends import FLOOD_COUNT, attempt, expect_not_waiting, fill, heard_until, knock, meet
from harness.case import Judge, case
from harness.peer import Outcome, Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message, Ready

FULL = "libzmq-4/mandatory/full-queue"
NOTHING_DROPPED = "libzmq-4/mandatory/nothing-dropped"
SILENT = "libzmq-4/mandatory/silent-without"
SERVED = "libzmq-4/handover/newcomer-is-served"
DISCONNECTED = "libzmq-4/handover/holder-is-cut-off"
REJECTED = "libzmq-4/handover/rejected-without"
PROBE = "libzmq-4/probe-router/comes-first"
PROBE_AGAIN = "libzmq-4/probe-router/on-return"
NO_PROBE = "libzmq-4/probe-router/only-if-set"
INTERVAL_MS = 50


def fill_to_the_brim(router: RemoteSocket, name: bytes) -> int:
    """Send to a partner that does not read, until there is no room for a while; how many were taken."""
    taken = 0
    while taken < FLOOD_COUNT:
        more = fill(router, head=[name])
        if not more:
            return taken
        taken += more
    raise Mismatch("no room in the end", f"{taken} messages taken", FULL)


@case(
    "api/routing/full-queue-is-told",
    clauses=[FULL, NOTHING_DROPPED],
    needs=["ROUTER", "option:mandatory", "option:send-hwm"],
)
def test_full_queue_is_told(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A message for a full queue waits for room, and none that was taken before it is dropped."""
    router = peer.open("ROUTER", mandatory=True, send_hwm=10)
    deaf = small_window(attach(router)).handshake("DEALER", identity=b"deaf")
    meet(router, deaf)
    taken = fill_to_the_brim(router, b"deaf")
    judge.equal(attempt(router, b"deaf", b"no room").value, Outcome.WOULD_BLOCK.value, FULL)
    waiting = router.start_send([b"deaf", b"at last"])
    for _ in range(taken):
        came = deaf.expect(Message, clause=NOTHING_DROPPED)
        judge.that(came != Message(b"at last"), f"{taken} messages before it", "fewer", NOTHING_DROPPED)
    judge.equal(waiting.result()["outcome"], Outcome.ACCEPTED.value, FULL)
    deaf.expect_message(b"at last", clause=NOTHING_DROPPED)


@case("api/routing/silent-without-mandatory", clauses=[SILENT], needs=["ROUTER", "option:mandatory"])
def test_silent_without_mandatory(peer: Peer, attach: Attach, judge: Judge) -> None:
    """With the option off, a message for nobody is taken without a word, and reaches nobody."""
    router = peer.open("ROUTER", mandatory=False)
    alice = attach(router).handshake("DEALER", identity=b"alice")
    meet(router, alice)
    judge.equal(expect_not_waiting(router, b"nobody", b"lost").value, Outcome.ACCEPTED.value)
    router.send([b"alice", b"fence"])
    alice.expect_message(b"fence")


@case(
    "api/routing/handover-cuts-off-the-holder",
    clauses=[SERVED, DISCONNECTED],
    needs=["ROUTER", "option:handover"],
)
@pytest.mark.waits
def test_handover_cuts_off_the_holder(peer: Peer, dial: Dial) -> None:
    """Who comes with an identity in use is served under it, and who had it is disconnected."""
    router = peer.open("ROUTER", handover=True)
    endpoint = router.bind()
    holder = dial(endpoint).handshake("DEALER", identity=b"alice")
    meet(router, holder)
    newcomer = dial(endpoint).handshake("DEALER", identity=b"alice")
    newcomer.send(Message(b"mine now"))
    router.expect(b"alice", b"mine now", clause=SERVED)
    router.send([b"alice", b"yours"])
    newcomer.expect_message(b"yours", clause=SERVED)
    holder.expect_closed(DISCONNECTED)


@case("api/routing/holder-stays-without-handover", clauses=[REJECTED], needs=["ROUTER", "option:handover"])
def test_holder_stays_without_handover(peer: Peer, dial: Dial, judge: Judge) -> None:
    """With the option off, who comes with an identity in use is not heard, and its holder goes on."""
    router = peer.open("ROUTER", handover=False)
    endpoint = router.bind()
    holder = dial(endpoint).handshake("DEALER", identity=b"alice")
    meet(router, holder)
    newcomer = dial(endpoint)
    knock(newcomer, Ready("DEALER", b"alice"))
    newcomer.send(Message(b"mine now"))
    holder.send(Message(b"still mine"))
    heard = heard_until(router, dial(endpoint).handshake("DEALER", identity=b"fence"))
    judge.equal(heard, [[b"alice", b"still mine"]])
    router.send([b"alice", b"yours"])
    holder.expect_message(b"yours")


def before_the_first(sock: RemoteSocket, raw: RawPeer) -> list[Message]:
    """What a socket sends on a new connection in front of the first message of its application."""
    raw.handshake("ROUTER")
    sock.send([b"from the application"])
    came: list[Message] = []
    while (message := raw.expect(Message)).parts[-1] != b"from the application":
        came.append(message)
    return came


@case("api/routing/probe-comes-first", clauses=[PROBE], needs=["{socket_type}", "option:probe-router"])
@pytest.mark.parametrize("socket_type", ["DEALER", "REQ"])
def test_probe_comes_first(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """The first that a ROUTER gets on a new connection is one empty message, then what was sent."""
    sock = peer.open(socket_type, probe_router=True)
    came = before_the_first(sock, attach(sock))
    judge.equal([message.parts for message in came], [(b"",)])


@case("api/routing/router-probes-router", clauses=[PROBE], needs=["ROUTER", "option:probe-router"])
def test_router_probes_router(peer: Peer, attach: Attach) -> None:
    """A ROUTER that meets another one sends it an empty message before its application does anything."""
    router = peer.open("ROUTER", probe_router=True)
    raw = attach(router).handshake("ROUTER", identity=b"alice")
    raw.expect_message(b"")
    meet(router, raw)
    router.send([b"alice", b"fence"])
    raw.expect_message(b"fence")


@case("api/routing/no-probe-unasked", clauses=[NO_PROBE], needs=["{socket_type}", "option:probe-router"])
@pytest.mark.parametrize("socket_type", ["DEALER", "REQ"])
def test_no_probe_unasked(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """With the option off, the first that a ROUTER gets is what the application sent."""
    sock = peer.open(socket_type, probe_router=False)
    came = before_the_first(sock, attach(sock))
    judge.equal([message.parts for message in came], [])


@case(
    "api/routing/probe-on-return",
    clauses=[PROBE, PROBE_AGAIN],
    needs=["DEALER", "option:probe-router", "option:reconnect-interval-ms"],
)
def test_probe_on_return(peer: Peer, listen: Listen) -> None:
    """A ROUTER that lost its connection and is dialled again gets another empty message first."""
    dealer = peer.open("DEALER", probe_router=True, reconnect_interval_ms=INTERVAL_MS)
    listener = listen()
    dealer.connect(listener.endpoint)
    before = listener.accept().handshake("ROUTER")
    before.expect_message(b"", clause=PROBE)
    before.close()
    after = listener.accept(clause="37/errors/close-reconnect").handshake("ROUTER")
    dealer.send([b"from the application"])
    after.expect_message(b"", clause=PROBE_AGAIN)
    after.expect_message(b"from the application", clause=PROBE_AGAIN)
