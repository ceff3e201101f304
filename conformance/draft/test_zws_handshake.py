"""The opening handshake of ZMTP over WebSocket (RFC 45, Handshake and Implementation)."""

import base64
import binascii

import pytest

from conformance.draft.websocket import NEEDS
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import DialWs, ListenWs
from harness.zmtp import Message
from harness.zmtp.websocket import Answer, Upgrade, accept_of, upgrade
from harness.zmtp.zws import NO_MECHANISM, NULL_PROTOCOL

KEY_OCTETS = 16
OWN = {NO_MECHANISM, NULL_PROTOCOL}
BEARER = "ZWS2.0/BEARER"
OFFERS = {
    "no-mechanism": [NO_MECHANISM],
    "null": [NULL_PROTOCOL],
    "both": [NO_MECHANISM, NULL_PROTOCOL],
    "both-turned": [NULL_PROTOCOL, NO_MECHANISM],
    "behind-a-stranger": ["chat", NULL_PROTOCOL],
    "behind-bearer": [BEARER, NO_MECHANISM],
}
STRANGERS = {
    "stranger": ["chat"],
    "bearer": [BEARER],
    "longer": [f"{NO_MECHANISM}/NULLS"],
    "older": ["ZWS1.0"],
}
TARGETS = ["/zws", "/", "/a/longer/path", ""]


def key_octets(request: Upgrade) -> int:
    """How many octets the request's key stands for; -1 where it is not in Base64."""
    try:
        return len(base64.b64decode(request.value("Sec-WebSocket-Key") or "", validate=True))
    except binascii.Error:
        return -1


@case(
    "zws/handshake/request-is-complete",
    clauses=["45/handshake/rfc6455", "45/handshake/ex-request"],
    needs=["DEALER", *NEEDS],
)
def test_request_is_complete(peer: Peer, listen_ws: ListenWs, judge: Judge) -> None:
    """A peer that connects asks by GET, with Host, Upgrade, Connection, a key and version 13."""
    listener = listen_ws()
    peer.open("DEALER").connect(listener.endpoint)
    request = listener.accept().expect(Upgrade, clause="45/handshake/rfc6455")
    method, _, version = request.line.partition(" ")[0], *request.line.rpartition(" ")[1:]
    judge.equal((method, version), ("GET", "HTTP/1.1"), "45/handshake/ex-request")
    judge.that(request.value("Host") is not None, "a header Host", request.line, "45/handshake/ex-request")
    tokens = [token.lower() for token in request.values("Connection")]
    judge.that("upgrade" in tokens, "Connection: Upgrade", tokens, "45/handshake/rfc6455")
    judge.equal([one.lower() for one in request.values("Upgrade")], ["websocket"], "45/handshake/rfc6455")
    judge.equal(request.value("Sec-WebSocket-Version"), "13", "45/handshake/rfc6455")
    judge.equal(key_octets(request), KEY_OCTETS, "45/handshake/rfc6455")


@case("zws/handshake/key-is-new", clauses=["45/handshake/rfc6455"], needs=["DEALER", *NEEDS])
def test_key_is_new(peer: Peer, listen_ws: ListenWs, judge: Judge) -> None:
    """Each connection asks with a key of its own."""
    dealer = peer.open("DEALER")
    listeners = [listen_ws(), listen_ws()]
    for listener in listeners:
        dealer.connect(listener.endpoint)
    ends = [listener.accept() for listener in listeners]
    keys = {raw.expect(Upgrade).value("Sec-WebSocket-Key") for raw in ends}
    judge.that(len(keys) == len(ends), "two keys", f"{len(keys)}", "45/handshake/rfc6455")


