"""Partners of ZMTP 1.0 and 2.0 that announce what they do not have (RFC 13 and 15, Framing)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.hostile.aftermath import OTHERS_SERVED
from conformance.hostile.memory import Footprint
from conformance.zmtp10 import ends as zmtp10
from conformance.zmtp20 import ends as zmtp20
from harness.case import case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach
from harness.wire.rawpeer import RawPeer
from harness.zmtp import LegacyGreeting, Message, malformed
from harness.zmtp.grammar import LONG, MORE

SIZES = {
    "two-to-the-32": 1 << 32,
    "two-to-the-40": 1 << 40,
    "two-to-the-63-less-one": (1 << 63) - 1,
    "two-to-the-63": 1 << 63,
    "all-ones": (1 << 64) - 1,
}
MEET: dict[str, Callable[[RawPeer], RawPeer]] = {
    "1.0": zmtp10.meet,
    "2.0": lambda raw: zmtp20.meet(raw, "PUSH"),
}
CROWD = 3


def announcing(version: str, size: int, flags: int = 0) -> bytes:
    """The head of a frame of that version that announces `size` octets, and four of them."""
    if version == "1.0":
        return malformed.frame_of_1_0(flags, b"some", size, long=True)
    return malformed.frame(LONG | flags, b"some", size)


@case(
    "hostile/older/enormous-length",
    clauses=[OTHERS_SERVED, "13/framing/oversize-reject", "15/framing/long-bit"],
    needs=["PULL", "zmtp:{version}"],
    security=True,
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("version", MEET)
def test_enormous_length(peer: Peer, attach: Attach, version: str, size: int) -> None:
    """Frames of old versions that announce more than any memory holds cost at most their links."""
    pull, steady = served(peer, attach, version)
    footprint = Footprint(peer)
    crowd = [MEET[version](attach(pull)) for _ in range(CROWD)]
    for raw, flags in zip(crowd, (0, MORE, 0), strict=True):
        raw.send(announcing(version, size, flags))
    expect_aftermath(pull, steady, attach, version)
    footprint.expect_bounded()


@case(
    "hostile/older/enormous-identity",
    clauses=[OTHERS_SERVED, "13/connection/ident-len"],
    needs=["PULL", "zmtp:1.0"],
    security=True,
)
@pytest.mark.parametrize("size", [256, 1 << 20, *SIZES.values()], ids=["256", "1-MiB", *SIZES])
def test_enormous_identity(peer: Peer, attach: Attach, size: int) -> None:
    """A greeting of ZMTP 1.0 that announces more than an identity can have costs at most its link."""
    pull, steady = served(peer, attach, "1.0")
    footprint = Footprint(peer)
    crowd = [attach(pull) for _ in range(CROWD)]
    for raw in crowd:
        raw.send(announcing("1.0", size))
    expect_aftermath(pull, steady, attach, "1.0")
    footprint.expect_bounded()


@case(
    "hostile/older/stops-anywhere",
    clauses=[OTHERS_SERVED],
    needs=["PULL", "zmtp:{version}"],
    security=True,
)
@pytest.mark.parametrize("version", MEET)
def test_stops_anywhere(peer: Peer, attach: Attach, version: str) -> None:
    """Links of old versions that stop and leave behind any octet of theirs hold up no other link."""
    pull, steady = served(peer, attach, version)
    greeting = LegacyGreeting(None, None, b"bob") if version == "1.0" else LegacyGreeting(1, "PUSH", b"bob")
    octets = greeting.serialize() + Message(b"never", b"whole").serialize(int(version[0]))
    for end in range(len(octets)):
        raw = attach(pull)
        raw.send(octets[:end])
        steady.send(Message(b"steady", b"%d" % end))
        pull.expect(b"steady", b"%d" % end, clause=OTHERS_SERVED)
        raw.close()
    expect_aftermath(pull, steady, attach, version)


def served(peer: Peer, attach: Attach, version: str) -> tuple[RemoteSocket, RawPeer]:
    """A PULL and a partner of that version that it has served."""
    pull = peer.open("PULL")
    steady = MEET[version](attach(pull))
    steady.send(Message(b"first"))
    pull.expect(b"first")
    return pull, steady


def expect_aftermath(pull: RemoteSocket, steady: RawPeer, attach: Attach, version: str) -> None:
    """Who was there before is served, so is who comes now, and nothing else has been delivered."""
    steady.send(Message(b"steady"))
    pull.expect(b"steady", clause=OTHERS_SERVED)
    MEET[version](attach(pull)).send(Message(b"fresh"))
    pull.expect(b"fresh", clause=OTHERS_SERVED)
    pull.expect_empty(OTHERS_SERVED)
