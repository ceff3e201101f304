"""REQ, REP, DEALER and ROUTER (RFC 28)."""

from harness.zmtp import Message

from .base import Outcome, Socket
from .dialling import random_number
from .errors import Failed
from .options import Options
from .pipe import Parts, Pipe
from .reactor import Reactor

DELIMITER = b""
WITH_IDENTITY = frozenset({"REQ", "DEALER", "ROUTER"})


def probe(pipe: Pipe) -> None:
    """An empty message ahead of all others, so that a ROUTER learns of us."""
    pipe.outgoing.appendleft(Message(b""))
    pipe.flush()


class Dealer(Socket):
    """Anonymous peers, round-robin out, fair-queued in: just what the base does."""

    type = "DEALER"

    def greet(self, pipe: Pipe) -> None:
        """Probe, if so configured."""
        if self.options.probe_router:
            probe(pipe)


class Req(Socket):
    """One request, then its reply, and so on."""

    type = "REQ"

    def __init__(self, reactor: Reactor, options: Options) -> None:
        super().__init__(reactor, options)
        self.awaiting = False
        self.asked: Pipe | None = None
        self.request_id = random_number()

    def greet(self, pipe: Pipe) -> None:
        """Probe, if so configured."""
        if self.options.probe_router:
            probe(pipe)

    def send_message(self, parts: Parts) -> Outcome:
        """A request to the next peer; refused while a reply is awaited."""
        if not self.may_ask():
            return Outcome.REFUSED
        pipe = self.choose_outgoing()
        if pipe is None:
            return Outcome.WOULD_BLOCK
        self.forget_stale()
        self.awaiting, self.asked = True, pipe
        self.put(pipe, (*self.request_head(), *parts))
        return Outcome.ACCEPTED

    def may_ask(self) -> bool:
        """Lock-step, unless relaxed."""
        return not self.awaiting or self.options.req_relaxed

    def choose_outgoing(self) -> Pipe | None:
        """Round-robin among connected peers; with none of them, a peer that is being dialled."""
        connected = self.senders.next(lambda pipe: pipe.is_connected and self.is_available(pipe))
        return connected or self.senders.next(self.is_waiting)

    def is_waiting(self, pipe: Pipe) -> bool:
        """Whether a pipe without a link may queue a request."""
        return not pipe.is_connected and self.is_available(pipe)

    def forget_stale(self) -> None:
        """Replies to earlier requests are of no use any more."""
        for pipe in self.receivers:
            while pipe.incoming:
                pipe.get()

    def request_head(self) -> Parts:
        """The delimiter; before it a number, if replies are to be correlated."""
        if not self.options.req_correlate:
            return (DELIMITER,)
        self.request_id = (self.request_id + 1) & 0xFFFFFFFF
        return self.request_id.to_bytes(4, "big"), DELIMITER

    def reply_head(self) -> Parts:
        """What the reply has to begin with."""
        if not self.options.req_correlate:
            return (DELIMITER,)
        return self.request_id.to_bytes(4, "big"), DELIMITER

    def admits(self, pipe: Pipe, parts: Parts) -> bool:
        """Only one reply, of the peer that was asked, and well formed."""
        return self.is_expected_from(pipe) and not pipe.incoming and self.is_reply(parts)

    def is_expected_from(self, pipe: Pipe) -> bool:
        """Whether a reply is awaited from this peer."""
        return self.awaiting and pipe is self.asked

    def is_reply(self, parts: Parts) -> bool:
        """The head, and at least one frame after it."""
        head = self.reply_head()
        return parts[: len(head)] == head and len(parts) > len(head)

    def receive_message(self) -> Parts | None:
        """The reply, without its head. Raises Failed when nothing was asked."""
        if not self.awaiting:
            raise Failed("REQ cannot receive before it has sent a request")
        parts = super().receive_message()
        if parts is None:
            return None
        self.awaiting, self.asked = False, None
        return parts[len(self.reply_head()) :]


