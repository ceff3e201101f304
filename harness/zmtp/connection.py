"""A strict ZMTP connection without I/O: octets in, events out, octets to send.

Speaks ZMTP 3.1 and 3.0 with NULL, PLAIN and CURVE, and 2.0 and 1.0: as its own version, or stepping down to
it where it is allowed to.
Sources: RFC 24 to 26; RFC 37, "Version Negotiation", "NULL Mechanism", "The Socket-Type Property",
"Connection Heartbeating", "Backwards Interoperability"; RFC 23, "Publish-Subscribe"; RFC 15; RFC 13.
"""

from collections.abc import Iterator
from typing import TypeVar

from .commands import AnyCommand, Cancel, Error, InTraffic, Ping, Pong, Ready, Subscribe
from .config import Config
from .cover import Cover
from .curve import CURVE, Boxed, CurveMessage
from .decoder import Decoder, Received, Undecodable, Value
from .errors import LocalProtocolError, RemoteProtocolError
from .events import Event, GreetingReceived, HandshakeDone
from .grammar import (
    ADDRESSED,
    IDENTITY_MAX_OCTETS,
    LEGACY_TYPE_OCTETS,
    PADDING_OCTETS,
    SIGNATURE_OCTETS,
    VERSION_OFFSET,
    are_partners,
)
from .greeting import Greeting, LegacyGreeting, identity_padding
from .handshake import CurveHandshake, PlainHandshake
from .messages import Message, cancellation, subscription
from .metadata import parse_properties
from .plain import PLAIN, Hello, Initiate, Welcome
from .state import State, Step, advance
from .typed import Introduction
from .websocket import WebSocketThing

Intro = TypeVar("Intro", bound=Introduction)
HEAD_OCTETS = VERSION_OFFSET + 1

# What a partner breaks without harm to the connection (a SHOULD, or a field that we do not use), and
# what is answered in another way than by closing at once.
TOLERATED = frozenset(
    {
        "13/framing/len-min-one",
        "24/abnf/password",
        "24/abnf/username",
        "37/auth/command-short",
        "37/null/abnf-error-reason",
        "37/null/as-server-zero",
        "37/resource/abnf-resource",
        "37/sockettype/abnf-socket-type",
    }
)


