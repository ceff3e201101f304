"""What one side of a connection is, says and knows."""

from collections.abc import Callable
from dataclasses import dataclass

from .curve import CurveSide
from .handshake import Accepts
from .metadata import Property


@dataclass(frozen=True, slots=True)
class Config:
    """What one side brings to a connection.

    `version` is the newest that it speaks, as (major, minor) with major 3 and up, 2 or 1; `lowest`
    the oldest (3, 2 or 1). `max_octets` is the largest frame body it accepts, None for the grammar's
    own limit. `identity` is announced by REQ, DEALER and ROUTER, and by every type in ZMTP 1.0 and 2.0.
    Under PLAIN a client brings `username` and `password`, and a server (`as_server`) says which it
    `accepts`; without that, none. Under CURVE `curve` makes the keys and boxes of one connection.
    """

    socket_type: str
    identity: bytes = b""
    version: tuple[int, int] = (3, 1)
    mechanism: str = "NULL"
    properties: tuple[Property, ...] = ()
    lowest: int = 1
    max_octets: int | None = None
    as_server: bool = False
    username: bytes = b""
    password: bytes = b""
    accepts: Accepts | None = None
    curve: Callable[[], CurveSide] | None = None