class Rep(Socket):
    """One request, then the reply to it, and so on."""

    type = "REP"

    def __init__(self, reactor: Reactor, options: Options) -> None:
        super().__init__(reactor, options)
        self.replying = False
        self.asker: Pipe | None = None
        self.envelope: Parts = ()

    def admits(self, pipe: Pipe, parts: Parts) -> bool:
        """An envelope, its delimiter, and at least one frame after them."""
        return DELIMITER in parts[:-1]

    @property
    def is_readable(self) -> bool:
        """Whether there is a request, and no reply to give first."""
        return not self.replying and super().is_readable

    def receive_message(self) -> Parts | None:
        """A request without its envelope. Raises Failed while a reply is to be sent."""
        if self.replying:
            raise Failed("REP cannot receive before it has sent its reply")
        pipe = self.choose_incoming()
        if pipe is None:
            return None
        parts = pipe.get()
        self.replying, self.asker = True, pipe
        self.envelope = self.envelope_of(parts)
        return parts[len(self.envelope) :]

    def envelope_of(self, parts: Parts) -> Parts:
        """Everything up to the first empty frame, and that frame."""
        return parts[: parts.index(DELIMITER) + 1]

    def send_message(self, parts: Parts) -> Outcome:
        """The reply, back to the asker; dropped where that is gone or full."""
        if not self.replying:
            return Outcome.REFUSED
        if self.asker is not None and not self.asker.is_full:
            self.put(self.asker, (*self.envelope, *parts))
        self.replying, self.asker, self.envelope = False, None, ()
        return Outcome.ACCEPTED

    def detach(self, pipe: Pipe) -> None:
        """Nobody is left to reply to: neither to this request nor to those queued."""
        pipe.incoming.clear()
        if pipe is self.asker:
            self.asker = None


class Router(Socket):
    """Peers by routing id."""

    type = "ROUTER"

    def __init__(self, reactor: Reactor, options: Options) -> None:
        super().__init__(reactor, options)
        self.routes: dict[bytes, Pipe] = {}
        self.last_number = random_number()

    def accepts(self, pipe: Pipe) -> bool:
        """Not with the identity of another peer (unless handed over), nor a reserved one."""
        identity = self.announced(pipe)
        if self.is_reserved(identity):
            return False
        holder = self.routes.get(identity)
        return holder is None or holder is pipe or self.hands_over(holder)

    def announced(self, pipe: Pipe) -> bytes:
        """The identity that a REQ, DEALER or ROUTER announced; all others announce nothing."""
        partner = pipe.partner
        if partner is None or partner.socket_type not in {*WITH_IDENTITY, None}:
            return b""
        return partner.identity

    def is_reserved(self, identity: bytes) -> bool:
        """A first octet of zero is for our own numbers."""
        return identity[:1] == b"\0"

    def hands_over(self, holder: Pipe) -> bool:
        """Let a new peer take an identity from its holder, if so configured."""
        if not self.options.handover:
            return False
        del self.routes[holder.routing_id]
        holder.routing_id = b""
        if holder.link is not None:
            holder.link.close("identity handed over")
        return True

    def greet(self, pipe: Pipe) -> None:
        """Enter the peer into the table, then probe, if so configured."""
        self.register(pipe)
        if self.options.probe_router:
            probe(pipe)

    def register(self, pipe: Pipe) -> None:
        """A dialled pipe keeps its routing id over reconnections unless another is announced."""
        announced = self.announced(pipe)
        if not announced and pipe.routing_id:
            return
        self.routes.pop(pipe.routing_id, None)
        pipe.routing_id = announced or self.automatic_id()
        self.routes[pipe.routing_id] = pipe

    def automatic_id(self) -> bytes:
        """Zero and a number of four octets, unlike any other."""
        self.last_number = (self.last_number + 1) & 0xFFFFFFFF
        return b"\0" + self.last_number.to_bytes(4, "big")

    def remove_pipe(self, pipe: Pipe) -> None:
        """The route goes with the double queue."""
        self.unregister(pipe)
        super().remove_pipe(pipe)

    def part(self, pipe: Pipe) -> None:
        """The route goes first."""
        self.unregister(pipe)
        super().part(pipe)

    def unregister(self, pipe: Pipe) -> None:
        """Forget a route, if it is this pipe's."""
        if self.routes.get(pipe.routing_id) is pipe:
            del self.routes[pipe.routing_id]

    def send_message(self, parts: Parts) -> Outcome:
        """By the first frame; never waits unless mandatory."""
        if len(parts) < 2:
            return Outcome.REFUSED
        pipe = self.route(parts[0])
        if pipe is None:
            return self.no_route()
        if pipe.is_full:
            return self.no_room()
        self.put(pipe, parts[1:])
        return Outcome.ACCEPTED

    def route(self, routing_id: bytes) -> Pipe | None:
        """The peer with this routing id."""
        return self.routes.get(routing_id)

    def no_route(self) -> Outcome:
        """Drop, or say so."""
        return Outcome.UNROUTABLE if self.options.mandatory else Outcome.ACCEPTED

    def no_room(self) -> Outcome:
        """Drop, or let the application wait."""
        return Outcome.WOULD_BLOCK if self.options.mandatory else Outcome.ACCEPTED

    def receive_message(self) -> Parts | None:
        """The next message behind its peer's routing id."""
        pipe = self.choose_incoming()
        return None if pipe is None else (pipe.routing_id, *pipe.get())
