"""The handshake of PLAIN: whose turn it is, and who is let in.

Source: RFC 24, "Implementation".
"""

from collections.abc import Callable
from enum import Enum

from .commands import Ready
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


# What is awaited, what comes, and what is awaited then: the server's two steps, and the client's.
TURNS: dict[tuple[Turn, type], Turn] = {
    (Turn.HELLO, Hello): Turn.INITIATE,
    (Turn.INITIATE, Initiate): Turn.TRAFFIC,
    (Turn.WELCOME, Welcome): Turn.READY,
    (Turn.READY, Ready): Turn.TRAFFIC,
}


class PlainHandshake:
    """One side of it: the client's, which has a HELLO to send, or the server's, which `accepts` some."""

    def __init__(self, hello: Hello | None, accepts: Accepts | None) -> None:
        self.hello = hello
        self.accepts = accepts
        self.turn = Turn.HELLO if hello is None else Turn.WELCOME
        self._opening = b"" if hello is None else hello.serialize()

    def begin(self, partner: Greeting) -> bytes:
        """What goes out when the greetings are through: the client's HELLO.

        Raises RemoteProtocolError where both are servers, since neither would ever speak. A server that
        does not say so (libzmq's) shows it by its commands, and so does another client.
        """
        if self.hello is None and partner.as_server:
            raise RemoteProtocolError("24/flow/role-clash", "both are servers", 32)
        return self._opening

    def advance(self, value: object, offset: int) -> None:
        """Take the partner's turn. Raises RemoteProtocolError where it is for something else."""
        after = TURNS.get((self.turn, type(value)))
        if after is None:
            came = type(value).__name__.lower()
            raise RemoteProtocolError(
                "24/flow/order-enforced", f"cannot receive {came} where {self.turn.value} is awaited", offset
            )
        self.turn = after

    def admits(self, hello: Hello) -> bool:
        """Whether the client's credentials are good."""
        return self.accepts is not None and self.accepts(hello.username, hello.password)
