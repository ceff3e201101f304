"""Sessions over WebSocket: without mechanism, with NULL, with PLAIN (RFC 45, No Mechanism and Mechanisms)."""

import pytest

from conformance.draft.websocket import NEEDS, expect_healthy, expect_not_delivered
from conformance.plain.ends import CLIENT_NEEDS, PASSWORD, SERVER_NEEDS, USER, open_client, open_server
from harness.case import Judge, case
from harness.exchange import expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import AttachWs, DialWs, ListenWs
from harness.zmtp import Command, Error, Hello, Initiate, Message, Ready, Welcome
from harness.zmtp.websocket import Upgrade
from harness.zmtp.zws import NO_MECHANISM, NULL_PROTOCOL, PLAIN_PROTOCOL

WITHOUT = (NO_MECHANISM, NULL_PROTOCOL)
IDENTITIES = {"none": b"", "some": b"alice"}
COMMAND_RULES = [
    "45/mech/abnf-connection", "45/mech/abnf-handshake", "45/mech/mechanism-list", "45/mech/abnf-command",
    "45/mech/abnf-command-body", "45/mech/abnf-command-name", "45/mech/abnf-command-name-char",
    "45/mech/abnf-command-data", "45/framing/flags",
]  # fmt: skip
MANY = 3


@case("zws/mechanism/null-session", clauses=COMMAND_RULES, needs=["DEALER", "option:identity", *NEEDS])
def test_null_session(peer: Peer, attach_ws: AttachWs) -> None:
    """With NULL a session begins with READY as one command frame, which has the type and the routing id."""
    dealer = peer.open("DEALER", identity=b"alice")
    raw = attach_ws(dealer).upgrade()
    raw.send(Ready("ROUTER"))
    raw.expect_faultless(Ready, clause="45/mech/abnf-command", socket_type="DEALER", identity=b"alice")
    expect_serves(dealer, raw, clause="45/mech/abnf-connection")


@case("zws/mechanism/null-ready-is-awaited", clauses=["45/mech/abnf-connection"], needs=["PUSH", *NEEDS])
def test_null_ready_is_awaited(peer: Peer, attach_ws: AttachWs) -> None:
    """With NULL no message goes out before the partner's READY has come."""
    push = peer.open("PUSH")
    raw, other = attach_ws(push).upgrade(), attach_ws(push)
    other.handshake("PULL")
    for n in range(4):
        push.offer([b"%d" % n])
    while raw.arrived():
        raw.expect(Ready, clause="45/mech/abnf-connection")


@case("zws/mechanism/routing-id-is-a-property", clauses=["45/mech/abnf-connection"], needs=["ROUTER", *NEEDS])
def test_routing_id_is_a_property(peer: Peer, attach_ws: AttachWs) -> None:
    """With NULL a ROUTER knows its peer by the Identity of READY, and the first message is a message."""
    router = peer.open("ROUTER")
    raw = attach_ws(router).handshake("DEALER", identity=b"bob")
    raw.send(Message(b"first"))
    router.expect(b"bob", b"first", clause="45/mech/abnf-connection")
    router.send([b"bob", b"answer"])
    raw.expect_message(b"answer", clause="45/mech/abnf-connection")


@case(
    "zws/mechanism/plain-server-session",
    clauses=["45/mech/mechanism-list", "45/handshake/protocol-list"],
    needs=["PULL", *SERVER_NEEDS, *NEEDS],
)
def test_plain_server_session(peer: Peer, dial_ws: DialWs) -> None:
    """A server of PLAIN takes ZWS2.0/PLAIN, and lets in a client with good credentials."""
    pull = open_server(peer)
    raw = dial_ws(pull.bind(peer.hosts.web_wildcard)).upgrade(
        PLAIN_PROTOCOL, clause="45/handshake/protocol-list"
    )
    raw.send(Hello(USER, PASSWORD))
    raw.expect_faultless(Welcome, clause="45/mech/mechanism-list")
    raw.send(Initiate("PUSH"))
    raw.expect_faultless(Ready, clause="45/mech/mechanism-list", socket_type="PULL")
    raw.send(Message(b"work"))
    pull.expect(b"work", clause="45/mech/mechanism-list")


