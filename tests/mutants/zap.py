"""Mutants for ZAP: what a server asks the handler, and what it makes of the reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peers.reference.base as base_module
import peers.reference.zap as zap_module
from harness.zmtp import Asked, Message
from peers.reference.engine import Link
from peers.reference.pipe import Parts, Pipe
from peers.reference.zap import FAULT, GOOD, TEMPORARY, AskingLink, Handler, Question
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


def change_requests(change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Let requests go out changed, from the delimiter on."""

    @patch(Pipe, "message")
    def message(original: Original, self: Pipe, link: Link, message: Message) -> None:
        if isinstance(link, Question):
            message = Message(*change(list(message.parts)))
        original(self, link, message)


def ask_unless(is_none: Callable[[Handler | None], bool]) -> None:
    """Do as if there were no handler."""

    @patch(AskingLink, "ask")
    def ask(original: Original, self: AskingLink, asked: Asked) -> None:
        if is_none(zap_module._handlers.get(self.reactor)):
            self.decide(TEMPORARY)
        else:
            original(self, asked)


def ask_no(socket_type: str) -> None:
    """Take handlers of one socket type for none."""
    ask_unless(lambda handler: handler is not None and handler.socket.type == socket_type)


@mutant("zap/request/asks-a-handler-on-router")
def asks_handlers_on_rep_alone() -> None:
    """Asks no handler that is on ROUTER."""
    ask_no("ROUTER")


@mutant("zap/request/asks-a-handler-on-rep")
def asks_handlers_on_router_alone() -> None:
    """Asks no handler that is on REP."""
    ask_no("REP")


@mutant("zap/request/begins-with-a-delimiter")
def delimits_zap_with_a_zero() -> None:
    """Begins a request with a frame of one octet."""
    change_requests(lambda parts: [b"\0", *parts[1:]])


@mutant("zap/request/names-its-version")
def asks_in_another_version() -> None:
    """Says 1.1 in its requests."""
    change_requests(lambda parts: [parts[0], b"1.1", *parts[2:]])


@mutant("zap/request/frames-in-order")
def swaps_domain_and_address() -> None:
    """Has the address where the domain belongs."""
    change_requests(lambda parts: [*parts[:3], parts[4], parts[3], *parts[5:]])


@mutant("zap/request/names-the-mechanism")
def names_mechanisms_in_small_letters() -> None:
    """Names the mechanism in small letters."""
    change_requests(lambda parts: [*parts[:6], parts[6].lower(), *parts[7:]])


@mutant("zap/request/has-the-credentials")
def shows_keys_as_text() -> None:
    """Has the client's key of CURVE as text."""
    change_requests(lambda parts: [*parts[:7], parts[7].hex().encode()] if parts[6] == b"CURVE" else parts)


@mutant("zap/request/has-any-login")
def leaves_out_empty_credentials() -> None:
    """Has no frame for an empty username or password."""
    change_requests(lambda parts: [*parts[:7], *filter(None, parts[7:])])


@mutant("zap/request/has-the-domain")
def cuts_domains() -> None:
    """Tells a hundred octets of the domain."""
    change_requests(lambda parts: [*parts[:3], parts[3][:100], *parts[4:]])


@mutant("zap/request/never-without-a-domain")
def asks_without_a_domain() -> None:
    """Asks with an empty domain, too, where there is a handler and a mechanism that has a server."""

    @patch(base_module, "Link")
    def link(original: Original, reactor: Any, sock: Any, kind: str, options: Any, owner: Any) -> Any:
        asks = options.mechanism != "NULL" and reactor in zap_module._handlers
        return (AskingLink if asks else original)(reactor, sock, kind, options, owner)


@mutant("zap/request/has-the-address")
def tells_the_port() -> None:
    """Has the client's port behind its address."""

    @patch(zap_module, "address_of")
    def address_of(original: Original, sock: Any) -> str:
        return f"{original(sock)}:{sock.getpeername()[1]}"


@mutant("zap/request/has-the-identity")
def tells_an_identity_of_its_own() -> None:
    """Has an identity in its requests that the client has not announced."""
    change_requests(lambda parts: [*parts[:5], parts[5] or b"server", *parts[6:]])


@mutant("zap/request/one-for-each-visit", breaks=["27/message/status-200"])
def asks_twice() -> None:
    """Asks about each client twice."""

    @patch(AskingLink, "ask")
    def ask(original: Original, self: AskingLink, asked: Asked) -> None:
        original(self, asked)
        if self.question is not None:
            again = Question(zap_module._handlers[self.reactor], lambda status: None)
            again.ask(self.options.zap_domain, "127.0.0.1", asked)


@mutant("zap/request/without-a-handler")
def gives_handlers_up() -> None:
    """Asks nobody any more once there was no handler."""
    gone = False

    def is_gone(handler: Handler | None) -> bool:
        nonlocal gone
        gone = gone or handler is None
        return gone

    ask_unless(is_gone)


def misjudge(verdict: Callable[[Parts], bytes | None]) -> None:
    """Find another status in some replies."""

    @patch(Question, "judge")
    def judge(original: Original, self: Question, parts: Parts) -> bytes:
        found = verdict(parts)
        return original(self, parts) if found is None else found


@mutant("zap/reply/lets-in")
def wants_no_metadata() -> None:
    """Lets nobody in whose reply has metadata."""
    misjudge(lambda parts: FAULT if parts[6:] != (b"",) else None)


@mutant("zap/reply/keeps-out")
def takes_a_temporary_fault_for_a_yes() -> None:
    """Lets in whom the handler cannot tell about."""
    misjudge(lambda parts: GOOD if parts[3] == b"300" else None)


@mutant("zap/reply/curve-answers-nothing-more")
def says_ready_before_it_closes() -> None:
    """Ends the handshake of CURVE, and then the connection, for who is kept out."""

    @patch(AskingLink, "decide")
    def decide(original: Original, self: AskingLink, status: bytes) -> None:
        if self.options.mechanism == "CURVE" and status != GOOD and self.codec.waits():
            self.take(self.codec.admit())
            self.close("kept out")
        else:
            original(self, status)


@mutant("zap/reply/only-200-lets-in")
def takes_what_begins_with_a_two_for_a_yes() -> None:
    """Lets in with every status that begins with 2."""
    misjudge(lambda parts: GOOD if parts[3][:1] == b"2" else None)


@mutant("zap/reply/of-another-form")
def leaves_who_answers_wrong() -> None:
    """Asks a handler no more that has sent a reply of another form."""
    bad: set[Handler] = set()

    @patch(Question, "judge")
    def judge(original: Original, self: Question, parts: Parts) -> bytes:
        if parts[:3] != (b"", zap_module.VERSION, self.number):
            bad.update(zap_module._handlers.values())
        return bytes(original(self, parts))

    ask_unless(lambda handler: handler in bad)
