"""Messages between two implementations: each as sent, in order, for every valid pair of socket types."""

import pytest

from conformance.interop.line import (
    BODY_OCTETS,
    NEEDS,
    PATTERNS,
    UNCHANGED,
    of_types,
    open_line,
    open_speaking,
    without,
)
from harness.case import case
from harness.pairing import Pairing

EXCHANGES = 20
MANY = 500
SHAPES = {
    "sizes": [[b"x" * size] for size in (0, 1, 255, 256, 65_535, 65_536)],
    "frames": [[b"a", b"b", b"c"], [b"head", b"x" * 256, b"y" * 65_536], [b"%d" % n for n in range(100)]],
    "empty-frames": [[b"", b""], [b"a", b""], [b"", b"b", b""], [b"", b"", b"", b"behind"]],
    "octets": [[bytes(range(256))], [b"\xf4" + bytes(range(255, -1, -1))], [b"\n", b"\r\n", b"\xff\xfe"]],
}
FIRST = {"one-frame": [b"first"], "two-frames": [b"first", b"message"]}
LARGE_OCTETS = 1 << 20
ROUTER_ROUTER = [("ROUTER", "ROUTER")]
OTHERS = [pattern for pattern in PATTERNS if pattern not in ROUTER_ROUTER]
IDENTITIES = ["ROUTER", "option:identity"]
AS_SENT = [*UNCHANGED, "37/sockets/ordered", "37/sockets/bind-and-connect"]


@case("interop/messages/lockstep", clauses=AS_SENT, needs=NEEDS)
@of_types(OTHERS)
def test_lockstep(pair: Pairing, first_type: str, second_type: str) -> None:
    """Twenty messages arrive one after the other, each answered where messages go both ways."""
    exchange_many(pair, first_type, second_type)


@case(
    "interop/messages/first-waits-for-its-receiver",
    clauses=[*UNCHANGED, "28/req/block-no-peer", "28/dealer/block-none", "30/push/block-none"],
    needs=NEEDS,
)
@pytest.mark.parametrize("parts", FIRST.values(), ids=FIRST)
@of_types([*without("PUB", "XPUB", "ROUTER"), ("REQ", "ROUTER"), ("DEALER", "ROUTER")])
def test_first_waits_for_its_receiver(
    pair: Pairing, first_type: str, second_type: str, parts: list[bytes]
) -> None:
    """What is sent before there can be anybody to send to arrives as it is, once somebody connects."""
    line = open_speaking(pair, first_type, second_type, *parts)
    line.expect_wire()


@case("interop/messages/lockstep-by-identity", clauses=["28/router/route", *AS_SENT], needs=IDENTITIES)
@of_types(ROUTER_ROUTER)
def test_lockstep_by_identity(pair: Pairing, first_type: str, second_type: str) -> None:
    """Two ROUTERs that know each other's identity reach each other by it, message by message."""
    exchange_many(pair, first_type, second_type)


def exchange_many(pair: Pairing, first_type: str, second_type: str) -> None:
    """One exchange after the other; all that was said, and nothing else, went over the wire."""
    line = open_line(pair, first_type, second_type)
    for number in range(EXCHANGES):
        line.exchange(b"message %d" % number)
    line.expect_wire()


@case("interop/messages/many", clauses=["37/sockets/ordered", "37/framing/not-altered"], needs=NEEDS)
@of_types(without("REQ", "REP", "ROUTER"))
def test_many(pair: Pairing, first_type: str, second_type: str) -> None:
    """Five hundred messages in one go all arrive, in order, and so do as many back."""
    line = open_line(pair, first_type, second_type)
    line.flood(MANY, BODY_OCTETS, line.speaker)
    line.flood_back(MANY, BODY_OCTETS)


@case("interop/messages/many-through-router", clauses=["37/sockets/ordered", "28/router/route"], needs=NEEDS)
@of_types([("DEALER", "ROUTER")])
def test_many_through_router(pair: Pairing, first_type: str, second_type: str) -> None:
    """Five hundred messages in one go reach a ROUTER, and as many go back where they came from."""
    line = open_line(pair, first_type, second_type)
    line.exchange(b"the route is known")
    line.flood(MANY, BODY_OCTETS, line.speaker)
    line.flood_back(MANY, BODY_OCTETS)


@case(
    "interop/messages/shapes",
    clauses=[*UNCHANGED, "37/framing/size-ranges", "37/framing/size-excludes-header"],
    needs=NEEDS,
)
@pytest.mark.parametrize("shape", SHAPES)
@of_types(OTHERS)
def test_shapes(pair: Pairing, first_type: str, second_type: str, shape: str) -> None:
    """Messages of one and of many frames, empty, short and long, arrive as they were sent."""
    line = open_line(pair, first_type, second_type)
    for parts in SHAPES[shape]:
        line.exchange(*parts)
    line.expect_wire()


@case("interop/messages/large", clauses=["37/framing/not-altered", "37/framing/size-ranges"], needs=NEEDS)
@of_types(OTHERS)
def test_large(pair: Pairing, first_type: str, second_type: str) -> None:
    """A message of one mebibyte arrives whole, and so does one back."""
    line = open_line(pair, first_type, second_type)
    line.exchange(b"the route is known")
    line.flood(1, LARGE_OCTETS, line.speaker)
    line.flood_back(1, LARGE_OCTETS)
