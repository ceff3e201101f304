"""The server of CURVE: what it takes from a client, and in which order (RFC 26, CurveZMQ Commands)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from conformance.curve.ends import (
    AS_CLIENT,
    OF_CLIENT,
    OF_OTHERS,
    OF_SERVER,
    SERVER_NEEDS,
    expect_ready,
    judge_refusal,
    log_in,
    metadata,
    new_client,
    open_server,
    reach_initiate,
)
from conformance.zmtp.secured import FORGED, judge_role
from conformance.zmtp.traffic import expect_reaction, expect_silence
from harness.case import Judge, case
from harness.curve import Client, tampered
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.link import Sendable
from harness.wire.render import describe
from harness.zmtp import (
    CurveInitiate,
    CurveMessage,
    CurveReady,
    CurveWelcome,
    Error,
    Message,
    malformed,
)
from harness.zmtp.grammar import SOCKET_TYPES

METADATA = metadata("PUSH")


def flipped(octets: bytes) -> bytes:
    """The same with another last octet, whatever it was."""
    return octets[:-1] + bytes([octets[-1] ^ 1])


READABLE = re.compile(rb"[\x20-\x7e]*")

MALFORMED_HELLO: dict[str, Callable[[Client], Sendable]] = {
    "cut": lambda client: malformed.long_command(client.hello().to_command().body()[:-1]),
    "longer": lambda client: malformed.long_command(client.hello().to_command().body() + b"\0"),
    "name-alone": lambda client: malformed.command_named(b"HELLO"),
    "version-2": lambda client: tampered(client.hello(), "version", 0, 3),
    "version-1-1": lambda client: tampered(client.hello(), "version", 1),
    "box-altered": lambda client: tampered(client.hello()),
    "key-altered": lambda client: tampered(client.hello(), "client", 0),
    "nonce-altered": lambda client: tampered(client.hello(), "nonce"),
    "for-another-server": lambda client: client.hello(server=OF_OTHERS.public),
}
MALFORMED_INITIATE: dict[str, Callable[[Client], Sendable]] = {
    "cut": lambda client: malformed.long_command(client.initiate(b"").to_command().body()[:-1]),
    "name-alone": lambda client: malformed.command_named(b"INITIATE"),
    "box-altered": lambda client: tampered(client.initiate(METADATA)),
    "nonce-altered": lambda client: tampered(client.initiate(METADATA), "nonce"),
    "vouch-altered": lambda client: client.initiate(METADATA, vouch=flipped(client.vouch())),
    "vouch-of-zeros": lambda client: client.initiate(METADATA, vouch=bytes(96)),
    "metadata-cut": lambda client: client.initiate(METADATA[:-1]),
    "metadata-longer": lambda client: client.initiate(METADATA + b"\x01"),
}
OTHER_VOUCHES: dict[str, Callable[[Client], bytes]] = {
    "another-connection": lambda client: client.vouch(transient=OF_OTHERS.public),
    "another-server": lambda client: client.vouch(server=OF_OTHERS.public),
}
NOT_HELLO: dict[str, Callable[[Client], Sendable]] = {
    "initiate": lambda client: CurveInitiate(bytes(96), bytes(8), bytes(144)),
    "ready": lambda client: CurveReady(bytes(8), bytes(16)),
    "message": lambda client: CurveMessage(bytes(8), bytes(17)),
    "welcome": lambda client: CurveWelcome(bytes(16), bytes(144)),
}
NOT_INITIATE: dict[str, Callable[[Client], Sendable]] = {
    "hello": lambda client: client.hello(),
    "message": lambda client: client.seal(b"\0early"),
    "ready": lambda client: CurveReady(bytes(8), bytes(16)),
}
NONCES = {"of-hello": (1, "26/hello/server-drops-reuse"), "lower": (0, "26/hello/server-checks-nonce")}


@case(
    "curve/server/lets-clients-in",
    clauses=["26/welcome/server-sends", "26/ready/server-sends", "26/abnf/curvezmq"],
    needs=["{socket_type}", *SERVER_NEEDS],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_lets_clients_in(peer: Peer, attach: Attach, socket_type: str) -> None:
    """HELLO brings WELCOME, INITIATE brings READY, and messages flow in boxes; whoever dialled."""
    sock = open_server(peer, socket_type)
    raw = attach(sock)
    log_in(raw, PARTNER[socket_type])
    expect_serves(sock, raw, clause="26/abnf/curvezmq")


@case(
    "curve/server/says-that-it-is-the-server",
    clauses=["25/impl/as-server-role"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_says_that_it_is_the_server(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The server's greeting has CURVE and as-server 01, whether it binds or connects."""
    judge_role(judge, attach(open_server(peer)).greet(AS_CLIENT), "CURVE", as_server=1)


