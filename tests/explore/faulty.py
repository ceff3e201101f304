"""The reference peer with a fault that only a conversation shows: `python tests/explore/faulty.py FAULT`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.zmtp import Cancel, Config, Connection, Ping, Pong, RemoteProtocolError, Subscribe
from peers.reference.__main__ import main
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from tests.mutants.hostile_commands import deliver_somehow
from tests.mutants.hostile_links import socket_of
from tests.mutants.registry import patch

Original = Callable[..., Any]


def dies_of_a_nameless_command() -> None:
    """Ends its process at a command that has no name."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        if "command without a name" in str(error):
            os._exit(3)
        original(self, error)


def mixes_the_contexts_of_links() -> None:
    """Answers a PING with the context of another link of the same socket, where one has pinged before."""
    heard: dict[object, dict[Connection, bytes]] = {}
    reading: list[Link] = []

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        reading[:] = [self]
        original(self, octets)

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if not isinstance(command, Ping):
            return original(self, command, offset)
        contexts = heard.setdefault(socket_of(reading[0]), {})
        others = [context for link, context in contexts.items() if link is not self]
        contexts[self] = command.context
        self._out += Pong(others[0] if others else command.context).serialize()
        return [command]


def speaks_3_0() -> None:
    """Announces ZMTP 3.0, and knows neither SUBSCRIBE nor CANCEL, as that version does: no fault."""

    @patch(Link, "configure")
    def configure(original: Original, self: Link) -> Config:
        config: Config = original(self)
        return replace(config, version=(3, 0))

    @patch(Pipe, "command")
    def command(original: Original, self: Pipe, link: Link, command: Any) -> None:
        if not isinstance(command, Subscribe | Cancel):
            original(self, link, command)


def delivers_half() -> None:
    """Delivers the frames of a message that the link's end has cut, as if another link had sent them."""

    @patch(Link, "close")
    def close(original: Original, self: Link, reason: str) -> None:
        frames = self.codec.decoder.open_message
        if not self.closed and frames:
            deliver_somehow(self, tuple(frame.body for frame in frames))
        original(self, reason)


FAULTS = {
    fault.__name__: fault
    for fault in (dies_of_a_nameless_command, mixes_the_contexts_of_links, speaks_3_0, delivers_half)
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    FAULTS[name]()
    sys.exit(main())
