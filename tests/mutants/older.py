"""What the mutants of ZMTP 1.0 and 2.0 share: other octets, other headers, other messages, in one version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Connection, FrameParser, Message
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
