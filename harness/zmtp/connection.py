"""A strict ZMTP connection without I/O: octets in, events out, octets to send.

Speaks ZMTP 3.1 and 3.0 with NULL, and steps down to 2.0 and 1.0 where it is allowed to.
Sources: RFC 37, "Version Negotiation", "NULL Mechanism", "The Socket-Type Property", "Connection
Heartbeating", "Backwards Interoperability"; RFC 23, "Publish-Subscribe"; RFC 15; RFC 13.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .commands import AnyCommand, Cancel, Command, Error, Ping, Pong, Ready, Subscribe
from .decoder import Decoder, Received, Undecodable
from .errors import LocalProtocolError, RemoteProtocolError
from .events import Event, GreetingReceived, HandshakeDone
from .grammar import GREETING_OCTETS, IDENTITY_MAX_OCTETS, SIGNATURE_OCTETS, VERSION_OFFSET, are_partners
from .greeting import Greeting, LegacyGreeting
from .messages import Message, cancellation, subscription
from .metadata import Property
from .state import State, Step, advance

HEAD_OCTETS = VERSION_OFFSET + 1


@dataclass(frozen=True, slots=True)
class Config:
    """What one side brings to a connection.

    `lowest` is the oldest version it will speak (3, 2 or 1); `max_octets` the largest frame body
    it accepts, None for the grammar's own limit.
    """

    socket_type: str
    identity: bytes = b""
    version: tuple[int, int] = (3, 1)
    mechanism: str = "NULL"
    properties: tuple[Property, ...] = ()
    lowest: int = 1
    max_octets: int | None = None


class Connection:
    """One connection, both directions, from the greeting on.

    Feed what arrives to `receive`; send what `take_output` gives. After a RemoteProtocolError the
    output (an ERROR command perhaps) may still be sent, then the link is to be closed.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.state = State.GREETING
        self.version = config.version[0]
        self.partner: Greeting | LegacyGreeting | None = None
        self.decoder = Decoder(config.version[0], config.max_octets)
        self._head = bytearray()
        self._out = bytearray()
        self._greeting_sent = 0

    def start(self) -> None:
        """Put the first octets into the output: the signature, and the major version with it.

        Where ZMTP 1.0 is spoken too, the version waits for the partner's signature, and the
        padding holds the identity's size plus one (RFC 37, Backwards Interoperability).
        """
        self._send_greeting_to(SIGNATURE_OCTETS if self.config.lowest == 1 else HEAD_OCTETS)

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
            if self.state is State.GREETING:
                self._pace_greeting(octets)
            for received in self.decoder.feed(octets):
                yield from self._handle(received)
        except RemoteProtocolError:
            self.state = State.FAILED
            raise

    def send(self, value: Message | AnyCommand) -> None:
        """Put a message or command into the output, in the framing that is spoken.

        Raises LocalProtocolError before the handshake is done, and for a value outside the grammar.
        """
        step = Step.SEND_MESSAGE if isinstance(value, Message) else Step.SEND_COMMAND
        after = advance(self.state, step)
        translated = self._translate(value)
        if self.version < 3 and not isinstance(translated, Message):
            raise LocalProtocolError("15/framing/flags-octet", "ZMTP 2.0 and 1.0 have no commands")
        self._out += translated.serialize(self.version)
        self.state = after

    def fail(self, reason: bytes) -> None:
        """Put an ERROR command into the output and leave the handshake."""
        self.state = advance(self.state, Step.SEND_ERROR)
        self._out += Error(reason).serialize()

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

    def _send_greeting_to(self, end: int) -> None:
        """Put our 3.x greeting into the output up to octet `end`, without what went before."""
        padding = bytes(8)
        if self.config.lowest == 1:
            padding = (len(self.config.identity) + 1).to_bytes(8, "big")
        whole = Greeting(self.config.version, self.config.mechanism, padding=padding).serialize()
        self._out += whole[self._greeting_sent : end]
        self._greeting_sent = max(self._greeting_sent, end)

    def _pace_greeting(self, octets: bytes) -> None:
        """Send the rest of the greeting once the partner's version is known."""
        if len(self._head) == HEAD_OCTETS or self.version == 1:
            return
        self._head += octets[: HEAD_OCTETS - len(self._head)]
        head = self._head
        if head and (head[0] != 0xFF or (len(head) >= SIGNATURE_OCTETS and not head[9] & 1)):
            self._step_down(1, 0)
            self._out += self.config.identity
        elif len(head) == HEAD_OCTETS and head[VERSION_OFFSET] < 3:
            self._send_greeting_to(HEAD_OCTETS)
            self._step_down(2, VERSION_OFFSET)
            whole = LegacyGreeting(self.config.version[0], self.config.socket_type, self.config.identity)
            self._out += whole.serialize()[HEAD_OCTETS:]
        elif len(head) == HEAD_OCTETS:
            self._send_greeting_to(GREETING_OCTETS)
        elif len(head) >= SIGNATURE_OCTETS:
            self._send_greeting_to(HEAD_OCTETS)

    def _step_down(self, version: int, offset: int) -> None:
        if version < self.config.lowest:
            rule = "37/version/cannot-downgrade-close" if version == 2 else "37/abnf/signature"
            raise RemoteProtocolError(rule, f"the partner speaks ZMTP {version}.0, we do not", offset)
        if self.config.mechanism != "NULL":
            raise RemoteProtocolError(
                "37/interop/d10-secure-close", "an old version cannot be secure", offset
            )
        self.version = version

    def _handle(self, received: Received) -> list[Event]:
        if received.faults:
            raise received.faults[0]
        value = received.value
        match value:
            case Undecodable():
                raise value.reason
            case Greeting() | LegacyGreeting():
                return self._take_greeting(value)
            case Ready():
                return self._take_ready(value, received.start)
            case Error():
                self.state = advance(self.state, Step.RECEIVE_ERROR, received.start)
                return [value]
            case Message():
                self.state = advance(self.state, Step.RECEIVE_MESSAGE, received.start)
                return [value]
            case _:
                return self._take_command(value, received.start)

    def _take_greeting(self, greeting: Greeting | LegacyGreeting) -> list[Event]:
        self.partner = greeting
        if isinstance(greeting, LegacyGreeting):
            self._check_partner(greeting.socket_type)
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
        self._out += self._ready().serialize()
        return [GreetingReceived(greeting, self.version)]

    def _ready(self) -> Ready:
        identity = self.config.identity if self.config.socket_type in ("REQ", "DEALER", "ROUTER") else None
        return Ready(self.config.socket_type, identity, self.config.properties)

    def _take_ready(self, ready: Ready, offset: int) -> list[Event]:
        if self.state is State.TRAFFIC:
            return []
        state = advance(self.state, Step.RECEIVE_READY, offset)
        self._check_partner(ready.socket_type, offset)
        identity = ready.identity or b""
        if len(identity) > IDENTITY_MAX_OCTETS:
            raise RemoteProtocolError("37/identity/abnf-identity", "identity of more than 255 octets", offset)
        self.state = state
        return [HandshakeDone(ready.socket_type, identity, ready.properties)]

    def _check_partner(self, socket_type: str | None, offset: int | None = None) -> None:
        if socket_type is not None and not are_partners(self.config.socket_type, socket_type):
            if self.state is State.HANDSHAKE:
                self.fail(b"Invalid-socket-type")
            raise RemoteProtocolError(
                "37/sockettype/enforce-type",
                f"{socket_type!r} cannot talk to {self.config.socket_type}",
                offset,
            )

    def _take_command(self, command: Command | Subscribe | Cancel | Ping | Pong, offset: int) -> list[Event]:
        self.state = advance(self.state, Step.RECEIVE_COMMAND, offset)
        if isinstance(command, Ping):
            self._out += Pong(command.context).serialize()
        return [command]
