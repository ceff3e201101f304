"""Where the two sides of a connection meet: it depends on how the peer runs, not on the case."""

from __future__ import annotations

from dataclasses import dataclass

WEB_PATH = "/zws"


@dataclass(frozen=True, slots=True)
class Hosts:
    """IP addresses: the peer listens on `bind`, the harness on `listen`; each can dial the other's."""

    bind: str = "127.0.0.1"
    listen: str = "127.0.0.1"

    @property
    def wildcard(self) -> str:
        """The endpoint to bind where any free port will do."""
        host = f"[{self.bind}]" if ":" in self.bind else self.bind
        return f"tcp://{host}:*"

    @property
    def web_wildcard(self) -> str:
        """The same for ZMTP over WebSocket."""
        return f"ws{self.wildcard.removeprefix('tcp')}{WEB_PATH}"


LOOPBACK = Hosts()
