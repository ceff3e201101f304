"""What a peer says under CURVE: sizes, nonces, keys and metadata (RFC 26, High-level Grammar)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial

import pytest

from conformance.curve.ends import (
    AS_CLIENT,
    CLIENT_NEEDS,
    EITHER_NEEDS,
    OF_CLIENT,
    OF_SERVER,
    SERVER_NEEDS,
    SIDES,
    Session,
    expect_initiate,
    expect_ready,
    meet_client,
    metadata,
    new_client,
    open_as,
    open_client,
    open_server,
    opened,
    reach_initiate,
    shake_hands,
)
from harness.case import Judge, case
from harness.exchange import PARTNER
from harness.peer import Peer
from harness.pytest_fixtures import Attach
from harness.wire.rawpeer import RawPeer
from harness.zmtp import (
    CurveInitiate,
    CurveMessage,
    CurveReady,
    CurveWelcome,
    Ready,
    RemoteProtocolError,
)
from harness.zmtp.grammar import PROPERTY_NAME
from harness.zmtp.metadata import parse_properties

CONNECTIONS = 24
MESSAGES = 300
# Octets that come from no server, and have to come back all the same.
COOKIES = {"zeros": bytes(96), "counting": bytes(range(96)), "ones": b"\xff" * 96}


def expect_faultless(raw: RawPeer) -> None:
    """What has just come has the form that the grammar gives it."""
    assert raw.last is not None
    for fault in raw.last.faults:
        raise raw.mismatch("a command without fault", fault.message, fault.clause, raw.last.start)


def judge_metadata(judge: Judge, octets: bytes, socket_type: str) -> None:
    """Properties fill the box exactly, have names of the grammar, and state the socket type."""
    try:
        properties = parse_properties(octets)
    except RemoteProtocolError as error:
        judge.that(False, "properties that fill the box", error.message, "26/abnf/metadata")
        return
    names = [name for name, _ in properties]
    bad = [name for name in names if not PROPERTY_NAME.fullmatch(name)]
    judge.that(not bad, "names of the grammar", f"{bad}", "26/abnf/name-char")
    stated = Ready(properties=properties).socket_type
    judge.that(stated == socket_type, f"Socket-Type {socket_type}", f"{stated}", "26/abnf/property")


def judge_counting(judge: Judge, nonces: Sequence[bytes], clause: str) -> None:
    """Short nonces count up, as numbers in one or the other order of octets."""
    for order in ("big", "little"):
        numbers = [int.from_bytes(nonce, order) for nonce in nonces]
        if all(earlier < later for earlier, later in itertools.pairwise(numbers)):
            return
    judge.that(False, "short nonces that count up", f"{[nonce.hex() for nonce in nonces[:8]]}", clause)


def judge_different(judge: Judge, values: Sequence[bytes], what: str, clause: str) -> None:
    """No two are the same."""
    twice = len(values) - len(set(values))
    judge.that(not twice, f"{len(values)} different {what}", f"{twice} that came before", clause)


@case(
    "curve/form/hello",
    clauses=[
        "26/abnf/hello",
        "26/abnf/hello-version",
        "26/abnf/hello-padding",
        "26/abnf/hello-client",
        "26/abnf/hello-nonce",
        "26/abnf/hello-box",
        "25/impl/command-size-from-23",
    ],
    needs=["{socket_type}", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("socket_type", ["PULL", "ROUTER", "SUB"])
def test_hello(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """HELLO has 200 octets: version 1.0, padding of zeros, a key, a nonce, and 64 zeros in a box."""
    raw = attach(open_client(peer, socket_type))
    server, hello = meet_client(raw)
    judge.equal(len(hello.to_command().body()), 200)
    expect_faultless(raw)
    judge.equal(server.partner, hello.client)


@case(
    "curve/form/welcome",
    clauses=["26/abnf/welcome", "26/abnf/welcome-nonce", "26/abnf/welcome-box", "26/abnf/cookie"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_welcome(peer: Peer, attach: Attach, judge: Judge) -> None:
    """WELCOME has 168 octets, and its box holds a key of 32 octets and a cookie of 96."""
    raw = attach(open_server(peer))
    client = new_client()
    raw.greet(AS_CLIENT)
    raw.send(client.hello())
    welcome = raw.expect(CurveWelcome, clause="26/abnf/welcome")
    expect_faultless(raw)
    judge.equal(len(welcome.to_command().body()), 168)
    opened(raw, lambda: client.take_welcome(welcome), "26/abnf/welcome-box")
    judge.that(len(client.cookie) == 96, "a cookie of 96 octets", f"{len(client.cookie)}", "26/abnf/cookie")


@case(
    "curve/form/initiate",
    clauses=[
        "26/abnf/initiate",
        "26/abnf/initiate-nonce",
        "26/abnf/initiate-box",
        "26/abnf/vouch",
        "26/abnf/vouch-nonce",
        "26/abnf/vouch-box",
        "26/abnf/metadata",
        "26/abnf/property",
        "26/abnf/name",
        "26/abnf/name-char",
        "26/abnf/value",
    ],
    needs=["{socket_type}", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("socket_type", ["PULL", "ROUTER", "SUB"])
def test_initiate(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """INITIATE has a box with the client's permanent key, a vouch for both keys, and metadata."""
    raw = attach(open_client(peer, socket_type))
    server, hello = meet_client(raw)
    raw.send(server.welcome())
    _, introduced = expect_initiate(raw, server)
    expect_faultless(raw)
    judge.that(introduced.client == OF_CLIENT.public, "its permanent key", "another key")
    vouched = (introduced.vouched_transient, introduced.vouched_server)
    right = vouched == (hello.client, OF_SERVER.public)
    judge.that(right, "a vouch for this connection and server", "other keys", "26/abnf/vouch-box")
    judge_metadata(judge, introduced.metadata, socket_type)