@case(
    "zws/handshake/names-its-protocols",
    clauses=["45/handshake/subprotocol", "45/handshake/protocol-list"],
    needs=["DEALER", *NEEDS],
)
def test_names_its_protocols(peer: Peer, listen_ws: ListenWs, judge: Judge) -> None:
    """A peer without security that connects names at least one protocol, among them ZWS2.0 or ZWS2.0/NULL."""
    listener = listen_ws()
    peer.open("DEALER").connect(listener.endpoint)
    offered = listener.accept().expect(Upgrade, clause="45/handshake/rfc6455").protocols
    judge.that(bool(offered), "at least one protocol", offered, "45/handshake/subprotocol")
    judge.that(bool(OWN & set(offered)), " or ".join(OWN), offered, "45/handshake/protocol-list")


@case("zws/handshake/asks-for-host-and-path", clauses=["45/handshake/host-path"], needs=["DEALER", *NEEDS])
@pytest.mark.parametrize("target", TARGETS, ids=["path", "root", "longer", "none"])
def test_asks_for_host_and_path(peer: Peer, listen_ws: ListenWs, judge: Judge, target: str) -> None:
    """Host and path of the request are those that the application gave to connect, / where it gave none."""
    listener = listen_ws(target)
    peer.open("DEALER").connect(listener.endpoint)
    request = listener.accept().expect(Upgrade, clause="45/handshake/rfc6455")
    judge.equal(request.target, target or "/", "45/handshake/host-path")
    hosts = (listener.authority, listener.authority.rpartition(":")[0])
    judge.that(
        request.value("Host") in hosts, f"Host: {hosts[0]}", request.value("Host"), "45/handshake/host-path"
    )


@case(
    "zws/handshake/answer-is-complete",
    clauses=["45/handshake/ex-response", "45/handshake/rfc6455", "45/handshake/server-chooses"],
    needs=["DEALER", *NEEDS],
)
def test_answer_is_complete(peer: Peer, dial_ws: DialWs, judge: Judge) -> None:
    """A peer that binds answers 101 with Upgrade, Connection, the key's accept value and the protocol."""
    raw = dial_ws(peer.open("DEALER").bind(peer.hosts.web_wildcard))
    request = raw.ask(NULL_PROTOCOL)
    answer = raw.expect_switching("45/handshake/ex-response")
    tokens = [token.lower() for token in answer.values("Connection")]
    judge.that("upgrade" in tokens, "Connection: Upgrade", tokens, "45/handshake/ex-response")
    judge.equal([one.lower() for one in answer.values("Upgrade")], ["websocket"], "45/handshake/ex-response")
    accept = accept_of(request.value("Sec-WebSocket-Key") or "")
    judge.equal(answer.value("Sec-WebSocket-Accept"), accept, "45/handshake/rfc6455")
    judge.equal(answer.protocols, [NULL_PROTOCOL], "45/handshake/server-chooses")


@case(
    "zws/handshake/server-chooses-one-offered",
    clauses=["45/handshake/server-chooses", "45/handshake/protocol-list"],
    needs=["PULL", *NEEDS],
)
@pytest.mark.parametrize("offered", OFFERS.values(), ids=OFFERS)
def test_server_chooses_one_offered(peer: Peer, dial_ws: DialWs, judge: Judge, offered: list[str]) -> None:
    """A peer that binds names one of the protocols offered, one that there is, and speaks it from there."""
    pull = peer.open("PULL")
    raw = dial_ws(pull.bind(peer.hosts.web_wildcard))
    raw.ask(*offered)
    answer = raw.expect_switching("45/handshake/server-chooses")
    judge.that(raw.protocol in offered, f"one of {offered}", answer.protocols, "45/handshake/server-chooses")
    judge.that(raw.protocol in OWN, f"one of {sorted(OWN)}", raw.protocol, "45/handshake/protocol-list")
    raw.handshake("PUSH").send(Message(b"work"))
    pull.expect(b"work", clause="45/handshake/server-chooses")


