"""Faults of ZMTP over WebSocket: the opening handshake, and who talks to whom (RFC 45)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import wsproto.handshake
from wsproto.events import AcceptConnection, Request
from wsproto.events import Event as WebEvent

from harness.zmtp import Command, Connection, Event, HandshakeDone, Message, RemoteProtocolError, Subscribe
from harness.zmtp.websocket import BINARY, WebSocketFrame
from harness.zmtp.zws import NO_MECHANISM, NULL_PROTOCOL
from peers.reference.websocket import RULE, WebSocketCodec, WithMechanism
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
# What keeps connections from coming about can be blamed on any rule of the chapter.
ANY = ["45/*"]


def rewrites(method: str, old: bytes, new: bytes) -> None:
    """Have a method of the codec put something else into the output."""

    @patch(WebSocketCodec, method)
    def rewritten(original: Original, self: WebSocketCodec, *args: Any) -> None:
        original(self, *args)
        self._out[:] = bytes(self._out).replace(old, new)


@mutant("zws/handshake/request-is-complete", breaks=ANY)
def zws_asks_in_an_older_version() -> None:
    """Asks for version 8 of WebSocket."""
    rewrites("start", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8")


@mutant("zws/handshake/request-is-complete", breaks=ANY)
def zws_asks_without_upgrade() -> None:
    """Asks without the header Upgrade."""
    rewrites("start", b"Upgrade: websocket\r\n", b"")


@mutant("zws/handshake/request-is-complete", breaks=ANY)
def zws_asks_for_no_upgrade_of_the_connection() -> None:
    """Asks with Connection: close."""
    rewrites("start", b"Connection: Upgrade", b"Connection: close")


@mutant("zws/handshake/request-is-complete", breaks=ANY)
def zws_asks_by_post() -> None:
    """Asks by POST."""
    rewrites("start", b"GET ", b"POST ")


@mutant("zws/handshake/request-is-complete", breaks=ANY)
def zws_asks_with_a_short_key() -> None:
    """Sends the last half of its key only."""

    @patch(WebSocketCodec, "start")
    def start(original: Original, self: WebSocketCodec) -> None:
        original(self)
        head, name, rest = bytes(self._out).partition(b"Sec-WebSocket-Key: ")
        self._out[:] = head + name + rest[12:]


@mutant("zws/handshake/key-is-new")
def zws_has_one_key() -> None:
    """Asks with the same key each time."""
    wsproto.handshake.generate_nonce = lambda: b"bm90IGF0IHJhbmRvbSBhdA=="  # type: ignore[attr-defined]


@mutant("zws/handshake/names-its-protocols", breaks=ANY)
def zws_names_no_protocol() -> None:
    """Asks without naming a protocol."""

    @patch(WebSocketCodec, "request")
    def request(original: Original, self: WebSocketCodec) -> Request:
        made: Request = original(self)
        return replace(made, subprotocols=[])


@mutant("zws/handshake/names-its-protocols", breaks=ANY)
def zws_names_an_older_protocol() -> None:
    """Names ZWS1.0."""

    @patch(WebSocketCodec, "request")
    def request(original: Original, self: WebSocketCodec) -> Request:
        made: Request = original(self)
        return replace(made, subprotocols=["ZWS1.0"])


@mutant("zws/handshake/asks-for-host-and-path")
def zws_asks_for_the_root() -> None:
    """Asks for / whatever path connect was given."""

    @patch(WebSocketCodec, "request")
    def request(original: Original, self: WebSocketCodec) -> Request:
        made: Request = original(self)
        return replace(made, target="/")


@mutant("zws/handshake/asks-for-host-and-path")
def zws_asks_for_another_host() -> None:
    """Names localhost as the host whatever connect was given."""

    @patch(WebSocketCodec, "request")
    def request(original: Original, self: WebSocketCodec) -> Request:
        made: Request = original(self)
        return replace(made, host="localhost")


@mutant("zws/handshake/answer-is-complete", breaks=ANY)
def zws_answers_the_key_as_it_came() -> None:
    """Answers with an accept value that is not the key's."""
    rewrites("admit", b"Sec-WebSocket-Accept: ", b"Sec-WebSocket-Accept: A")


@mutant("zws/handshake/answer-is-complete", breaks=ANY)
def zws_answers_without_upgrade() -> None:
    """Answers without the header Upgrade."""
    rewrites("admit", b"Upgrade: websocket\r\n", b"")


@mutant("zws/handshake/answer-is-complete", breaks=ANY)
def zws_answers_with_another_status() -> None:
    """Answers 200 where it goes over to WebSocket."""
    rewrites("admit", b"HTTP/1.1 101", b"HTTP/1.1 200")


@mutant("zws/handshake/answer-is-complete", "zws/handshake/server-chooses-one-offered", breaks=ANY)
def zws_names_no_protocol_in_its_answer() -> None:
    """Does not tell which protocol it has chosen."""
    rewrites("admit", b"Sec-WebSocket-Protocol: ", b"X-Protocol: ")


@mutant("zws/handshake/server-chooses-one-offered", "zws/handshake/no-common-protocol", breaks=ANY)
def zws_chooses_what_it_does_not_have() -> None:
    """Chooses the first protocol offered, and speaks NULL where it does not have that one."""

    @patch(WebSocketCodec, "choose")
    def choose(original: Original, self: WebSocketCodec, offered: list[str]) -> str:
        return offered[0]

    @patch(WebSocketCodec, "begin")
    def begin(original: Original, self: WebSocketCodec, protocol: str) -> None:
        original(self, protocol if protocol in self.protocols() else NULL_PROTOCOL)


