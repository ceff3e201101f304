"""The scene of a hostile case, and what holds after each of them.

One client is served before the mischief and one comes after it: both are served, nothing that a hostile
link sent is delivered in between, what came back on that link is a legal reaction, and the peer's memory has
grown within its bound. That the peer lives
is held by the harness: one that ends in a case has failed it.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.hostile.memory import Footprint
from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import Decoder, Greeting, Message, Pong, Ready, Received

OTHERS_SERVED = "37/errors/close-is-temporary"
NOTHING_MADE_UP = "37/framing/not-altered"
ONLY_WHAT_WAS_SENT = "37/heartbeat/pong-reply"


class Scene:
    """A PULL and a client that it has served before anything else happened, in the role of this run.

    Without `attach` the peer binds.
    """

    def __init__(self, peer: Peer, dial: Dial, attach: Attach | None = None) -> None:
        self.sock = peer.open("PULL")
        self._dial = dial
        self._attach = attach
        self._endpoint = self.sock.bind() if attach is None else ""
        self._served = 0
        self.steady = self.meet("37/sockets/bind-and-connect").handshake("PUSH")
        if self.steady.role == "dialer" and not self._endpoint:
            host, port = self.steady.sock.getpeername()[:2]
            self._endpoint = f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
        self.serve(self.steady)
        self._footprint = Footprint(peer)

    def meet(self, clause: str = OTHERS_SERVED) -> RawPeer:
        """One more connection with the socket: at the same endpoint, where the peer binds.

        That there is none is blamed on `clause`.
        """
        try:
            if self._endpoint:
                return self._dial(self._endpoint)
            assert self._attach is not None
            return self._attach(self.sock)
        except Mismatch as refused:
            raise refused.blaming(clause) from None

    def meet_many(self, octets: Iterable[bytes]) -> list[RawPeer]:
        """A connection for each of these, which it has sent."""
        raws = []
        for sent in octets:
            raws.append(self.meet())
            raws[-1].send(sent)
        return raws

    def serve(self, raw: RawPeer, clause: str = OTHERS_SERVED) -> None:
        """A message of this client is the very next one delivered."""
        self._served += 1
        raw.send(Message(b"served", b"%d" % self._served))
        self.sock.expect(b"served", b"%d" % self._served, clause=clause)

    def serve_steady(self, clause: str = OTHERS_SERVED) -> None:
        """The client that was there before is served."""
        self.serve(self.steady, clause)

    def serve_fresh(self, clause: str = OTHERS_SERVED) -> None:
        """A client that comes now completes the handshake and is served."""
        raw = self.meet(clause)
        self.shake_hands(raw, clause)
        self.serve(raw, clause)
        raw.close()

    @staticmethod
    def shake_hands(raw: RawPeer, clause: str) -> None:
        """The handshake on a fresh connection."""
        raw.send(Greeting())
        raw.expect(Greeting, clause=clause)
        raw.send(Ready("PUSH"))
        raw.expect(Ready, clause=clause)

    def settle(self, raw: RawPeer, judge: Judge, clause: str, *allowed: list[bytes]) -> None:
        """A hostile link in traffic is served or was closed; nothing of it but `allowed` is delivered."""
        end, came = closed_or_served(raw, self.sock, b"fence", clause=clause)
        judge.note(end)
        if end == "served":
            judge.that(came == list(allowed), f"{len(allowed)} messages as sent", _told(came), clause)
        else:
            judge.that(not came or came == list(allowed), "messages as sent, or none", _told(came), clause)

    def expect_aftermath(self, *hostile: RawPeer, clause: str = OTHERS_SERVED) -> None:
        """Both clients are served, nothing else is delivered, and the hostile links got legal reactions.

        The peer's memory is within its bound, in all that has happened since the scene began.
        """
        self.serve_steady(clause)
        self.serve_fresh(clause)
        self.sock.expect_empty(clause)
        for raw in hostile:
            expect_legal_reactions(raw)
        self._footprint.expect_bounded(lambda: self._let_go(hostile))

    def _let_go(self, hostile: Iterable[RawPeer]) -> None:
        """Close these links, and see that the peer is past that."""
        for raw in hostile:
            raw.close()
        self.serve_fresh()


def _told(messages: list[list[bytes]]) -> str:
    return f"{len(messages)} messages: {describe(Message(*messages[0]))[:200]}" if messages else "none"


def expect_legal_reactions(raw: RawPeer) -> None:
    """All that came on a link is within the grammar, no message, and no PONG with what was not sent there."""
    raw.arrived()
    decoder = Decoder(raw.decoder.partner_major)
    for received in decoder.feed(bytes(raw.received)):
        _expect_legal(raw, received)


def _expect_legal(raw: RawPeer, received: Received) -> None:
    for fault in received.faults:
        raise raw.mismatch("octets within the grammar", fault.message, fault.clause, fault.offset)
    value = received.value
    if isinstance(value, Message):
        raise raw.mismatch("no message", describe(value), NOTHING_MADE_UP, received.start)
    if isinstance(value, Pong) and value.context not in _sent_by(raw):
        actual = f"a PONG with {len(value.context)} octets of context that were never sent"
        raise raw.mismatch("PONG with the context of a PING", actual, ONLY_WHAT_WAS_SENT, received.start)


def _sent_by(raw: RawPeer) -> bytes:
    return b"".join(one.octets for one in raw.trace.octets_of(raw.connection) if one.sender == raw.role)
