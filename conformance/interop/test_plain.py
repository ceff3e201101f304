"""PLAIN between two implementations: the one's server lets in the other's client, or does not (RFC 24)."""

from typing import Any

from conformance.interop.line import NEEDS, PATTERNS, of_types, open_line
from conformance.interop.sides import join, of_sides, roles, says
from conformance.plain.ends import CLIENT_NEEDS, SERVER_NEEDS
from harness.case import Judge, case
from harness.pairing import Pairing
from harness.zmtp import Hello, Welcome

USER, PASSWORD = b"admin", b"secret"
CLIENT: dict[str, Any] = {"plain_username": USER, "plain_password": PASSWORD}
SERVER: dict[str, Any] = {"plain_server": True, "plain_passwords": [(USER, PASSWORD)]}
ROLES = roles(SERVER_NEEDS, CLIENT_NEEDS)


@case(
    "interop/plain/good-credentials",
    clauses=["24/abnf/plain", "24/flow/server-welcome", "24/flow/client-initiate", "37/topology/bind-either"],
    needs=[*NEEDS, *ROLES],
)
@of_sides
@of_types(PATTERNS)
def test_good_credentials(pair: Pairing, first_type: str, second_type: str, server: str, client: str) -> None:
    """Messages pass between a server and a client that has good credentials, whichever of them binds."""
    line = open_line(pair, first_type, second_type, {server: SERVER, client: CLIENT})
    line.exchange(b"short")
    line.exchange(b"x" * 256, b"", b"y")
    line.expect_wire()


@case(
    "interop/plain/wrong-password",
    clauses=["24/flow/server-reject-close", "24/flow/server-welcome"],
    needs=["{server}:PULL", "{client}:PUSH", *ROLES],
)
@of_sides
def test_wrong_password(pair: Pairing, server: str, client: str) -> None:
    """Nothing comes from a client whose password is wrong, and its neighbour with the right one is served."""
    peers = {"first": pair.first, "second": pair.second}
    pull = peers[server].open("PULL", **SERVER)
    stranger = peers[client].open("PUSH", plain_username=USER, plain_password=b"guess!")
    friend = peers[client].open("PUSH", **CLIENT)
    joint = join(pair, server, pull, stranger)
    joint.wait_for(lambda: says(joint, stranger, Hello), "HELLO")
    join(pair, server, pull, friend)
    friend.send([b"fence"])
    pull.expect(b"fence")
    pull.expect_empty()
    Judge.that(not says(joint, pull, Welcome), "no WELCOME for a wrong password", "WELCOME")
