"""One connection: a strict codec, a stream socket, and the timers of both ends' patience."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Protocol

from harness.zmtp import (
    AnyCommand,
    Config,
    Connection,
    Error,
    Event,
    GreetingReceived,
    HandshakeDone,
    Message,
    Ping,
    Pong,
    RemoteProtocolError,
)

from .endpoints import prepare
from .heartbeat import Heartbeat
from .options import Options
from .reactor import Reactor, Timer

CHUNK_OCTETS = 65_536


class Owner(Protocol):
    """Who a link reports to, and where it takes what it sends."""

    def ready(self, link: "Link", done: HandshakeDone) -> None:
        """The handshake is over."""

    def message(self, link: "Link", message: Message) -> None:
        """A whole message has arrived."""

    def command(self, link: "Link", command: AnyCommand) -> None:
        """A command has arrived that is not the connection's own business."""

    def ended(self, link: "Link", reason: str, refused: bool) -> None:
        """The link is closed; `refused` says that the partner sent ERROR."""

    def next_outgoing(self) -> Message | AnyCommand | None:
        """The next thing to send, or None."""

    def wants_more(self) -> bool:
        """Whether the partner should be read from."""

    def drained(self) -> None:
        """Everything given so far has gone to the network."""


class Link:
    """Reads, writes and closes one connection for its owner."""

    def __init__(
        self, reactor: Reactor, sock: socket.socket, socket_type: str, options: Options, owner: Owner
    ) -> None:
        self.reactor = reactor
        self.sock = sock
        self.socket_type = socket_type
        self.options = options
        self.owner = owner
        self.is_ready = False
        self.closed = False
        self.refused = False
        self.codec = self.make_codec()
        self.heartbeat = Heartbeat(self)
        self._unsent = memoryview(b"")
        self._handshake_timer: Timer | None = None

    def configure(self) -> Config:
        """What this side brings to the connection."""
        options, limit = self.options, self.options.max_message_octets
        return Config(
            self.socket_type,
            options.identity,
            mechanism=options.mechanism,
            max_octets=None if limit < 0 else limit,
            as_server=options.plain_server or options.curve_server,
            username=options.plain_username or b"",
            password=options.plain_password or b"",
            accepts=options.accepts,
            curve=options.curve,
        )

    def make_codec(self) -> Connection:
        """The protocol's side of the connection."""
        return Connection(self.configure())

    def start(self) -> None:
        """Begin with the greeting."""
        prepare(self.sock)
        self.codec.start()
        if interval_ms := self.options.handshake_interval_ms:
            self._handshake_timer = self.reactor.call_later(interval_ms / 1000, self.handshake_timed_out)
        self.flush()

    @property
    def version(self) -> int:
        """The major version of ZMTP that is spoken."""
        return self.codec.version

    @property
    def speaks_3_1(self) -> bool:
        """Whether both ends announced ZMTP 3.1 or higher: there are heartbeats and SUBSCRIBE."""
        return self.codec.partner_speaks_subscribe

    @property
    def is_reading(self) -> bool:
        """Whether octets of the partner are taken from the network at the moment."""
        return not self.closed and self.owner.wants_more()

    @property
    def is_drained(self) -> bool:
        """Whether everything given to this link has gone to the network."""
        return not self._unsent

    # Reading

    def on_readable(self) -> None:
        """Take what is there; its end is the end of the link."""
        try:
            octets = self.sock.recv(CHUNK_OCTETS)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(error.strerror or "broken")
            return
        if octets:
            self.receive(octets)
        else:
            self.close("closed by the partner")

    def receive(self, octets: bytes) -> None:
        """Hand octets to the codec and what comes of them to `handle`."""
        self.heartbeat.sign_of_life()
        self.take(self.codec.events(octets))

    def take(self, events: Iterator[Event]) -> None:
        """Act on what the codec makes of octets, one by one."""
        try:
            for event in events:
                self.handle(event)
                if self.closed:
                    return
        except RemoteProtocolError as error:
            self.reject(error)
            return
        self.flush()

    def handle(self, event: Event) -> None:
        """Each event to where it belongs."""
        match event:
            case GreetingReceived():
                pass  # the codec has acted on it
            case HandshakeDone():
                self.on_handshake_done(event)
            case Message():
                self.owner.message(self, event)
            case Error():
                self.on_error(event)
            case Ping():
                self.heartbeat.on_ping(event)
            case Pong():
                self.heartbeat.on_pong(event)
            case _:
                self.owner.command(self, event)

    def on_handshake_done(self, done: HandshakeDone) -> None:
        """Messages may flow: the owner may refuse the partner by closing."""
        if self._handshake_timer is not None:
            self._handshake_timer.cancel()
        self.flush()
        if self.closed:
            return
        self.is_ready = True
        self.owner.ready(self, done)
        if not self.closed:
            self.heartbeat.start()

    def on_error(self, error: Error) -> None:
        """ERROR is fatal: close, and do not come back (RFC 37, Error Handling)."""
        self.refused = not self.is_ready
        self.close(f"ERROR {error.reason.decode('ascii', 'replace')}")

    def reject(self, error: RemoteProtocolError) -> None:
        """The partner left the protocol: what the codec still has to say, then close."""
        self.flush()
        self.close(str(error))

    def handshake_timed_out(self) -> None:
        """No handshake within the interval."""
        self.close("no handshake in time")

    # Writing

    def send(self, command: AnyCommand) -> None:
        """A command of the connection's own, ahead of what the owner still has queued."""
        self.codec.send(command)
        self.flush()

    def flush(self) -> None:
        """Write until there is nothing left or the network takes no more."""
        while not self.closed:
            if not self._unsent:
                self._unsent = memoryview(self.gather())
                if not self._unsent:
                    break
            try:
                sent = self.sock.send(self._unsent)
            except BlockingIOError:
                break
            except OSError as error:
                self.close(error.strerror or "broken")
                return
            self._unsent = self._unsent[sent:]
        self.update_interest()

    def gather(self) -> bytes:
        """The next octets to write: the codec's own, and messages in order."""
        gathered_octets = 0
        while self.is_ready and gathered_octets < CHUNK_OCTETS:
            item = self.owner.next_outgoing()
            if item is None:
                break
            self.codec.send(item)
            gathered_octets += sum(map(len, item.parts)) + 1 if isinstance(item, Message) else 1
        return self.codec.take_output()

    def update_interest(self) -> None:
        """Read unless the owner is full; wait for room unless all is written."""
        if self.closed:
            return
        on_readable = self.on_readable if self.owner.wants_more() else None
        self.reactor.watch(self.sock.fileno(), on_readable, self.flush if self._unsent else None)
        if not self._unsent:
            self.owner.drained()

    def close(self, reason: str) -> None:
        """End the connection and tell the owner, once."""
        if self.closed:
            return
        self.closed = True
        self.heartbeat.stop()
        if self._handshake_timer is not None:
            self._handshake_timer.cancel()
        self.reactor.forget(self.sock.fileno())
        with contextlib.suppress(OSError):
            self.sock.close()
        self.owner.ended(self, reason, self.refused)