@case(
    "zws/mechanism/plain-server-refuses",
    clauses=["45/mech/mechanism-list"],
    needs=["PULL", *SERVER_NEEDS, *NEEDS],
    security=True,
)
def test_plain_server_refuses(peer: Peer, dial_ws: DialWs) -> None:
    """A server of PLAIN turns away a client with other credentials, and serves the next."""
    pull = open_server(peer)
    endpoint = pull.bind(peer.hosts.web_wildcard)
    raw = dial_ws(endpoint).upgrade(PLAIN_PROTOCOL)
    raw.send(Hello(USER, b"wrong"), Initiate("PUSH"), Message(b"forged"))
    raw.expect_refused("45/mech/mechanism-list", by=(Error,))
    good = dial_ws(endpoint).upgrade(PLAIN_PROTOCOL).handshake("PUSH")
    good.send(Message(b"work"))
    pull.expect(b"work", clause="45/mech/mechanism-list")


@case(
    "zws/mechanism/plain-client-session",
    clauses=["45/mech/mechanism-list", "45/handshake/protocol-list"],
    needs=["PULL", *CLIENT_NEEDS, *NEEDS],
)
def test_plain_client_session(peer: Peer, listen_ws: ListenWs) -> None:
    """A client of PLAIN offers ZWS2.0/PLAIN, and says its credentials."""
    pull, listener = open_client(peer), listen_ws()
    pull.connect(listener.endpoint)
    raw = listener.accept().upgrade(PLAIN_PROTOCOL)
    raw.expect_faultless(Hello(USER, PASSWORD), clause="45/mech/mechanism-list")
    raw.send(Welcome())
    raw.expect_faultless(Initiate, clause="45/mech/mechanism-list", socket_type="PULL")
    raw.send(Ready("PUSH"), Message(b"work"))
    pull.expect(b"work", clause="45/mech/mechanism-list")


@case(
    "zws/mechanism/plain-client-offers-plain",
    clauses=["45/handshake/protocol-list"],
    needs=["PULL", *CLIENT_NEEDS, *NEEDS],
)
def test_plain_client_offers_its_mechanism(peer: Peer, listen_ws: ListenWs, judge: Judge) -> None:
    """A client of PLAIN names ZWS2.0/PLAIN among its protocols."""
    pull, listener = open_client(peer), listen_ws()
    pull.connect(listener.endpoint)
    offered = listener.accept().expect(Upgrade, clause="45/handshake/rfc6455").protocols
    judge.that(PLAIN_PROTOCOL in offered, PLAIN_PROTOCOL, offered, "45/handshake/protocol-list")


@case(
    "zws/mechanism/unknown-command-is-not-delivered",
    clauses=["45/mech/abnf-traffic"],
    needs=["PULL", *NEEDS],
)
@pytest.mark.parametrize("data", [b"", b"data"], ids=["without-data", "with-data"])
def test_unknown_command_is_not_delivered(peer: Peer, attach_ws: AttachWs, data: bytes) -> None:
    """A command among messages is not delivered: it is passed over, or gets the link closed."""
    pull = peer.open("PULL")
    raw = attach_ws(pull).handshake("PUSH")
    raw.send(Message(b"before"))
    pull.expect(b"before", clause="45/mech/abnf-traffic")
    expect_not_delivered(pull, raw, Command(b"UNKNOWN", data), clause="45/mech/abnf-traffic")
    expect_healthy(pull, attach_ws)


@case(
    "zws/mechanism/many-sessions",
    clauses=["45/mech/abnf-zws", "45/nomech/abnf-zws"],
    needs=["DEALER", *NEEDS],
)
@pytest.mark.parametrize(
    ("protocol", "clause"),
    [(NULL_PROTOCOL, "45/mech/abnf-zws"), (NO_MECHANISM, "45/nomech/abnf-zws")],
    ids=["null", "no-mechanism"],
)
def test_many_sessions(peer: Peer, dial_ws: DialWs, protocol: str, clause: str) -> None:
    """One socket has any number of sessions, one after another and side by side."""
    dealer = peer.open("DEALER")
    endpoint = dealer.bind(peer.hosts.web_wildcard)
    for _ in range(MANY):
        raw = dial_ws(endpoint).upgrade(protocol, clause=clause).handshake("DEALER", clause=clause)
        raw.send(Message(b"passing"))
        dealer.expect(b"passing", clause=clause)
        raw.close()
    ends = [dial_ws(endpoint).upgrade(protocol, clause=clause) for _ in range(MANY)]
    for raw in ends:
        raw.handshake("DEALER", clause=clause).send(Message(b"staying"))
        dealer.expect(b"staying", clause=clause)


