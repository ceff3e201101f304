"""Plays a conversation with a peer: raw ends and the application do what the steps say, then others come.

What the rules say of it is for `judge`; here only the peer that is gone, or serves nobody, is found.
"""

from __future__ import annotations

import select
from contextlib import suppress
from dataclasses import dataclass, field

from harness.control.client import OperationTimeout
from harness.deadlines import DeadlineExceeded, Deadlines
from harness.peer import LivePeer, Outcome, Parts, Peer, RemoteSocket
from harness.verdict import Mismatch, Place
from harness.wire.endpoints import dial
from harness.wire.rawpeer import RawPeer
from harness.wire.trace import Trace
from harness.zmtp import Greeting, Message, Subscribe

from .kinds import KINDS
from .steps import Conversation, End, Offer, Open, Receive, Say, Silence, Step, Tell, bodies

OTHERS_SERVED = "37/errors/close-is-temporary"
LEFT_OVER_MAX = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken: `what` names the kind of it, `detail` this time's circumstances.

    `security`: a stranger did harm with it, so that the conversation is kept out (SECURITY.md).
    """

    clause: str
    what: str
    detail: str = ""
    place: Place | None = None
    security: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Findings with the same key are the same finding."""
        return self.clause, self.what


@dataclass(slots=True)
class Line:
    """A link as it was played; `in_traffic` says that it had shaken hands, all in good order."""

    raw: RawPeer
    name: str
    in_traffic: bool = False

    @property
    def sent(self) -> bytes:
        """All that went out on it."""
        return self.raw.trace.stream(self.raw.connection, self.raw.role)


@dataclass(slots=True)
class Played:
    """What happened. `delivered` and `offered` are the application's messages, without routing ids."""

    conversation: Conversation
    trace: Trace = field(default_factory=Trace)
    lines: list[Line] = field(default_factory=list)
    delivered: list[Parts] = field(default_factory=list)
    offered: list[Parts] = field(default_factory=list)
    broken: Finding | None = None


def play(conversation: Conversation, live: LivePeer, deadlines: Deadlines) -> Played:
    """Play it, then see whether others are served. Raises PeerUnavailable where the peer does not start."""
    played = Played(conversation)
    peer = Peer(live, played.trace, deadlines)
    stage = Stage(peer, played)
    broken: Mismatch | None = None
    try:
        stage.begin()
        for number, step in enumerate(conversation.steps):
            stage.act(step, b"step %d " % number)
        stage.end()
    except Mismatch as mismatch:
        broken = mismatch
    finally:
        stage.leave()
        ended = peer.finish() or peer.died
    if ended:
        played.broken = Finding(OTHERS_SERVED, "the process ended", ended, security=True)
    elif broken is not None:
        played.broken = _broken(broken)
    return played


def _broken(mismatch: Mismatch) -> Finding:
    """A peer that hangs, or one that lives and does not serve."""
    if mismatch.fatal:
        return Finding(OTHERS_SERVED, "the process does not answer", mismatch.actual, security=True)
    clause = mismatch.clause or OTHERS_SERVED
    detail = f"expected {mismatch.expected}, got {mismatch.actual}"
    return Finding(clause, "a client in good order is not served", detail, mismatch.place)


