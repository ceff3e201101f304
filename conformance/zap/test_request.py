"""What a server asks the handler: the frames of a request, and where they come from (RFC 27)."""

from __future__ import annotations

import ipaddress

import pytest

from conformance.curve.ends import OF_CLIENT
from conformance.plain.ends import GOOD
from conformance.zap.ends import DOMAIN, EACH, ENDPOINT, NEEDS, SECURE, Handler, Visitor, open_server
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Hello

NAMES = {"NULL": "27/null/null-name", "PLAIN": "27/plain/plain-name", "CURVE": "27/curve/curve-name"}
CREDENTIALS: dict[str, tuple[str, list[bytes]]] = {
    "NULL": ("27/null/null-no-credentials", []),
    "PLAIN": ("27/plain/plain-credentials", [GOOD.username, GOOD.password]),
    "CURVE": ("27/curve/curve-credentials", [OF_CLIENT.public]),
}
DOMAINS = [b"a", b"with spaces / and $igns", b"d" * 255]
LOGINS = {
    "empty": Hello(b"", b""),
    "no-password": Hello(b"admin", b""),
    "255-octets": Hello(b"u" * 255, b"p" * 255),
}
IDENTITIES = [None, b"BOB", b"\xff\x80" * 3, b"i" * 255]


@case(
    "zap/request/asks-a-handler-on-router",
    clauses=["27/arch/server-connects", "27/arch/handler-rep-router", "27/message/rep-frame-order"],
    needs=NEEDS,
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_asks_a_handler_on_router(peer: Peer, attach: Attach, mechanism: str, by: str) -> None:
    """A handler on ROUTER gets a request when a client comes, and its yes lets the client in."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    visitor = Visitor(attach(sock), mechanism).knock()
    handler.let_in()
    visitor.expect_served(sock, "27/message/rep-frame-order")


@case(
    "zap/request/asks-a-handler-on-rep",
    clauses=["27/arch/handler-rep-router", "27/arch/server-connects", "27/message/rep-frame-order"],
    needs=[*NEEDS, "REP"],
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_asks_a_handler_on_rep(peer: Peer, attach: Attach, mechanism: str, by: str) -> None:
    """A handler on REP gets the same without the envelope, and its yes lets the client in."""
    handler = peer.open("REP")
    handler.bind(ENDPOINT)
    sock = open_server(peer, mechanism)
    visitor = Visitor(attach(sock), mechanism).knock()
    version, number, *_ = handler.recv(clause="27/arch/handler-rep-router")
    handler.send([version, number, b"200", b"", b"", b""])
    visitor.expect_served(sock, "27/message/rep-frame-order")


@case("zap/request/begins-with-a-delimiter", clauses=["27/message/req-delimiter"], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_begins_with_a_delimiter(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str) -> None:
    """The first frame of a request, behind the routing id, is empty."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    Visitor(dial(sock.bind()), mechanism).knock()
    judge.equal(handler.take().parts[0], b"")


@case("zap/request/names-its-version", clauses=["27/message/req-version"], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_names_its_version(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str) -> None:
    """The second frame holds 1.0."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    Visitor(dial(sock.bind()), mechanism).knock()
    judge.equal(handler.take().parts[1], b"1.0")


@case("zap/request/frames-in-order", clauses=["27/message/req-frame-order"], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_frames_in_order(peer: Peer, attach: Attach, judge: Judge, mechanism: str, by: str) -> None:
    """Domain, address, identity and mechanism stand where they belong, behind delimiter, version and id."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    raw = attach(sock)
    Visitor(raw, mechanism).knock()
    request = handler.take()
    judge.equal(request.domain, DOMAIN)
    judge.equal(request.address, raw.sock.getsockname()[0].encode())
    judge.equal(request.identity, b"")
    judge.equal(request.mechanism, mechanism.encode())


@case("zap/request/names-the-mechanism", clauses=[*NAMES.values()], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_names_the_mechanism(peer: Peer, attach: Attach, judge: Judge, mechanism: str, by: str) -> None:
    """The mechanism is NULL, PLAIN or CURVE, as in the greeting."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    Visitor(attach(sock), mechanism).knock()
    judge.equal(handler.take(NAMES[mechanism]).mechanism, mechanism.encode(), NAMES[mechanism])


@case("zap/request/has-the-credentials", clauses=[clause for clause, _ in CREDENTIALS.values()], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_has_the_credentials(peer: Peer, attach: Attach, judge: Judge, mechanism: str, by: str) -> None:
    """NULL has none, PLAIN username and password, CURVE the client's permanent key of 32 octets."""
    clause, credentials = CREDENTIALS[mechanism]
    handler, sock = Handler(peer), open_server(peer, mechanism)
    Visitor(attach(sock), mechanism).knock()
    judge.equal(handler.take(clause).credentials, credentials, clause)


@case(
    "zap/request/has-any-login", clauses=["27/plain/plain-credentials", "27/message/strings-255"], needs=NEEDS
)
@pytest.mark.parametrize(("mechanism", "by"), SECURE[:1])
@pytest.mark.parametrize("login", LOGINS)
def test_has_any_login(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str, login: str) -> None:
    """Username and password of PLAIN come as the client has sent them, empty or as long as can be."""
    hello = LOGINS[login]
    handler, sock = Handler(peer), open_server(peer, mechanism)
    Visitor(dial(sock.bind()), mechanism, hello=hello).knock()
    judge.equal(handler.take().credentials, [hello.username, hello.password])


@case(
    "zap/request/has-the-domain", clauses=["27/message/domain-opaque", "27/message/req-domain"], needs=NEEDS
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
@pytest.mark.parametrize("domain", DOMAINS, ids=["short", "signs", "255-octets"])
def test_has_the_domain(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str, domain: bytes) -> None:
    """The domain is what the application has set, whatever text that is."""
    handler, sock = Handler(peer), open_server(peer, mechanism, domain)
    Visitor(dial(sock.bind()), mechanism).knock()
    judge.equal(handler.take().domain, domain)


@case("zap/request/never-without-a-domain", clauses=["27/message/req-domain"], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), SECURE)
def test_never_without_a_domain(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str) -> None:
    """A server without a domain asks nothing rather than with an empty one."""
    handler = Handler(peer)
    mute, other = open_server(peer, mechanism, b""), open_server(peer, mechanism)
    Visitor(dial(mute.bind()), mechanism).knock().fate()
    visitor = Visitor(dial(other.bind()), mechanism).knock()
    asked = handler.let_in()
    if asked.domain != DOMAIN:
        peer.readable(handler.sock)  # the other server's request: the next case's handler must not get it
    judge.equal(asked.domain, DOMAIN)
    visitor.expect_served(other, "27/message/status-200")
    handler.sock.expect_empty(clause="27/message/req-domain")


@case(
    "zap/request/has-the-address",
    clauses=["27/message/req-address", "27/message/address-format"],
    needs=NEEDS,
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_has_the_address(peer: Peer, attach: Attach, judge: Judge, mechanism: str, by: str) -> None:
    """The address is the client's, as text, without a port."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    raw = attach(sock)
    Visitor(raw, mechanism).knock()
    address = handler.take().address
    judge.equal(address.decode("ascii", "replace"), raw.sock.getsockname()[0])
    judge.equal(str(ipaddress.ip_address(address.decode())).encode(), address, "27/message/address-format")


@case(
    "zap/request/has-the-identity",
    clauses=["27/message/req-identity", "27/message/identity-255"],
    needs=NEEDS,
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
@pytest.mark.parametrize("identity", IDENTITIES, ids=["none", "word", "binary", "255-octets"])
def test_has_the_identity(
    peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str, identity: bytes | None
) -> None:
    """The identity is what the client has announced so far, or nothing; never the server's own."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    Visitor(dial(sock.bind()), mechanism, identity).knock()
    seen = handler.take().identity
    judge.that(seen in (identity or b"", b""), f"{identity!r} or nothing", seen)
    if identity:
        judge.note("with the identity" if seen else "without the identity")


@case("zap/request/one-for-each-visit", clauses=["27/message/one-request-reply"], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_one_for_each_visit(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str) -> None:
    """Who wants to get in is asked about once."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    for _ in range(2):
        visitor = Visitor(dial(sock.bind()), mechanism).knock()
        handler.let_in()
        visitor.expect_served(sock, "27/message/status-200")
        handler.sock.expect_empty(clause="27/message/one-request-reply")


@case(
    "zap/request/without-a-handler", clauses=["27/arch/handler-first", "27/arch/server-connects"], needs=NEEDS
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
def test_without_a_handler(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str) -> None:
    """What becomes of a client while there is no handler is noted; once there is one, another gets in."""
    sock = open_server(peer, mechanism)
    endpoint = sock.bind()
    early = Visitor(dial(endpoint), mechanism).knock()
    judge.note(early.fate())
    handler = Handler(peer)
    visitor = Visitor(dial(endpoint), mechanism).knock()
    handler.let_in()
    visitor.expect_served(sock, "27/message/status-200")