@case(
    "zws/nomech/is-there",
    clauses=["45/nomech/mandatory", "45/nomech/abnf-connection"],
    needs=["PULL", *NEEDS],
)
def test_is_there(peer: Peer, dial_ws: DialWs) -> None:
    """A socket without security serves a client that offers ZWS2.0 alone."""
    pull = peer.open("PULL")
    raw = dial_ws(pull.bind(peer.hosts.web_wildcard)).upgrade(NO_MECHANISM, clause="45/nomech/mandatory")
    raw.handshake("PUSH").send(Message(b"work"))
    pull.expect(b"work", clause="45/nomech/mandatory")


@case(
    "zws/nomech/routing-id-comes-first",
    clauses=["45/nomech/routing-id-first", "45/nomech/abnf-connection", "45/nomech/abnf-identity"],
    needs=["DEALER", "option:identity", *NEEDS],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_routing_id_comes_first(peer: Peer, dial_ws: DialWs, judge: Judge, identity: bytes) -> None:
    """The first that comes is the routing id, as one last frame, and then messages."""
    dealer = peer.open("DEALER", identity=identity)
    raw = dial_ws(dealer.bind(peer.hosts.web_wildcard)).upgrade(NO_MECHANISM).handshake("ROUTER")
    judge.equal(raw.identity, identity, "45/nomech/routing-id-first")
    raw.send(Message(b"in"))
    dealer.expect(b"in", clause="45/nomech/routing-id-first")
    dealer.send([b"out"])
    raw.expect_message(b"out", clause="45/nomech/routing-id-first")


@case(
    "zws/nomech/routing-id-is-not-delivered",
    clauses=["45/nomech/routing-id-first", "45/nomech/abnf-identity"],
    needs=["PULL", *NEEDS],
)
@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_routing_id_is_not_delivered(peer: Peer, attach_ws: AttachWs, identity: bytes) -> None:
    """The partner's routing id is no message, be it empty or not; what follows it is."""
    pull = peer.open("PULL")
    raw = attach_ws(pull).upgrade(*WITHOUT).handshake("PUSH", identity=identity)
    raw.send(Message(b"first"))
    pull.expect(b"first", clause="45/nomech/routing-id-first")


@case("zws/nomech/router-knows-its-peer", clauses=["45/nomech/routing-id-first"], needs=["ROUTER", *NEEDS])
def test_router_knows_its_peer(peer: Peer, dial_ws: DialWs) -> None:
    """A ROUTER knows its peer by the routing id that came first."""
    router = peer.open("ROUTER")
    raw = (
        dial_ws(router.bind(peer.hosts.web_wildcard))
        .upgrade(NO_MECHANISM)
        .handshake("DEALER", identity=b"bob")
    )
    raw.send(Message(b"hello"))
    router.expect(b"bob", b"hello", clause="45/nomech/routing-id-first")
    router.send([b"bob", b"answer"])
    raw.expect_message(b"answer", clause="45/nomech/routing-id-first")


@case(
    "zws/nomech/secure-socket",
    clauses=["45/nomech/mandatory-vs-secure"],
    needs=["PULL", *SERVER_NEEDS, *NEEDS],
)
def test_secure_socket(peer: Peer, dial_ws: DialWs) -> None:
    """A server of PLAIN turns away a client that offers no mechanism."""
    raw = dial_ws(open_server(peer).bind(peer.hosts.web_wildcard))
    raw.ask(NO_MECHANISM)
    raw.expect_refused("45/nomech/mandatory-vs-secure")
