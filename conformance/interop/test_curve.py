"""CURVE between two implementations: the one's server opens what the other's client boxes (RFC 26)."""

from __future__ import annotations

from typing import Any

from conformance.curve.ends import CLIENT_NEEDS, OF_CLIENT, OF_OTHERS, OF_SERVER, SERVER_NEEDS
from conformance.interop.line import NEEDS, PATTERNS, of_types, open_line
from conformance.interop.sides import join, of_sides, roles, says
from harness.case import Judge, case
from harness.pairing import Pairing
from harness.zmtp import CurveWelcome

SERVER: dict[str, Any] = {
    "curve_server": True, "curve_public_key": OF_SERVER.public, "curve_secret_key": OF_SERVER.secret,
}  # fmt: skip
OWN_KEYS = {"curve_public_key": OF_CLIENT.public, "curve_secret_key": OF_CLIENT.secret}
CLIENT: dict[str, Any] = {"curve_server_key": OF_SERVER.public, **OWN_KEYS}
ROLES = roles(SERVER_NEEDS, CLIENT_NEEDS)
MESSAGES = [(b"short",), (b"", b"x" * 256, b""), (b"y" * 65_536,)]


@case(
    "interop/curve/opens-each-others-boxes",
    clauses=[
        "26/abnf/curvezmq",
        "26/abnf/message-box",
        "26/message/recipient-rejects",
        "37/topology/bind-either",
    ],
    needs=[*NEEDS, *ROLES],
)
@of_sides
@of_types(PATTERNS)
def test_opens_each_others_boxes(
    pair: Pairing, first_type: str, second_type: str, server: str, client: str
) -> None:
    """Messages of every size pass in boxes, whichever of server and client binds."""
    line = open_line(pair, first_type, second_type, {server: SERVER, client: CLIENT})
    for message in MESSAGES:
        line.exchange(*message)


@case(
    "interop/curve/many-boxes",
    clauses=["26/hello/nonce-incrementing", "26/ready/server-nonce-incrementing"],
    needs=["first:DEALER", "second:DEALER", *ROLES],
)
@of_sides
def test_many_boxes(pair: Pairing, server: str, client: str) -> None:
    """More messages than one octet can count come in order, both ways."""
    line = open_line(pair, "DEALER", "DEALER", {server: SERVER, client: CLIENT})
    line.flood(1_000, 100, line.speaker)
    line.flood_back(1_000, 100)


@case(
    "interop/curve/other-servers-key",
    clauses=["26/hello/server-rejects"],
    needs=["{server}:PULL", "{client}:PUSH", *ROLES],
)
@of_sides
def test_other_servers_key(pair: Pairing, server: str, client: str) -> None:
    """Who has another server's key is disconnected; who has the right one is served beside it."""
    peers = {"first": pair.first, "second": pair.second}
    pull = peers[server].open("PULL", **SERVER)
    stranger = peers[client].open("PUSH", curve_server_key=OF_OTHERS.public, **OWN_KEYS)
    friend = peers[client].open("PUSH", **CLIENT)
    joint = join(pair, server, pull, stranger)
    joint.wait_for(joint.has_ended, "the stranger's connection ends")
    Judge.that(not says(joint, pull, CurveWelcome), "no WELCOME for a stranger", "WELCOME")
    join(pair, server, pull, friend)
    friend.send([b"friend"])
    pull.expect(b"friend")