@case("zws/handshake/takes-headers-in-any-form", clauses=["45/handshake/rfc6455"], needs=["PULL", *NEEDS])
def test_takes_headers_in_any_form(peer: Peer, dial_ws: DialWs) -> None:
    """A request is taken whatever the order and letter case of its headers, and with further ones."""
    pull = peer.open("PULL")
    raw = dial_ws(pull.bind(peer.hosts.web_wildcard))
    request = upgrade(raw.authority, (NULL_PROTOCOL,), raw.target)
    turned = tuple((name.lower(), value) for name, value in reversed(request.headers))
    raw.send(Upgrade(request.line, (("Origin", f"http://{raw.authority}"), *turned)))
    raw.expect_switching("45/handshake/rfc6455")
    raw.handshake("PUSH").send(Message(b"work"))
    pull.expect(b"work")


@case(
    "zws/handshake/takes-answer-in-any-form",
    clauses=["45/handshake/rfc6455", "45/handshake/ex-response"],
    needs=["PUSH", *NEEDS],
)
def test_takes_answer_in_any_form(peer: Peer, listen_ws: ListenWs) -> None:
    """An answer is taken whatever the order and letter case of its headers, and with further ones."""
    push, listener = peer.open("PUSH"), listen_ws()
    push.connect(listener.endpoint)
    raw = listener.accept()
    answer = raw.choose(raw.expect(Upgrade), NULL_PROTOCOL, NO_MECHANISM)
    turned = tuple((name.lower(), value) for name, value in reversed(answer.headers))
    raw.send(Answer(answer.line, (("Server", "zconform"), *turned)))
    raw.handshake("PULL", clause="45/handshake/rfc6455")
    push.send([b"work"])
    raw.expect_message(b"work", clause="45/handshake/rfc6455")


@case("zws/handshake/no-common-protocol", clauses=["45/handshake/none-supported"], needs=["PULL", *NEEDS])
@pytest.mark.parametrize("offered", STRANGERS.values(), ids=STRANGERS)
def test_no_common_protocol(peer: Peer, dial_ws: DialWs, offered: list[str]) -> None:
    """A client that offers none of the server's protocols is turned away, and the next one is served."""
    pull = peer.open("PULL")
    endpoint = pull.bind(peer.hosts.web_wildcard)
    raw = dial_ws(endpoint)
    raw.ask(*offered)
    raw.expect_refused("45/handshake/none-supported")
    dial_ws(endpoint).handshake("PUSH").send(Message(b"work"))
    pull.expect(b"work")


@case("zws/handshake/server-waits-for-request", clauses=["45/impl/after-ws"], needs=["DEALER", *NEEDS])
def test_server_waits_for_request(peer: Peer, dial_ws: DialWs, judge: Judge) -> None:
    """A peer that binds sends nothing before its answer, which comes when the request is whole."""
    endpoint = peer.open("DEALER").bind(peer.hosts.web_wildcard)
    raw, other = dial_ws(endpoint), dial_ws(endpoint)
    octets = upgrade(raw.authority, (NULL_PROTOCOL,), raw.target).serialize()
    raw.send(octets[:-1], pieces=8)
    other.upgrade(clause="45/impl/after-ws").handshake("DEALER")
    judge.that(not raw.arrived(), "nothing before the request is whole", "octets", "45/impl/after-ws")
    raw.send(octets[-1:])
    raw.expect_switching("45/impl/after-ws")


@case("zws/handshake/client-waits-for-answer", clauses=["45/impl/after-ws"], needs=["DEALER", *NEEDS])
def test_client_waits_for_answer(peer: Peer, listen_ws: ListenWs, judge: Judge) -> None:
    """A peer that connects sends nothing behind its request until it is answered, though a message waits."""
    dealer, listener = peer.open("DEALER"), listen_ws()
    dealer.connect(listener.endpoint)
    raw = listener.accept()
    request = raw.expect(Upgrade)
    dealer.offer([b"hello"])
    judge.that(not raw.arrived(), "nothing behind the request", "octets", "45/impl/after-ws")
    raw.admit(request, NULL_PROTOCOL, NO_MECHANISM)
    raw.handshake("DEALER", clause="45/impl/after-ws").send(Message(b"in"))
    dealer.expect(b"in", clause="45/impl/after-ws")
