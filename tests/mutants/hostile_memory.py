"""Mutants that spend memory on what partners announce, begin and leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import FrameParser, Subscribe
from peers.reference.base import Socket
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from peers.reference.pubsub import Pub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
PAGE_OCTETS = 1 << 14
ROOMY_OCTETS = range(1 << 22, 1 << 23)  # more than other cases announce, and less than harms this machine


def room_of(octets: int) -> bytearray:
    """Memory that is really used."""
    return bytearray(b"x") * octets


def _notes_announced_sizes() -> dict[object, int]:
    """The size of the frame that each parser is reading, as far as it is roomy."""
    announced: dict[object, int] = {}

    @patch(FrameParser, "_header")
    def header(original: Original, self: FrameParser) -> Any:
        found = original(self)
        if found is not None and found[2] in ROOMY_OCTETS:
            announced[self] = found[2]
        return found

    return announced


@mutant("hostile/memory/half-sent-frames")
def keeps_frames_of_links_that_have_left() -> None:
    """Keeps room for a whole frame when the link that had begun it ends, until a socket is closed."""
    announced = _notes_announced_sizes()
    rooms: list[bytearray] = []

    @patch(Link, "close")
    def close(original: Original, self: Link, reason: str) -> None:
        original(self, reason)
        size = announced.pop(self.codec.decoder._parser, 0)
        if size:
            rooms.append(room_of(size))

    @patch(Socket, "close")
    def close_socket(original: Original, self: Socket) -> None:
        original(self)
        rooms.clear()


@mutant("hostile/floods/subscriptions")
def has_a_page_for_each_topic() -> None:
    """Spends sixteen KiB on every subscription, until its subscriber goes."""
    pages: dict[Pipe, list[bytearray]] = {}

    @patch(Pub, "take_command")
    def take_command(original: Original, self: Pub, pipe: Pipe, command: Any) -> None:
        original(self, pipe, command)
        if isinstance(command, Subscribe):
            pages.setdefault(pipe, []).append(room_of(PAGE_OCTETS))

    @patch(Pub, "remove_pipe")
    def remove_pipe(original: Original, self: Pub, pipe: Pipe) -> None:
        original(self, pipe)
        pages.pop(pipe, None)
