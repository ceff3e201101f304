"""A raw end that speaks ZMTP over WebSocket (RFC 45): the same expectations, other octets.

Ping frames are answered and passed over, a Close frame is answered as WebSocket has it. The trace holds the
octets as they were on the wire.
"""

from __future__ import annotations

import socket
from typing import Any

from harness.deadlines import Deadline, DeadlineExceeded, Deadlines
from harness.verdict import Mismatch
from harness.zmtp import Greeting, Hello, Initiate, Message, Ready, Received, Welcome
from harness.zmtp.websocket import (
    PONG,
    Answer,
    Closing,
    Head,
    Upgrade,
    WebSocketFrame,
    WebSocketPing,
    WebSocketPong,
    switching,
    upgrade,
)
from harness.zmtp.zws import LABEL, NO_MECHANISM, NULL_PROTOCOL, PLAIN_PROTOCOL, ZwsDecoder, serialize

from .endpoints import RawListener, connect
from .rawpeer import RawPeer
from .render import describe
from .trace import Sender, Trace

WebSendable = Any
SWITCHING = 101
CREDENTIALS = Hello(b"admin", b"secret")


class WebSocketPeer(RawPeer):
    """A link with expectations over WebSocket. `protocol` is the one chosen, "" until one is."""

    _version = (3, 0)

    def __init__(
        self, sock: socket.socket, role: Sender, trace: Trace, connection: int, deadlines: Deadlines,
        *, was_reset: bool = False, target: str = "/",
    ) -> None:  # fmt: skip
        super().__init__(sock, role, trace, connection, deadlines, was_reset=was_reset)
        self.decoder = ZwsDecoder(masked=role == "listener")
        self.target = target
        self.protocol = ""
        self.identity = b""
        self._closing = False

    def send(self, *things: WebSendable, pieces: int | None = None) -> None:
        """Send octets, heads, WebSocket frames, and the values of ZMTP as ZWS carries them."""
        super().send(*(self._carried(thing) for thing in things), pieces=pieces)

    def _carried(self, thing: WebSendable) -> bytes:
        masked = self.role == "dialer"
        if isinstance(thing, bytes):
            return thing
        if isinstance(thing, Head):
            return thing.serialize()
        if isinstance(thing, WebSocketFrame):
            return thing.serialize(masked=masked)
        return serialize(thing, masked=masked)

    def _note_sent(self, octets: memoryview) -> None:
        """What we announce does not change how the partner's octets are read."""

    def _next(self, deadline: Deadline, what: str) -> Received | None:
        while True:
            received = super()._next(deadline, what)
            value = None if received is None else received.value
            if isinstance(value, WebSocketPing):
                self.send(WebSocketFrame(PONG, value.data))
            elif isinstance(value, Closing):
                self._answer_close(value)
                return received
            elif not isinstance(value, WebSocketPong):
                return received

    def arrived(self) -> bool:
        """As `Link` has it; what `next` would pass over does not count."""
        super().arrived()
        for received in [
            each for each in self._inbox if isinstance(each.value, WebSocketPing | WebSocketPong)
        ]:
            self._inbox.remove(received)
            if isinstance(received.value, WebSocketPing):
                self.send(WebSocketFrame(PONG, received.value.data))
        return bool(self._inbox) or self.closed is not None

    def _answer_close(self, closing: Closing) -> None:
        if not self._closing:
            self._closing = True
            self.send(closing.frame())
            self.half_close()

    # -- whole steps -----------------------------------------------------------------------------

    def upgrade(self, *wanted: str, clause: str = "45/handshake/rfc6455") -> WebSocketPeer:
        """Get through the opening handshake by a protocol of `wanted`, NULL's where none is named.

        A client asks for the first of them; a server chooses the first that is offered.
        """
        wanted = wanted or (NULL_PROTOCOL,)
        if self.role == "dialer":
            self.ask(*wanted[:1])
            self.expect_switching(clause)
        else:
            self.admit(self.expect(Upgrade, clause=clause), *wanted)
        return self

    def ask(self, *protocols: str) -> Upgrade:
        """Send the request of a client that offers these protocols."""
        request = upgrade(self.authority, protocols, self.target)
        self.send(request)
        return request

    def expect_switching(self, clause: str = "45/handshake/rfc6455") -> Answer:
        """The server takes us in; the protocol that it names is ours from here."""
        answer = self.expect(Answer, clause=clause)
        if answer.status != SWITCHING:
            raise self.mismatch(f"status {SWITCHING}", describe(answer), clause, self.last_start)
        self.protocol = ", ".join(answer.protocols)
        return answer

    @property
    def authority(self) -> str:
        """Host and port that a client dials."""
        host, port = (self.sock.getpeername() if self.role == "dialer" else self.sock.getsockname())[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def admit(self, request: Upgrade, *wanted: str) -> None:
        """Take a client in by the first of the protocols that it offers."""
        self.send(self.choose(request, *wanted))

    def choose(self, request: Upgrade, *wanted: str) -> Answer:
        """The answer that takes a client in, which is still to be sent; the protocol is ours from here."""
        chosen = next((one for one in wanted if one in request.protocols), None)
        if chosen is None:
            expected = f"an offer of {' or '.join(wanted)}"
            raise self.mismatch(expected, describe(request), "45/handshake/protocol-list", self.last_start)
        self.protocol = chosen
        return switching(request.value("Sec-WebSocket-Key") or "", chosen)

    def handshake(
        self,
        socket_type: str,
        identity: bytes | None = None,
        properties: tuple[tuple[bytes, bytes], ...] = (),
        greeting: Greeting | None = None,
        clause: str | None = None,
    ) -> WebSocketPeer:
        """All until traffic, as a socket of that type, by the protocol chosen (by NULL where none is yet).

        What the partner does wrong on the way is blamed on `clause`, else on the rule of that step.
        """
        if not self.protocol:
            self.upgrade()
        if self.protocol == NO_MECHANISM:
            self.send(Message(identity or b""))
            self.identity = self._expect_identity(clause)
        elif self.protocol == PLAIN_PROTOCOL and self.role == "dialer":
            self.send(CREDENTIALS)
            self.expect(Welcome, clause=clause or "45/mech/mechanism-list")
            self._introduce(Initiate(socket_type, identity, properties), clause)
        elif self.protocol == PLAIN_PROTOCOL:
            self.expect(Hello, clause=clause or "45/mech/mechanism-list")
            self.send(Welcome())
            self.expect(Initiate, clause=clause or "45/mech/mechanism-list")
            self.send(Ready(socket_type, identity, properties))
        else:
            self._introduce(Ready(socket_type, identity, properties), clause)
        return self

    def _introduce(self, ours: Ready | Initiate, clause: str | None) -> None:
        self.send(ours)
        self.identity = self.expect(Ready, clause=clause or "45/mech/abnf-handshake").identity or b""

    def _expect_identity(self, clause: str | None) -> bytes:
        message = self.expect(Message, clause=clause or "45/nomech/abnf-connection")
        if len(message.parts) != 1:
            rule = clause or "45/nomech/abnf-identity"
            raise self.mismatch("a routing id of one frame", describe(message), rule, self.last_start)
        return message.parts[0]

    def expect_refused(self, clause: str, by: tuple[type, ...] = (), within: str = "reaction") -> None:
        """We are turned away: by a status, a Close frame, the end of the link, or what is of the types `by`.

        Neither a message nor WELCOME comes before.
        """
        expected = "a refusal"
        deadline = self.deadlines.deadline(within)
        while True:
            try:
                received = self._next(deadline, expected)
            except DeadlineExceeded as late:
                raise self.mismatch(expected, f"still open after {late.seconds:g} s", clause) from None
            value = None if received is None else received.value
            if value is None or isinstance(value, (Closing, *by)):
                return
            if isinstance(value, Answer) and value.status != SWITCHING:
                return
            if isinstance(value, Message | Welcome):
                raise self.mismatch(expected, describe(value), clause, self.last_start)

    def is_over(self) -> bool:
        """Whether the partner has ended the link, by WebSocket or by TCP; what came before is passed over."""
        while self.closed is None and not self._closing and self.arrived():
            self.next()
        return self.closed is not None or self._closing

    def expect_faultless(self, wanted: Any, clause: str, **fields: Any) -> Any:
        """The partner's very next thing, as `expect` has it, and no rule of form is broken by it."""
        value = self.expect(wanted, clause=clause, **fields)
        assert self.last is not None
        for fault in self.last.faults:
            raise self.mismatch(f"{describe(value)} without fault", fault.message, clause, self.last_start)
        return value


class WebSocketListener(RawListener):
    """A listening socket that a peer may connect to by ws; `target` is the path of its endpoint."""

    def __init__(
        self, trace: Trace, deadlines: Deadlines, host: str = "127.0.0.1", target: str = "/zws"
    ) -> None:
        super().__init__(trace, deadlines, host)
        self.target = target
        self.authority = self.endpoint.removeprefix("tcp://")
        self.endpoint = f"ws://{self.authority}{target}"

    def accept(self, within: str = "reconnect", clause: str | None = None) -> WebSocketPeer:
        """The next connection that a peer makes."""
        sock, connection = self._accept(within, clause, LABEL)
        return WebSocketPeer(sock, "listener", self.trace, connection, self.deadlines, target=self.target)


def dial_ws(endpoint: str, trace: Trace, deadlines: Deadlines) -> WebSocketPeer:
    """Connect to a peer that listens at a ws endpoint; the opening handshake is still to be done."""
    if not endpoint.startswith("ws://"):
        raise Mismatch("an endpoint of ws", endpoint, "45/handshake/rfc6455")
    sock, connection, was_reset = connect(endpoint, trace, deadlines, LABEL)
    target = "/" + endpoint.removeprefix("ws://").partition("/")[2]
    return WebSocketPeer(
        sock, "dialer", trace, connection, deadlines, was_reset=was_reset, target=target
    )  # fmt: skip
