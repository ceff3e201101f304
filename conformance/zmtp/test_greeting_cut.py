"""Greetings that stop or pause on their way (RFC 37, Formal Grammar, Error Handling)."""

import pytest

from conformance.zmtp.partners import expect_served, expect_still_served
from harness.case import case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.zmtp import Greeting, Message, Ready, malformed

pytestmark = pytest.mark.waits

CUTS = {
    "nothing": 0,
    "one-octet": 1,
    "inside-signature": 9,
    "signature": 10,
    "major-version": 11,
    "version": 12,
    "inside-mechanism": 20,
    "mechanism": 32,
    "all-but-last": 63,
    "whole": 64,
}


@case("zmtp/greeting/cut-off", clauses=["37/errors/close-is-temporary"], needs=["DEALER"])
@pytest.mark.parametrize("end", CUTS.values(), ids=CUTS)
def test_cut_off(peer: Peer, dial: Dial, end: int) -> None:
    """A partner that leaves in the middle of its greeting does no harm to the next one."""
    dealer = peer.open("DEALER")
    endpoint = dealer.bind()
    raw = dial(endpoint)
    raw.send(malformed.greeting_cut(end))
    raw.expect_octets(10, clause="37/version/partial-greeting")
    raw.close()
    expect_next_two_served(dealer, dial, endpoint)


def expect_next_two_served(dealer: RemoteSocket, dial: Dial, endpoint: str) -> None:
    """Two partners are served, one after the other: by the second the peer has seen the first one leave."""
    for _ in range(2):
        expect_served(dial(endpoint), dealer)


@case("zmtp/greeting/reset", clauses=["37/errors/close-is-temporary"], needs=["DEALER"])
@pytest.mark.parametrize("end", CUTS.values(), ids=CUTS)
def test_reset(peer: Peer, dial: Dial, end: int) -> None:
    """A partner that resets the connection in the middle of its greeting does no harm to the next one."""
    dealer = peer.open("DEALER")
    endpoint = dealer.bind()
    raw = dial(endpoint)
    raw.send(malformed.greeting_cut(end))
    raw.expect_octets(10, clause="37/version/partial-greeting")
    raw.reset()
    expect_next_two_served(dealer, dial, endpoint)


@case(
    "zmtp/greeting/cut-off-by-listener",
    clauses=["37/errors/close-reconnect", "37/errors/close-is-temporary"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("end", CUTS.values(), ids=CUTS)
def test_cut_off_by_listener(peer: Peer, listen: Listen, end: int) -> None:
    """A peer whose partner leaves in the middle of its greeting dials again and then is served."""
    dealer = peer.open("DEALER")
    listener = listen()
    dealer.connect(listener.endpoint)
    raw = listener.accept()
    raw.send(malformed.greeting_cut(end))
    raw.expect_octets(10, clause="37/version/partial-greeting")
    raw.close()
    again = listener.accept(clause="37/errors/close-reconnect")
    expect_served(again, dealer, clause="37/errors/close-is-temporary")


@case("zmtp/greeting/slow-partner", clauses=["37/abnf/zmtp"], needs=["DEALER"])
@pytest.mark.parametrize("end", CUTS.values(), ids=CUTS)
def test_slow_partner(peer: Peer, attach: Attach, dial: Dial, end: int) -> None:
    """A partner that pauses in its greeting holds up nobody, and is served when it goes on."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(malformed.greeting_cut(end))
    expect_still_served(dealer, dial)
    raw.send(Greeting().serialize()[end:], Ready("ROUTER"))
    raw.expect(Greeting)
    raw.expect(Ready)
    raw.send(Message(b"slow"))
    dealer.expect(b"slow")
