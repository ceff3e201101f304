"""ZMTP over WebSocket (RFC 45): what goes through a link whose endpoint is one of ws.

WebSocket itself is wsproto's. NULL and PLAIN are those of ZMTP 3.0, whose commands and messages travel here
in other frames, and without a greeting: the protocol that the opening handshake has chosen stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.events import Event as WebEvent
from wsproto.utilities import ProtocolError

from harness.zmtp import (
    AnyCommand,
    Cancel,
    Config,
    Connection,
    Event,
    Frame,
    FrameParser,
    Greeting,
    GreetingReceived,
    HandshakeDone,
    Message,
    RemoteProtocolError,
    Subscribe,
    cancellation,
    subscription,
)
from harness.zmtp.grammar import COMMAND, GREETING_OCTETS, MORE
from harness.zmtp.zws import NO_MECHANISM, NULL_PROTOCOL, PLAIN_PROTOCOL, bodies_of

from .endpoints import host_and_target
from .engine import Link

if TYPE_CHECKING:
    from .pipe import Pipe

RULE = "45/handshake/rfc6455"
OFFERS = {"NULL": [NULL_PROTOCOL, NO_MECHANISM], "PLAIN": [PLAIN_PROTOCOL]}
LAST_FLAG, MORE_FLAG, COMMAND_FLAG = b"\0", b"\1", b"\2"


class WithMechanism:
    """What NULL and PLAIN say: a connection of ZMTP 3.0 that is told the greeting that nobody sends."""

    def __init__(self, config: Config) -> None:
        self.connection = Connection(replace(config, version=(3, 0), lowest=3))
        self.connection.start()
        self._parser = FrameParser(offset=GREETING_OCTETS)
        greeting = Greeting(
            (3, 0), config.mechanism, int(config.mechanism == "PLAIN" and not config.as_server)
        )
        self.connection.receive(greeting.serialize())
        self._parser.extend(self.connection.take_output()[GREETING_OCTETS:])

    def take(self, octets: bytes) -> Iterator[Event]:
        """What one WebSocket message brings. Raises RemoteProtocolError."""
        yield from self.connection.events(frame_of(octets).serialize())

    def send(self, value: Message | AnyCommand) -> None:
        """Put a message or a command into the output."""
        self.connection.send(value)

    def output(self) -> Iterator[bytes]:
        """WebSocket messages to send now, once."""
        self._parser.extend(self.connection.take_output())
        while (frame := self._parser.read()) is not None:
            yield flag_of(frame) + frame.body


class WithoutMechanism:
    """A routing id as the first message, and then messages; subscriptions are messages, too."""

    def __init__(self, config: Config) -> None:
        self.outgoing: list[bytes] = [self.introduction(config)]
        self.introduced = False
        self.parts: list[bytes] = []

    def introduction(self, config: Config) -> bytes:
        """The first WebSocket message: our routing id."""
        return LAST_FLAG + config.identity

    def take(self, octets: bytes) -> Iterator[Event]:
        """What one WebSocket message brings. Raises RemoteProtocolError."""
        frame = frame_of(octets)
        if frame.command:
            raise RemoteProtocolError("45/nomech/abnf-message", "a command without a mechanism")
        self.parts.append(frame.body)
        if frame.more:
            return
        message = Message(*self.parts)
        self.parts.clear()
        if self.introduced:
            yield message
        else:
            yield self.introduce(message)

    def introduce(self, message: Message) -> HandshakeDone:
        """The partner's first message is its routing id. Raises RemoteProtocolError."""
        if len(message.parts) > 1:
            raise RemoteProtocolError("45/nomech/abnf-identity", "a routing id of several frames")
        self.introduced = True
        return HandshakeDone(None, message.parts[0])

    def send(self, value: Message | AnyCommand) -> None:
        """Put a message into the output; of the commands there are those that can be said by a message."""
        if isinstance(value, Subscribe):
            value = subscription(value.prefix)
        elif isinstance(value, Cancel):
            value = cancellation(value.prefix)
        if isinstance(value, Message):
            self.outgoing += bodies_of(value)

    def output(self) -> Iterator[bytes]:
        """WebSocket messages to send now, once."""
        outgoing, self.outgoing = self.outgoing, []
        yield from outgoing


def frame_of(octets: bytes) -> Frame:
    """The frame that a WebSocket message carries. Raises RemoteProtocolError."""
    if octets[:1] not in (LAST_FLAG, MORE_FLAG, COMMAND_FLAG):
        raise RemoteProtocolError("45/framing/flags", f"flags {octets[:1].hex() or 'missing'}")
    return Frame.of(octets[1:], more=octets[:1] == MORE_FLAG, command=octets[:1] == COMMAND_FLAG)


