"""Partners that take another's name (RFC 37, The Identity Property; RFC 28)."""

from __future__ import annotations

from conformance.hostile.aftermath import OTHERS_SERVED
from conformance.hostile.memory import Footprint
from conformance.reqrep.ends import expect_not_waiting, knock, meet, settle
from harness.case import Judge, case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Dial
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Ready

NAME = b"n" * 255
IMPOSTORS = 20
NAMES = 120


@case(
    "hostile/identity/impostors-leave",
    clauses=["28/router/route", "28/router/duplicate-id", OTHERS_SERVED],
    needs=["ROUTER", "feature:heartbeat"],
)
def test_impostors_leave(peer: Peer, dial: Dial, judge: Judge) -> None:
    """Twenty that claim the name of a live partner, and go, take no route along: who stays is reached."""
    router = peer.open("ROUTER")
    endpoint = router.bind()
    owner, bystander = (dial(endpoint).handshake("DEALER", identity=name) for name in (NAME, b"other"))
    meet(router, owner, bystander)
    footprint = Footprint(peer)
    impostors = [dial(endpoint) for _ in range(IMPOSTORS)]
    for impostor in impostors:
        knock(impostor, Ready("DEALER", NAME))
    for impostor in impostors:
        impostor.close()
    expect_reached(router, bystander)
    expect_reached(router, dial(endpoint).handshake("DEALER", identity=b"fresh"))
    judge.note("owner kept" if expect_reached_or_closed(router, owner) else "owner cut off")
    footprint.expect_bounded()


@case(
    "hostile/identity/names-come-and-go",
    clauses=["28/router/route", "28/router/no-block", OTHERS_SERVED],
    needs=["ROUTER"],
)
def test_names_come_and_go(peer: Peer, dial: Dial) -> None:
    """Names that come, speak and go by the hundred take no route from who stays, and make nobody wait."""
    router = peer.open("ROUTER")
    endpoint = router.bind()
    steady = dial(endpoint).handshake("DEALER", identity=b"steady")
    expect_reached(router, steady)
    footprint = Footprint(peer)
    for number in range(NAMES):
        leaver = dial(endpoint).handshake("DEALER", identity=b"name %d" % number)
        (routing_id,) = meet(router, leaver, clause=OTHERS_SERVED)
        leaver.reset()
        expect_not_waiting(router, routing_id, b"too late", clause="28/router/no-block")
    expect_reached(router, steady)
    expect_reached(router, dial(endpoint).handshake("DEALER", identity=b"name 0"))
    footprint.expect_bounded()


def expect_reached(router: RemoteSocket, raw: RawPeer) -> None:
    """The router hears this partner, and reaches it by the routing id that it hears it by."""
    (routing_id,) = meet(router, raw, clause=OTHERS_SERVED)
    router.send([routing_id, b"back"])
    raw.expect_message(b"back", clause="28/router/route")


def expect_reached_or_closed(router: RemoteSocket, raw: RawPeer) -> bool:
    """A partner whose name was claimed is reached as before, or else its link was closed."""
    if not settle(raw):
        return False
    expect_reached(router, raw)
    return True
