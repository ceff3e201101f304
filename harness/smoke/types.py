"""How a conversation with each socket type goes: the least that shows that an adapter carries messages.

RFC 28 (REQ, REP, DEALER, ROUTER), RFC 29 (PUB, SUB, XPUB, XSUB), RFC 30 (PUSH, PULL), RFC 31 (PAIR).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

IDENTITY = b"smoke"


@dataclass(frozen=True, slots=True)
class Way:
    """The raw end's type, which way messages go, and what stands before them.

    `wire` are the frames that only the wire has (REQ's and REP's delimiter), `api` those that only the
    application has (ROUTER's routing id). `steps` are "send" and "recv", of the peer, in order.
    """

    partner: str
    steps: tuple[str, ...]
    wire: tuple[bytes, ...] = ()
    api: tuple[bytes, ...] = ()
    identity: bytes | None = None
    subscriber: str = ""
    floods: bool = True

    @property
    def receives(self) -> bool:
        """Whether a socket of this type can receive at any time."""
        return self.floods and "recv" in self.steps


WAYS: dict[str, Way] = {
    "PAIR": Way("PAIR", ("recv", "send")),
    "DEALER": Way("ROUTER", ("recv", "send")),
    "ROUTER": Way("DEALER", ("recv", "send"), api=(IDENTITY,), identity=IDENTITY),
    "REP": Way("REQ", ("recv", "send"), wire=(b"",), floods=False),
    "REQ": Way("REP", ("send", "recv"), wire=(b"",), floods=False),
    "PULL": Way("PUSH", ("recv",)),
    "PUSH": Way("PULL", ("send",)),
    "SUB": Way("PUB", ("recv",), subscriber="peer"),
    "XSUB": Way("PUB", ("recv",), subscriber="peer"),
    "PUB": Way("SUB", ("send",), subscriber="raw"),
    "XPUB": Way("SUB", ("send",), subscriber="raw"),
}
# Which type is asked first, and which second, so that much is seen in two conversations.
FIRST = ("PAIR", "DEALER", "ROUTER", "REP", "PULL", "SUB", "XSUB", "REQ", "PUSH", "PUB", "XPUB")
SECOND = ("SUB", "PUSH", "REQ", "PUB", "ROUTER", "PULL", "REP", "DEALER", "XSUB", "XPUB", "PAIR")


def choose(claimed: Set[str]) -> tuple[str, str] | None:
    """The types of the conversation in which the peer binds and of that in which it connects.

    None where none of the claimed types is known here.
    """
    first = next((type_ for type_ in FIRST if type_ in claimed), None)
    if first is None:
        return None
    return first, next((type_ for type_ in SECOND if type_ in claimed and type_ != first), first)
