"""Old versions: how a peer that claims ZMTP 2.0 or 1.0 serves partners that speak nothing newer.

Sources: RFC 37, Backwards Interoperability; RFC 15; RFC 13.
"""

import pytest

from conformance.pubsub.probe import Subscriber
from conformance.zmtp.partners import (
    MORE_THAN_A_GREETING,
    expect_exchange,
    expect_legacy_greeting,
    expect_routed,
    last_received,
    publish_until_heard,
)
from conformance.zmtp.traffic import closed_or_served
from harness.case import Judge, case
from harness.peer import Peer, show_parts
from harness.pytest_fixtures import Attach, Dial
from harness.verdict import Mismatch
from harness.zmtp import LegacyGreeting, Message, cancellation, subscription

ROUTER_OF_2_0 = LegacyGreeting(1, "ROUTER")
ROUTER_OF_REVISION_2 = LegacyGreeting(2, "ROUTER")
ANONYMOUS = LegacyGreeting(None)
SIZES_OF_2_0 = {"empty": 0, "one": 1, "short-limit": 255, "long": 256, "larger": 70_000}
SIZES_OF_1_0 = {"empty": 0, "one": 1, "short-limit": 253, "long": 254, "longer": 255, "larger": 70_000}
PARTNER_OF = {
    "PAIR": "PAIR",
    "PUB": "SUB",
    "SUB": "PUB",
    "REQ": "REP",
    "REP": "REQ",
    "DEALER": "ROUTER",
    "ROUTER": "DEALER",
    "PULL": "PUSH",
    "PUSH": "PULL",
}
IDENTITIES = {"one": b"a", "text": b"alice", "longest-short-of-1.0": b"i" * 253, "longest": b"i" * 255}


# -- partners of ZMTP 2.0, asked of a peer that claims it --------------------------------------------


@case(
    "zmtp/version/serves-2-0",
    clauses=[
        "37/interop/d20-old",
        "15/interop/lsb-one-is-v2",
        "15/interop/use-v2-framing",
        "15/grammar/abnf-connection",
        "15/grammar/abnf-final-frame",
        "15/grammar/abnf-more-frame",
        "15/framing/length-body-only",
        "15/framing/more-meaning",
        "15/framing/long-bit",
    ],
    needs=["DEALER", "zmtp:2.0"],
)
@pytest.mark.parametrize("size", SIZES_OF_2_0.values(), ids=SIZES_OF_2_0)
def test_serves_2_0(peer: Peer, attach: Attach, size: int) -> None:
    """Messages go both ways in the framing of ZMTP 2.0."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    expect_legacy_greeting(raw, ROUTER_OF_2_0, socket_type="DEALER")
    expect_exchange(raw, dealer, b"a" * size)
    expect_exchange(raw, dealer, b"a" * size, b"", b"last")


@case("zmtp/version/serves-revision-2", clauses=["37/interop/d20-old"], needs=["DEALER", "zmtp:2.0"])
def test_serves_revision_2(peer: Peer, attach: Attach) -> None:
    """A version octet of 2 means ZMTP 2.0 as well as one of 1."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.framing = 2
    raw.send(ROUTER_OF_REVISION_2, MORE_THAN_A_GREETING)
    raw.expect(LegacyGreeting, socket_type="DEALER")
    dealer.expect(*MORE_THAN_A_GREETING.parts)
    expect_exchange(raw, dealer, b"old", b"", b"partner")


