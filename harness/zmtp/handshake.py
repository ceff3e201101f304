"""The handshakes of PLAIN and CURVE: whose turn it is, and who is let in.

Sources: RFC 24, "Implementation"; RFC 26, "Overall Operation"; RFC 25.
"""

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from .commands import Ready
from .curve import Boxed, CurveHello, CurveInitiate, CurveReady, CurveSide, CurveWelcome
from .errors import RemoteProtocolError
from .greeting import Greeting
from .plain import Hello, Initiate, Welcome

Accepts = Callable[[bytes, bytes], bool]
"""Whether a username and a password, as octets, are good."""


class Turn(Enum):
    """What the partner has to send next."""

    HELLO = "HELLO"
    WELCOME = "WELCOME"
    INITIATE = "INITIATE"
    READY = "READY"
    TRAFFIC = "traffic"


def turns(hello: type, welcome: type, initiate: type, ready: type) -> dict[tuple[Turn, type], Turn]:
    """What is awaited, what comes, and what is awaited then: the server's two steps, and the client's."""
    return {
        (Turn.HELLO, hello): Turn.INITIATE,
        (Turn.INITIATE, initiate): Turn.TRAFFIC,
        (Turn.WELCOME, welcome): Turn.READY,
        (Turn.READY, ready): Turn.TRAFFIC,
    }


TURNS = turns(Hello, Welcome, Initiate, Ready)
CURVE_TURNS = turns(CurveHello, CurveWelcome, CurveInitiate, CurveReady)


class Handshake:
    """One side of a handshake with a client and a server."""

    TABLE: ClassVar[dict[tuple[Turn, type], Turn]]
    ORDER: ClassVar[str]
    ROLES: ClassVar[str]

    def __init__(self, as_server: bool, opening: bytes) -> None:
        self.turn = Turn.HELLO if as_server else Turn.WELCOME
        self._opening = opening

    def begin(self, partner: Greeting) -> bytes:
        """What goes out when the greetings are through: the client's HELLO.

        Raises RemoteProtocolError where both are servers, since neither would ever speak. A server that
        does not say so (libzmq's) shows it by its commands, and so does another client.
        """
        if self.turn is Turn.HELLO and partner.as_server:
            raise RemoteProtocolError(self.ROLES, "both are servers", 32)
        return self._opening

    def advance(self, value: object, offset: int) -> None:
        """Take the partner's turn. Raises RemoteProtocolError where it is for something else."""
        after = self.TABLE.get((self.turn, type(value)))
        if after is None:
            came = type(value).__name__.lower()
            raise RemoteProtocolError(
                self.ORDER, f"cannot receive {came} where {self.turn.value} is awaited", offset
            )
        self.turn = after


class PlainHandshake(Handshake):
    """That of PLAIN: the client's side, which has a HELLO to send, or the server's, which `accepts` some."""

    TABLE = TURNS
    ORDER = "24/flow/order-enforced"
    ROLES = "24/flow/role-clash"

    def __init__(self, hello: Hello | None, accepts: Accepts | None) -> None:
        super().__init__(hello is None, b"" if hello is None else hello.serialize())
        self.hello = hello
        self.accepts = accepts

    def admits(self, hello: Hello) -> bool:
        """Whether the client's credentials are good."""
        return self.accepts is not None and self.accepts(hello.username, hello.password)


class CurveHandshake(Handshake):
    """That of CURVE: whose turn it is here, what is in the boxes in its `side`."""

    TABLE = CURVE_TURNS
    ORDER = "26/overview/flow"
    ROLES = "25/impl/as-server-role"

    def __init__(self, side: CurveSide) -> None:
        hello = side.begin()
        super().__init__(hello is None, b"" if hello is None else hello.serialize())
        self.side = side

    def take(self, command: object, metadata: bytes, offset: int) -> tuple[bytes, bytes | None]:
        """One command of the partner: our answer as octets, and the metadata that came with it."""
        self.advance(command, offset)
        assert isinstance(command, Boxed)
        try:
            answer, introduction = self.side.answer(command, metadata)
        except RemoteProtocolError as error:
            raise RemoteProtocolError(error.clause, error.message, offset) from None
        return b"" if answer is None else answer.serialize(), introduction
