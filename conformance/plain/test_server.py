"""The server of PLAIN: whom it lets in, and in which order (RFC 24, Implementation)."""

import pytest

from conformance.plain.ends import (
    AS_CLIENT,
    EARLY,
    GOOD,
    PASSWORD,
    SERVER_NEEDS,
    USER,
    expect_faultless,
    expect_healthy,
    judge_refusal,
    log_in,
    open_server,
    reach_initiate,
)
from conformance.zmtp.secured import FORGED, judge_role
from conformance.zmtp.traffic import closed_or_served, data_of, expect_reaction, expect_silence
from harness.case import Judge, case
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial, Listen
from harness.wire.link import Sendable
from harness.wire.render import describe
from harness.zmtp import Hello, Initiate, Message, Ready, Welcome, malformed
from harness.zmtp.grammar import SOCKET_TYPES

UNUSUAL = {
    "no-username": Hello(b"", PASSWORD),
    "no-password": Hello(USER, b""),
    "neither": Hello(),
    "longest": Hello(b"u" * 255, b"p" * 255),
    "one-of-each": Hello(b"u", b"p"),
    "all-marks": Hello(bytes(range(0x21, 0x7F)), bytes(range(0x7E, 0x20, -1))),
}
WRONG = {
    "password": Hello(USER, b"guess!"),
    "username": Hello(b"other", PASSWORD),
    "no-password": Hello(USER),
    "nothing": Hello(),
    "swapped": Hello(PASSWORD, USER),
    "password-cut": Hello(USER, PASSWORD[:-1]),
    "password-longer": Hello(USER, PASSWORD + b"!"),
    "password-in-capitals": Hello(USER, PASSWORD.upper()),
    "null-behind-username": malformed.hello(USER + b"\0", PASSWORD),
    "null-behind-password": malformed.hello(USER, PASSWORD + b"\0"),
}
MALFORMED = {
    "empty": malformed.hello_cut(),
    "no-password": malformed.hello_cut(b"\x05admin"),
    "username-overrun": malformed.hello(USER, PASSWORD, username_size=200),
    "username-runs-to-the-end": malformed.hello(USER, PASSWORD, username_size=12),
    "password-overrun": malformed.hello(USER, PASSWORD, password_size=7),
    "password-far-overrun": malformed.hello(USER, PASSWORD, password_size=255),
    "octet-left-over": malformed.hello(USER, PASSWORD, more=b"\0"),
    "much-left-over": malformed.hello(USER, PASSWORD, more=bytes(300)),
}
NOT_HELLO: dict[str, Sendable] = {
    "initiate": Initiate("PUSH"),
    "ready": Ready("PUSH"),
    "welcome": Welcome(),
}
NOT_INITIATE: dict[str, Sendable] = {
    "hello": GOOD,
    "ready": Ready("PUSH"),
    "welcome": Welcome(),
}


@case(
    "plain/server/lets-in-good-credentials",
    clauses=["24/flow/server-welcome", "24/flow/server-ready", "24/abnf/plain", "37/wire/clear-as-messages"],
    needs=["{socket_type}", *SERVER_NEEDS],
)
@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_lets_in_good_credentials(peer: Peer, attach: Attach, socket_type: str) -> None:
    """Good credentials bring WELCOME, INITIATE brings READY, and messages flow; whoever dialled."""
    sock = open_server(peer, socket_type)
    expect_serves(sock, log_in(attach(sock), PARTNER[socket_type]), clause="24/abnf/plain")


