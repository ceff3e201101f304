"""How a socket takes what comes from several: PULL (RFC 30), and draft types that have the same rules."""

from __future__ import annotations

from conformance.pipeline.kinds import Kind
from conformance.reqrep.ends import expect_fair, heard_until, meet, put_before
from harness.case import Judge
from harness.control.flood import body, flood_digest
from harness.peer import Peer, RemoteSocket, show_parts
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.verdict import Mismatch
from harness.zmtp import Message

EACH = 60
FLOOD = 300


def expect_body(sock: RemoteSocket, body: bytes, clause: str) -> None:
    """The next message has this body, whatever routing id the application is told with it."""
    parts = sock.recv(clause=clause)
    if parts[-1] != body:
        raise Mismatch(show_parts([body]), show_parts(parts[-1:]), clause)


def delivers_all_in_order(kind: Kind, peer: Peer, attach: Attach, judge: Judge, seed: int, size: int) -> None:
    """Many messages of a peer all reach the application, each once and in order."""
    sock = kind.open(peer)
    raw = attach(sock).handshake(kind.partner)
    raw.send(*(Message(body(seed, number, size)) for number in range(FLOOD)))
    came = sock.drain(FLOOD)
    judge.equal(came["received"], FLOOD, kind.clause("deliver"))
    judge.equal(came["digest"], flood_digest(seed, FLOOD, size), "37/sockets/ordered")
    raw.send(Message(b"fence"))
    expect_body(sock, b"fence", "37/sockets/no-duplicates")


def hears_by_turns(kind: Kind, peer: Peer, attach: Attach) -> None:
    """Of three peers with many messages waiting none is left for last."""
    sock = kind.open(peer)
    names = (b"a", b"b", b"c")
    put_before(sock, *((attach(sock).handshake(kind.partner), [Message(name)] * EACH) for name in names))
    heard = [sock.recv(clause=kind.clause("deliver"))[-1] for _ in range(EACH * len(names))]
    expect_fair(heard, names, kind.clause("fair-queue"))


def hears_the_quiet_beside_the_busy(kind: Kind, peer: Peer, attach: Attach, judge: Judge) -> None:
    """The single message of one peer does not wait until the many of others are done."""
    sock = kind.open(peer)
    batches = [Message(b"busy")] * EACH, [Message(b"busy")] * EACH, [Message(b"quiet")]
    put_before(sock, *((attach(sock).handshake(kind.partner), batch) for batch in batches))
    heard = [sock.recv(clause=kind.clause("deliver"))[-1] for _ in range(2 * EACH + 1)]
    judge.that(b"quiet" in heard, "the quiet peer's message", "not delivered", kind.clause("deliver"))
    before = heard.index(b"quiet")
    at_most = f"at most {EACH} messages before it"
    judge.that(before <= EACH, at_most, f"{before} of {2 * EACH}", kind.clause("fair-queue"))


def only_receives(kind: Kind, peer: Peer, attach: Attach) -> None:
    """The application cannot send, nothing goes upstream, and receiving goes on."""
    sock = kind.open(peer)
    raw = attach(sock).handshake(kind.partner)
    meet(sock, raw, clause=kind.clause("deliver"))
    sock.expect_send_refused(b"upstream", clause=kind.clause("receive-only"))
    raw.fence()
    raw.send(Message(b"work"))
    expect_body(sock, b"work", kind.clause("deliver"))
    raw.fence()


def dials_and_goes_on_after_reconnect(kind: Kind, peer: Peer, listen: Listen, judge: Judge) -> None:
    """What a dialled peer sent before it broke off stays readable, and after the reconnect more follows."""
    sock = kind.open(peer)
    listener = listen()
    sock.connect(listener.endpoint)
    raw = listener.accept().handshake(kind.partner)
    raw.send(Message(b"first"))
    expect_body(sock, b"first", kind.clause("create-on-connect"))
    raw.send(Message(b"second"), Message(b"third"))
    raw.fence()
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect").handshake(kind.partner)
    again.send(Message(b"fourth"))
    kept = kind.clause("keep-unconnected")
    came = [sock.recv(clause=kept)[-1:] for _ in range(3)]
    judge.equal(sorted(came), [[b"fourth"], [b"second"], [b"third"]], kept)
    judge.that(came.index([b"second"]) < came.index([b"third"]), "second before third", came, kept)


def hears_who_joins_late(kind: Kind, peer: Peer, dial: Dial) -> None:
    """A peer that connects while others are served is served too."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    created = kind.clause("create-on-accept")
    ends = [dial(endpoint).handshake(kind.partner)]
    meet(sock, *ends, clause=created)
    ends.append(dial(endpoint).handshake(kind.partner))
    for name, raw in zip((b"early", b"late"), ends, strict=True):
        raw.send(Message(name))
        expect_body(sock, name, created)


def unread_input_of_departed_peer(kind: Kind, peer: Peer, dial: Dial, judge: Judge) -> None:
    """What a peer sent before it went is delivered or dropped, and the next peer is served."""
    sock = kind.open(peer)
    endpoint = sock.bind()
    leaving = dial(endpoint).handshake(kind.partner)
    leaving.send(*(Message(b"old-%d" % number) for number in range(3)))
    leaving.fence()
    leaving.close()
    came = [parts[-1:] for parts in heard_until(sock, dial(endpoint).handshake(kind.partner))]
    judge.note(f"{len(came)} of 3 delivered")
    expected = [[b"old-%d" % number] for number in range(3)]
    first = "the first of its messages, in order"
    judge.that(came == expected[: len(came)], first, came, kind.clause("discard"))
