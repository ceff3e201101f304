"""Messages: one or more frames that travel and arrive together.

Sources: RFC 37, "Framing", Messages; RFC 23 and 15 for subscriptions as messages.
"""

from dataclasses import dataclass

from .frames import Frame


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """The bodies of a message's frames, first to last: `Message(b"a", b"b")` has two."""

    parts: tuple[bytes, ...]

    def __init__(self, *parts: bytes) -> None:
        object.__setattr__(self, "parts", parts or (b"",))

    def frames(self, *, long: bool | None = None) -> list[Frame]:
        """MORE on all but the last. `long` True forces the long form (RFC 37, Framing)."""
        last = len(self.parts) - 1
        return [Frame.of(part, more=n < last, long=long) for n, part in enumerate(self.parts)]

    def serialize(self, version: int = 3, *, long: bool | None = None) -> bytes:
        """The octets in the framing of ZMTP 1.0, 2.0 or 3.x (`version` 1, 2, 3)."""
        return b"".join(frame.serialize(version) for frame in self.frames(long=long))


def subscription(prefix: bytes) -> Message:
    """The message that subscribes in ZMTP 3.0 and 2.0: octet 01, then the prefix."""
    return Message(b"\x01" + prefix)


def cancellation(prefix: bytes) -> Message:
    """The message that cancels a subscription in ZMTP 3.0 and 2.0: octet 00, then the prefix."""
    return Message(b"\x00" + prefix)
