"""The plain talk: what every case with a type of socket relies on.

A legal partner comes, under NULL and in the newest version, and a message goes each legal way; then several
come in at once, and a second partner is heard. A peer that does not manage this fails cases of every family,
whose own rules have then not been judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.exchange import PARTNER, connected, expect_serves
from harness.peer import Peer, RemoteSocket
from harness.verdict import Mismatch
from harness.wire.checks import run_own_checks
from harness.wire.endpoints import RawListener, dial
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Error, Message

CARRIES = "37/framing/not-altered"
BINDS_AND_CONNECTS = "37/sockets/bind-and-connect"
SIDE_BY_SIDE = "37/abnf/zmtp"
# Behind the first frame: a loss or a change of an empty frame shows, and one of a long frame. Not for REQ and
# REP, for whom empty frames have a meaning.
MORE = (b"", b"behind an empty frame", b"a long frame" * 30, b"")
HEARS_MANY = ("PULL", "DEALER", "ROUTER", "PAIR", "SUB", "XSUB")
# Who has spoken is past the handshake: what it hears then cannot come beside READY. Other cases judge that.
SPEAKS_FIRST = ("DEALER", "PAIR")
# Where a second partner is heard, whatever the first does, and what stands in front of its message.
SECOND = {"PULL": (), "DEALER": (), "ROUTER": (), "REP": (b"",)}


def hold_plain_talk(peer: Peer, socket_type: str, role: str) -> None:
    """Hold the talk; `role` is "peer-binds" or "peer-connects". Mismatch where the peer fails in it."""
    _talk_with(peer, socket_type, role, PARTNER[socket_type])
    if socket_type == "DEALER":  # many cases have two of them
        _talk_with(peer, socket_type, role, "DEALER")


def _talk_with(peer: Peer, socket_type: str, role: str, partner: str) -> None:
    sock = peer.open(socket_type)
    with ExitStack() as ends:
        raw = _meet(sock, role, ends, partner)
        with _blaming(raw, socket_type):
            if socket_type in SPEAKS_FIRST:
                sock.send([b"first"], CARRIES)
                raw.expect(Message(b"first"), clause=CARRIES)
            expect_serves(sock, raw, CARRIES, () if socket_type in ("REQ", "REP") else MORE)
            if socket_type in HEARS_MANY:
                _hear(sock, raw, b"first", b"second", b"third")
        if socket_type in SECOND:
            try:
                _hear(sock, _meet(sock, role, ends, partner), b"from another")
            except Mismatch as unheard:
                raise unheard.blaming(SIDE_BY_SIDE) from None
    sock.close()


def _meet(sock: RemoteSocket, role: str, ends: ExitStack, partner: str) -> RawPeer:
    peer = sock.peer

    def listen() -> RawListener:
        listener = RawListener(peer.trace, peer.deadlines, peer.hosts.listen)
        ends.callback(listener.close)
        return listener

    try:
        raw = connected(sock, role, lambda endpoint: dial(endpoint, peer.trace, peer.deadlines), listen)
    except Mismatch as refused:
        raise refused.blaming(BINDS_AND_CONNECTS) from None
    ends.callback(raw.close)
    with _blaming(raw, sock.socket_type):
        return raw.handshake(partner)


def _hear(sock: RemoteSocket, raw: RawPeer, *said: bytes) -> None:
    """Messages that wait together are delivered, in their order."""
    raw.send(*(Message(*SECOND.get(sock.socket_type, ()), content) for content in said))
    heard = [sock.recv(clause=CARRIES)[-1] for _ in said]
    if heard != list(said):
        raise Mismatch(f"{list(said)}, in this order", str(heard), CARRIES)


@contextmanager
def _blaming(raw: RawPeer, socket_type: str) -> Iterator[None]:
    """What the peer says against a rule while it introduces itself is blamed first, then that it refuses."""
    try:
        yield
    except Mismatch as broken:
        for finding in run_own_checks(raw.trace, raw.connection, raw.partner)[:1]:
            raise finding.mismatch(broken.expected) from None
        if _is_refused(raw):
            raise broken.blaming(f"37/sockettype/matrix-{socket_type.lower()}") from None
        raise


def _is_refused(raw: RawPeer) -> bool:
    """Whether the last thing that came, or comes by now, is an ERROR."""
    received = raw.last
    while raw.arrived():
        following = raw.next()
        if following is None:
            break
        received = following
    return received is not None and isinstance(received.value, Error)
