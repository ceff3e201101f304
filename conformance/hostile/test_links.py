"""Links that stop, leave and come in crowds (RFC 37, Formal Grammar, Error Handling)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.hostile.aftermath import OTHERS_SERVED, Scene
from conformance.hostile.memory import Footprint
from conformance.hostile.steps import EVERY, HANDSHAKE, IN_TRAFFIC
from conformance.pubsub.probe import subscriber
from conformance.reqrep.ends import expect_not_waiting
from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge, case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message, Subscribe

SIDE_BY_SIDE = "37/abnf/zmtp"
SILENT_EACH = 10
ROUNDS = 10
VISITS = 300
AT_ONCE = 20  # fewer than a listener's backlog holds
HELD = 100
LEAVERS = 30
LEAVES = {"fin": RawPeer.close, "rst": RawPeer.reset}


@case("hostile/links/silent-crowd", clauses=[OTHERS_SERVED, SIDE_BY_SIDE], needs=["PULL"])
def test_silent_crowd(peer: Peer, dial: Dial, judge: Judge) -> None:
    """Fifty links that fall silent in the handshake hold up no client; once they go, new ones are served.

    Whether a new client is served before they go is noted only: handshakes under way may be limited.
    """
    scene = Scene(peer, dial)
    crowd = scene.meet_many([octets for octets in HANDSHAKE.values() for _ in range(SILENT_EACH)])
    judge.note(f"a new client meanwhile: {served_meanwhile(scene)}")
    scene.serve_steady(SIDE_BY_SIDE)
    for raw in crowd:
        raw.close()
    scene.expect_aftermath(*crowd)


def served_meanwhile(scene: Scene) -> str:
    """Whether a client that comes now is served; one that completes the handshake must be."""
    raw = scene.meet(SIDE_BY_SIDE)
    try:
        scene.shake_hands(raw, SIDE_BY_SIDE)
    except Mismatch:
        raw.close()
        return "not served"
    scene.serve(raw, SIDE_BY_SIDE)
    return "served"


@case("hostile/links/half-closed", clauses=[OTHERS_SERVED], needs=["PULL"])
@pytest.mark.parametrize("octets", EVERY.values(), ids=EVERY)
def test_half_closed(peer: Peer, dial: Dial, attach: Attach, octets: bytes) -> None:
    """A link that ends its own direction anywhere, and stays to listen, gets nothing and harms nobody."""
    scene = Scene(peer, dial, attach)
    raw = scene.meet()
    raw.send(octets)
    raw.half_close()
    scene.expect_aftermath(raw)


@case("hostile/links/octet-at-a-time", clauses=[SIDE_BY_SIDE], needs=["PULL"])
def test_octet_at_a_time(peer: Peer, dial: Dial, attach: Attach) -> None:
    """Between any two octets of a slow link's greeting, READY and message another client is served."""
    scene = Scene(peer, dial, attach)
    octets = IN_TRAFFIC + Message(b"slow").serialize()
    raw = scene.meet()
    for at in range(len(octets) - 1):
        raw.send(octets[at : at + 1])
        scene.serve_steady(SIDE_BY_SIDE)
    raw.send(octets[-1:])
    scene.sock.expect(b"slow", clause=SIDE_BY_SIDE)
    scene.expect_aftermath(raw, clause=SIDE_BY_SIDE)