class Stage:
    """The socket under test, its links, and the application."""

    def __init__(self, peer: Peer, played: Played) -> None:
        self.peer = peer
        self.played = played
        self.kind = KINDS[played.conversation.socket_type]
        self.sock: RemoteSocket
        self._endpoint = ""
        self._open: dict[int, Line] = {}
        self._steady: Line | None = None
        self._last: Parts | None = None
        self._fences = 0

    def begin(self) -> None:
        """Bind, and serve a first client where others may come beside it."""
        socket_type = self.played.conversation.socket_type
        self.sock = self.peer.open(socket_type)
        self._endpoint = self.sock.bind()
        if socket_type in ("SUB", "XSUB"):
            self.sock.subscribe()
        if self.kind.has_steady:
            self._steady = self._come("steady")
            self._serve(self._steady)

    def act(self, step: Step, mark: bytes) -> None:
        """One step; one of a link that is not open does nothing."""
        match step:
            case Open():
                if step.link not in self._open:
                    self._dial(step)
            case Receive():
                self._receive()
            case Offer():
                self._offer(bodies(step.sizes, mark))
            case Tell() | Say() | End() | Silence():
                line = self._open.get(step.link)
                if line is not None:
                    self._on_line(line, step, mark)

    def _on_line(self, line: Line, step: Tell | Say | End | Silence, mark: bytes) -> None:
        match step:
            case Tell():
                line.raw.offer(step.octets(self.kind.envelope, mark))
            case Say():
                line.raw.offer(step.octets)
            case Silence() if not line.raw.arrived():
                poller = select.poll()
                poller.register(line.raw.sock, select.POLLIN)
                poller.poll(step.ms)
            case End(how="half-close"):
                line.raw.half_close()
            case End():
                (line.raw.close if step.how == "close" else line.raw.reset)()
                del self._open[step.link]

    def _dial(self, step: Open) -> None:
        line = self._line(f"link {step.link}")
        self._open[step.link] = line
        if step.far == "greeting":
            line.raw.offer(Greeting().serialize())
        if step.far == "traffic":
            with suppress(Mismatch):  # a socket with one partner refuses the second
                line.raw.handshake(self.kind.partner)
                line.in_traffic = True

    def _line(self, name: str) -> Line:
        try:
            raw = dial(self._endpoint, self.played.trace, self.peer.deadlines)
        except Mismatch as refused:
            raise refused.blaming(OTHERS_SERVED) from None
        line = Line(raw, name)
        self.played.lines.append(line)
        return line

    # The application

    def _receive(self) -> Parts | None:
        """A message without waiting; a REP answers it at once."""
        if not self.kind.receives:
            return None
        try:
            parts = list(self.peer.call("recv", 0.0, socket=self.sock.id)["parts"])
        except OperationTimeout:
            return None
        self._take(parts)
        return parts

    def _take(self, parts: Parts) -> None:
        self._last = parts
        self.played.delivered.append(self._content(parts))
        if self.played.conversation.socket_type == "REP":
            self._offer(parts)

    def _content(self, parts: Parts) -> Parts:
        return parts[1:] if self.played.conversation.socket_type == "ROUTER" else parts

    def _offer(self, parts: Parts) -> None:
        """Send, or answer who was heard last; what a socket refuses is its own affair."""
        if self.kind.answers:
            if self._last is None:
                return
            parts, self._last = self._last, None
        elif not self.kind.sends:
            return
        self.played.offered.append(self._content(parts))
        try:
            self.sock.offer(parts)
        except Mismatch as refused:
            if refused.fatal:
                raise

    # Clients in good order

    def end(self) -> None:
        """The client that was there is served, the links end, and one that comes now is served.

        Then what is left over is taken.
        """
        if self._steady is not None:
            self._serve(self._steady)
        for line in self._open.values():
            line.raw.close()
        self._open.clear()
        if self.kind.alone:
            self._serve_the_only_one()
        else:
            self._serve(self._come("fresh"))
        for _ in range(LEFT_OVER_MAX):
            if self._receive() is None:
                break
        for line in self.played.lines:
            line.raw.arrived()

    def leave(self) -> None:
        """Close every link."""
        for line in self.played.lines:
            line.raw.close()

    def _come(self, name: str) -> Line:
        line = self._line(name)
        raw = line.raw
        try:
            raw.handshake(self.kind.partner)
        except Mismatch as refused:
            raise refused.blaming(OTHERS_SERVED) from None
        line.in_traffic = True
        return line

    def _serve(self, line: Line) -> None:
        self._fences += 1
        fence = b"fence %d" % self._fences
        if not self.kind.receives:
            self._publish(line, fence)
        elif self.played.conversation.socket_type == "XPUB":
            line.raw.request(Subscribe(fence))
            self._await([b"\1" + fence])
        else:
            line.raw.send(Message(*self.kind.envelope, fence))
            self._await([fence])

    def _await(self, wanted: Parts) -> None:
        """Receive until this message comes."""
        for _ in range(LEFT_OVER_MAX):
            parts = self.sock.recv(clause=OTHERS_SERVED)
            self._take(parts)
            if self._content(parts) == wanted:
                return
        raise Mismatch("the client's message", f"{LEFT_OVER_MAX} others", OTHERS_SERVED)

    def _publish(self, line: Line, fence: bytes) -> None:
        """Send until this client has something of it: others may be ahead of it."""
        if self.kind.partner == "SUB":
            line.raw.request(Subscribe(fence))
        deadline = self.peer.deadlines.deadline("delivery")
        while not deadline.expired:
            self.played.offered.append([fence])
            outcome = self.sock.offer([fence], self.peer.deadlines.probe_s)
            with suppress(DeadlineExceeded):
                came = line.raw.next("probe", "message")
                if came is None:
                    raise line.raw.mismatch("a message", "the connection closed", OTHERS_SERVED)
                if isinstance(came.value, Message) and outcome is Outcome.ACCEPTED:
                    return
        raise line.raw.mismatch("a message", f"nothing within {deadline.seconds:g} s", OTHERS_SERVED)

    def _serve_the_only_one(self) -> None:
        """A new partner is served as soon as the socket has noticed that the others have gone."""
        deadline = self.peer.deadlines.deadline("reconnect")
        while True:
            while self._receive() is not None:
                pass
            try:
                line = self._come("fresh")
                self._fences += 1
                line.raw.send(Message(b"fence %d" % self._fences))
                parts = self.sock.recv(self.peer.deadlines.probe_s, clause=OTHERS_SERVED)
                self._take(parts)
                return
            except Mismatch as refused:
                if refused.fatal or deadline.expired:
                    raise
                self.played.lines[-1].raw.close()
