"""The commands that PLAIN has beside READY and ERROR: HELLO, WELCOME and INITIATE.

Source: RFC 24, "Implementation" (grammar).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import LocalProtocolError, RemoteProtocolError
from .grammar import CREDENTIAL
from .metadata import parse_properties
from .typed import Command, Introduction, Typed

PLAIN = "PLAIN"


@dataclass(frozen=True, slots=True)
class Hello(Typed):
    """HELLO: username and password of 0 to 255 octets each, printable characters when we send it."""

    username: bytes = b""
    password: bytes = b""

    def to_command(self) -> Command:
        """HELLO as name and data."""
        for field, octets in (("username", self.username), ("password", self.password)):
            if not CREDENTIAL.fullmatch(octets):
                raise LocalProtocolError(f"24/abnf/{field}", f"{field} is not up to 255 visible characters")
        return Command(b"HELLO", _sized(self.username) + _sized(self.password))


@dataclass(frozen=True, slots=True)
class Welcome(Typed):
    """WELCOME: the server takes the client's credentials."""

    def to_command(self) -> Command:
        """WELCOME as a name without data."""
        return Command(b"WELCOME")


class Initiate(Introduction):
    """INITIATE with the client's properties in order, as (name, value)."""

    __slots__ = ()
    NAME = b"INITIATE"


def _sized(octets: bytes) -> bytes:
    return b"%c%b" % (len(octets), octets)


def hello_faults(hello: Hello, at: int) -> Iterator[RemoteProtocolError]:
    """What a HELLO that could be read breaks by what its fields hold; `at` is where its data begins."""
    if not CREDENTIAL.fullmatch(hello.username):
        yield RemoteProtocolError("24/abnf/username", "username is not visible characters only", at + 1)
    if not CREDENTIAL.fullmatch(hello.password):
        yield RemoteProtocolError(
            "24/abnf/password", "password is not visible characters only", at + 2 + len(hello.username)
        )


def _parse_hello(data: bytes, at: int) -> Hello:
    username, end = _parse_field(data, 0, at, "username")
    password, end = _parse_field(data, end, at, "password")
    if end < len(data):
        raise RemoteProtocolError("24/abnf/hello", "octets after the password", at + end)
    return Hello(username, password)


def _parse_field(data: bytes, start: int, at: int, field: str) -> tuple[bytes, int]:
    """A length octet and so many octets from `start` on, and where they end."""
    if start == len(data):
        raise RemoteProtocolError("24/abnf/hello", f"HELLO without a {field}", at + start)
    end = start + 1 + data[start]
    if end > len(data):
        raise RemoteProtocolError("24/abnf/hello", f"{field} leads beyond the command", at + start)
    return data[start + 1 : end], end


def _parse_welcome(data: bytes, at: int) -> Welcome:
    if data:
        raise RemoteProtocolError("24/abnf/welcome", "WELCOME with data", at)
    return Welcome()


PLAIN_PARSERS: dict[bytes, Callable[[bytes, int], Hello | Welcome | Initiate]] = {
    b"HELLO": _parse_hello,
    b"WELCOME": _parse_welcome,
    b"INITIATE": lambda data, at: Initiate(properties=parse_properties(data, at)),
}
