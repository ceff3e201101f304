"""What a server makes of the handler's reply (RFC 27, Message Format)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.zap.ends import EACH, NEEDS, SECURE, Handler, Request, Visitor, open_server
from conformance.zmtp.secured import FORGED
from harness.case import Judge, case
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Cover
from harness.zmtp.metadata import serialize_properties

ONE = serialize_properties(((b"X-Role", b"clerk"),))
SEVERAL = serialize_properties(((b"X-Role", b"clerk"), (b"X-Empty", b""), (b"a.b+c_d-e", b"\0\xff")))
GOOD: dict[str, tuple[tuple[bytes, ...], str]] = {
    "text": ((b"OK",), "27/message/text-empty"),
    "no-text": ((b"", b"joe"), "27/message/text-empty"),
    "user": ((b"OK", b"joe"), "27/message/rep-user"),
    "no-user": ((b"OK", b""), "27/message/rep-user"),
    "user-of-255": ((b"OK", b"u" * 255), "27/message/rep-user"),
    "metadata": ((b"OK", b"joe", ONE), "27/message/abnf-metadata"),
    "more-metadata": ((b"OK", b"joe", SEVERAL), "27/message/abnf-metadata"),
}
STATUSES = ["300", "400", "500"]
NO_STATUSES = {
    "20": b"20",
    "201": b"201",
    "2000": b"2000",
    "empty": b"",
    "word": b"OK",
    "binary": b"\0\0\xc8",
}
BAD: dict[str, tuple[str, Callable[[Request], list[bytes]]]] = {
    "delimiter": (
        "27/message/rep-delimiter",
        lambda request: [b"x", b"1.0", request.number, b"200", b"", b"", b""],
    ),
    "version": (
        "27/message/rep-version",
        lambda request: [b"", b"2.0", request.number, b"200", b"", b"", b""],
    ),
    "id": (
        "27/message/id-echo",
        lambda request: [b"", b"1.0", request.number + b"!", b"200", b"", b"", b""],
    ),
}


@case(
    "zap/reply/lets-in",
    clauses=[
        "27/message/status-200",
        "27/message/text-empty",
        "27/message/rep-user",
        "27/message/abnf-metadata",
    ],
    needs=NEEDS,
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
@pytest.mark.parametrize("reply", GOOD)
def test_lets_in(peer: Peer, dial: Dial, mechanism: str, by: str, reply: str) -> None:
    """Status 200 lets the client in, with or without text, user id and metadata."""
    rest, clause = GOOD[reply]
    handler, sock = Handler(peer), open_server(peer, mechanism)
    visitor = Visitor(dial(sock.bind()), mechanism).knock()
    handler.reply(handler.take(), b"200", *rest)
    visitor.expect_served(sock, clause)


@case(
    "zap/reply/keeps-out",
    clauses=[*(f"27/message/status-{status}" for status in STATUSES), "27/null/null-filter"],
    needs=NEEDS,
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
@pytest.mark.parametrize("status", STATUSES)
def test_keeps_out(peer: Peer, attach: Attach, mechanism: str, by: str, status: str) -> None:
    """Any other status keeps the client out; the next one gets in if the handler says so."""
    is_filter = mechanism == "NULL" and status == "400"
    clause = "27/null/null-filter" if is_filter else f"27/message/status-{status}"
    handler, sock = Handler(peer), open_server(peer, mechanism)
    visitor = Visitor(attach(sock), mechanism).knock()
    handler.reply(handler.take(), status.encode(), b"no", b"joe")
    expect_next_is_served(handler, sock, Visitor(attach(sock), mechanism))
    visitor.expect_kept_out(clause)


@case(
    "zap/reply/curve-answers-nothing-more",
    clauses=["26/initiate/fail-close-only", "26/error/auth-fail-error"],
    needs=NEEDS,
)
@pytest.mark.parametrize(("mechanism", "by"), SECURE[1:])
@pytest.mark.parametrize("status", STATUSES)
def test_curve_answers_nothing_more(
    peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str, status: str
) -> None:
    """A client of CURVE that is kept out gets ERROR, a close or nothing; what it sends is not delivered."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    endpoint = sock.bind()
    visitor = Visitor(dial(endpoint), mechanism).knock()
    handler.reply(handler.take(), status.encode())
    assert visitor.session is not None
    visitor.raw.send(Cover(visitor.session).seal(FORGED))
    expect_next_is_served(handler, sock, Visitor(dial(endpoint), mechanism))
    sock.expect_empty(clause="26/initiate/fail-close-only")
    judge.note(visitor.expect_kept_out("26/initiate/fail-close-only"))


@case("zap/reply/only-200-lets-in", clauses=["27/message/status-200"], needs=NEEDS)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
@pytest.mark.parametrize("status", NO_STATUSES)
def test_only_200_lets_in(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str, status: str) -> None:
    """What is no status of the list lets nobody in."""
    handler, sock = Handler(peer), open_server(peer, mechanism)
    endpoint = sock.bind()
    visitor = Visitor(dial(endpoint), mechanism).knock()
    handler.reply(handler.take(), NO_STATUSES[status])
    expect_next_is_served(handler, sock, Visitor(dial(endpoint), mechanism))
    visitor.expect_kept_out("27/message/status-200")


@case(
    "zap/reply/of-another-form",
    clauses=[*(clause for clause, _ in BAD.values()), "27/arch/server-connects"],
    needs=NEEDS,
)
@pytest.mark.parametrize(("mechanism", "by"), EACH)
@pytest.mark.parametrize("field", BAD)
def test_of_another_form(peer: Peer, dial: Dial, judge: Judge, mechanism: str, by: str, field: str) -> None:
    """What a server does with a reply that a handler must not send is noted; it serves the next client."""
    _, frames = BAD[field]
    handler, sock = Handler(peer), open_server(peer, mechanism)
    endpoint = sock.bind()
    visitor = Visitor(dial(endpoint), mechanism).knock()
    request = handler.take()
    handler.reply_frames(request, *frames(request))
    expect_next_is_served(handler, sock, Visitor(dial(endpoint), mechanism))
    judge.note(visitor.fate())


def expect_next_is_served(handler: Handler, sock: RemoteSocket, visitor: Visitor) -> None:
    """Another client comes, the handler says yes, and it is served."""
    visitor.knock()
    handler.let_in()
    visitor.expect_served(sock, "27/message/status-200")