@case(
    "zmtp/version/own-greeting-in-2-0",
    clauses=[
        "15/grammar/abnf-socket-type",
        "15/grammar/abnf-greeting",
        "15/grammar/abnf-revision",
        *(f"15/grammar/abnf-{name.lower()}" for name in PARTNER_OF),
    ],
    needs=["{socket_type}", "zmtp:2.0"],
)
@pytest.mark.parametrize("socket_type", PARTNER_OF)
def test_own_greeting_in_2_0(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """The greeting tells the socket type by its octet; the revision octet is 1, or the peer's own version."""
    raw = attach(peer.open(socket_type))
    greeting = expect_legacy_greeting(
        raw,
        LegacyGreeting(1, PARTNER_OF[socket_type]),
        f"15/grammar/abnf-{socket_type.lower()}",
        socket_type=socket_type,
    )
    judge.that(greeting.revision in (1, 3), "1 or 3", greeting.revision, "15/grammar/abnf-revision")


@case(
    "zmtp/version/xpub-as-pub-in-2-0", clauses=["15/pubsub/xpub-as-pub"], needs=["{socket_type}", "zmtp:2.0"]
)
@pytest.mark.parametrize(("socket_type", "shown"), [("XPUB", "PUB"), ("XSUB", "SUB")])
def test_xpub_as_pub_in_2_0(peer: Peer, attach: Attach, socket_type: str, shown: str) -> None:
    """To a partner of ZMTP 2.0 XPUB and XSUB present themselves as PUB and SUB."""
    raw = attach(peer.open(socket_type))
    expect_legacy_greeting(raw, LegacyGreeting(1, PARTNER_OF[shown]), socket_type=shown)


@case(
    "zmtp/version/own-identity-in-2-0",
    clauses=["15/grammar/abnf-identity"],
    needs=["DEALER", "option:identity", "zmtp:2.0"],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_own_identity_in_2_0(peer: Peer, attach: Attach, identity: bytes) -> None:
    """The greeting ends with the peer's identity in a short frame, and messages follow."""
    dealer = peer.open("DEALER", identity=identity)
    raw = attach(dealer)
    expect_legacy_greeting(raw, ROUTER_OF_2_0, identity=identity)
    expect_exchange(raw, dealer, b"behind", b"identity")


@case(
    "zmtp/version/routes-to-2-0",
    clauses=["37/interop/d20-old", "15/grammar/abnf-identity"],
    needs=["ROUTER", "zmtp:2.0"],
)
def test_routes_to_2_0(peer: Peer, attach: Attach) -> None:
    """A partner of ZMTP 2.0 is addressed by the identity in its greeting."""
    router = peer.open("ROUTER")
    raw = attach(router)
    expect_legacy_greeting(raw, LegacyGreeting(1, "DEALER", b"bob"))
    expect_routed(router, raw, b"bob")


@case(
    "zmtp/version/subscribes-in-2-0",
    clauses=["15/pubsub/sub-msg", "15/pubsub/unsub-msg"],
    needs=["SUB", "zmtp:2.0"],
)
def test_subscribes_in_2_0(peer: Peer, attach: Attach) -> None:
    """A subscription is a message of 01 and the topic, its cancellation one of 00 and the topic."""
    sub = peer.open("SUB")
    sub.subscribe(b"news")
    raw = attach(sub)
    expect_legacy_greeting(raw, LegacyGreeting(1, "PUB"), socket_type="SUB")
    raw.expect(subscription(b"news"), clause="15/pubsub/sub-msg")
    raw.send(Message(b"news", b"today"))
    sub.expect(b"news", b"today")
    sub.cancel(b"news")
    raw.expect(cancellation(b"news"), clause="15/pubsub/unsub-msg")


@case(
    "zmtp/version/publishes-in-2-0",
    clauses=["15/pubsub/sub-msg", "15/pubsub/unsub-msg"],
    needs=["PUB", "zmtp:2.0"],
)
def test_publishes_in_2_0(peer: Peer, attach: Attach) -> None:
    """A publisher follows the subscriptions and cancellations that are messages of ZMTP 2.0."""
    pub = peer.open("PUB")
    raw = attach(pub)
    expect_legacy_greeting(raw, LegacyGreeting(1, "SUB"), socket_type="PUB")
    subscriber = Subscriber(raw, pub, "15/pubsub/sub-msg", by_message=True)
    subscriber.subscribe(b"news", b"more")
    subscriber.settle("15/pubsub/sub-msg")
    pub.send([b"other", b"hidden"])
    pub.send([b"newspaper", b"today"])
    subscriber.expect(b"newspaper", b"today", clause="15/pubsub/sub-msg")
    subscriber.cancel(b"news")
    subscriber.settle("15/pubsub/unsub-msg")
    pub.send([b"news", b"late"])
    pub.send([b"more", b"last"])
    subscriber.expect(b"more", b"last", clause="15/pubsub/unsub-msg")


@case(
    "zmtp/version/refuses-type-in-2-0",
    clauses=["15/compat/enforce-type", "15/compat/mismatch-disconnect"],
    needs=["DEALER", "zmtp:2.0"],
)
@pytest.mark.parametrize("socket_type", ["PUB", "PUSH", "PAIR"])
def test_refuses_type_in_2_0(peer: Peer, attach: Attach, dial: Dial, socket_type: str) -> None:
    """A partner of ZMTP 2.0 whose socket type does not fit is cut off, and nothing of it is delivered."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    raw.framing = 2
    raw.send(LegacyGreeting(1, socket_type), Message(b"forged"))
    end, _ = closed_or_served(raw, dealer, b"forged", clause="15/compat/mismatch-disconnect")
    if end == "served":
        raise Mismatch("the connection closed", show_parts([b"forged"]))
    other = dial(dealer.bind())
    other.legacy_handshake(ROUTER_OF_2_0)
    other.send(Message(b"fence"))
    dealer.expect(b"fence")


# -- partners of ZMTP 1.0, asked of a peer that claims it --------------------------------------------


@case(
    "zmtp/version/serves-1-0",
    clauses=[
        "37/interop/d10-short",
        "37/interop/d10-continue",
        "15/interop/not-ff-is-v1",
        "15/interop/v1-continue",
        "13/connection/abnf-connection",
        "13/connection/abnf-anonymous",
        "13/framing/length-includes-flags",
        "13/framing/len-long-form",
        "13/framing/more-meaning",
        "13/framing/abnf-message",
    ],
    needs=["DEALER", "zmtp:1.0"],
)
@pytest.mark.parametrize("size", SIZES_OF_1_0.values(), ids=SIZES_OF_1_0)
def test_serves_1_0(peer: Peer, attach: Attach, size: int) -> None:
    """Messages go both ways in the framing of ZMTP 1.0."""
    dealer = peer.open("DEALER")
    raw = attach(dealer)
    expect_legacy_greeting(raw, ANONYMOUS, identity=b"")
    expect_exchange(raw, dealer, b"a" * size, clause="37/interop/d10-continue")
    expect_exchange(raw, dealer, b"a" * size, b"", b"last", clause="37/interop/d10-continue")


@case(
    "zmtp/version/long-identity-of-1-0",
    clauses=["37/interop/d10-long", "15/interop/lsb-zero-is-v1"],
    needs=["ROUTER", "zmtp:1.0"],
)
def test_long_identity_of_1_0(peer: Peer, attach: Attach) -> None:
    """An identity frame in the long form begins with FF as a signature does, and is told from it."""
    router = peer.open("ROUTER")
    raw = attach(router)
    expect_legacy_greeting(raw, LegacyGreeting(None, None, b"b" * 255))
    raw.send(Message(b"hello"))
    router.expect(b"b" * 255, b"hello")


@case(
    "zmtp/version/own-identity-in-1-0",
    clauses=["37/interop/d10-continue", "37/interop/d10-size", "15/interop/pseudo-signature"],
    needs=["DEALER", "option:identity", "zmtp:1.0"],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_own_identity_in_1_0(peer: Peer, attach: Attach, identity: bytes) -> None:
    """The signature is the head of an identity frame: its body follows, and then messages."""
    dealer = peer.open("DEALER", identity=identity)
    raw = attach(dealer)
    expect_legacy_greeting(raw, ANONYMOUS, identity=identity)
    expect_exchange(raw, dealer, b"behind", b"identity")


@case(
    "zmtp/version/routes-to-1-0",
    clauses=["37/interop/d10-short", "13/connection/abnf-identity"],
    needs=["ROUTER", "zmtp:1.0"],
)
def test_routes_to_1_0(peer: Peer, attach: Attach) -> None:
    """A partner of ZMTP 1.0 is addressed by the identity in its first frame."""
    router = peer.open("ROUTER")
    raw = attach(router)
    expect_legacy_greeting(raw, LegacyGreeting(None, None, b"bob"))
    expect_routed(router, raw, b"bob")


@case("zmtp/version/publishes-in-1-0", clauses=["13/content/pub-sends"], needs=["PUB", "zmtp:1.0"])
def test_publishes_in_1_0(peer: Peer, attach: Attach) -> None:
    """A subscriber of ZMTP 1.0 says nothing and filters by itself, so the publisher sends it everything."""
    pub = peer.open("PUB")
    raw = attach(pub)
    expect_legacy_greeting(raw, ANONYMOUS)
    publish_until_heard(pub, raw, b"probe")


@case("zmtp/version/subscriber-silent-in-1-0", clauses=["13/content/sub-silent"], needs=["SUB", "zmtp:1.0"])
def test_subscriber_silent_in_1_0(peer: Peer, attach: Attach, judge: Judge) -> None:
    """To a publisher of ZMTP 1.0 a subscriber sends its greeting and nothing else."""
    sub = peer.open("SUB")
    sub.subscribe(b"news")
    raw = attach(sub)
    expect_legacy_greeting(raw, ANONYMOUS)
    greeting = last_received(raw)
    for day in (b"yesterday", b"today", b"tomorrow"):
        raw.send(Message(b"other"), Message(b"news", day))
        sub.expect(b"news", day)
    raw.close()
    more = len(raw.received) - greeting.end
    judge.that(more == 0, "nothing behind the greeting", f"{more} octets")
