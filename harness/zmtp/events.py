"""What a strict connection tells its owner, beside messages and commands themselves."""

from dataclasses import dataclass

from .commands import InTraffic
from .greeting import Greeting, LegacyGreeting
from .messages import Message
from .metadata import Property


@dataclass(frozen=True, slots=True)
class GreetingReceived:
    """The partner's greeting is complete; `version` is what is spoken from here: 3, 2 or 1."""

    greeting: Greeting | LegacyGreeting
    version: int


@dataclass(frozen=True, slots=True)
class HandshakeDone:
    """Both sides have finished the handshake: messages may flow.

    `socket_type` is None where the partner did not say (ZMTP 1.0, or no such property).
    """

    socket_type: str | None
    identity: bytes
    properties: tuple[Property, ...] = ()


Event = GreetingReceived | HandshakeDone | Message | InTraffic
