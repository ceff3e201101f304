"""PAIR (RFC 31), and what it shares with CHANNEL."""

from .base import Socket
from .errors import Failed
from .pipe import Pipe


class Exclusive(Socket):
    """At most one peer."""

    def check_connect(self) -> None:
        """One peer at a time, dialled or accepted."""
        if len(self.senders):
            raise Failed(f"{self.type} has its peer already")

    def accepts(self, pipe: Pipe) -> bool:
        """A second peer is turned away."""
        return len(self.senders) == 0 or pipe in self.senders


class Pair(Exclusive):
    """PAIR."""

    type = "PAIR"
