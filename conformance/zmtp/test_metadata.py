"""Properties in READY: what a peer sends, and what it takes (RFC 37, Connection Metadata and below)."""

import pytest

from conformance.zmtp.partners import opened_with_reserved_identity
from conformance.zmtp.traffic import closed_or_served, routed_as, start_handshake
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message, Ready, Subscribe, malformed
from harness.zmtp.grammar import ADDRESSED, SOCKET_TYPES

PARTNER = {
    "REQ": "REP", "REP": "REQ", "DEALER": "ROUTER", "ROUTER": "DEALER", "PUB": "SUB", "SUB": "PUB",
    "XPUB": "XSUB", "XSUB": "XPUB", "PUSH": "PULL", "PULL": "PUSH", "PAIR": "PAIR",
}  # fmt: skip
EXTRA = {
    "unknown": [(b"Implementation-Name", b"nobody's")],
    "x-": [(b"X-Custom", b"value")],
    "one-character-name": [(b"a", b"value")],
    "255-character-name": [(b"n" * 255, b"value")],
    "all-name-characters": [(b"aZ09-_.+", b"value")],
    "empty-value": [(b"X-Empty", b"")],
    "every-octet-in-value": [(b"X-Octets", bytes(range(256)))],
    "64-KiB-value": [(b"X-Large", b"v" * 65_536)],
    "100-properties": [(b"X-%d" % number, b"value %d" % number) for number in range(100)],
}
IDENTITIES = {
    "one-octet": b"\x01",
    "text": b"alice",
    "any-octet": b"\xff\0\x80\r\n",
    "255-octets": b"i" * 255,
}
DUPLICATES = {
    "unknown": [(b"X-Twice", b"one"), (b"X-Twice", b"two")],
    "identity": [(b"Identity", b"one"), (b"Identity", b"two")],
    "same-socket-type": [(b"Socket-Type", b"DEALER")],
    "other-case": [(b"socket-type", b"DEALER")],
}


