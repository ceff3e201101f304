"""Mutants for framing: sizes, flags, and messages that are not whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.zmtp import Config, Connection, Decoder, Frame, FrameParser, Message, RemoteProtocolError
from harness.zmtp.grammar import COMMAND, LONG, LONG_MAX_OCTETS, MORE
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
# Where cases of other families count what comes, or look at its order.
COUNTED = [
    "26/hello/nonce-incrementing",
    "31/pair/no-discard",
    "libzmq-2/hwm/zero-is-no-limit",
    "libzmq-2/swap/in-order",
]


def _changes_incoming(change: Callable[[tuple[bytes, ...]], list[tuple[bytes, ...]]]) -> None:
    """Hand other messages to the socket than have come."""

    @patch(Pipe, "message")
    def message(original: Original, self: Pipe, link: Link, came: Message) -> None:
        for parts in change(came.parts):
            original(self, link, Message(*parts))


def _changes_header(change: Callable[[int, int], tuple[int, int]]) -> None:
    """Read other flags or another size from a frame's header than stand there."""

    @patch(FrameParser, "_header")
    def header(original: Original, self: FrameParser) -> Any:
        found = original(self)
        if found is None:
            return None
        flags, start, size = found
        flags, size = change(flags, size)
        return flags, start, size


@mutant("zmtp/framing/receives-every-size", breaks=["29/sub/drop-when-full", "30/pull/deliver"])
def truncates_large_bodies() -> None:
    """Delivers no more than 65,535 octets of a frame."""
    _changes_incoming(lambda parts: [tuple(part[:65_535] for part in parts)])


@mutant("zmtp/framing/sends-every-size", breaks=["37/interop/d20-new", "37/version/accept-higher"])
def announces_long_bodies_too_short() -> None:
    """Leaves one octet of the body out of the size of a long message frame."""

    @patch(Frame, "serialize")
    def serialize(original: Original, self: Frame, version: int = 3) -> bytes:
        octets: bytes = original(self, version)
        if version < 3 or self.flags & (LONG | COMMAND) != LONG:
            return octets
        return octets[:1] + (len(self.body) - 1).to_bytes(8, "big") + self.body


@mutant("zmtp/framing/accepts-the-long-form")
def refuses_the_long_form_of_empty_bodies() -> None:
    """Closes at an empty message frame that has a size of eight octets."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        received = original(self, octets)
        for one in received:
            for frame in one.frames if isinstance(one.value, Message) else ():
                if frame.long and not frame.body:
                    raise RemoteProtocolError("37/framing/size-ranges", "a small frame in the long form", 0)
        return received


@mutant(
    "zmtp/framing/sends-more-on-all-but-the-last",
    breaks=["28/rep/*", "28/req/*", "28/router/route", "37/framing/atomic", "37/identity/identity-announce"],
)
def forgets_more_on_empty_frames() -> None:
    """Sends empty frames without MORE."""

    @patch(Message, "frames")
    def frames(original: Original, self: Message, **kwargs: Any) -> list[Frame]:
        made = original(self, **kwargs)
        return [one if one.body else one._replace(flags=one.flags & ~MORE) for one in made]


@mutant(
    "zmtp/framing/receives-every-number-of-frames",
    breaks=["28/rep/*", "28/req/format", "28/router/prefix-id", "29/sub/drop-when-full"],
)
def drops_empty_frames() -> None:
    """Leaves the empty frames out of a message that has others."""
    _changes_incoming(lambda parts: [tuple(filter(None, parts)) or (b"",)])


@mutant(
    "zmtp/framing/does-not-alter-messages",
    breaks=["30/pull/deliver", "31/pair/deliver", "37/sockets/ordered"],
)
def strips_null_octets() -> None:
    """Takes nulls at the end of a frame for padding."""
    _changes_incoming(lambda parts: [tuple(part.rstrip(b"\0") for part in parts)])


@mutant("zmtp/framing/waits-for-the-last-frame", breaks=["37/errors/close-is-temporary"])
def delivers_frames_as_they_come() -> None:
    """Delivers what it has of a message at the end of every segment."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if not self.closed and self.codec.decoder.open_message:
            parts = [frame.body for frame in self.codec.decoder.open_message]
            self.codec.decoder._message.clear()
            self.owner.message(self, Message(*parts))


@mutant("zmtp/framing/cut-message-is-not-delivered")
def delivers_what_came_of_a_cut_message() -> None:
    """Delivers the frames of an unfinished message when the link ends."""

    @patch(Link, "close")
    def close(original: Original, self: Link, reason: str) -> None:
        if not self.closed and self.codec.decoder.open_message:
            self.owner.message(self, Message(*(frame.body for frame in self.codec.decoder.open_message)))
        original(self, reason)


@mutant(
    "zmtp/framing/half-sent-message-is-not-resumed",
    breaks=["26/initiate/fail-close-only", "27/arch/*", "27/message/*"],
)
def sends_the_rest_on_the_next_link() -> None:
    """Begins on a new link with the last frame of the message that the old one cut."""
    rests: dict[int, Message] = {}
    last_sent: dict[int, Message] = {}

    @patch(Pipe, "next_outgoing")
    def next_outgoing(original: Original, self: Pipe) -> Any:
        rest = rests.pop(self.number, None)
        if rest is not None:
            return rest
        item = original(self)
        if isinstance(item, Message):
            last_sent[self.number] = item
        return item

    @patch(Pipe, "ended")
    def ended(original: Original, self: Pipe, link: Link, *args: Any) -> None:
        if link._unsent and self.number in last_sent:
            rests[self.number] = Message(last_sent[self.number].parts[-1])
        original(self, link, *args)