@case(
    "curve/server/waits-for-hello",
    clauses=["26/abnf/curvezmq"],
    needs=["PULL", "mechanism:NULL", *SERVER_NEEDS],
)
def test_waits_for_hello(peer: Peer, attach: Attach, dial: Dial) -> None:
    """Behind its greeting a server sends nothing until HELLO has come."""
    sock, bystander = open_server(peer), peer.open("PULL")
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    expect_silence(raw, bystander, dial, "nothing before HELLO", "octets, or a close")
    raw.send(new_client().hello())
    raw.expect(CurveWelcome)


@case(
    "curve/server/sends-no-message-before-ready",
    clauses=["26/message/server-after-ready"],
    needs=["PUSH", "PULL", "mechanism:NULL", *SERVER_NEEDS],
)
def test_sends_no_message_before_ready(peer: Peer, listen: Listen, dial: Dial, judge: Judge) -> None:
    """Whoever has not sent INITIATE gets nothing; the message comes behind READY."""
    sock, listener, bystander = open_server(peer, "PUSH"), listen(), peer.open("PULL")
    sock.connect(listener.endpoint)
    raw = listener.accept()
    client = reach_initiate(raw)
    judge.note(f"an early send is {sock.offer([b'early'], within_s=0.05)}")
    expect_silence(raw, bystander, dial, "nothing between WELCOME and INITIATE", "octets")
    raw.send(client.initiate(metadata("PULL")))
    expect_ready(raw, client)
    sock.send([b"late"])
    raw.expect(Message)


