"""Versions: what a peer announces, whom it accepts, and what it does with older partners.

Sources: RFC 37, Version Negotiation and Backwards Interoperability; RFC 23, Version Negotiation.
"""

import pytest

from conformance.zmtp.partners import (
    expect_exchange,
    expect_served_or_closed,
    expect_still_served,
    last_received,
)
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Greeting, LegacyGreeting, Ready

HIGHER = {
    "3.2": (3, 2),
    "3.255": (3, 255),
    "4.0": (4, 0),
    "4.1": (4, 1),
    "127.1": (127, 1),
    "255.255": (255, 255),
}
LOWER: dict[str, Greeting | LegacyGreeting] = {
    "3.0": Greeting(version=(3, 0)),
    "2.0": LegacyGreeting(1, "ROUTER"),
    "2.0-revision-2": LegacyGreeting(2, "ROUTER"),
    "1.0": LegacyGreeting(None),
    "1.0-identity": LegacyGreeting(None, None, b"bob"),
    "1.0-long-identity": LegacyGreeting(None, None, b"b" * 255),
}


# -- what the peer announces ------------------------------------------------------------------------


@case("zmtp/version/own-major", clauses=["37/abnf/version-major", "37/abnf/version"], needs=["DEALER"])
def test_own_major(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The major version announced is 3, in the octet before the minor one."""
    greeting = attach(peer.open("DEALER")).greet()
    judge.equal(greeting.version[0], 3)


@case("zmtp/version/own-minor", clauses=["37/abnf/version-minor"], needs=["DEALER", "zmtp:3.1"])
def test_own_minor(peer: Peer, attach: Attach) -> None:
    """A peer of ZMTP 3.1 announces minor version 1."""
    raw = attach(peer.open("DEALER"))
    raw.send(Greeting())
    raw.expect(Greeting, version=(3, 1))


# -- partners of the same or a higher version -------------------------------------------------------


@case(
    "zmtp/version/accepts-higher",
    clauses=["37/version/accept-higher", "37/version/accept-ge-31"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("version", HIGHER.values(), ids=HIGHER)
def test_accepts_higher(peer: Peer, attach: Attach, version: tuple[int, int]) -> None:
    """A partner of a higher version is served."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(Greeting(version=version))
    raw.expect(Greeting)
    raw.send(Ready("ROUTER"))
    raw.expect(Ready)
    expect_exchange(raw, dealer, b"", b"l" * 300)


@case("zmtp/version/accepts-3-1", clauses=["37/version/accept-ge-31"], needs=["DEALER"])
def test_accepts_3_1(peer: Peer, attach: Attach) -> None:
    """A partner of version 3.1 is served."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(Greeting(version=(3, 1)))
    raw.expect(Greeting)
    raw.send(Ready("ROUTER"))
    raw.expect(Ready)
    expect_exchange(raw, dealer, b"same", b"version")


@case("zmtp/version/own-protocol", clauses=["37/version/own-protocol"], needs=["SUB"])
@pytest.mark.parametrize("version", HIGHER.values(), ids=HIGHER)
def test_own_protocol(peer: Peer, attach: Attach, version: tuple[int, int]) -> None:
    """With a partner of a higher version the peer speaks its own, as with a partner of version 3.1."""
    sub = peer.open("SUB")
    sub.subscribe(b"news")
    equal = attach(sub)
    own = equal.greet().version
    equal.send(Ready("PUB"))
    ready = equal.expect(Ready, clause="37/null/server-ready-reply")
    equal.expect_subscription(b"news")
    higher = attach(sub)
    higher.send(Greeting(version=version))
    higher.expect(Greeting, version=own)
    higher.send(Ready("PUB"))
    higher.expect(Ready, socket_type=ready.socket_type)
    higher.expect(last_received(equal).value)


# -- partners of a lower version, asked of any peer -------------------------------------------------


@case(
    "zmtp/version/serves-or-closes",
    clauses=["37/version/cannot-downgrade-close", "37/errors/close-is-temporary"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("greeting", LOWER.values(), ids=LOWER)
def test_serves_or_closes(
    peer: Peer, attach: Attach, dial: Dial, judge: Judge, greeting: Greeting | LegacyGreeting
) -> None:
    """A partner of a lower version is served in its protocol, or closed on before anything is delivered."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    judge.note(expect_served_or_closed(raw, dealer, greeting))
    raw.close()
    expect_still_served(dealer, dial, clause="37/errors/close-is-temporary")


@case("zmtp/version/serves-3-0", clauses=["37/interop/d20-new", "23/version/accept-ge-30"], needs=["DEALER"])
def test_serves_3_0(peer: Peer, attach: Attach) -> None:
    """A partner of version 3.0 ought to be served."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.send(Greeting(version=(3, 0)))
    raw.expect(Greeting)
    raw.send(Ready("ROUTER"))
    raw.expect(Ready)
    expect_exchange(raw, dealer, b"", b"l" * 300)
