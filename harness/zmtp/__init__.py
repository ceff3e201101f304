"""ZMTP without I/O: values, a strict connection, a lenient decoder, builders of illegal octets.

Sources: RFC 37 (ZMTP 3.1), 23 (3.0), 15 (2.0), 13 (1.0), 24 (PLAIN), 26 (CURVE). Standard library only.
"""

from .admission import Asked, AskingConnection
from .commands import (
    AnyCommand,
    Cancel,
    Error,
    Join,
    Leave,
    Ping,
    Pong,
    Ready,
    Subscribe,
    parse_command,
)
from .config import Config
from .connection import Connection
from .cover import Cover
from .curve import Boxed, CurveHello, CurveInitiate, CurveMessage, CurveReady, CurveSide, CurveWelcome
from .decoder import Decoder, Received, Undecodable, Value
from .errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from .events import Event, GreetingReceived, HandshakeDone
from .frames import Frame, FrameParser
from .greeting import Greeting, LegacyGreeting
from .messages import Message, cancellation, subscription
from .plain import Hello, Initiate, Welcome
from .state import State, Step
from .typed import Command, Introduction

__all__ = [
    "AnyCommand",
    "Asked",
    "AskingConnection",
    "Boxed",
    "Cancel",
    "Command",
    "Config",
    "Connection",
    "Cover",
    "CurveHello",
    "CurveInitiate",
    "CurveMessage",
    "CurveReady",
    "CurveSide",
    "CurveWelcome",
    "Decoder",
    "Error",
    "Event",
    "Frame",
    "FrameParser",
    "Greeting",
    "GreetingReceived",
    "HandshakeDone",
    "Hello",
    "Initiate",
    "Introduction",
    "Join",
    "Leave",
    "LegacyGreeting",
    "LocalProtocolError",
    "Message",
    "Ping",
    "Pong",
    "ProtocolError",
    "Ready",
    "Received",
    "RemoteProtocolError",
    "State",
    "Step",
    "Subscribe",
    "Undecodable",
    "Value",
    "Welcome",
    "cancellation",
    "parse_command",
    "subscription",
]
