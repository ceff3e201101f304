"""PAIR (RFC 31)."""

from .base import Socket
from .errors import Failed
from .pipe import Pipe


class Pair(Socket):
    """At most one peer."""

    type = "PAIR"

    def check_connect(self) -> None:
        """One peer at a time, dialled or accepted."""
        if len(self.senders):
            raise Failed("PAIR has its peer already")

    def accepts(self, pipe: Pipe) -> bool:
        """A second peer is turned away."""
        return len(self.senders) == 0 or pipe in self.senders
