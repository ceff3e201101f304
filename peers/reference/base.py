"""What all socket types share: endpoints, pipes, taking turns, waiting peers."""

from collections import deque
from enum import StrEnum
from socket import socket as SystemSocket
from typing import ClassVar

from harness.zmtp import AnyCommand, Cancel, Subscribe, cancellation, subscription

from .dialling import Dialer, Listener
from .durable import Durables
from .endpoints import is_web
from .engine import Link
from .errors import Failed
from .lingering import linger
from .options import Options
from .pipe import Parts, Pipe
from .reactor import Reactor
from .rotation import Rotation
from .websocket import WebSocketLink
from .zap import ENDPOINT, AskingLink, Handler

EVENTS_MAX = 10_000


class Outcome(StrEnum):
    """How sending can end."""

    ACCEPTED = "accepted"
    WOULD_BLOCK = "would-block"
    UNROUTABLE = "unroutable"
    REFUSED = "refused"


class Socket:
    """A socket of one type. Subclasses decide by overriding small methods.

    `send` and `receive` never wait: the adapter tries again while the reactor runs.
    """

    type: ClassVar[str]
    can_send: ClassVar[bool] = True
    can_receive: ClassVar[bool] = True
    drops_incoming: ClassVar[bool] = False

    def __init__(self, reactor: Reactor, options: Options) -> None:
        self.reactor = reactor
        self.options = options
        self.closed = False
        self.listeners: list[Listener | Handler] = []
        self.dialers: list[Dialer] = []
        self.handshaking: set[Pipe] = set()
        self.durables = Durables(options)
        self.senders: Rotation[Pipe] = Rotation()
        self.receivers: Rotation[Pipe] = Rotation()
        self.events: deque[dict[str, str]] | None = None

    # Endpoints

    def bind(self, endpoint: str) -> str:
        """Listen; the endpoint as it really is. Raises Failed or Unsupported."""
        try:
            listener = Handler(self) if endpoint == ENDPOINT else Listener(self, endpoint)
        except Failed as error:
            self.note("bind-failed", endpoint, str(error))
            raise
        self.listeners.append(listener)
        return listener.endpoint

    def connect(self, endpoint: str) -> str:
        """Dial from now on; the double queue exists at once. Raises Failed or Unsupported."""
        self.check_connect()
        dialer = Dialer(self, endpoint)
        self.dialers.append(dialer)
        self.add_pipe(dialer.pipe)
        dialer.dial()
        return endpoint

    def check_connect(self) -> None:
        """Raise Failed where another connection must not be."""

    def unbind(self, endpoint: str) -> None:
        """Stop listening; connections stay."""
        found = next((one for one in self.listeners if one.endpoint == endpoint), None)
        if found is None:
            raise Failed(f"not bound to {endpoint}")
        self.listeners.remove(found)
        found.close()

    def disconnect(self, endpoint: str) -> None:
        """Stop dialling, and end the connection."""
        found = next((one for one in self.dialers if one.endpoint == endpoint), None)
        if found is None:
            raise Failed(f"not connected to {endpoint}")
        self.dialers.remove(found)
        self.part(found.pipe)
        linger(found.pipe, found, self.options.linger_ms)

    def close(self) -> None:
        """Part from everybody; what is queued may leave for as long as the socket lingers."""
        for listener in self.listeners:
            listener.close()
        for pipe in self.senders:
            dialer = self.dialer_of(pipe)
            self.part(pipe)
            linger(pipe, dialer, self.options.linger_ms)
        for pipe in list(self.handshaking):
            if pipe.link is not None and not pipe.dialled:
                pipe.link.close("the socket is closed")
        self.closed = True

    def note(self, event: str, endpoint: str, detail: str = "") -> None:
        """One monitor event, if anybody watches."""
        if self.events is not None:
            self.events.append({"event": event, "endpoint": endpoint, "detail": detail})

    # Pipes and links

    def begin(self, pipe: Pipe, sock: SystemSocket) -> None:
        """Start the handshake on a new connection."""
        kind = AskingLink if self.options.zap_domain else Link
        kind = WebSocketLink if is_web(pipe.endpoint) else kind
        link = kind(self.reactor, sock, self.type, self.options, pipe)
        pipe.link = link
        self.handshaking.add(pipe)
        link.start()

    def accepts(self, pipe: Pipe) -> bool:
        """Whether a partner is welcome, once the handshake is done."""
        return True

    def attach(self, pipe: Pipe) -> None:
        """A link is ready: from here its partner is served."""
        self.handshaking.discard(pipe)
        self.note("handshake-succeeded", pipe.endpoint)
        if pipe not in self.senders:
            self.add_pipe(pipe)
        self.durables.keep(pipe)
        self.greet(pipe)

    def greet(self, pipe: Pipe) -> None:
        """What is said to a new partner before anything else."""

    def add_pipe(self, pipe: Pipe) -> None:
        """Let a pipe take its turns."""
        self.senders.add(pipe)
        self.receivers.add(pipe)

    def link_ended(self, pipe: Pipe, link: Link, reason: str, refused: bool) -> None:
        """A link is gone: an accepted pipe ends with it unless durable, a dialled one is dialled again."""
        self.handshaking.discard(pipe)
        if not link.is_ready:
            self.note("handshake-failed-no-detail", pipe.endpoint, reason)
        self.note("disconnected", pipe.endpoint, reason)
        if pipe.closing or pipe.durable:
            return
        if link.is_ready:
            self.detach(pipe)
        dialer = self.dialer_of(pipe)
        if dialer is not None:
            dialer.link_ended(link, refused)
        else:
            self.remove_pipe(pipe)

    def detach(self, pipe: Pipe) -> None:
        """The partner of a pipe is gone; the pipe itself may go on."""

    def remove_pipe(self, pipe: Pipe) -> None:
        """Destroy a double queue and what it holds."""
        self.senders.remove(pipe)
        self.receivers.remove(pipe)
        pipe.discard()

    def part(self, pipe: Pipe) -> None:
        """Take leave of a pipe whose outgoing queue may yet be written."""
        self.farewell(pipe)
        pipe.closing = True
        if pipe.is_connected:
            self.detach(pipe)
        self.senders.remove(pipe)
        self.receivers.remove(pipe)

    def farewell(self, pipe: Pipe) -> None:
        """What is said to a partner before we close."""

    def dialer_of(self, pipe: Pipe) -> Dialer | None:
        """Who dials for a pipe; None if it was accepted."""
        return next((one for one in self.dialers if one.pipe is pipe), None)

    # Sending

    def send(self, parts: Parts) -> Outcome:
        """Try to send one message."""
        if not self.can_send:
            return Outcome.REFUSED
        return self.send_message(parts)

    def send_message(self, parts: Parts) -> Outcome:
        """One message to one available peer, in turn; without any, it is not taken."""
        pipe = self.choose_outgoing()
        if pipe is None:
            return Outcome.WOULD_BLOCK
        self.put(pipe, parts)
        return Outcome.ACCEPTED

    def choose_outgoing(self) -> Pipe | None:
        """Round-robin among available peers."""
        return self.senders.next(self.is_available)

    def is_available(self, pipe: Pipe) -> bool:
        """A peer is available while its outgoing queue is not full."""
        if self.options.immediate and not pipe.is_connected:
            return False
        return not pipe.is_full

    def put(self, pipe: Pipe, parts: Parts) -> None:
        """Give one message to one peer."""
        pipe.put(parts)

    # Receiving

    @property
    def is_readable(self) -> bool:
        """Whether `receive` would have a message."""
        return self.can_receive and any(pipe.incoming for pipe in self.receivers)

    def receive(self) -> Parts | None:
        """The next message, or None. Raises Failed where this socket cannot receive (now)."""
        if not self.can_receive:
            raise Failed(f"{self.type} cannot receive")
        return self.receive_message()

    def receive_message(self) -> Parts | None:
        """The next message of the peer whose turn it is."""
        pipe = self.choose_incoming()
        return None if pipe is None else pipe.get()

    def choose_incoming(self) -> Pipe | None:
        """Fair queueing among peers that have messages for us."""
        return self.receivers.next(lambda pipe: bool(pipe.incoming))

    def take_message(self, pipe: Pipe, parts: Parts) -> None:
        """A message has come from a peer: queue it, unless it is to be discarded."""
        if self.can_receive and self.admits(pipe, parts) and self.has_room(pipe):
            pipe.deliver(parts)

    def admits(self, pipe: Pipe, parts: Parts) -> bool:
        """Whether a message is one that the application may see."""
        return True

    def has_room(self, pipe: Pipe) -> bool:
        """Whether a message is kept: those that drop do so at the mark, others stop reading instead."""
        return not (self.drops_incoming and pipe.is_incoming_full)

    def take_command(self, pipe: Pipe, command: AnyCommand) -> None:
        """A command has come from a peer; subscriptions matter to publishers only."""

    def subscribe(self, prefix: bytes) -> None:
        """Raises Failed unless this is a subscriber."""
        raise Failed(f"{self.type} has no subscriptions")

    def cancel(self, prefix: bytes) -> None:
        """Raises Failed unless this is a subscriber."""
        raise Failed(f"{self.type} has no subscriptions")


def subscription_of(parts: Parts) -> Subscribe | Cancel | None:
    """The subscription or cancellation that a message means in ZMTP 3.0 and older, if any."""
    if len(parts) != 1 or parts[0][:1] not in (b"\0", b"\1"):
        return None
    return Subscribe(parts[0][1:]) if parts[0][0] else Cancel(parts[0][1:])


def message_of(command: Subscribe | Cancel) -> Parts:
    """The message form of a subscription or cancellation."""
    make = subscription if isinstance(command, Subscribe) else cancellation
    return make(command.prefix).parts
