"""What the mutants of ZMTP 1.0 and 2.0 share: other octets, other headers, other messages, in one version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Connection, Frame, FrameParser, Message, RemoteProtocolError
from harness.zmtp.grammar import LONG, MORE
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from tests.mutants.registry import patch

Original = Callable[..., Any]
Header = tuple[int, int, int]
HEADER = {1: "_header_v1", 2: "_header"}


def writes(version: int, socket_type: str | None, change: Callable[[Message], bytes]) -> None:
    """Let sockets of a type (None: of all) write these octets for messages to partners of that version."""

    @patch(Connection, "send")
    def send(original: Original, self: Connection, value: Any) -> None:
        mine = socket_type in (None, self.config.socket_type)
        if self.version == version and mine and isinstance(value, Message):
            self._out += change(value)
        else:
            original(self, value)


def reads(version: int, change: Callable[[FrameParser, Header], Header]) -> None:
    """Let the peer read another header (flags, where the body begins, its size) than stands there."""

    @patch(FrameParser, HEADER[version])
    def header(original: Original, self: FrameParser) -> Header | None:
        found: Header | None = original(self)
        return found if found is None or self.version != version else change(self, found)


def takes(version: int, change: Callable[[Link, tuple[bytes, ...]], tuple[bytes, ...]]) -> None:
    """Let sockets get other messages than came from partners of that version."""

    @patch(Pipe, "message")
    def message(original: Original, self: Pipe, link: Link, came: Message) -> None:
        parts = change(link, came.parts) if link.version == version else came.parts
        original(self, link, Message(*parts))


def writes_frames(version: int, change: Callable[[Frame], bytes]) -> None:
    """Let the peer write each frame of a message to partners of that version like this."""
    writes(version, None, lambda message: b"".join(change(frame) for frame in message.frames()))


def forgets_more_on_empty_frames(version: int) -> None:
    """Let the peer send empty frames as if each were the last."""
    empty = Frame.of(b"").serialize(version)
    writes_frames(version, lambda frame: frame.serialize(version) if frame.body else empty)


def ends_messages_at_empty_frames(version: int) -> None:
    """Let the peer overlook MORE on empty frames."""
    reads(version, lambda _, header: (header[0] & ~MORE, *header[1:]) if header[2] == 0 else header)


def refuses_needless_long_form(version: int, octets: int, clause: str) -> None:
    """Let the peer close on a long frame whose body has less than so many octets."""

    def change(parser: FrameParser, header: Header) -> Header:
        if header[0] & LONG and header[2] < octets:
            raise RemoteProtocolError(clause, "long without need", parser.offset)
        return header

    reads(version, change)


def wants_header_in_one_piece(version: int, clause: str) -> None:
    """Let the peer close where a read ends behind the first octet of a frame."""

    @patch(FrameParser, HEADER[version])
    def header(original: Original, self: FrameParser) -> Any:
        if self.version == version and len(self.pending) == 1:
            raise RemoteProtocolError(clause, "half a header", self.offset)
        return original(self)
