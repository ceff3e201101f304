"""The greeting: the first 64 octets (RFC 37, Formal Grammar, Version Negotiation)."""

import pytest

from harness.case import case
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.zmtp import Greeting, Ready

PADDINGS = {
    "zero": bytes(8),
    "identity-size-plus-one": bytes(7) + b"\x01",
    "all-ones": b"\xff" * 8,
}


@case("zmtp/greeting/padding-is-not-significant", clauses=["37/version/padding-no-meaning"], needs=["DEALER"])
@pytest.mark.parametrize("padding", PADDINGS.values(), ids=PADDINGS)
def test_padding_is_not_significant(peer: Peer, attach: Attach, padding: bytes) -> None:
    """The handshake completes whatever octets fill the signature's padding."""
    raw = attach(peer.open("DEALER"))
    raw.send(Greeting(padding=padding))
    raw.expect(Greeting, mechanism="NULL", as_server=0)
    raw.send(Ready("ROUTER"))
    raw.expect(Ready, socket_type="DEALER")