@case(
    "curve/form/cookie-comes-back",
    clauses=["26/abnf/initiate-cookie"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_cookie_comes_back(peer: Peer, attach: Attach, judge: Judge, cookie: bytes) -> None:
    """INITIATE begins with the cookie of WELCOME, whatever its octets are."""
    raw = attach(open_client(peer))
    server, _ = meet_client(raw)
    raw.send(server.welcome(cookie=cookie))
    judge.equal(raw.expect(CurveInitiate, clause="26/abnf/initiate-cookie").cookie, cookie)


@case(
    "curve/form/ready",
    clauses=[
        "26/abnf/ready",
        "26/abnf/ready-nonce",
        "26/abnf/ready-box",
        "26/abnf/metadata",
        "26/abnf/property",
        "26/abnf/name-char",
    ],
    needs=["{socket_type}", *SERVER_NEEDS],
)
@pytest.mark.parametrize("socket_type", ["PULL", "ROUTER", "XPUB"])
def test_ready(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """READY has a box with the server's metadata, and nothing else."""
    raw = attach(open_server(peer, socket_type))
    client = reach_initiate(raw)
    raw.send(client.initiate(metadata(PARTNER[socket_type])))
    introduction = expect_ready(raw, client)
    expect_faultless(raw)
    judge_metadata(judge, introduction, socket_type)


@case(
    "curve/form/keys-of-a-client-are-new",
    clauses=["26/hello/fresh-keypair", "26/initiate/vouch-nonce-unique"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_keys_of_a_client_are_new(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Every connection of a client has a transient key and a vouch's nonce of its own."""
    sock = open_client(peer)
    keys, nonces = [OF_CLIENT.public], []
    for _ in range(CONNECTIONS):
        raw = attach(sock)
        server, hello = meet_client(raw)
        raw.send(server.welcome())
        _, introduced = expect_initiate(raw, server)
        keys.append(hello.client)
        nonces.append(introduced.vouch_nonce)
    judge_different(judge, keys, "keys", "26/hello/fresh-keypair")
    judge_different(judge, nonces, "nonces", "26/initiate/vouch-nonce-unique")


@case(
    "curve/form/keys-of-a-server-are-new",
    clauses=["26/hello/server-new-keypair", "26/welcome/nonce-unique", "26/welcome/cookie-fresh"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_keys_of_a_server_are_new(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Every WELCOME has a transient key, a long nonce and a cookie of its own."""
    sock = open_server(peer)
    keys, nonces, cookies = [OF_SERVER.public], [], []
    for _ in range(CONNECTIONS):
        raw = attach(sock)
        client = reach_initiate(raw)
        assert raw.last is not None
        assert isinstance(raw.last.value, CurveWelcome)
        keys.append(client.partner)
        nonces.append(raw.last.value.nonce)
        cookies.append(client.cookie)
    judge_different(judge, keys, "keys", "26/hello/server-new-keypair")
    judge_different(judge, nonces, "nonces", "26/welcome/nonce-unique")
    judge_different(judge, cookies, "cookies", "26/welcome/cookie-fresh")


def take_messages(raw: RawPeer, session: Session, count: int) -> list[CurveMessage]:
    """So many MESSAGEs of the partner, closed as they came."""
    raw.cover = None
    messages = [raw.expect(CurveMessage, clause="26/abnf/message") for _ in range(count)]
    for message in messages:
        opened(raw, partial(session.open, message), "26/abnf/message-box")
    return messages


@case(
    "curve/form/short-nonces-of-a-client",
    clauses=["26/hello/nonce-incrementing", "26/abnf/message-nonce"],
    needs=["PUSH", *CLIENT_NEEDS],
)
def test_short_nonces_of_a_client(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The short nonces of HELLO, INITIATE and every MESSAGE count up."""
    sock = open_client(peer, "PUSH")
    raw = attach(sock)
    server, hello = meet_client(raw)
    raw.send(server.welcome())
    initiate, _ = expect_initiate(raw, server)
    raw.send(server.ready(metadata("PULL")))
    sock.flood(MESSAGES, 8, within_s=peer.deadlines.delivery_s)
    sent = take_messages(raw, server, MESSAGES)
    nonces = [hello.nonce, initiate.nonce, *(message.nonce for message in sent)]
    judge_counting(judge, nonces, "26/hello/nonce-incrementing")


@case(
    "curve/form/short-nonces-of-a-server",
    clauses=["26/ready/server-nonce-incrementing", "26/abnf/message-nonce"],
    needs=["PUSH", *SERVER_NEEDS],
)
def test_short_nonces_of_a_server(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The short nonces of READY and every MESSAGE count up."""
    sock = open_server(peer, "PUSH")
    raw = attach(sock)
    client = reach_initiate(raw)
    raw.send(client.initiate(metadata("PULL")))
    ready = raw.expect(CurveReady, clause="26/ready/server-sends")
    sock.flood(MESSAGES, 8, within_s=peer.deadlines.delivery_s)
    sent = take_messages(raw, client, MESSAGES)
    judge_counting(judge, [ready.nonce, *(m.nonce for m in sent)], "26/ready/server-nonce-incrementing")


@case(
    "curve/form/message",
    clauses=[
        "26/abnf/message",
        "26/abnf/message-box",
        "26/abnf/payload",
        "26/abnf/payload-data",
        "26/message/nonce-prefix",
        "26/message/reserved-zero",
        "26/message/more-bit",
    ],
    needs=["PUSH", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_message(peer: Peer, attach: Attach, judge: Judge, side: str) -> None:
    """Each frame has a MESSAGE: MORE in all but the last, no other flag, and nothing but its octets."""
    sock = open_as(peer, side, "PUSH")
    raw = attach(sock)
    session = shake_hands(raw, side, "PULL")
    sock.send([b"first", b"", b"x" * 300])
    sent = take_messages(raw, session, 3)
    session.trusts = True
    payloads = [session.open(message) for message in sent]
    flags = [payload[0] for payload in payloads]
    judge.that(not any(flag & ~1 for flag in flags), "flags 00 or 01", f"{flags}", "26/message/reserved-zero")
    judge.that(
        [flag & 1 for flag in flags] == [1, 1, 0], "MORE, MORE, none", f"{flags}", "26/message/more-bit"
    )
    data = [payload[1:] for payload in payloads]
    judge.that(data == [b"first", b"", b"x" * 300], "the frames", f"{data}", "26/abnf/payload")
    judge.equal(len(sent[1].to_command().body()), 33)


@case(
    "curve/form/key-of-a-client-is-hidden",
    clauses=["26/overview/client-key-hidden", "26/abnf/curvezmq"],
    needs=["DEALER", *EITHER_NEEDS],
)
@pytest.mark.parametrize("side", SIDES)
def test_key_of_a_client_is_hidden(peer: Peer, attach: Attach, judge: Judge, side: str) -> None:
    """Neither the client's permanent key, nor metadata, nor what is said can be read on the wire."""
    sock = open_as(peer, side, "DEALER")
    raw = attach(sock)
    shake_hands(raw, side, "DEALER")
    sock.send([b"a long secret", b"in two frames"])
    raw.expect_message(b"a long secret", b"in two frames", clause="26/abnf/curvezmq")
    readable = [OF_CLIENT.public, OF_CLIENT.secret, b"DEALER", b"a long secret"]
    found = [octets for octets in readable if octets in raw.received]
    judge.that(not found, "nothing of it in the clear", f"{found}")
