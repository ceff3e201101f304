"""Partners that take another's name (RFC 37, The Identity Property; RFC 28)."""

from __future__ import annotations

from conformance.hostile.aftermath import OTHERS_SERVED
from conformance.reqrep.ends import knock, meet, settle
from harness.case import Judge, case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Dial
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Ready

NAME = b"n" * 255
IMPOSTORS = 20


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
    impostors = [dial(endpoint) for _ in range(IMPOSTORS)]
    for impostor in impostors:
        knock(impostor, Ready("DEALER", NAME))
    for impostor in impostors:
        impostor.close()
    expect_reached(router, bystander)
    expect_reached(router, dial(endpoint).handshake("DEALER", identity=b"fresh"))
    judge.note("owner kept" if expect_reached_or_closed(router, owner) else "owner cut off")


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
