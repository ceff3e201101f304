"""The client of PLAIN: what it says of itself, and what it takes from a server (RFC 24, Implementation)."""

from typing import Any

import pytest

from conformance.plain.ends import (
    AS_CLIENT,
    AS_SERVER,
    CLIENT_NEEDS,
    EARLY,
    GOOD,
    PASSWORD,
    USER,
    expect_faultless,
    expect_healthy,
    judge_refusal,
    let_in,
    meet_client,
    open_client,
    reach_ready,
)
from conformance.zmtp.secured import FORGED, judge_role
from conformance.zmtp.traffic import closed_or_served, expect_silence
from harness.case import Judge, case
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.link import Sendable
from harness.zmtp import Error, Hello, Initiate, Message, Ready, Welcome, malformed
from harness.zmtp.grammar import SOCKET_TYPES

# What the application sets (what it does not set is empty), and the HELLO that follows from it.
UNUSUAL: dict[str, tuple[dict[str, bytes], Hello]] = {
    "username-alone": ({"plain_username": USER}, Hello(USER, b"")),
    "password-alone": ({"plain_password": PASSWORD}, Hello(b"", PASSWORD)),
    "longest": (
        {"plain_username": b"u" * 255, "plain_password": b"p" * 255},
        Hello(b"u" * 255, b"p" * 255),
    ),
    "all-marks": (
        {"plain_username": bytes(range(0x21, 0x7F)), "plain_password": b"~"},
        Hello(bytes(range(0x21, 0x7F)), b"~"),
    ),
}
NOT_WELCOME: dict[str, Sendable] = {
    "ready": Ready("PUSH"),
    "initiate": Initiate("PUSH"),
    "hello": GOOD,
}
NOT_READY: dict[str, Sendable] = {
    "welcome": Welcome(),
    "initiate": Initiate("PUSH"),
    "hello": GOOD,
}
INTERVAL_MS = 20