@case(
    "plain/server/says-that-it-is-the-server",
    clauses=["24/flow/as-server-role", "23/topology/as-server-set"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_says_that_it_is_the_server(peer: Peer, attach: Attach, judge: Judge) -> None:
    """The server's greeting has PLAIN and as-server 01, whether it binds or connects."""
    judge_role(judge, attach(open_server(peer)).greet(AS_CLIENT), "PLAIN", as_server=1)


@case(
    "plain/server/waits-for-hello",
    clauses=["24/flow/server-waits"],
    needs=["PULL", "mechanism:NULL", *SERVER_NEEDS],
)
def test_waits_for_hello(peer: Peer, attach: Attach, dial: Dial) -> None:
    """Behind its greeting a server sends nothing until HELLO has come."""
    sock, bystander = open_server(peer), peer.open("PULL")
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    expect_silence(raw, bystander, dial, "nothing before HELLO", "octets, or a close")
    raw.send(GOOD)
    raw.expect(Welcome)


@case(
    "plain/server/sends-no-message-before-ready",
    clauses=["24/flow/server-send-after-ready"],
    needs=["PUSH", "PULL", "mechanism:NULL", *SERVER_NEEDS],
)
def test_sends_no_message_before_ready(peer: Peer, listen: Listen, dial: Dial, judge: Judge) -> None:
    """A message that the application sends early stays at home until READY has gone out."""
    sock, listener, bystander = open_server(peer, "PUSH"), listen(), peer.open("PULL")
    sock.connect(listener.endpoint)
    raw = listener.accept()
    reach_initiate(raw)
    judge.note(f"an early send is {sock.offer([b'early'], within_s=0.05)}")
    expect_silence(raw, bystander, dial, "nothing between WELCOME and INITIATE", "octets")
    raw.send(Initiate("PULL"))
    raw.expect(Ready)
    sock.send([b"late"])
    raw.expect(Message)


@case(
    "plain/server/commands-follow-the-grammar",
    clauses=["24/abnf/welcome", "24/abnf/ready"],
    needs=["{socket_type}", *SERVER_NEEDS],
)
@pytest.mark.parametrize("socket_type", ["PULL", "ROUTER", "XPUB"])
def test_commands_follow_the_grammar(peer: Peer, attach: Attach, socket_type: str) -> None:
    """WELCOME is a name and nothing else; READY is filled by its properties exactly."""
    raw = attach(open_server(peer, socket_type))
    raw.greet(AS_CLIENT)
    raw.send(GOOD)
    expect_faultless(raw, Welcome, "24/abnf/welcome")
    raw.send(Initiate(PARTNER[socket_type]))
    expect_faultless(raw, Ready, "24/abnf/ready")


@case(
    "plain/server/handshake-in-pieces",
    clauses=["24/abnf/plain"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_handshake_in_pieces(peer: Peer, attach: Attach) -> None:
    """HELLO and INITIATE are understood however TCP cuts them."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(GOOD, pieces=1)
    raw.expect(Welcome)
    raw.send(Initiate("PUSH"), pieces=1)
    raw.expect(Ready)
    expect_serves(sock, raw)


@case(
    "plain/server/commands-in-long-form",
    clauses=["24/body/shared-grammar", "37/abnf/command-size"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_commands_in_long_form(peer: Peer, attach: Attach) -> None:
    """HELLO and INITIATE of few octets may come with the long size."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(malformed.long_command(data_of(GOOD)))
    raw.expect(Welcome)
    raw.send(malformed.long_command(data_of(Initiate("PUSH"))))
    raw.expect(Ready)
    expect_serves(sock, raw)


@case(
    "plain/server/unusual-credentials",
    clauses=["24/flow/server-welcome", "24/abnf/username", "24/abnf/password"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("hello", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_credentials(peer: Peer, attach: Attach, hello: Hello) -> None:
    """Empty fields, fields of 255 octets and any printable character can be good credentials."""
    sock = open_server(peer, hello=hello)
    expect_serves(sock, log_in(attach(sock), hello=hello))


@case(
    "plain/server/refuses-wrong-credentials",
    clauses=["24/flow/server-reject-close", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("hello", WRONG.values(), ids=WRONG)
def test_refuses_wrong_credentials(peer: Peer, attach: Attach, judge: Judge, hello: Sendable) -> None:
    """Whoever has not both username and password right gets neither WELCOME nor a message through."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(hello, Initiate("PUSH"), FORGED)
    judge_refusal(judge, raw, sock, attach, "plain-server", "24/flow/server-reject-close")


@case(
    "plain/server/error-follows-the-grammar",
    clauses=["24/body/shared-grammar", "37/abnf/command-name", "37/null/abnf-error"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_error_follows_the_grammar(peer: Peer, attach: Attach, judge: Judge) -> None:
    """Where a server says ERROR to wrong credentials, its reason has a length and fills the command."""
    raw = attach(open_server(peer))
    raw.greet(AS_CLIENT)
    raw.send(Hello(USER, b"guess!"))
    received = expect_reaction(raw)
    judge.note("a close" if received is None else describe(received.value))
    for fault in received.faults if received is not None else ():
        with judge.soft():  # the text of the reason is free
            free = fault.clause == "37/null/abnf-error-reason"
            judge.that(free, "ERROR without fault, or a close", fault.message, fault.clause)


@case(
    "plain/server/malformed-hello-is-refused",
    clauses=["24/abnf/hello", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("hello", MALFORMED.values(), ids=MALFORMED)
def test_malformed_hello_is_refused(peer: Peer, attach: Attach, judge: Judge, hello: bytes) -> None:
    """A HELLO that its two fields do not fill exactly lets nobody in, and others are served as before."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(hello, Initiate("PUSH"), FORGED)
    judge_refusal(judge, raw, sock, attach, "plain-server", "24/abnf/hello")


@case(
    "plain/server/padded-hello",
    clauses=["24/body/name-padding-text", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
def test_padded_hello(peer: Peer, attach: Attach, judge: Judge) -> None:
    """A HELLO with its name padded to 8 characters is no command; whether it is taken is recorded."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(malformed.hello_padded(USER, PASSWORD))
    judge_refusal(judge, raw, sock, attach, "plain-server", "24/body/name-padding-text")


@case(
    "plain/server/hello-comes-first",
    clauses=["24/flow/order-enforced", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("first", NOT_HELLO.values(), ids=NOT_HELLO)
def test_hello_comes_first(peer: Peer, attach: Attach, judge: Judge, first: Sendable) -> None:
    """Whoever begins with a command of another turn is refused, and nothing of it is delivered."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(first, FORGED)
    judge_refusal(judge, raw, sock, attach, "plain-server", "24/flow/order-enforced")


@case(
    "plain/server/initiate-comes-second",
    clauses=["24/flow/order-enforced", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize("second", NOT_INITIATE.values(), ids=NOT_INITIATE)
def test_initiate_comes_second(peer: Peer, attach: Attach, judge: Judge, second: Sendable) -> None:
    """Whoever goes on with a command of another turn is refused in spite of its credentials."""
    sock = open_server(peer)
    raw = attach(sock)
    reach_initiate(raw)
    raw.send(second, FORGED)
    judge_refusal(judge, raw, sock, attach, "plain-server", "24/flow/order-enforced")


@case(
    "plain/server/early-traffic-is-not-delivered",
    clauses=["24/flow/order-enforced", "37/errors/close-is-temporary"],
    needs=["PULL", *SERVER_NEEDS],
)
@pytest.mark.parametrize(
    ("before", "behind"), [([], [GOOD]), ([GOOD], [])], ids=["before-hello", "behind-hello"]
)
@pytest.mark.parametrize("early", EARLY.values(), ids=EARLY)
def test_early_traffic_is_not_delivered(
    peer: Peer, attach: Attach, judge: Judge, early: Sendable, before: list[Hello], behind: list[Hello]
) -> None:
    """What comes before INITIATE is ignored or ends the connection; it is not delivered and harms nobody."""
    sock = open_server(peer)
    raw = attach(sock)
    raw.greet(AS_CLIENT)
    raw.send(*before, early, *behind, Initiate("PUSH"), Message(b"fence"))
    end, came = closed_or_served(raw, sock, b"fence", clause="24/flow/order-enforced")
    judge.note(end)
    judge.equal(came, [])
    expect_healthy(sock, attach, "plain-server", clause="37/errors/close-is-temporary")
