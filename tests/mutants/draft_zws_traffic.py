"""Faults of ZMTP over WebSocket behind the opening handshake: frames, commands, routing ids (RFC 45)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wsproto.events import BytesMessage, TextMessage
from wsproto.events import Event as WebEvent

import peers.reference.websocket as reference
from harness.zmtp import Command, Config, Event, Frame, HandshakeDone, Message, RemoteProtocolError
from harness.zmtp.websocket import BINARY, Answer, WebSocketFrame
from harness.zmtp.zws import NO_MECHANISM, ZwsDecoder
from peers.reference.websocket import (
    COMMAND_FLAG,
    LAST_FLAG,
    MORE_FLAG,
    RULE,
    WebSocketCodec,
    WebSocketLink,
    WithMechanism,
    WithoutMechanism,
)
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
ANY = ["45/*"]


def carries(change: Callable[[bytes], bytes]) -> None:
    """Have what a WebSocket message carries changed on its way out."""

    @patch(WebSocketCodec, "carry")
    def carry(original: Original, self: WebSocketCodec, body: bytes) -> bytes:
        return bytes(original(self, change(body)))


def frames(change: Callable[[bytes], bytes]) -> None:
    """Have what a WebSocket message carries changed before it is read."""

    @patch(reference, "frame_of")
    def frame_of(original: Original, octets: bytes) -> Frame:
        return original(change(octets))  # type: ignore[no-any-return]


@mutant("zws/framing/sends-frames-as-messages", breaks=ANY)
def zws_cuts_frames_up() -> None:
    """Sends a large frame as two."""

    @patch(WebSocketCodec, "carry")
    def carry(original: Original, self: WebSocketCodec, body: bytes) -> bytes:
        if len(body) <= 256 or body[:1] == COMMAND_FLAG:
            return bytes(original(self, body))
        return bytes(original(self, MORE_FLAG + body[1:200]) + original(self, body[:1] + body[200:]))


@mutant("zws/framing/sends-frames-as-messages", breaks=ANY)
def zws_puts_frames_together() -> None:
    """Sends the frames of a message as one."""

    @patch(WithMechanism, "send")
    def send(original: Original, self: WithMechanism, value: Any) -> None:
        original(self, Message(b"".join(value.parts)) if isinstance(value, Message) else value)


@mutant("zws/framing/sends-frames-as-messages", "zws/framing/any-size", breaks=ANY)
def zws_sends_empty_frames_without_flags() -> None:
    """Sends an empty last frame as a WebSocket message without any octet."""
    carries(lambda body: b"" if body == LAST_FLAG else body)


@mutant("zws/framing/sends-frames-as-messages", breaks=ANY)
def zws_sends_text() -> None:
    """Sends messages of plain words with the opcode of text."""

    @patch(WebSocketCodec, "carry")
    def carry(original: Original, self: WebSocketCodec, body: bytes) -> bytes:
        if body[:1] != COMMAND_FLAG and body[1:].isalpha():
            return bytes(self.web.send(TextMessage(data=body.decode())))
        return bytes(original(self, body))


@mutant("zws/framing/sends-frames-as-messages", breaks=ANY)
def zws_sends_every_frame_as_the_last() -> None:
    """Never says that there is more to come."""
    carries(lambda body: LAST_FLAG + body[1:] if body[:1] == MORE_FLAG else body)


@mutant("zws/framing/delivers-messages", breaks=ANY)
def zws_reads_every_frame_as_the_last() -> None:
    """Does not see that there is more to come."""
    frames(lambda octets: LAST_FLAG + octets[1:] if octets[:1] == MORE_FLAG else octets)


@mutant("zws/framing/any-size", breaks=ANY)
def zws_cuts_large_frames_off() -> None:
    """Sends no more than 65,535 octets of a frame."""
    carries(lambda body: body[:65_536])


@mutant("zws/framing/any-size", breaks=ANY)
def zws_reads_large_frames_in_part() -> None:
    """Reads no more than 65,535 octets of a frame."""
    frames(lambda octets: octets[:65_536])


@mutant("zws/framing/client-masks", breaks=ANY)
def zws_masks_on_the_wrong_side() -> None:
    """Sends without mask as a client, and under one as a server."""

    @patch(WebSocketCodec, "carry")
    def carry(original: Original, self: WebSocketCodec, body: bytes) -> bytes:
        return WebSocketFrame(BINARY, body).serialize(masked=not self.is_client)


@mutant("zws/framing/reads-octet-by-octet", breaks=ANY)
def zws_wants_whole_frames_at_once() -> None:
    """Passes over what it reads where that does not end with a frame."""

    @patch(WebSocketCodec, "events")
    def events(original: Original, self: WebSocketCodec, octets: bytes) -> Iterator[Event]:
        frames = ZwsDecoder(masked=not self.is_client)
        frames.feed(Answer("HTTP/1.1 101").serialize() + octets)
        yield from original(self, octets) if self.talk is None or not frames.pending else ()


@mutant("zws/framing/message-in-fragments")
def zws_delivers_fragments() -> None:
    """Takes each fragment for a frame with more to come."""

    @patch(WebSocketCodec, "handle")
    def handle(original: Original, self: WebSocketCodec, event: WebEvent) -> Iterator[Event]:
        if isinstance(event, BytesMessage) and event.frame_finished and not event.message_finished:
            yield from self.take(MORE_FLAG + event.data[1:])
            self._message += LAST_FLAG
        else:
            yield from original(self, event)


@mutant("zws/framing/text-is-not-delivered")
def zws_delivers_text() -> None:
    """Takes a message with the opcode of text as one of octets."""

    @patch(WebSocketCodec, "handle")
    def handle(original: Original, self: WebSocketCodec, event: WebEvent) -> Iterator[Event]:
        if isinstance(event, TextMessage):
            event = BytesMessage(data=event.data.encode())
        yield from original(self, event)


@mutant("zws/framing/empty-message-is-no-frame")
def zws_takes_nothing_for_a_frame() -> None:
    """Takes a WebSocket message without octets for an empty frame."""
    frames(lambda octets: octets or LAST_FLAG)


@mutant("zws/framing/unknown-flags")
def zws_takes_unknown_flags_for_body() -> None:
    """Delivers a flags octet that it does not know with the body."""
    frames(lambda octets: octets if octets[:1] in (b"", b"\0", b"\1", b"\2") else LAST_FLAG + octets)


@mutant("zws/mechanism/null-session", breaks=ANY)
def zws_flags_commands_as_zmtp_does() -> None:
    """Sends commands with the flag 04."""

    @patch(reference, "flag_of")
    def flag_of(original: Original, frame: Frame) -> bytes:
        return b"\4" if frame.command else bytes(original(frame))


@mutant("zws/mechanism/null-session", breaks=ANY)
def zws_names_commands_in_digits() -> None:
    """Sends READY with a name that is not of letters."""
    carries(lambda body: body.replace(b"\5READY", b"\5R3ADY"))


@mutant("zws/mechanism/null-session", breaks=ANY)
def zws_sends_a_routing_id_before_ready() -> None:
    """Begins a session of NULL as one without mechanism."""

    @patch(WebSocketCodec, "begin")
    def begin(original: Original, self: WebSocketCodec, protocol: str) -> None:
        original(self, protocol)
        if protocol != NO_MECHANISM:
            self._out += self.carry(LAST_FLAG + self.config.identity)


@mutant("zws/mechanism/null-ready-is-awaited", breaks=ANY)
def zws_sends_behind_its_own_ready() -> None:
    """Sends a message as soon as its own READY is out."""

    @patch(WebSocketCodec, "begin")
    def begin(original: Original, self: WebSocketCodec, protocol: str) -> None:
        original(self, protocol)
        for body in self.talk.output() if self.talk is not None else ():
            self._out += self.carry(body)
        self._out += self.carry(LAST_FLAG + b"early")


def forget_identity(event: Event) -> Event:
    """The same without the partner's routing id."""
    return replace(event, identity=b"") if isinstance(event, HandshakeDone) else event


