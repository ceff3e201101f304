"""What cases about groups do with raw ends again and again (RFC 48; RFC 37, Radio-Dish)."""

from __future__ import annotations

from conformance.pubsub.probe import Audience, octets
from harness.peer import RemoteSocket
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Join, Leave

GROUPS = {
    "text": b"group",
    "empty": b"",
    "255": b"g" * 255,
    "octets": bytes(range(1, 256)),
}
NO_GROUPS = {"256": b"g" * 256, "zero-first": b"\0group", "zero-inside": b"gr\0up"}
BODIES = {"text": (b"body"), "empty": b"", "255": octets(255), "256": octets(256), "65536": octets(65_536)}


class Member(Audience):
    """A raw DISH at a RADIO under test."""

    fence = b"~fence-"

    def join(self, *groups: bytes) -> None:
        """Join each of these, without waiting."""
        self.raw.send(*map(Join, groups))

    def leave(self, *groups: bytes) -> None:
        """Leave each of these, without waiting."""
        self.raw.send(*map(Leave, groups))

    def open_fence(self) -> bytes:
        """The group of a new fence, joined."""
        group = super().open_fence()
        self.join(group)
        return group


def member(raw: RawPeer, radio: RemoteSocket, *groups: bytes) -> Member:
    """A raw DISH after its handshake, a member of these groups as far as the RADIO is concerned."""
    made = Member(raw.handshake("DISH"), radio, "48/radio/receive-commands")
    made.join(*groups)
    made.settle()
    return made


def radio_of(raw: RawPeer, *groups: bytes) -> RawPeer:
    """A raw RADIO after its handshake with a DISH under test, which has told it these groups in any order."""
    raw.handshake("RADIO")
    told = {raw.expect(Join, clause="37/radiodish/join-command").group for _ in groups}
    if told != set(groups):
        raise raw.mismatch(f"JOIN of {sorted(groups)}", f"of {sorted(told)}", "37/radiodish/join-command")
    return raw
