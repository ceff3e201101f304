"""A proxy: everything that one socket receives is sent by the other."""

from .base import Outcome, Socket
from .pipe import Parts


class Proxy:
    """Forwards both ways, for as long as both sockets are open."""

    def __init__(self, frontend: Socket, backend: Socket) -> None:
        self.ways = ((frontend, backend), (backend, frontend))
        self.held: dict[Socket, Parts] = {}

    @property
    def is_over(self) -> bool:
        """Whether one of the sockets is closed."""
        return any(socket.closed for socket, _ in self.ways)

    def step(self) -> None:
        """Forward what there is and what is taken."""
        for source, target in self.ways:
            if target.can_send:
                self.forward(source, target)

    def forward(self, source: Socket, target: Socket) -> None:
        """One way; a message that is not taken is held and tried again."""
        while True:
            parts = self.held.pop(source, None)
            if parts is None and source.is_readable:
                parts = source.receive()
            if parts is None:
                return
            if target.send(parts) is Outcome.WOULD_BLOCK:
                self.held[source] = parts
                return