@case(
    "zmtp/metadata/own-socket-type",
    clauses=[
        "37/metadata/socket-type-sent",
        "37/sockettype/abnf-socket-type",
        "23/sockettype/abnf-socket-type",
    ],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_own_socket_type(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """READY names the type of the socket that sends it."""
    raw = start_handshake(attach(peer.open(socket_type)), Ready(PARTNER[socket_type]))
    ready = raw.expect(Ready, clause="37/null/server-ready-reply")
    judge.that(ready.socket_type is not None, "a Socket-Type", "none")
    judge.equal(ready.socket_type, socket_type, clause="37/sockettype/abnf-socket-type")


@case(
    "zmtp/metadata/nothing-reserved-is-sent",
    clauses=["37/metadata/x-reserved", "37/identity/no-leading-zero"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_nothing_reserved_is_sent(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """READY has no X- property that nobody asked for, and no Identity that begins with zero."""
    raw = start_handshake(attach(peer.open(socket_type)), Ready(PARTNER[socket_type]))
    ready = raw.expect(Ready, clause="37/null/server-ready-reply")
    judge.equal([name for name, _ in ready.properties if name.lower().startswith(b"x-")], [])
    judge.that(
        not (ready.identity or b"").startswith(b"\0"),
        "no Identity that begins with zero",
        ready.identity,
        clause="37/identity/no-leading-zero",
    )


@case(
    "zmtp/metadata/own-identity-as-set",
    clauses=["37/identity/abnf-identity"],
    needs=["{socket_type}", "option:identity"],
)
@pytest.mark.parametrize("socket_type", sorted(ADDRESSED))
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_own_identity_as_set(peer: Peer, attach: Attach, identity: bytes, socket_type: str) -> None:
    """The Identity in READY is the application's, octet for octet."""
    raw = start_handshake(attach(peer.open(socket_type, identity=identity)), Ready("ROUTER"))
    raw.expect(Ready, identity=identity)


@case(
    "zmtp/metadata/own-identity-does-not-begin-with-zero",
    clauses=["37/identity/no-leading-zero"],
    needs=["DEALER", "option:identity"],
)
def test_own_identity_does_not_begin_with_zero(peer: Peer, attach: Attach, judge: Judge) -> None:
    """An identity that begins with zero is refused to the application, or at least not sent."""
    sock = opened_with_reserved_identity(peer, judge)
    ready = start_handshake(attach(sock), Ready("ROUTER")).expect(Ready, clause="37/null/server-ready-reply")
    judge.that(not (ready.identity or b"").startswith(b"\0"), "no such Identity", ready.identity)


@case(
    "zmtp/metadata/names-have-no-case",
    clauses=["37/null/name-case"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("name", [b"Identity", b"IDENTITY", b"identity", b"iDeNtItY"])
def test_names_have_no_case(peer: Peer, attach: Attach, name: bytes) -> None:
    """A router takes the partner's Identity in whatever letters its name is written."""
    router = peer.open("ROUTER")
    raw = attach(router).handshake("DEALER", properties=((name, b"alice"),))
    raw.send(Message(b"hello"))
    router.expect(b"alice", b"hello")


@case(
    "zmtp/metadata/socket-type-name-has-no-case",
    clauses=["37/null/name-case", "37/sockettype/matrix-pull"],
    needs=["PULL"],
)
@pytest.mark.parametrize("name", [b"SOCKET-TYPE", b"socket-type", b"sOcKeT-tYpE"])
def test_socket_type_name_has_no_case(peer: Peer, attach: Attach, judge: Judge, name: bytes) -> None:
    """Socket-Type counts in whatever letters its name is written: legal partners served, others refused."""
    sock = peer.open("PULL")
    wrong = start_handshake(attach(sock), Ready(properties=((name, b"PUB"),)))
    wrong.send(Message(b"wrong"))
    end, _ = closed_or_served(wrong, sock, b"wrong")
    judge.that(end != "served", "PUB refused", "PUB served")
    good = start_handshake(attach(sock), Ready(properties=((name, b"PUSH"),)))
    good.expect(Ready, socket_type="PULL")
    expect_serves(sock, good)


@case(
    "zmtp/metadata/other-properties-do-no-harm",
    clauses=["37/metadata/other-props", "37/null/name-length", "37/null/value-range", "37/abnf/long-size"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("extra", EXTRA.values(), ids=EXTRA)
def test_other_properties_do_no_harm(peer: Peer, attach: Attach, extra: list[tuple[bytes, bytes]]) -> None:
    """A READY with properties that the peer cannot know completes the handshake like any other."""
    sock = peer.open("DEALER")
    raw = start_handshake(attach(sock), Ready("DEALER", properties=tuple(extra)))
    raw.expect(Ready, socket_type="DEALER")
    expect_serves(sock, raw)


@case(
    "zmtp/metadata/order-is-free",
    clauses=["37/null/abnf-metadata", "37/identity/identity-announce"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("first", [b"Identity", b"Socket-Type", b"X-Other"])
def test_order_is_free(peer: Peer, attach: Attach, first: bytes) -> None:
    """Properties count in whatever order they come."""
    values = {b"X-Other": b"value", b"Identity": b"alice", b"Socket-Type": b"DEALER"}
    properties = ((first, values.pop(first)), *values.items())
    router = peer.open("ROUTER")
    raw = start_handshake(attach(router), Ready(properties=properties))
    raw.expect(Ready, socket_type="ROUTER")
    raw.send(Message(b"hello"))
    router.expect(b"alice", b"hello", clause="37/identity/identity-announce")


@case(
    "zmtp/metadata/duplicate-property",
    clauses=["37/null/validate-ready", "37/errors/close-is-temporary"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("twice", DUPLICATES.values(), ids=DUPLICATES)
def test_duplicate_property(
    peer: Peer, attach: Attach, judge: Judge, twice: list[tuple[bytes, bytes]]
) -> None:
    """A property that comes twice counts once, or not at all, or is refused; what happens is recorded."""
    router = peer.open("ROUTER")
    raw = start_handshake(attach(router), Ready("DEALER", properties=tuple(twice)))
    judge.note(routed_as_words(routed_as(raw, router, b"hello")))
    expect_serves(router, attach(router).handshake("DEALER"), clause="37/errors/close-is-temporary")


def routed_as_words(routing_id: bytes | None) -> str:
    """The same words in every run: an automatic routing id begins with zero and is at random."""
    if routing_id is None:
        return "refused"
    return "routed by an automatic id" if routing_id[:1] == b"\0" else f"routed as {routing_id!r}"


@case(
    "zmtp/metadata/missing-socket-type",
    clauses=["37/null/validate-ready", "37/errors/close-is-temporary"],
    needs=["PULL"],
)
@pytest.mark.parametrize("properties", [(), ((b"X-Only", b"value"),)], ids=["no-property", "other-property"])
def test_missing_socket_type(
    peer: Peer, attach: Attach, judge: Judge, properties: tuple[tuple[bytes, bytes], ...]
) -> None:
    """A READY without Socket-Type is accepted or refused; what the peer does is recorded."""
    sock = peer.open("PULL")
    raw = start_handshake(attach(sock), Ready(properties=properties))
    raw.send(Message(b"fence"))
    end, _ = closed_or_served(raw, sock, b"fence")
    judge.note(end)
    expect_serves(sock, attach(sock).handshake("PUSH"), clause="37/errors/close-is-temporary")


@case(
    "zmtp/metadata/router-takes-announced-identity",
    clauses=["37/identity/identity-announce", "37/identity/abnf-identity"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
@pytest.mark.parametrize("partner", sorted(ADDRESSED))
def test_router_takes_announced_identity(peer: Peer, attach: Attach, partner: str, identity: bytes) -> None:
    """A router addresses a partner by the Identity that it announced, of 1 to 255 octets of any value."""
    router = peer.open("ROUTER")
    raw = attach(router).handshake(partner, identity=identity)
    raw.send(Message(b"", b"hello"))
    router.expect(identity, b"", b"hello")
    router.send([identity, b"", b"welcome"])
    raw.expect(Message(b"", b"welcome"))


@case(
    "zmtp/metadata/identity-too-long",
    clauses=["37/identity/receive-too-long", "37/errors/close-is-temporary"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("size", [256, 1024])
def test_identity_too_long(peer: Peer, attach: Attach, judge: Judge, size: int) -> None:
    """Whether a router refuses, ignores or takes an Identity of more than 255 octets; it serves others."""
    expect_unfit_identity_noted(peer.open("ROUTER"), attach, judge, b"i" * size)


@case(
    "zmtp/metadata/identity-that-begins-with-zero",
    clauses=["37/identity/receive-leading-zero", "37/errors/close-is-temporary"],
    needs=["ROUTER"],
)
@pytest.mark.parametrize("identity", [b"\0", b"\0\0\0\0\x01", b"\0reserved"], ids=["one", "five", "nine"])
def test_identity_that_begins_with_zero(peer: Peer, attach: Attach, judge: Judge, identity: bytes) -> None:
    """Whether a router refuses, ignores or takes an Identity that begins with zero; it serves others."""
    expect_unfit_identity_noted(peer.open("ROUTER"), attach, judge, identity)


def expect_unfit_identity_noted(router: RemoteSocket, attach: Attach, judge: Judge, identity: bytes) -> None:
    """What the router makes of an Identity that no partner may send is noted; the next partner is served."""
    raw = start_handshake(attach(router), ready_with_identity(identity))
    routing_id = routed_as(raw, router, b"hello")
    judge.note("refused" if routing_id is None else f"routing id of {len(routing_id)} octets")
    with judge.soft():
        judge.that(routing_id != identity, "another routing id, or a close", "routed by it")
    expect_serves(router, attach(router).handshake("DEALER"), clause="37/errors/close-is-temporary")


def ready_with_identity(identity: bytes) -> bytes:
    """READY of a DEALER with any Identity."""
    return malformed.ready(
        malformed.property_octets(b"Socket-Type", b"DEALER"), malformed.property_octets(b"Identity", identity)
    )


@case(
    "zmtp/metadata/identity-of-others-is-ignored",
    clauses=["37/identity/identity-others-ignored"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("socket_type", ["PULL", "DEALER", "REP", "SUB", "XPUB"])
def test_identity_of_others_is_ignored(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Partners of a socket that is no ROUTER may all announce the same Identity: each is served."""
    sock = peer.open(socket_type)
    for number in (b"1", b"2"):
        raw = attach(sock).handshake(PARTNER[socket_type], identity=b"same")
        expect_hears(sock, raw, number)


def expect_hears(sock: RemoteSocket, raw: RawPeer, text: bytes) -> None:
    """What `raw` says reaches the application (subscriptions are open, a REP replies)."""
    speak = {"REP": _say_request, "SUB": _say_news, "XPUB": _say_subscription}
    speak.get(sock.socket_type, _say)(sock, raw, text)


def _say(sock: RemoteSocket, raw: RawPeer, text: bytes) -> None:
    raw.send(Message(text))
    sock.expect(text)


def _say_request(sock: RemoteSocket, raw: RawPeer, text: bytes) -> None:
    raw.send(Message(b"", text))
    sock.expect(text)
    sock.send([text])
    raw.expect(Message(b"", text))


def _say_news(sock: RemoteSocket, raw: RawPeer, text: bytes) -> None:
    sock.subscribe(text)
    _say(sock, raw, text)


def _say_subscription(sock: RemoteSocket, raw: RawPeer, text: bytes) -> None:
    raw.request(Subscribe(text))
    sock.expect(b"\x01" + text)


@case("zmtp/metadata/x-properties-change-nothing", clauses=["37/metadata/x-reserved"], needs=["ROUTER"])
@pytest.mark.parametrize("name", [b"X-Identity", b"X-Socket-Type", b"x-identity"])
def test_x_properties_change_nothing(peer: Peer, attach: Attach, judge: Judge, name: bytes) -> None:
    """A property whose name begins with X- is the applications': a router does as without it."""
    router = peer.open("ROUTER")
    raw = attach(router).handshake("DEALER", b"alice", properties=((name, b"PUB"),))
    raw.send(Message(b"hello"))
    router.expect(b"alice", b"hello")


@case(
    "zmtp/metadata/any-resource-is-accepted",
    clauses=["37/resource/accept-all-resources"],
    needs=["DEALER"],
)
@pytest.mark.parametrize("resource", [b"nobody", b"system/name-service/test", b"$-_@.&+"])
def test_any_resource_is_accepted(peer: Peer, attach: Attach, resource: bytes) -> None:
    """A partner that asks for a resource which nobody has bound is not refused."""
    sock = peer.open("DEALER")
    raw = start_handshake(attach(sock), Ready("DEALER", properties=((b"Resource", resource),)))
    raw.expect(Ready, socket_type="DEALER")
    expect_serves(sock, raw)


@case("zmtp/metadata/worked-example", clauses=["37/example/ex-client-ready"], needs=["ROUTER"])
def test_worked_example(peer: Peer, attach: Attach) -> None:
    """A router serves a dealer whose READY is the worked example's: Socket-Type, then an empty Identity."""
    router = peer.open("ROUTER")
    raw = start_handshake(attach(router), Ready("DEALER", identity=b""))
    raw.expect(Ready, socket_type="ROUTER")
    raw.send(Message(b"hello"))
    Judge.equal(router.recv()[1:], [b"hello"])