def flag_of(frame: Frame) -> bytes:
    """The octet that a frame goes behind."""
    if frame.flags & COMMAND:
        return COMMAND_FLAG
    return MORE_FLAG if frame.flags & MORE else LAST_FLAG


class WebSocketCodec:
    """One connection, both directions, from the opening handshake on, with the face of `Connection`."""

    version = 3
    partner_speaks_subscribe = False

    def __init__(self, config: Config, endpoint: str, *, is_client: bool) -> None:
        self.config = config
        self.endpoint = endpoint
        self.is_client = is_client
        self.web = WSConnection(ConnectionType.CLIENT if is_client else ConnectionType.SERVER)
        self.talk: WithMechanism | WithoutMechanism | None = None
        self._out = bytearray()
        self._message = bytearray()

    def start(self) -> None:
        """A client asks; a server waits."""
        if self.is_client:
            self._out += self.web.send(self.request())

    def request(self) -> Request:
        """What a client asks for."""
        host, target = host_and_target(self.endpoint)
        return Request(host=host, target=target, subprotocols=self.protocols())

    def protocols(self) -> list[str]:
        """What is offered by a client, and taken by a server, the best first."""
        return list(OFFERS.get(self.config.mechanism, []))

    def choose(self, offered: list[str]) -> str | None:
        """Which of the client's protocols a server takes, None for none of them."""
        return next((one for one in self.protocols() if one in offered), None)

    def events(self, octets: bytes) -> Iterator[Event]:
        """What arrived, one by one. Raises RemoteProtocolError."""
        try:
            self.web.receive_data(octets)
            for event in self.web.events():
                yield from self.handle(event)
        except ProtocolError as error:
            raise RemoteProtocolError(RULE, str(error)) from None

    def handle(self, event: WebEvent) -> Iterator[Event]:
        """Each event of WebSocket to where it belongs."""
        match event:
            case Request():
                self.admit(event)
            case AcceptConnection():
                self.begin(event.subprotocol)
            case RejectConnection():
                raise RemoteProtocolError(RULE, f"turned away with status {event.status_code}")
            case BytesMessage():
                self._message += event.data
                if event.message_finished:
                    whole = bytes(self._message)
                    self._message.clear()
                    yield from self.take(whole)
            case TextMessage():
                raise RemoteProtocolError("45/impl/binary-opcode", "a text message")
            case Ping():
                self._out += self.web.send(event.response())
            case CloseConnection():
                self.say_goodbye(event)
                raise RemoteProtocolError(RULE, f"closed with {event.code}")

    def say_goodbye(self, event: CloseConnection) -> None:
        """Answer a Close frame."""
        self._out += self.web.send(event.response())

    def admit(self, request: Request) -> None:
        """Take a client in by one of its protocols, or turn it away."""
        chosen = self.choose(list(request.subprotocols))
        if chosen is None:
            self._out += self.web.send(RejectConnection(status_code=400))
            raise RemoteProtocolError("45/handshake/none-supported", "none of the protocols offered")
        self._out += self.web.send(AcceptConnection(subprotocol=chosen))
        self.begin(chosen)

    def begin(self, protocol: str | None) -> None:
        """The protocol is chosen: say what it begins with. Raises RemoteProtocolError."""
        if protocol not in self.protocols():
            raise RemoteProtocolError("45/handshake/server-chooses", f"protocol {protocol}")
        self.talk = (WithoutMechanism if protocol == NO_MECHANISM else WithMechanism)(self.config)

    def take(self, octets: bytes) -> Iterator[Event]:
        """One whole message of WebSocket."""
        assert self.talk is not None
        yield from (each for each in self.talk.take(octets) if not isinstance(each, GreetingReceived))

    def send(self, value: Message | AnyCommand) -> None:
        """Put a message or command into the output."""
        assert self.talk is not None
        self.talk.send(value)

    def take_output(self) -> bytes:
        """The octets to send now, once."""
        for body in self.talk.output() if self.talk is not None else ():
            self._out += self.carry(body)
        out = bytes(self._out)
        self._out.clear()
        return out

    def carry(self, body: bytes) -> bytes:
        """The octets of one WebSocket message."""
        return bytes(self.web.send(BytesMessage(data=body)))


class WebSocketLink(Link):
    """A link of ZMTP over WebSocket."""

    def make_codec(self) -> Connection:
        """The protocol's side of the connection."""
        pipe = cast("Pipe", self.owner)
        codec = WebSocketCodec(self.configure(), pipe.endpoint, is_client=pipe.dialled)
        return cast(Connection, codec)