@case("hostile/links/resets-at-every-step", clauses=[OTHERS_SERVED], needs=["PULL"])
def test_resets_at_every_step(peer: Peer, dial: Dial) -> None:
    """Ninety links that are reset, at every step from the connection to the middle of a message, harm nobody.

    By turns before the peer can have read what they sent, and when it has answered a client in between.
    """
    scene = Scene(peer, dial)
    for _ in range(ROUNDS // 2):
        for raw in scene.meet_many(EVERY.values()):
            raw.reset(unread=True)
        waiting = scene.meet_many(EVERY.values())
        scene.serve_steady()
        for raw in waiting:
            raw.reset(unread=True)
    scene.expect_aftermath()


@case("hostile/links/come-and-go", clauses=[OTHERS_SERVED], needs=["PULL"])
@pytest.mark.parametrize("leave", LEAVES.values(), ids=LEAVES)
def test_come_and_go(peer: Peer, dial: Dial, leave: Callable[[RawPeer], None]) -> None:
    """Three hundred connections that are made and closed one after the other use nothing up."""
    scene = Scene(peer, dial)
    for _ in range(VISITS // AT_ONCE):
        for _ in range(AT_ONCE):
            leave(scene.meet())
        scene.serve_steady()
    scene.expect_aftermath()


@case("hostile/links/hundred-at-once", clauses=[SIDE_BY_SIDE, OTHERS_SERVED], needs=["PULL"])
def test_hundred_at_once(peer: Peer, dial: Dial, judge: Judge) -> None:
    """Of a hundred links held at once each is served or refused, and none is lost when the others leave."""
    scene = Scene(peer, dial)
    kept = [raw for raw in scene.meet_many([IN_TRAFFIC] * HELD) if takes(scene, raw)]
    judge.note(f"{len(kept)} of {HELD} served")
    scene.serve_steady(SIDE_BY_SIDE)
    for raw in kept[1:]:
        raw.reset()
    for raw in kept[:1]:
        scene.serve(raw)
    scene.expect_aftermath(*kept)


def takes(scene: Scene, raw: RawPeer) -> bool:
    """Whether a message of this link is delivered; the peer may close it instead."""
    name = b"from %d" % raw.connection
    raw.send(Message(name))
    end, came = closed_or_served(raw, scene.sock, name, clause=SIDE_BY_SIDE)
    Judge.equal(came, [], SIDE_BY_SIDE)
    return end == "served"


@case(
    "hostile/links/subscribers-that-leave",
    clauses=["29/pub/queue", OTHERS_SERVED, "29/pub/no-block"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", ["PUB", "XPUB"])
def test_subscribers_that_leave(peer: Peer, dial: Dial, socket_type: str) -> None:
    """Subscribers that ask for everything and are gone at the next message take none from who stays."""
    pub = peer.open(socket_type)
    endpoint = pub.bind()
    steady = subscriber(dial(endpoint), pub, b"A")
    footprint = Footprint(peer)
    for number in range(LEAVERS):
        leaver = dial(endpoint).handshake("SUB")
        leaver.request(Subscribe(b""))
        pub.send([b"A", b"%d" % number], "29/pub/no-block")
        leaver.reset(unread=True)
        steady.expect(b"A", b"%d" % number, clause="29/pub/queue")
    fresh = subscriber(dial(endpoint), pub, b"A")
    pub.send([b"A", b"afterwards"])
    for one in (steady, fresh):
        one.expect(b"A", b"afterwards", clause=OTHERS_SERVED)
    footprint.expect_bounded()


@case(
    "hostile/links/askers-that-leave",
    clauses=["28/rep/peer-gone", "28/rep/no-block", OTHERS_SERVED],
    needs=["REP"],
)
def test_askers_that_leave(peer: Peer, dial: Dial) -> None:
    """Askers that are gone before the reply hold up no other, and get in the way of no other's reply."""
    rep = peer.open("REP")
    endpoint = rep.bind()
    steady = dial(endpoint).handshake("REQ")
    expect_answered(rep, steady, b"before")
    footprint = Footprint(peer)
    for _ in range(LEAVERS):
        leaver = asks(dial(endpoint).handshake("REQ"), b"heard")
        rep.expect(b"heard", clause=OTHERS_SERVED)
        leaver.reset(unread=True)
        peer.readable(rep, within_s=0.0)  # an occasion to notice
        expect_not_waiting(rep, b"nobody's", clause="28/rep/no-block")
    for _ in range(LEAVERS):
        asks(dial(endpoint).handshake("REQ"), b"leaving").reset(unread=True)
    for asker in (steady, dial(endpoint).handshake("REQ")):
        expect_answered(rep, asker, b"afterwards")
    footprint.expect_bounded()


def asks(raw: RawPeer, request: bytes) -> RawPeer:
    """The asker, which has sent this request."""
    raw.send(Message(b"", request))
    return raw


def expect_answered(rep: RemoteSocket, asker: RawPeer, request: bytes) -> None:
    """This request is answered once those that came before it have been, however many they are."""
    asks(asker, request)
    for _ in range(LEAVERS + 1):
        came = rep.recv(clause=OTHERS_SERVED)
        expect_not_waiting(rep, b"reply to", *came, clause="28/rep/no-block")
        if came == [request]:
            break
    asker.expect_message(b"", b"reply to", request, clause="28/rep/peer-gone")