@mutant("zws/mechanism/routing-id-is-a-property", breaks=ANY)
def zws_forgets_the_identity_of_ready() -> None:
    """Does not look at the Identity of READY."""

    @patch(WithMechanism, "take")
    def take(original: Original, self: WithMechanism, octets: bytes) -> Iterator[Event]:
        yield from map(forget_identity, original(self, octets))


@mutant("zws/mechanism/plain-server-session", breaks=ANY)
def zws_has_no_plain_as_server() -> None:
    """A server of PLAIN has no protocol at all."""

    @patch(WebSocketCodec, "choose")
    def choose(original: Original, self: WebSocketCodec, offered: list[str]) -> str | None:
        return None if self.config.as_server else original(self, offered)


@mutant("zws/mechanism/plain-server-refuses", breaks=ANY)
def zws_lets_in_whoever_has_a_name() -> None:
    """A server of PLAIN does not look at the password."""

    @patch(WebSocketLink, "configure")
    def configure(original: Original, self: WebSocketLink) -> Config:
        made: Config = original(self)
        return replace(made, accepts=lambda username, password: True)


@mutant("zws/mechanism/plain-client-session", breaks=ANY)
def zws_keeps_its_password() -> None:
    """A client of PLAIN sends an empty password."""

    @patch(WebSocketLink, "configure")
    def configure(original: Original, self: WebSocketLink) -> Config:
        made: Config = original(self)
        return replace(made, password=b"")


