"""The plain talk: what every case with a type of socket relies on.

A legal partner comes, under NULL and in the newest version, and a message goes each legal way, also in one
segment with READY; then several come in at once, and a second partner is heard. A peer that does not manage
this fails cases of every family, whose own rules have then not been judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from harness.deadlines import DeadlineExceeded
from harness.exchange import PARTNER, connected, expect_serves
from harness.peer import Peer, RemoteSocket
from harness.verdict import Mismatch
from harness.wire.checks import run_own_checks
from harness.wire.endpoints import RawListener, dial
from harness.wire.rawpeer import RawPeer, Sendable
from harness.zmtp import Error, Message, Ready
from harness.zmtp.grammar import DRAFT_SOCKET_TYPES

CARRIES = "37/framing/not-altered"
BINDS_AND_CONNECTS = "37/sockets/bind-and-connect"
SIDE_BY_SIDE = "37/abnf/zmtp"
BESIDE_READY = "37/example/server-send-after-ready"
# Behind the first frame: a loss or a change of an empty frame shows, and one of a long frame. Not for REQ and
# REP, for whom empty frames have a meaning, nor for those whose messages have one frame.
WITHOUT_MORE = ("REQ", "REP", *DRAFT_SOCKET_TYPES)
MORE = (b"", b"behind an empty frame", b"a long frame" * 30, b"")
DRAFT_HEARERS = ("CLIENT", "SERVER", "GATHER", "PEER")
HEARS_MANY = ("PULL", "DEALER", "ROUTER", "PAIR", "SUB", "XSUB", *DRAFT_HEARERS, "CHANNEL")
# Who hears whoever has just come. (A publisher waits for a subscription, REQ is the one who asks.)
HEARS_BESIDE_READY = ("PULL", "DEALER", "ROUTER", "REP", "PAIR", *DRAFT_HEARERS, "CHANNEL")
# Where a second partner is heard, whatever the first does.
HEARS_SECOND = ("PULL", "DEALER", "ROUTER", "REP", *DRAFT_HEARERS)
ENVELOPE = {"REP": (b"",)}  # what stands in front of a message to it


def hold_plain_talk(peer: Peer, socket_type: str, role: str) -> None:
    """Hold the talk; `role` is "peer-binds" or "peer-connects". Mismatch where the peer fails in it."""
    if socket_type in HEARS_BESIDE_READY:
        _hear_beside_ready(peer, socket_type, role)
    _talk_with(peer, socket_type, role, PARTNER[socket_type])
    if socket_type == "DEALER":  # many cases have two of them
        _talk_with(peer, socket_type, role, "DEALER")


def _hear_beside_ready(peer: Peer, socket_type: str, role: str) -> None:
    """A message in the segment of READY is delivered: what is lost there by chance would fail any case.

    It is legal behind the peer's own READY.
    """
    sock = peer.open(socket_type)
    with ExitStack() as ends:
        raw = _connected(sock, role, ends)
        with _blaming(raw, socket_type):
            raw.greet()
            if _says_ready_first(raw, role):
                _hear(sock, raw, b"at once", behind=[Ready(PARTNER[socket_type])], clause=BESIDE_READY)
    sock.close()


def _talk_with(peer: Peer, socket_type: str, role: str, partner: str) -> None:
    sock = peer.open(socket_type)
    with ExitStack() as ends:
        raw = _meet(sock, role, ends, partner)
        with _blaming(raw, socket_type):
            expect_serves(sock, raw, CARRIES, () if socket_type in WITHOUT_MORE else MORE)
            if socket_type in HEARS_MANY:
                _hear(sock, raw, b"first", b"second", b"third")
        if socket_type in HEARS_SECOND:
            try:
                _hear(sock, _meet(sock, role, ends, partner), b"from another")
            except Mismatch as unheard:
                raise unheard.blaming(SIDE_BY_SIDE) from None
    sock.close()


def _says_ready_first(raw: RawPeer, role: str) -> bool:
    """Who connects does, who binds may wait for ours."""
    if role == "peer-connects":
        raw.expect(Ready, clause="37/null/client-ready-first")
        return True
    with suppress(DeadlineExceeded):
        received = raw.next("probe")
        return received is not None and isinstance(received.value, Ready)
    return False


def _meet(sock: RemoteSocket, role: str, ends: ExitStack, partner: str) -> RawPeer:
    raw = _connected(sock, role, ends)
    with _blaming(raw, sock.socket_type):
        return raw.handshake(partner)


def _connected(sock: RemoteSocket, role: str, ends: ExitStack) -> RawPeer:
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
    return raw


def _hear(
    sock: RemoteSocket, raw: RawPeer, *said: bytes, behind: Sequence[Sendable] = (), clause: str = CARRIES
) -> None:
    """Messages that wait together, `behind` something else, are delivered in their order."""
    raw.send(*behind, *(Message(*ENVELOPE.get(sock.socket_type, ()), content) for content in said))
    heard = [sock.recv(clause=clause)[-1] for _ in said]
    if heard != list(said):
        raise Mismatch(f"{list(said)}, in this order", str(heard), clause)


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
