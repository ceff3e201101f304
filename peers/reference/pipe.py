"""A pipe: the double queue between a socket and one peer (RFC 28, 29, 30, 31)."""

import itertools
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.zmtp import AnyCommand, HandshakeDone, Message

from .engine import Link

if TYPE_CHECKING:
    from .base import Socket

Parts = tuple[bytes, ...]
_NUMBERS = itertools.count(1)


class Pipe:
    """Queues of whole messages, both ways, each with its high-water mark.

    A pipe that we dialled outlives its connections; one that was accepted ends with it.
    """

    def __init__(self, socket: "Socket", endpoint: str, *, dialled: bool) -> None:
        self.socket = socket
        self.endpoint = endpoint
        self.dialled = dialled
        self.number = next(_NUMBERS)
        self.link: Link | None = None
        self.partner: HandshakeDone | None = None
        self.routing_id = b""
        self.subscriptions: Counter[bytes] = Counter()
        self.incoming: deque[Parts] = deque()
        self.outgoing: deque[Message | AnyCommand] = deque()
        self.largest_octets = 0
        self.closing = False
        self.durable = False
        self.on_drained: Callable[[], None] | None = None
        self._paused = False

    @property
    def is_connected(self) -> bool:
        """Whether there is a partner, past the handshake."""
        return self.link is not None and self.link.is_ready and not self.link.closed

    @property
    def is_full(self) -> bool:
        """Whether the outgoing queue has reached its high-water mark."""
        options = self.socket.options
        if options.conflate or not 0 < options.send_hwm <= len(self.outgoing):
            return False
        return self.is_swap_full

    @property
    def is_swap_full(self) -> bool:
        """Whether a message as large as the largest so far might not fit beyond the high-water mark."""
        options = self.socket.options
        if not options.swap_octets:
            return True
        beyond = itertools.islice(self.outgoing, options.send_hwm, None)
        return sum(map(octets_of, beyond)) + self.largest_octets > options.swap_octets

    @property
    def is_incoming_full(self) -> bool:
        """Whether the incoming queue has reached its high-water mark."""
        mark = self.socket.options.receive_hwm
        return 0 < mark <= len(self.incoming) and not self.socket.options.conflate

    @property
    def is_drained(self) -> bool:
        """Whether nothing waits to be written."""
        return not self.outgoing and (self.link is None or self.link.is_drained)

    # The application's side

    def put(self, parts: Parts) -> None:
        """Queue a message and write what can be written."""
        if self.socket.options.conflate:
            self.outgoing.clear()
        message = Message(*parts)
        if self.socket.options.swap_octets:
            self.largest_octets = max(self.largest_octets, octets_of(message))
        self.outgoing.append(message)
        self.flush()

    def put_command(self, command: AnyCommand) -> None:
        """Queue a command in order with messages; no high-water mark holds it up."""
        self.outgoing.append(command)
        self.flush()

    def get(self) -> Parts:
        """The oldest incoming message; reading goes on once half the queue is free."""
        parts = self.incoming.popleft()
        if self._paused and len(self.incoming) * 2 <= self.socket.options.receive_hwm:
            self._paused = False
            if self.link is not None:
                self.link.update_interest()
        return parts

    def deliver(self, parts: Parts) -> None:
        """Queue a message for the application."""
        if self.socket.options.conflate:
            self.incoming.clear()
        self.incoming.append(parts)

    def flush(self) -> None:
        """Write what can be written."""
        if self.is_connected and self.link is not None:
            self.link.flush()

    def discard(self) -> None:
        """Destroy what both queues hold."""
        self.incoming.clear()
        self.outgoing.clear()
        self._paused = False

    # The link's side

    def ready(self, link: Link, done: HandshakeDone) -> None:
        """The partner is known: the socket may refuse it."""
        self.partner = done
        if self.closing:
            return
        holder = self.socket.durables.holder(self)
        if holder is not None and not holder.is_connected:
            holder.resume(self, link, done)
        elif holder is None and self.socket.accepts(self):
            self.socket.attach(self)
        else:
            link.close("refused by the socket")

    def resume(self, visitor: "Pipe", link: Link, done: HandshakeDone) -> None:
        """Go on with the new link of a partner that has come back, in place of the pipe that met it."""
        visitor.link = None
        self.socket.handshaking.discard(visitor)
        self.link, self.partner, link.owner = link, done, self
        self.socket.attach(self)

    def message(self, link: Link, message: Message) -> None:
        """A whole message."""
        if not self.closing:
            self.socket.take_message(self, message.parts)

    def command(self, link: Link, command: AnyCommand) -> None:
        """SUBSCRIBE, CANCEL, or something unknown."""
        if not self.closing:
            self.socket.take_command(self, command)

    def ended(self, link: Link, reason: str, refused: bool) -> None:
        """The link is gone: so is an accepted pipe."""
        self.link = None
        self._paused = False
        self.socket.link_ended(self, link, reason, refused)

    def next_outgoing(self) -> Message | AnyCommand | None:
        """The next thing for the link to send."""
        return self.outgoing.popleft() if self.outgoing else None

    def wants_more(self) -> bool:
        """Read on unless the incoming queue is full and the socket type holds its peers up."""
        if not self._paused and self.is_incoming_full and not self.socket.drops_incoming:
            self._paused = True
        return not self._paused

    def drained(self) -> None:
        """The network has taken everything: whoever waits for that goes on."""
        if self.on_drained is not None and self.is_drained:
            self.on_drained()


def octets_of(item: Message | AnyCommand) -> int:
    """How much a queued message takes; commands are no messages."""
    return sum(map(len, item.parts)) if isinstance(item, Message) else 0