@mutant("zws/mechanism/plain-client-offers-plain", "zws/mechanism/plain-client-session", breaks=ANY)
def zws_offers_no_plain() -> None:
    """A client of PLAIN offers a session without mechanism."""

    @patch(WebSocketCodec, "protocols")
    def protocols(original: Original, self: WebSocketCodec) -> list[str]:
        plain = self.config.mechanism == "PLAIN" and self.is_client
        return [NO_MECHANISM] if plain else original(self)


@mutant("zws/mechanism/unknown-command-is-not-delivered")
def zws_delivers_commands() -> None:
    """Delivers a command that it does not know as a message."""

    @patch(WithMechanism, "take")
    def take(original: Original, self: WithMechanism, octets: bytes) -> Iterator[Event]:
        for event in original(self, octets):
            yield Message(event.data) if isinstance(event, Command) else event


@mutant("zws/mechanism/many-sessions", breaks=ANY)
def zws_has_four_sessions_in_its_life() -> None:
    """Takes no further client once it has had four of a protocol."""
    had: Counter[str] = Counter()

    @patch(WebSocketCodec, "begin")
    def begin(original: Original, self: WebSocketCodec, protocol: str) -> None:
        had[protocol] += 1
        if had[protocol] > 4:
            raise RemoteProtocolError(RULE, "enough")
        original(self, protocol)


@mutant("zws/nomech/routing-id-comes-first", breaks=ANY)
def zws_sends_no_routing_id() -> None:
    """Begins a session without mechanism with its first message."""

    @patch(WithoutMechanism, "__init__")
    def init(original: Original, self: WithoutMechanism, config: Config) -> None:
        original(self, config)
        self.outgoing.clear()


@mutant("zws/nomech/routing-id-comes-first", breaks=ANY)
def zws_sends_an_empty_routing_id() -> None:
    """Sends an empty routing id whatever its own is."""

    @patch(WithoutMechanism, "introduction")
    def introduction(original: Original, self: WithoutMechanism, config: Config) -> bytes:
        return LAST_FLAG


@mutant("zws/nomech/routing-id-comes-first", breaks=ANY)
def zws_sends_its_routing_id_with_more() -> None:
    """Sends its routing id as the first frame of its first message."""

    @patch(WithoutMechanism, "introduction")
    def introduction(original: Original, self: WithoutMechanism, config: Config) -> bytes:
        return MORE_FLAG + config.identity


@mutant("zws/nomech/routing-id-is-not-delivered", "zws/nomech/routing-id-comes-first", breaks=ANY)
def zws_delivers_the_routing_id() -> None:
    """Takes the partner's routing id for a message, too."""

    @patch(WithoutMechanism, "take")
    def take(original: Original, self: WithoutMechanism, octets: bytes) -> Iterator[Event]:
        for event in original(self, octets):
            yield event
            if isinstance(event, HandshakeDone):
                yield Message(event.identity)


@mutant("zws/nomech/router-knows-its-peer", breaks=ANY)
def zws_forgets_the_routing_id() -> None:
    """Does not look at the routing id that comes first."""

    @patch(WithoutMechanism, "take")
    def take(original: Original, self: WithoutMechanism, octets: bytes) -> Iterator[Event]:
        yield from map(forget_identity, original(self, octets))