class Connection:
    """One connection, both directions, from the greeting on.

    Feed what arrives to `receive` (or `events`); send what `take_output` gives. After a
    RemoteProtocolError the output (an ERROR command perhaps) may still be sent, then the link is to
    be closed; whatever still arrives is ignored.

    Raises LocalProtocolError for a Config that could not be put on the wire.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.state = State.GREETING
        self.version = min(config.version[0], 3)
        self.partner: Greeting | LegacyGreeting | None = None
        self.decoder = Decoder({1: None, 2: 1}.get(self.version, 3), config.max_octets)
        self._head = bytearray()
        self._out = bytearray()
        self._greeting = self._own_greeting()
        self._greeting_sent = 0
        self._plain = self._plain_handshake()
        self._curve = self._curve_handshake()
        self._cover = None if self._curve is None else Cover(self._curve.side)
        self._introduction(Ready).serialize()

    def start(self) -> None:
        """Put the first octets into the output: all of the greeting, if no older version is spoken.

        Otherwise only what makes the partner tell its version: the signature and the major version,
        or the signature alone where ZMTP 1.0 is spoken too (RFC 37, Backwards Interoperability).
        """
        if self.config.lowest >= self.version:
            self._send_greeting_to(len(self._greeting))
        else:
            self._send_greeting_to(SIGNATURE_OCTETS if self.config.lowest == 1 else HEAD_OCTETS)

    @property
    def failed(self) -> bool:
        """Whether the link is to be closed."""
        return self.state is State.FAILED

    def take_output(self) -> bytes:
        """The octets to send now, once."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def receive(self, octets: bytes) -> list[Event]:
        """Events for what arrived. Raises RemoteProtocolError, after which the state is FAILED."""
        return list(self.events(octets))

    def events(self, octets: bytes) -> Iterator[Event]:
        """The same one by one, so that what came before illegal octets is not lost with them."""
        try:
            for received in self._decode(octets):
                if received.faults:
                    _raise_fault(received.faults)
                if self._cover is not None and self.state is State.TRAFFIC:
                    yield from self._handle_covered(self._cover, received)
                elif isinstance(received.value, Message) and self.state is State.TRAFFIC:
                    yield received.value
                else:
                    yield from self._handle(received)
                if self.failed:
                    break
        except RemoteProtocolError:
            self.state = State.FAILED
            raise

    def _decode(self, octets: bytes) -> list[Received]:
        if self.failed:
            return []
        if self.state is State.GREETING:
            self._pace_greeting(octets)
        return self.decoder.feed(octets)

    def send(self, value: Message | AnyCommand) -> None:
        """Put a message or command into the output, in the framing that is spoken.

        Subscriptions go as messages to partners below 3.1, and not at all in ZMTP 1.0, where the
        subscriber filters. Raises LocalProtocolError before the handshake is done, for READY (it is
        sent by itself), and for a value outside the grammar.
        """
        after = advance(self.state, _step_of(value))
        if isinstance(value, Ready):
            raise LocalProtocolError("37/null/abnf-null", "READY goes out once, with the handshake")
        if isinstance(value, Hello | Welcome | Initiate | Boxed):
            raise LocalProtocolError("24/abnf/plain", "the handshake is over")
        translated = self._translate(value)
        if self.version < 3 and not isinstance(translated, Message):
            raise LocalProtocolError("15/grammar/abnf-connection", "ZMTP 2.0 and 1.0 have no commands")
        if self.version > 1 or translated is value:
            self._put(translated)
        self.state = after

    def fail(self, reason: bytes) -> None:
        """Leave the connection, with an ERROR command where version and mechanism have one for us."""
        after = advance(self.state, Step.SEND_ERROR)
        if self.version >= 3 and (self.config.mechanism == "NULL" or self.config.as_server):
            self._out += Error(reason).serialize()
        self.state = after

    def _put(self, value: Message | AnyCommand) -> None:
        self._out += value.serialize(self.version) if self._cover is None else self._cover.seal(value)

    @property
    def partner_speaks_subscribe(self) -> bool:
        """Whether subscriptions go as commands: both sides at 3.1 or higher."""
        partner = self.partner
        return isinstance(partner, Greeting) and min(partner.version, self.config.version) >= (3, 1)

    def _translate(self, value: Message | AnyCommand) -> Message | AnyCommand:
        if self.partner_speaks_subscribe:
            return value
        if isinstance(value, Subscribe):
            return subscription(value.prefix)
        if isinstance(value, Cancel):
            return cancellation(value.prefix)
        return value

    def _plain_handshake(self) -> PlainHandshake | None:
        config = self.config
        if config.as_server and config.mechanism == "NULL":
            raise LocalProtocolError("37/null/as-server-zero", "NULL has no server")
        if config.mechanism != PLAIN:
            return None
        hello = None if config.as_server else Hello(config.username, config.password)
        return PlainHandshake(hello, config.accepts)

    def _curve_handshake(self) -> CurveHandshake | None:
        """Without keys there is none: such a connection gets no further than the greetings."""
        make = self.config.curve
        return CurveHandshake(make()) if make is not None and self.config.mechanism == CURVE else None

    def _own_greeting(self) -> bytes:
        """All of our greeting in our own version; the padding serves partners of ZMTP 1.0."""
        config = self.config
        if config.identity[:1] == b"\0":
            raise LocalProtocolError("37/identity/no-leading-zero", "an identity cannot begin with 00")
        if len(config.identity) > IDENTITY_MAX_OCTETS:
            raise LocalProtocolError("37/identity/abnf-identity", "identity of more than 255 octets")
        if self.version == 1:
            return LegacyGreeting(None, None, config.identity).serialize()
        padding = identity_padding(config.identity) if config.lowest == 1 else bytes(PADDING_OCTETS)
        if self.version == 2:
            return LegacyGreeting(1, config.socket_type, config.identity, padding).serialize()
        return Greeting(config.version, config.mechanism, int(config.as_server), padding).serialize()

    def _send_greeting_to(self, end: int) -> None:
        """Put our greeting into the output up to octet `end`, without what went before."""
        self._out += self._greeting[self._greeting_sent : end]
        self._greeting_sent = max(self._greeting_sent, end)

    def _pace_greeting(self, octets: bytes) -> None:
        """Send the rest of the greeting once the partner's version is known."""
        head = self._head
        if len(head) == HEAD_OCTETS or self.version == 1:
            return
        head += octets[: HEAD_OCTETS - len(head)]
        if head and head[0] != 0xFF:
            self._step_down_to_1(0)
        elif len(head) >= SIGNATURE_OCTETS and not head[9] & 1:
            self._step_down_to_1(9)
        elif len(head) == HEAD_OCTETS and head[VERSION_OFFSET] < 3 <= self.version:
            self._step_down_to_2()
        elif len(head) == HEAD_OCTETS:
            self._send_greeting_to(len(self._greeting))
        elif len(head) >= SIGNATURE_OCTETS:
            self._send_greeting_to(HEAD_OCTETS)

    def _step_down_to_1(self, offset: int) -> None:
        """Our signature was the head of an identity frame: complete that frame."""
        if self.config.lowest > 1:
            raise RemoteProtocolError("37/abnf/signature", "the partner sent no signature", offset)
        self._check_secure(offset)
        self.version = 1
        self._send_greeting_to(SIGNATURE_OCTETS)
        self._out += self.config.identity

    def _step_down_to_2(self) -> None:
        """Go on after the version octet as RFC 15 says: socket type and identity."""
        config = self.config
        if config.lowest > 2 or config.socket_type not in LEGACY_TYPE_OCTETS:
            raise RemoteProtocolError(
                "37/version/cannot-downgrade-close", "the partner speaks ZMTP 2.0, we do not", VERSION_OFFSET
            )
        self._check_secure(VERSION_OFFSET)
        self.version = 2
        self._send_greeting_to(HEAD_OCTETS)
        legacy = LegacyGreeting(config.version[0], config.socket_type, config.identity)
        self._out += legacy.serialize()[HEAD_OCTETS:]

    def _check_secure(self, offset: int) -> None:
        if self.config.mechanism != "NULL":
            raise RemoteProtocolError(
                "37/interop/d10-secure-close", "an old version cannot be secure", offset
            )

    def _handle(self, received: Received) -> list[Event]:
        value = received.value
        if self._plain is not None and self.state is State.HANDSHAKE and not isinstance(value, Error):
            return self._take_plain(self._plain, value, received.start)
        if self._curve is not None and self.state is State.HANDSHAKE and not isinstance(value, Error):
            return self._take_curve(self._curve, value, received.start)
        match value:
            case Undecodable() | WebSocketThing():
                return []
            case Greeting() | LegacyGreeting():
                return self._take_greeting(value)
            case Ready():
                return self._take_ready(value, received.start)
            case Message():
                self.state = advance(self.state, Step.RECEIVE_MESSAGE, received.start)
                return [value]
            case _:
                return self._take_command(value, received.start)

    def _handle_covered(self, cover: Cover, received: Received) -> list[Event]:
        """Traffic under CURVE: what a MESSAGE holds, and nothing that comes without one but ERROR."""
        value = received.value
        if isinstance(value, CurveMessage):
            opened = cover.open(value, received.start)
            return [] if opened is None else self._handle(received._replace(value=opened))
        if isinstance(value, Error):
            return self._handle(received)
        raise RemoteProtocolError("26/abnf/curvezmq", "traffic without a box", received.start)

    def _take_greeting(self, greeting: Greeting | LegacyGreeting) -> list[Event]:
        self.partner = greeting
        if isinstance(greeting, LegacyGreeting):
            self._check_partner(greeting.socket_type, HEAD_OCTETS)
            self.state = advance(self.state, Step.RECEIVE_LEGACY_GREETING)
            return [
                GreetingReceived(greeting, self.version),
                HandshakeDone(greeting.socket_type, greeting.identity),
            ]
        self.state = advance(self.state, Step.RECEIVE_GREETING)
        if greeting.mechanism != self.config.mechanism:
            raise RemoteProtocolError(
                "37/auth/mismatch-close",
                f"mechanism {greeting.mechanism!r}, ours {self.config.mechanism!r}",
                12,
            )
        handshake = self._plain or self._curve
        if handshake is None and self.config.mechanism == CURVE:
            raise RemoteProtocolError("26/overview/client-knows-server", "no keys for CURVE", 12)
        self._out += self._ready().serialize() if handshake is None else handshake.begin(greeting)
        return [GreetingReceived(greeting, self.version)]

    def _ready(self) -> Ready:
        return self._introduction(Ready)

    def _introduction(self, kind: type[Intro]) -> Intro:
        """What we say of ourselves, in READY or INITIATE."""
        identity = self.config.identity if self.config.socket_type in ADDRESSED else None
        return kind(self.config.socket_type, identity, self.config.properties)

    def _take_plain(self, plain: PlainHandshake, value: Value, offset: int) -> list[Event]:
        """One command of the PLAIN handshake, and our answer (RFC 24, Implementation)."""
        plain.advance(value, offset)
        match value:
            case Hello():
                self._admit(plain, value, offset)
            case Welcome():
                self._out += self._introduction(Initiate).serialize()
            case Initiate():
                done = self._introduced(value, Step.RECEIVE_INITIATE, offset)
                self._out += self._ready().serialize()
                return [done]
            case Ready():
                return [self._introduced(value, Step.RECEIVE_READY, offset)]
        return []

    def _take_curve(self, curve: CurveHandshake, value: Value, offset: int) -> list[Event]:
        """One command of the CURVE handshake, and our answer (RFC 26, CurveZMQ Commands)."""
        metadata = self._introduction(Ready).to_command().data
        answer, introduction = curve.take(value, metadata, offset)
        if introduction is None:
            self._out += answer
            return []
        partner = Ready(properties=parse_properties(introduction, offset))
        done = self._introduced(partner, Step.RECEIVE_READY, offset)
        self._out += answer
        return [done]

    def _admit(self, plain: PlainHandshake, hello: Hello, offset: int) -> None:
        """WELCOME for good credentials; for others ERROR, and the end."""
        if not plain.admits(hello):
            self.fail(b"Access-denied")
            raise RemoteProtocolError("24/flow/server-reject-close", "credentials refused", offset)
        self._out += Welcome().serialize()

    def _take_ready(self, ready: Ready, offset: int) -> list[Event]:
        """The end of the handshake; a READY that comes again changes nothing."""
        if advance(self.state, Step.RECEIVE_READY, offset) is self.state:
            return []
        return [self._introduced(ready, Step.RECEIVE_READY, offset)]

    def _introduced(self, partner: Introduction, step: Step, offset: int) -> HandshakeDone:
        """The partner has told who it is: the end of the handshake."""
        after = advance(self.state, step, offset)
        self._check_partner(partner.socket_type, offset)
        self.state = after
        return HandshakeDone(partner.socket_type, partner.identity or b"", partner.properties)

    def _check_partner(self, socket_type: str | None, offset: int) -> None:
        if socket_type is None or are_partners(self.config.socket_type, socket_type):
            return
        if self.state is State.HANDSHAKE:
            self.fail(b"Invalid-socket-type")
        raise RemoteProtocolError(
            "37/sockettype/enforce-type" if self.version >= 3 else "15/compat/enforce-type",
            f"{socket_type!r} cannot talk to {self.config.socket_type}",
            offset,
        )

    def _take_command(self, command: InTraffic, offset: int) -> list[Event]:
        step = Step.RECEIVE_ERROR if isinstance(command, Error) else Step.RECEIVE_COMMAND
        self.state = advance(self.state, step, offset)
        if isinstance(command, Ping):
            self._put(Pong(command.context))
        return [command]


def _raise_fault(faults: tuple[RemoteProtocolError, ...]) -> None:
    for fault in faults:
        if fault.clause not in TOLERATED:
            raise fault


def _step_of(value: Message | AnyCommand) -> Step:
    if isinstance(value, Message):
        return Step.SEND_MESSAGE
    return Step.SEND_ERROR if isinstance(value, Error) else Step.SEND_COMMAND
