"""Mutants for floods, and for commands and octets that fit no state, size or field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Connection, Decoder, Error, FrameParser, Message, Ping, Pong, RemoteProtocolError
from harness.zmtp.grammar import COMMAND, LONG_MAX_OCTETS
from harness.zmtp.state import State
from peers.reference.engine import Link
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Pub
from tests.mutants.hostile_links import close_all, socket_of
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
HTTP_ANSWER = b"HTTP/1.1 400 Bad Request\r\nServer: reference\r\n" + b"X-Padding: nothing\r\n" * 10 + b"\r\n"


def take_the_others_along(link: Link) -> None:
    """Close all links of this one's socket and its endpoints."""
    close_all(socket_of(link), "one has failed, all fail")


def deliver_somehow(link: Link, parts: Parts) -> None:
    """Give a message to the application as if another link brought it: this one's queue may go with it."""
    pipe = socket_of(link).receivers.next(lambda pipe: pipe.link is not link)
    assert pipe is not None
    pipe.deliver(parts)


@mutant("hostile/floods/commands")
def answers_late_pings_with_more() -> None:
    """Adds octets of its own to the context of the PONGs behind the thousandth PING of a connection."""
    counts: dict[Connection, int] = {}

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        counts[self] = counts.get(self, 0) + isinstance(command, Ping)
        if not isinstance(command, Ping) or counts[self] <= 1000:
            return original(self, command, offset)
        self._out += Pong((command.context + b"left over")[:16]).serialize()
        return [command]


@mutant("hostile/floods/commands", breaks=["37/pubsub/additive"])
def tires_of_commands() -> None:
    """Closes all links of a socket when one of them brings more than five hundred commands."""
    counts: dict[Decoder, int] = {}

    @patch(Decoder, "_take_command")
    def take(original: Original, self: Decoder, *args: Any) -> Any:
        counts[self] = counts.get(self, 0) + 1
        return original(self, *args)

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if counts.get(self.codec.decoder, 0) > 500:
            take_the_others_along(self)


@mutant("hostile/floods/subscriptions")
def has_one_table_of_five_thousand_topics() -> None:
    """Forgets what the others asked for when one subscriber has more than five thousand topics."""

    @patch(Pub, "take_command")
    def take_command(original: Original, self: Pub, pipe: Pipe, command: Any) -> None:
        original(self, pipe, command)
        if len(pipe.subscriptions) > 5000:
            for other in self.senders:
                if other is not pipe:
                    other.subscriptions.clear()


@mutant("hostile/floods/empty-frames")
def counts_frames_in_sixteen_bits() -> None:
    """Delivers no more than 65,535 frames of a message."""

    @patch(Pipe, "message")
    def message(original: Original, self: Pipe, link: Link, came: Message) -> None:
        original(self, link, Message(*came.parts[:65_535]))


@mutant("hostile/floods/message-without-an-end")
def delivers_what_came_of_a_large_message() -> None:
    """Delivers the frames of an unfinished message when the link ends, where there are a thousand or more."""

    @patch(Link, "close")
    def close(original: Original, self: Link, reason: str) -> None:
        frames = self.codec.decoder.open_message
        if not self.closed and len(frames) >= 1000:
            deliver_somehow(self, tuple(frame.body for frame in frames))
        original(self, reason)


def _changes_command_sizes(change: Callable[[int], int]) -> None:
    """Read another size from the header of a command than stands there."""

    @patch(FrameParser, "_header")
    def header(original: Original, self: FrameParser) -> Any:
        found = original(self)
        if found is None or not found[0] & COMMAND:
            return found
        flags, start, size = found
        return flags, start, change(size)


@mutant("hostile/commands/enormous-size")
def makes_room_for_a_whole_command() -> None:
    """Asks for the memory of a whole command when its header comes."""

    def change(size: int) -> int:
        if size > 1 << 40:
            bytearray(size)
        return size

    _changes_command_sizes(change)


@mutant("hostile/commands/impossible-size")
def overlooks_the_highest_bit_of_a_commands_size() -> None:
    """Reads the sizes of commands as 63 bits."""
    _changes_command_sizes(lambda size: size & LONG_MAX_OCTETS)


@mutant("hostile/commands/cut-at-every-octet")
def fails_with_a_cut_command() -> None:
    """Closes all links of a socket at a command that ends within its name or its fields."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        original(self, error)
        if "beyond" in str(error):
            take_the_others_along(self)


@mutant("hostile/commands/excessive-ready")
def has_room_for_five_hundred_properties() -> None:
    """Dies of a READY with more than five hundred properties."""

    @patch(Connection, "_take_ready")
    def take_ready(original: Original, self: Connection, ready: Any, offset: int) -> Any:
        if len(ready.properties) > 500:
            raise OverflowError("no room for so many properties")
        return original(self, ready, offset)


@mutant(
    "hostile/commands/nothing-mends-an-error", breaks=["26/overview/no-retry", "37/errors/error-no-retry"]
)
def lets_ready_mend_an_error() -> None:
    """Goes on after an ERROR in the handshake where READY comes behind it in the same segment."""
    forgiven: set[Connection] = set()

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if isinstance(command, Error) and self.state is State.HANDSHAKE:
            forgiven.add(self)
            return []
        return original(self, command, offset)

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if self.codec in forgiven and not self.is_ready:
            self.close("ERROR")


@mutant("hostile/commands/another-protocol")
def answers_in_http() -> None:
    """Answers a request of HTTP in HTTP."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        ours, found, theirs = octets.partition(b"GET / HTTP/")
        original(self, ours)
        if found and not self.closed:
            self.codec._out += HTTP_ANSWER
            original(self, found + theirs)


@mutant("hostile/commands/ready-with-odd-flags")
def delivers_a_ready_with_more() -> None:
    """Gives a READY whose flags are odd to the application, as a message of whoever is served."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        if not self.is_ready and error.clause in ("37/framing/command-no-more", "37/framing/reserved-zero"):
            deliver_somehow(self, (b"\5READY",))
        original(self, error)
