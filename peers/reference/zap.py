"""ZAP: asking the application's handler whether a partner is let in (RFC 27).

The handler is a REP or ROUTER socket of this process that is bound to `ENDPOINT`. Each question goes to it
through a pipe of its own, as that of a DEALER.
"""

from __future__ import annotations

import itertools
import socket as sockets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from harness.zmtp import Asked, AskingConnection, HandshakeDone, Message, RemoteProtocolError
from harness.zmtp.metadata import parse_properties

from .engine import Link
from .errors import Failed
from .pipe import Parts, Pipe

if TYPE_CHECKING:
    from .base import Socket
    from .reactor import Reactor

ENDPOINT = "inproc://zeromq.zap.01"
VERSION = b"1.0"
HANDLERS = ("REP", "ROUTER")
STATUSES = GOOD, TEMPORARY, _, FAULT = b"200", b"300", b"400", b"500"
_handlers: WeakKeyDictionary[Reactor, Handler] = WeakKeyDictionary()
_numbers = itertools.count(1)


class Handler:
    """A socket of the application that is asked; what it is bound with, as a listener is."""

    endpoint = ENDPOINT

    def __init__(self, socket: Socket) -> None:
        if socket.type not in HANDLERS:
            raise Failed(f"{ENDPOINT}: a handler is REP or ROUTER, not {socket.type}")
        if socket.reactor in _handlers:
            raise Failed(f"{ENDPOINT}: there is a handler")
        self.socket = socket
        _handlers[socket.reactor] = self

    def close(self) -> None:
        """Ask here no more."""
        del _handlers[self.socket.reactor]


class Question:
    """One request and its reply: to the handler's pipe it is a link to a DEALER."""

    is_ready = True
    is_drained = True
    version = 3

    def __init__(self, handler: Handler, on_reply: Callable[[bytes], None]) -> None:
        self.number = b"%d" % next(_numbers)
        self.closed = False
        self._on_reply = on_reply
        self._pipe = Pipe(handler.socket, ENDPOINT, dialled=False)
        self._pipe.link = cast(Link, self)
        self._pipe.partner = HandshakeDone("DEALER", b"")
        handler.socket.attach(self._pipe)

    def ask(self, domain: bytes, address: str, asked: Asked) -> None:
        """Put the request into the handler's queue."""
        frames = (b"", VERSION, self.number, domain, address.encode(), asked.identity)
        message = Message(*frames, asked.mechanism.encode(), *asked.credentials)
        self._pipe.message(cast(Link, self), message)

    def flush(self) -> None:
        """Take the reply."""
        item = self._pipe.next_outgoing()
        if isinstance(item, Message) and not self.closed:
            self.close("answered")
            self._on_reply(self.judge(item.parts))

    def judge(self, parts: Parts) -> bytes:
        """The status of a reply; one that is not whole, or not ours, lets nobody in."""
        if len(parts) != 7 or parts[:3] != (b"", VERSION, self.number) or parts[3] not in STATUSES:
            return FAULT
        try:
            parse_properties(parts[6], 0)
        except RemoteProtocolError:
            return FAULT
        return parts[3]

    def update_interest(self) -> None:
        """There is no network to read from."""

    def close(self, reason: str) -> None:
        """The dialog is over, or nobody waits for its end any more."""
        if not self.closed:
            self.closed = True
            self._pipe.ended(cast(Link, self), reason, refused=False)


class AskingLink(Link):
    """A link whose partner is let in when the handler says so."""

    codec: AskingConnection

    def __init__(self, *args: Any) -> None:
        self.question: Question | None = None
        super().__init__(*args)

    def make_codec(self) -> AskingConnection:
        """One that waits for the handler; the list of passwords is the handler's affair."""
        return AskingConnection(replace(self.configure(), accepts=lambda username, password: True))

    def receive(self, octets: bytes) -> None:
        """Ask as soon as the partner has said what the handler needs to know."""
        super().receive(octets)
        if self.codec.asked is not None and self.question is None and not self.closed:
            self.ask(self.codec.asked)

    def ask(self, asked: Asked) -> None:
        """Put the question; without a handler nobody is let in."""
        handler = _handlers.get(self.reactor)
        if handler is None:
            self.decide(TEMPORARY)
            return
        self.question = Question(handler, self.decide)
        self.question.ask(self.options.zap_domain, address_of(self.sock), asked)

    def decide(self, status: bytes) -> None:
        """Let the partner in, or say the status by ERROR; a temporary fault is not told."""
        if self.closed:
            return
        if status == GOOD:
            self.take(self.codec.admit())
            return
        self.codec.refuse(None if status == TEMPORARY else status)
        self.flush()
        self.close(f"the handler says {status.decode()}")

    def update_interest(self) -> None:
        """Read nothing while the handler is asked."""
        if self.closed or not self.codec.waits():
            super().update_interest()
        else:
            self.reactor.watch(self.sock.fileno(), None, None if self.is_drained else self.flush)

    def close(self, reason: str) -> None:
        """Whoever is gone need not be asked about."""
        super().close(reason)
        if self.question is not None:
            self.question.close(reason)


def address_of(sock: sockets.socket) -> str:
    """Where a partner comes from, without its port; "" where there is no such thing."""
    if sock.family == sockets.AF_UNIX:
        return ""
    try:
        return str(sock.getpeername()[0])
    except OSError:
        return ""