@case(
    "curve/server/handshake-in-pieces",
    clauses=["26/welcome/server-sends", "26/ready/server-sends"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_handshake_in_pieces(peer: Peer, attach: Attach) -> None:
    """HELLO and INITIATE are understood however TCP cuts them."""
    sock = open_server(peer)
    raw = attach(sock)
    client = new_client()
    raw.greet(AS_CLIENT)
    raw.send(client.hello(), pieces=1)
    client.take_welcome(raw.expect(CurveWelcome, clause="26/welcome/server-sends"))
    raw.send(client.initiate(METADATA), pieces=1)
    expect_ready(raw, client)
    expect_serves(sock, raw, clause="26/ready/server-sends")


@case(
    "curve/server/malformed-hello-is-refused",
    clauses=["26/hello/server-rejects", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("hello", MALFORMED_HELLO.values(), ids=MALFORMED_HELLO)
def test_malformed_hello_is_refused(
    peer: Peer, attach: Attach, judge: Judge, hello: Callable[[Client], Sendable]
) -> None:
    """A HELLO of another size or version, or with a box that does not open, gets no WELCOME."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(hello(new_client()))
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/hello/server-rejects")


@case(
    "curve/server/padding-of-hello-is-zero",
    clauses=["26/hello/padding-nonzero", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("at", [0, 71], ids=["first", "last"])
def test_padding_of_hello_is_zero(peer: Peer, attach: Attach, judge: Judge, at: int) -> None:
    """A HELLO whose padding has another octet than zero is refused."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(tampered(new_client().hello(), "padding", at))
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/hello/padding-nonzero")


@case(
    "curve/server/signature-of-hello-is-zero",
    clauses=["26/hello/signature-zeros", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize(
    "signature", [b"\1" + bytes(63), bytes(63) + b"\1", b"\xff" * 64], ids=["first", "last", "all"]
)
def test_signature_of_hello_is_zero(peer: Peer, attach: Attach, judge: Judge, signature: bytes) -> None:
    """A HELLO whose box opens and holds something else than zeros is refused."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(new_client().hello(signature=signature))
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/hello/signature-zeros")


@case(
    "curve/server/cookie-counts",
    clauses=["26/welcome/cookie-box", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("at", [0, 16, -1], ids=["nonce", "box", "end"])
def test_cookie_counts(peer: Peer, attach: Attach, judge: Judge, at: int) -> None:
    """An INITIATE with an altered cookie, and all else right, is refused."""
    sock = open_server(peer)
    raw = attach(sock)
    client = reach_initiate(raw)
    raw.send(tampered(client.initiate(METADATA), "cookie", at))
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/welcome/cookie-box")


@case(
    "curve/server/cookie-of-another-connection",
    clauses=["26/welcome/cookie-box", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_cookie_of_another_connection(peer: Peer, dial: Dial, judge: Judge) -> None:
    """An INITIATE with the cookie that another connection was given is refused."""
    sock = open_server(peer)
    endpoint = sock.bind()
    raw = dial(endpoint)
    other, client = reach_initiate(dial(endpoint)), reach_initiate(raw)
    raw.send(client.initiate(METADATA, cookie=other.cookie))
    judge_refusal(judge, raw, sock, lambda _: dial(endpoint), "curve-server", "26/welcome/cookie-box")


@case(
    "curve/server/cookie-that-has-served",
    clauses=["26/welcome/cookie-key-discard", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_cookie_that_has_served(peer: Peer, dial: Dial, judge: Judge) -> None:
    """Whether an INITIATE with a cookie that has served once is taken again elsewhere is recorded."""
    sock = open_server(peer)
    endpoint = sock.bind()
    first = log_in(dial(endpoint))
    raw = dial(endpoint)
    again = Client(OF_CLIENT, OF_SERVER.public, first.transient, trusts=True)
    reach_initiate(raw, again)
    raw.send(first.initiate(METADATA))
    judge_refusal(judge, raw, sock, lambda _: dial(endpoint), "curve-server", "26/welcome/cookie-key-discard")


@case(
    "curve/server/malformed-initiate-is-refused",
    clauses=["26/initiate/server-rejects", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("initiate", MALFORMED_INITIATE.values(), ids=MALFORMED_INITIATE)
def test_malformed_initiate_is_refused(
    peer: Peer, attach: Attach, judge: Judge, initiate: Callable[[Client], Sendable]
) -> None:
    """An INITIATE that is too short, or whose box, vouch or metadata is not right, gets no READY."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.send(initiate(reach_initiate(raw)), FORGED)
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/initiate/server-rejects")


@case(
    "curve/server/vouch-for-others",
    clauses=["26/initiate/vouch-content", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("vouch", OTHER_VOUCHES.values(), ids=OTHER_VOUCHES)
def test_vouch_for_others(peer: Peer, attach: Attach, judge: Judge, vouch: Callable[[Client], bytes]) -> None:
    """A vouch that opens, and is for another transient key or another server, gets no READY."""
    sock = open_server(peer)
    raw = attach(sock)
    client = reach_initiate(raw)
    raw.send(client.initiate(METADATA, vouch=vouch(client)))
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/initiate/vouch-content")


@case(
    "curve/server/nonce-of-initiate-counts-up",
    clauses=["26/hello/server-drops-reuse", "26/hello/server-checks-nonce", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize(("number", "rule"), NONCES.values(), ids=NONCES)
def test_nonce_of_initiate_counts_up(
    peer: Peer, attach: Attach, judge: Judge, number: int, rule: str
) -> None:
    """An INITIATE with the short nonce of HELLO, or a lower one, is refused."""
    sock = open_server(peer)
    raw = attach(sock)
    client = reach_initiate(raw)
    raw.send(client.initiate(METADATA, nonce=number.to_bytes(8, "big")))
    judge_refusal(judge, raw, sock, attach, "curve-server", rule)


@case(
    "curve/server/error-follows-the-grammar",
    clauses=["26/abnf/error", "26/abnf/error-reason"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_error_follows_the_grammar(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Where a server says ERROR to a client of the wrong type, its reason has a length and can be read."""
    raw = attach(open_server(peer))
    client = reach_initiate(raw)
    raw.send(client.initiate(metadata("PULL")))
    received = expect_reaction(raw)
    value = None if received is None else received.value
    judge.note("a close" if received is None else describe(value))
    for fault in received.faults if received is not None else ():
        if not (isinstance(value, Error) and READABLE.fullmatch(value.reason)):  # a reason may have spaces
            with judge.soft():
                raise raw.mismatch("ERROR without fault, or a close", fault.message, None, raw.last_start)


@case(
    "curve/server/hello-comes-first",
    clauses=["26/overview/flow", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("first", NOT_HELLO.values(), ids=NOT_HELLO)
def test_hello_comes_first(
    peer: Peer, attach: Attach, judge: Judge, first: Callable[[Client], Sendable]
) -> None:
    """Whoever begins with a command of another turn is refused."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(first(new_client()))
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/overview/flow")


@case(
    "curve/server/initiate-comes-second",
    clauses=["26/overview/flow", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("second", NOT_INITIATE.values(), ids=NOT_INITIATE)
def test_initiate_comes_second(
    peer: Peer, attach: Attach, judge: Judge, second: Callable[[Client], Sendable]
) -> None:
    """Whoever goes on with a command of another turn is refused, and nothing of it is delivered."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.send(second(reach_initiate(raw)))
    judge_refusal(judge, raw, sock, attach, "curve-server", "26/overview/flow")
