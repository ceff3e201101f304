"""A strict connection that asks its owner before it lets a partner in (RFC 27, as a server's side).

NULL asks when the partner's greeting is there, PLAIN when its HELLO is, CURVE when its INITIATE is. Until the
owner says yes or no, the answer to that and all that would come behind it are held back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .config import Config
from .connection import Connection
from .curve import CurveInitiate
from .decoder import Value
from .events import Event, HandshakeDone
from .greeting import Greeting, LegacyGreeting
from .handshake import CurveHandshake, PlainHandshake
from .plain import Hello
from .state import State


@dataclass(frozen=True, slots=True)
class Asked:
    """What the owner has to decide on: a mechanism's name, the credentials that go with it as octets, and
    the identity as far as the partner has told it."""

    mechanism: str
    credentials: tuple[bytes, ...] = ()
    identity: bytes = b""


class AskingConnection(Connection):
    """A connection whose `asked` is set while it waits for `admit` or `refuse`.

    Octets that arrive meanwhile wait, too; whoever reads them from a network should read no more.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.asked: Asked | None = None
        self._held = 0
        self._events: list[Event] = []
        self._backlog = bytearray()

    def events(self, octets: bytes) -> Iterator[Event]:
        """As ever, but nothing from the question on."""
        if self.waits():
            self._backlog += octets
            return
        for event in super().events(octets):
            if self.waits():
                self._events.append(event)
            else:
                yield event

    def waits(self) -> bool:
        """Whether the owner has been asked and has not answered."""
        return self.asked is not None

    def take_output(self) -> bytes:
        """What may go out: nothing behind the question."""
        if not self.waits():
            return super().take_output()
        out = bytes(self._out[: self._held])
        del self._out[: self._held]
        self._held = 0
        return out

    def admit(self) -> Iterator[Event]:
        """The owner says yes: what was held back goes out, and the events go on."""
        self.asked = None
        events, self._events = self._events, []
        yield from events
        backlog = bytes(self._backlog)
        self._backlog.clear()
        if backlog:
            yield from self.events(backlog)

    def refuse(self, reason: bytes | None) -> None:
        """The owner says no: ERROR with this reason, or without one nothing more."""
        self.asked = None
        del self._out[self._held :]
        self._events.clear()
        self._backlog.clear()
        if reason is not None and self.state is not State.FAILED:
            self.fail(reason)
        self.state = State.FAILED

    def _ask(self, asked: Asked, held: int) -> None:
        self.asked, self._held = asked, held

    def _take_greeting(self, greeting: Greeting | LegacyGreeting) -> list[Event]:
        held = len(self._out)
        events = super()._take_greeting(greeting)
        if self.config.mechanism == "NULL":
            identity = greeting.identity if isinstance(greeting, LegacyGreeting) else b""
            self._ask(Asked("NULL", (), identity), held)
        return events

    def _admit(self, plain: PlainHandshake, hello: Hello, offset: int) -> None:
        self._ask(Asked("PLAIN", (hello.username, hello.password)), len(self._out))
        super()._admit(plain, hello, offset)

    def _take_curve(self, curve: CurveHandshake, value: Value, offset: int) -> list[Event]:
        held = len(self._out)
        events = super()._take_curve(curve, value, offset)
        if isinstance(value, CurveInitiate):
            done = next(event for event in events if isinstance(event, HandshakeDone))
            self._ask(Asked("CURVE", (curve.side.partner_key,), done.identity), held)
        return events
