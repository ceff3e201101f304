"""The thread-safe types but RADIO and DISH: messages of one frame (RFC 41, 49, 51, 52)."""

from .base import Outcome, Socket
from .dialling import random_number
from .options import Options
from .pair import Exclusive
from .pipe import Parts, Pipe
from .reactor import Reactor

ROUTING_ID_OCTETS = 4


class Single(Socket):
    """Messages of one frame: others are refused, and thrown away where they come in."""

    def send(self, parts: Parts) -> Outcome:
        """Refused unless it is one frame."""
        return super().send(parts) if len(parts) == 1 else Outcome.REFUSED

    def admits(self, pipe: Pipe, parts: Parts) -> bool:
        """One frame, no more."""
        return len(parts) == 1 and super().admits(pipe, parts)


class Client(Single):
    """Round-robin out, fair-queued in (RFC 41)."""

    type = "CLIENT"


class Scatter(Single):
    """Round-robin out (RFC 49); what peers send is discarded."""

    type = "SCATTER"
    can_receive = False


class Gather(Single):
    """Fair-queued in (RFC 49)."""

    type = "GATHER"
    can_send = False


class Channel(Single, Exclusive):
    """At most one peer (RFC 52)."""

    type = "CHANNEL"


class Server(Single):
    """Peers by routing ids that this side gives out (RFC 41).

    For the application a routing id is a frame of four octets in front of the message.
    """

    type = "SERVER"

    def __init__(self, reactor: Reactor, options: Options) -> None:
        super().__init__(reactor, options)
        self.routes: dict[bytes, Pipe] = {}
        self.last_number = random_number()

    def add_pipe(self, pipe: Pipe) -> None:
        """Give a routing id to a new double queue."""
        super().add_pipe(pipe)
        pipe.routing_id = self.new_routing_id(pipe)
        self.routes[pipe.routing_id] = pipe

    def new_routing_id(self, pipe: Pipe) -> bytes:
        """The next number: not zero, and not in use."""
        while True:
            self.last_number = (self.last_number + 1) % (1 << 8 * ROUTING_ID_OCTETS)
            routing_id = self.last_number.to_bytes(ROUTING_ID_OCTETS, "big")
            if self.last_number and routing_id not in self.routes:
                return routing_id

    def remove_pipe(self, pipe: Pipe) -> None:
        """The routing id goes with the double queue."""
        self.routes.pop(pipe.routing_id, None)
        super().remove_pipe(pipe)

    def part(self, pipe: Pipe) -> None:
        """The routing id goes first."""
        self.routes.pop(pipe.routing_id, None)
        super().part(pipe)

    def send(self, parts: Parts) -> Outcome:
        """To the peer with that routing id; an error where there is none, a wait where it is full."""
        if len(parts) != 2:
            return Outcome.REFUSED
        pipe = self.routes.get(parts[0])
        if pipe is None:
            return self.no_route()
        if not self.is_available(pipe):
            return Outcome.WOULD_BLOCK
        self.put(pipe, parts[1:])
        return Outcome.ACCEPTED

    def no_route(self) -> Outcome:
        """An error."""
        return Outcome.UNROUTABLE

    def receive_message(self) -> Parts | None:
        """The next message behind its peer's routing id."""
        pipe = self.choose_incoming()
        return None if pipe is None else (pipe.routing_id, *pipe.get())


class PeerSocket(Server):
    """Peers among equals: who connects gets the routing id at once (RFC 51)."""

    type = "PEER"