@case(
    "plain/client/logs-in",
    clauses=["24/flow/client-hello", "24/flow/client-initiate", "24/abnf/plain", "37/topology/bind-either"],
    needs=["{socket_type}", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_logs_in(peer: Peer, attach: Attach, judge: Judge, socket_type: str) -> None:
    """A client says HELLO with its credentials, INITIATE after WELCOME, and messages flow after READY."""
    sock = open_client(peer, socket_type)
    raw = attach(sock)
    judge.equal(meet_client(raw), GOOD)
    raw.send(Welcome())
    raw.expect(Initiate, clause="24/flow/client-initiate")
    raw.send(Ready(PARTNER[socket_type]))
    expect_serves(sock, raw, clause="24/abnf/plain")


@case(
    "plain/client/says-that-it-is-the-client",
    clauses=["24/flow/as-server-role"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_says_that_it_is_the_client(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The client's greeting has PLAIN and as-server 00, whether it binds or connects."""
    judge_role(judge, attach(open_client(peer)).greet(AS_SERVER), "PLAIN", as_server=0)


@case(
    "plain/client/commands-follow-the-grammar",
    clauses=["24/abnf/hello", "24/abnf/initiate"],
    needs=["{socket_type}", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("socket_type", ["PULL", "ROUTER", "SUB"])
def test_commands_follow_the_grammar(peer: Peer, attach: Attach, socket_type: str) -> None:
    """HELLO is filled by username and password exactly, INITIATE by its properties."""
    raw = attach(open_client(peer, socket_type))
    raw.greet(AS_SERVER)
    expect_faultless(raw, Hello, "24/abnf/hello")
    raw.send(Welcome())
    expect_faultless(raw, Initiate, "24/abnf/initiate")


@case(
    "plain/client/unusual-credentials",
    clauses=["24/abnf/username", "24/abnf/password"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize(("options", "hello"), UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_credentials(
    peer: Peer, attach: Attach, judge: Judge, options: dict[str, Any], hello: Hello
) -> None:
    """Empty fields, fields of 255 octets and any printable character go out as they are."""
    sock = peer.open("PULL", **options)
    raw = attach(sock)
    judge.equal(meet_client(raw), hello)
    raw.send(Welcome())
    raw.expect(Initiate)
    raw.send(Ready("PUSH"))
    expect_serves(sock, raw)


@case(
    "plain/client/waits-for-welcome",
    clauses=["24/flow/client-initiate"],
    needs=["PULL", "mechanism:NULL", *CLIENT_NEEDS],
)
def test_waits_for_welcome(peer: Peer, attach: Attach, dial: Dial) -> None:
    """Behind HELLO a client sends nothing until WELCOME has come."""
    sock, bystander = open_client(peer), peer.open("PULL")
    raw = attach(sock)
    meet_client(raw)
    expect_silence(raw, bystander, dial, "nothing before WELCOME", "octets, or a close")
    raw.send(Welcome())
    raw.expect(Initiate)


@case(
    "plain/client/sends-no-message-before-ready",
    clauses=["24/flow/client-send-after-ready"],
    needs=["PUSH", "PULL", "mechanism:NULL", *CLIENT_NEEDS],
)
def test_sends_no_message_before_ready(peer: Peer, listen: Listen, dial: Dial, judge: Judge) -> None:
    """A message that the application sends early stays at home until READY has come."""
    sock, listener, bystander = open_client(peer, "PUSH"), listen(), peer.open("PULL")
    sock.connect(listener.endpoint)
    raw = listener.accept()
    reach_ready(raw)
    judge.note(f"an early send is {sock.offer([b'early'], within_s=0.05)}")
    expect_silence(raw, bystander, dial, "nothing between INITIATE and READY", "octets")
    raw.send(Ready("PULL"))
    sock.send([b"late"])
    raw.expect(Message)


@case(
    "plain/client/message-right-behind-ready",
    clauses=["24/flow/server-send-after-ready"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_message_right_behind_ready(peer: Peer, attach: Attach) -> None:
    """A server may send READY and a message in one segment."""
    sock = open_client(peer)
    raw = attach(sock)
    reach_ready(raw)
    raw.send(Ready("PUSH"), Message(b"at", b"once"))
    sock.expect(b"at", b"once")


@case(
    "plain/client/handshake-in-pieces",
    clauses=["24/abnf/plain"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_handshake_in_pieces(peer: Peer, attach: Attach) -> None:
    """WELCOME and READY are understood however TCP cuts them."""
    sock = open_client(peer)
    raw = attach(sock)
    meet_client(raw)
    raw.send(Welcome(), pieces=1)
    raw.expect(Initiate)
    raw.send(Ready("PUSH"), pieces=1)
    expect_serves(sock, raw)


@case(
    "plain/client/welcome-comes-first",
    clauses=["24/flow/order-enforced", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("first", NOT_WELCOME.values(), ids=NOT_WELCOME)
def test_welcome_comes_first(peer: Peer, attach: Attach, judge: Judge, first: Sendable) -> None:
    """A server that begins with a command of another turn is left, and nothing of it is delivered."""
    sock = open_client(peer)
    raw = attach(sock)
    meet_client(raw)
    raw.send(first, FORGED)
    judge_refusal(judge, raw, sock, attach, "plain-username", "24/flow/order-enforced")


@case(
    "plain/client/ready-comes-second",
    clauses=["24/flow/order-enforced", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("second", NOT_READY.values(), ids=NOT_READY)
def test_ready_comes_second(peer: Peer, attach: Attach, judge: Judge, second: Sendable) -> None:
    """A server that goes on with a command of another turn is left, and nothing of it is delivered."""
    sock = open_client(peer)
    raw = attach(sock)
    reach_ready(raw)
    raw.send(second, FORGED)
    judge_refusal(judge, raw, sock, attach, "plain-username", "24/flow/order-enforced")


@case(
    "plain/client/early-traffic-is-not-delivered",
    clauses=["24/flow/order-enforced", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize(
    ("before", "behind"), [([], [Welcome()]), ([Welcome()], [])], ids=["before-welcome", "behind-welcome"]
)
@pytest.mark.parametrize("early", EARLY.values(), ids=EARLY)
def test_early_traffic_is_not_delivered(
    peer: Peer, attach: Attach, judge: Judge, early: Sendable, before: list[Welcome], behind: list[Welcome]
) -> None:
    """What comes before READY is ignored or ends the connection; it is not delivered and harms nobody."""
    sock = open_client(peer)
    raw = attach(sock)
    meet_client(raw)
    raw.send(*before, early, *behind, Ready("PUSH"), Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence", clause="24/flow/order-enforced")
    judge.note(end)
    judge.equal(came, [])
    expect_healthy(sock, attach, "plain-username", clause="37/errors/close-is-temporary")


@case(
    "plain/client/meets-another-client",
    clauses=["24/flow/order-enforced", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
def test_meets_another_client(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Two clients, each with its HELLO, come to no session."""
    sock = open_client(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(GOOD, Initiate("PUSH"), FORGED)
    with judge.soft():
        raw.expect_closed("24/flow/order-enforced", never=(Welcome, Initiate, Ready, Message))
    expect_healthy(sock, attach, "plain-username", clause="37/errors/close-is-temporary")


@case(
    "plain/client/welcome-with-data-is-refused",
    clauses=["24/abnf/welcome", "37/errors/close-is-temporary"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("data", [b"\0", b"Socket-Type", bytes(300)], ids=["one-octet", "text", "long"])
def test_welcome_with_data_is_refused(peer: Peer, attach: Attach, judge: Judge, data: bytes) -> None:
    """A WELCOME with data is none."""
    sock = open_client(peer)
    raw = attach(sock)
    meet_client(raw)
    raw.send(malformed.welcome_with_data(data))
    judge_refusal(judge, raw, sock, attach, "plain-username", "24/abnf/welcome")


@case(
    "plain/client/error-ends-the-handshake",
    clauses=["24/abnf/plain", "37/errors/error-fatal"],
    needs=["PULL", *CLIENT_NEEDS],
)
@pytest.mark.parametrize("reason", [b"", b"400", b"r" * 255], ids=["empty", "status", "longest"])
@pytest.mark.parametrize("welcomed", [False, True], ids=["for-welcome", "for-ready"])
def test_error_ends_the_handshake(
    peer: Peer, attach: Attach, judge: Judge, welcomed: bool, reason: bytes
) -> None:
    """A client that is sent ERROR in the place of WELCOME, or of READY, closes."""
    sock = open_client(peer)
    raw = attach(sock)
    meet_client(raw)
    raw.send(*[Welcome()] * welcomed)
    for kind in [Initiate] * welcomed:
        raw.expect(kind, clause="24/flow/client-initiate")
    raw.send(Error(reason))
    with judge.soft():
        raw.expect_closed("37/errors/error-fatal", never=(Initiate, Message))
    expect_healthy(sock, attach, "plain-username", clause="24/abnf/plain")


@case(
    "plain/client/stays-away-once-refused",
    clauses=["37/errors/error-no-retry", "37/errors/error-fatal", "37/errors/close-reconnect"],
    needs=["PULL", "option:reconnect-interval-ms", *CLIENT_NEEDS],
)
def test_stays_away_once_refused(peer: Peer, listen: Listen) -> None:
    """A client whose credentials were refused by ERROR does not come again with the same ones."""
    refusing, cutting = listen(), listen()
    sock = open_client(peer, reconnect_interval_ms=INTERVAL_MS)
    sock.connect(refusing.endpoint)
    refused = refusing.accept()
    meet_client(refused)
    refused.send(Error(b"400"))
    refused.expect_closed("37/errors/error-fatal")
    sock.connect(cutting.endpoint)
    for _ in range(4):  # as many attempts with the same interval as the refused connection could have made
        cut = let_in(cutting.accept(clause="37/errors/close-reconnect"))
        expect_serves(sock, cut, clause="37/errors/close-reconnect")
        cut.close()
    Judge.that(not refusing.arrived(), "no other attempt", "another connection")