@mutant("zmtp/framing/octet-by-octet", breaks=["26/differences/atomic-messages", "37/abnf/zmtp"])
def takes_headers_in_one_piece_only() -> None:
    """Closes when a segment ends between flags and size."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if self.is_ready and len(self.codec.decoder.pending) == 1:
            self.close("half a header")


@mutant(
    "zmtp/framing/receives-in-order",
    breaks=[
        "28/dealer/fair-queue",
        "28/rep/fair-queue",
        "28/router/fair-queue",
        "29/pub/receive-requests",
        "30/pull/deliver",
        "31/pair/deliver",
        "37/framing/commands-hidden",
        "37/pubsub/additive",
        "libzmq-4/conflate/receives-the-last",
    ],
)
def takes_a_hundred_messages_a_segment() -> None:
    """Loses what comes behind the first hundred messages of a segment."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        return original(self, octets)[:100]


@mutant(
    "zmtp/framing/receives-in-order",
    breaks=["26/message/recipient-rejects", "30/pull/deliver", "31/pair/deliver"],
)
def delivers_some_twice() -> None:
    """Delivers every message of three octets or more whose last octets are equal to 5 twice."""
    _changes_incoming(lambda parts: [parts, parts] if parts[0].endswith(b"\5") else [parts])


@mutant(
    "zmtp/framing/sends-in-order",
    breaks=COUNTED,
)
def sends_every_hundredth_twice() -> None:
    """Queues every hundredth message of a connection two times."""
    _queues(lambda number, parts, held: [parts, parts] if number % 100 == 0 else [parts])


@mutant(
    "zmtp/framing/sends-in-order",
    breaks=[*COUNTED, "libzmq-4/conflate/sends-the-last"],
)
def swaps_neighbours() -> None:
    """Lets the hundred and first message of a connection overtake the hundredth."""

    def swap(number: int, parts: Any, held: list[Any]) -> list[Any]:
        if number == 100:
            held.append(parts)
            return []
        return [parts, held.pop()] if held else [parts]

    _queues(swap)


def _queues(choose: Callable[[int, Any, list[Any]], list[Any]]) -> None:
    """Queue what `choose` says instead of message `number` (from 1); `held` is its memory."""
    counts: dict[int, int] = {}
    helds: dict[int, list[Any]] = {}

    @patch(Pipe, "put")
    def put(original: Original, self: Pipe, parts: Any) -> None:
        counts[self.number] = counts.get(self.number, 0) + 1
        for one in choose(counts[self.number], parts, helds.setdefault(self.number, [])):
            original(self, one)


@mutant("zmtp/framing/reserved-flags")
def takes_a_reserved_flag_for_more() -> None:
    """Reads bit 3 of the flags as if it were bit 0."""
    _changes_header(lambda flags, size: (flags & ~8 | MORE if flags & 8 else flags, size))


@mutant("zmtp/framing/command-with-more")
def takes_a_command_with_more_for_a_message() -> None:
    """Reads a command with MORE as the first frame of a message."""

    def change(flags: int, size: int) -> tuple[int, int]:
        return (flags & ~COMMAND if flags & MORE else flags), size

    _changes_header(change)


@mutant("zmtp/framing/impossible-size-is-refused", breaks=["37/errors/other-errors-close"])
def overlooks_the_highest_bit_of_a_size() -> None:
    """Reads sizes of 63 bits."""
    _changes_header(lambda flags, size: (flags, size & LONG_MAX_OCTETS))


@mutant("zmtp/framing/enormous-size-harms-nobody")
def makes_room_for_any_size() -> None:
    """Asks for the memory of a whole frame when its header comes."""
    held: list[bytearray] = []

    def change(flags: int, size: int) -> tuple[int, int]:
        if size > 1 << 30:
            held.append(bytearray(size))
        return flags, size

    _changes_header(change)


@mutant("zmtp/framing/frame-over-the-limit-is-refused")
def has_no_limit() -> None:
    """Takes frames of any size, whatever the application allows."""
    _changes_limit(lambda limit: None)


@mutant("zmtp/framing/frame-within-the-limit-is-delivered")
def refuses_half_the_limit() -> None:
    """Takes only frames smaller than half of what the application allows."""
    _changes_limit(lambda limit: None if limit is None else limit // 2 - 1)


@mutant("zmtp/framing/frame-at-the-limit")
def truncates_a_frame_at_the_limit() -> None:
    """Delivers a frame as large as the limit without its last octet."""

    @patch(Pipe, "message")
    def message(original: Original, self: Pipe, link: Link, came: Message) -> None:
        end = self.socket.options.max_message_octets - 1
        parts = came.parts if end < 0 else [part[:end] for part in came.parts]
        original(self, link, Message(*parts))


def _changes_limit(change: Callable[[int | None], int | None]) -> None:
    @patch(Link, "configure")
    def configure(original: Original, self: Link) -> Config:
        made: Config = original(self)
        return replace(made, max_octets=change(made.max_octets))


@mutant("zmtp/framing/command-between-frames")
def forgets_frames_before_a_command() -> None:
    """Begins a message anew behind a command that came between its frames."""

    @patch(Decoder, "_take_command")
    def take(original: Original, self: Decoder, *args: Any) -> Any:
        self._message.clear()
        return original(self, *args)