@mutant("zws/handshake/server-chooses-one-offered")
def zws_looks_at_the_first_offer_only() -> None:
    """Turns away who does not name its protocol first."""

    @patch(WebSocketCodec, "choose")
    def choose(original: Original, self: WebSocketCodec, offered: list[str]) -> str | None:
        return original(self, offered[:1])  # type: ignore[no-any-return]


@mutant("zws/handshake/takes-headers-in-any-form")
def zws_turns_browsers_away() -> None:
    """Turns away a client that sends Origin."""

    @patch(WebSocketCodec, "admit")
    def admit(original: Original, self: WebSocketCodec, request: Request) -> None:
        if any(name == b"origin" for name, _ in request.extra_headers):
            raise RemoteProtocolError(RULE, "a browser")
        original(self, request)


@mutant("zws/handshake/takes-answer-in-any-form")
def zws_wants_no_further_headers() -> None:
    """Leaves a server that sends a header which it does not know."""

    @patch(WebSocketCodec, "handle")
    def handle(original: Original, self: WebSocketCodec, event: WebEvent) -> Iterator[Event]:
        if isinstance(event, AcceptConnection) and event.extra_headers:
            raise RemoteProtocolError(RULE, "an unknown header")
        yield from original(self, event)


@mutant("zws/handshake/no-common-protocol", breaks=["45/nomech/mandatory-vs-secure"])
def zws_leaves_strangers_waiting() -> None:
    """Does not answer a client whose protocols it does not have."""

    @patch(WebSocketCodec, "admit")
    def admit(original: Original, self: WebSocketCodec, request: Request) -> None:
        if self.choose(list(request.subprotocols)) is not None:
            original(self, request)


@mutant("zws/handshake/server-waits-for-request", breaks=ANY)
def zws_answers_before_it_is_asked() -> None:
    """Says 100 as soon as somebody has connected."""

    @patch(WebSocketCodec, "start")
    def start(original: Original, self: WebSocketCodec) -> None:
        original(self)
        if not self.is_client:
            self._out += b"HTTP/1.1 100 Continue\r\n\r\n"


@mutant("zws/handshake/client-waits-for-answer", breaks=ANY)
def zws_sends_before_it_is_answered() -> None:
    """Sends an empty READY behind its request."""

    @patch(WebSocketCodec, "start")
    def start(original: Original, self: WebSocketCodec) -> None:
        original(self)
        if self.is_client:
            self._out += WebSocketFrame(BINARY, b"\2\5READY").serialize(masked=True)


@mutant("zws/types/legal-partner-is-served", breaks=ANY)
def zws_keeps_dealers_from_routers() -> None:
    """A DEALER takes no ROUTER."""

    @patch(WithMechanism, "take")
    def take(original: Original, self: WithMechanism, octets: bytes) -> Iterator[Event]:
        for event in original(self, octets):
            own = self.connection.config.socket_type
            if isinstance(event, HandshakeDone) and (own, event.socket_type) == ("DEALER", "ROUTER"):
                raise RemoteProtocolError("45/compat/dealer", "a ROUTER")
            yield event


@mutant("zws/types/illegal-partner-is-refused", "zws/types/illegal-partner-is-not-heard")
def zws_takes_any_partner() -> None:
    """Lets in partners of any type."""

    @patch(Connection, "_check_partner")
    def check(original: Original, self: Connection, socket_type: str | None, offset: int) -> None:
        if (self.config.version, self.config.lowest) != ((3, 0), 3):
            original(self, socket_type, offset)


@mutant("zws/types/subscribes-by-message", breaks=ANY)
def zws_subscribes_by_command() -> None:
    """Subscribes by the command of ZMTP 3.1."""

    @patch(WithMechanism, "send")
    def send(original: Original, self: WithMechanism, value: Any) -> None:
        original(self, Command(b"SUBSCRIBE", value.prefix) if isinstance(value, Subscribe) else value)


@mutant("zws/types/takes-subscriptions")
def zws_hears_no_cancellation() -> None:
    """Passes over a message that cancels a subscription."""

    @patch(WithMechanism, "take")
    def take(original: Original, self: WithMechanism, octets: bytes) -> Iterator[Event]:
        is_publisher = self.connection.config.socket_type == "XPUB"
        for event in original(self, octets):
            if not (is_publisher and isinstance(event, Message) and event.parts[0][:1] == b"\0"):
                yield event


@mutant("zws/nomech/is-there", breaks=ANY)
def zws_has_no_protocol_without_mechanism() -> None:
    """Turns away who offers no mechanism."""

    @patch(WebSocketCodec, "choose")
    def choose(original: Original, self: WebSocketCodec, offered: list[str]) -> str | None:
        return original(self, [one for one in offered if one != NO_MECHANISM])  # type: ignore[no-any-return]


@mutant("zws/nomech/secure-socket")
def zws_lets_anybody_past_plain() -> None:
    """A server of PLAIN serves a client without mechanism."""

    @patch(WebSocketCodec, "protocols")
    def protocols(original: Original, self: WebSocketCodec) -> list[str]:
        return [*original(self), NO_MECHANISM]
