"""The commands of CURVE, each a name and boxes that stay closed here, and what opens them.

Cryptography is not the codec's business: whoever speaks CURVE brings a `CurveSide`.
Sources: RFC 26, "High-level Grammar"; RFC 25.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from .errors import LocalProtocolError, RemoteProtocolError
from .typed import Command, Typed

CURVE = "CURVE"
VERSION = b"\x01\x00"
PADDING = bytes(72)
NO_OCTETS = b""


@dataclass(frozen=True, slots=True)
class Boxed(Typed):
    """A command made of fields with fixed sizes; an `OPEN` one may have a longer last field."""

    NAME: ClassVar[bytes] = b""
    SIZES: ClassVar[dict[str, int]] = {}
    OPEN: ClassVar[bool] = False

    @classmethod
    def rule(cls) -> str:
        """The clause of its form."""
        return f"26/abnf/{cls.NAME.decode().lower()}"

    @classmethod
    def fits(cls, size: int) -> bool:
        """Whether data of this many octets can hold the fields."""
        least = sum(cls.SIZES.values())
        return size == least or (cls.OPEN and size > least)

    @classmethod
    def parse(cls, data: bytes, at: int) -> Self:
        """The fields of the command's data, which begins at octet `at` of the stream."""
        if not cls.fits(len(data)):
            text = f"{cls.NAME.decode()} with {len(data)} octets of data"
            raise RemoteProtocolError(cls.rule(), text, at)
        fields: dict[str, Any] = {}
        start = 0
        for name, size in cls.SIZES.items():
            fields[name] = data[start : start + size]
            start += size
            last = name
        fields[last] += data[start:]
        return cls(**fields)

    def to_command(self) -> Command:
        """Name and data. Raises LocalProtocolError for a field of another size."""
        fields = [(getattr(self, name), size) for name, size in self.SIZES.items()]
        *fixed, (last, least) = fields
        whole = all(len(octets) == size for octets, size in fixed)
        if not whole or len(last) < least or (len(last) > least and not self.OPEN):
            sizes = [len(octets) for octets, _ in fields]
            raise LocalProtocolError(self.rule(), f"{self.NAME.decode()} with fields of {sizes} octets")
        return Command(self.NAME, b"".join(octets for octets, _ in fields))


@dataclass(frozen=True, slots=True)
class CurveHello(Boxed):
    """HELLO, 200 octets: the client's transient key, and its signature for the server's permanent key."""

    NAME = b"HELLO"
    SIZES: ClassVar[dict[str, int]] = {"version": 2, "padding": 72, "client": 32, "nonce": 8, "box": 80}
    version: bytes = VERSION
    padding: bytes = PADDING
    client: bytes = NO_OCTETS
    nonce: bytes = NO_OCTETS
    box: bytes = NO_OCTETS


@dataclass(frozen=True, slots=True)
class CurveWelcome(Boxed):
    """WELCOME, 168 octets: the server's transient key and the cookie, in a box."""

    NAME = b"WELCOME"
    SIZES: ClassVar[dict[str, int]] = {"nonce": 16, "box": 144}
    nonce: bytes = NO_OCTETS
    box: bytes = NO_OCTETS


@dataclass(frozen=True, slots=True)
class CurveInitiate(Boxed):
    """INITIATE, 257 octets or more: the cookie; in a box the client's permanent key, vouch and metadata."""

    NAME = b"INITIATE"
    SIZES: ClassVar[dict[str, int]] = {"cookie": 96, "nonce": 8, "box": 144}
    OPEN = True
    cookie: bytes = NO_OCTETS
    nonce: bytes = NO_OCTETS
    box: bytes = NO_OCTETS


@dataclass(frozen=True, slots=True)
class CurveReady(Boxed):
    """READY, 30 octets or more: the server's metadata in a box."""

    NAME = b"READY"
    SIZES: ClassVar[dict[str, int]] = {"nonce": 8, "box": 16}
    OPEN = True
    nonce: bytes = NO_OCTETS
    box: bytes = NO_OCTETS


@dataclass(frozen=True, slots=True)
class CurveMessage(Boxed):
    """MESSAGE, 33 octets or more: a flags octet and one frame, in a box."""

    NAME = b"MESSAGE"
    SIZES: ClassVar[dict[str, int]] = {"nonce": 8, "box": 17}
    OPEN = True
    nonce: bytes = NO_OCTETS
    box: bytes = NO_OCTETS


class CurveSide(Protocol):
    """One side of one connection, with its keys.

    What does not open, or counts backwards, raises RemoteProtocolError without an offset. `partner_key` is
    the partner's permanent public key, b"" while a server does not know it.
    """

    partner_key: bytes

    def begin(self) -> Boxed | None:
        """What goes out first: a client's HELLO."""

    def answer(self, command: Boxed, metadata: bytes) -> tuple[Boxed | None, bytes | None]:
        """What a command of the handshake is answered with, and the metadata that came in it.

        `metadata` is our own, for INITIATE or READY.
        """

    def seal(self, payload: bytes) -> CurveMessage:
        """A flags octet and data in a MESSAGE."""

    def open(self, message: CurveMessage) -> bytes:
        """The flags octet and the data of the partner's MESSAGE."""


def curve_hello_faults(hello: CurveHello, at: int) -> Iterator[RemoteProtocolError]:
    """What a HELLO of the right size breaks by what stands in the clear; `at` is where its data begins."""
    if hello.version != VERSION:
        yield RemoteProtocolError("26/abnf/hello-version", f"version {hello.version.hex()}", at)
    if hello.padding != PADDING:
        yield RemoteProtocolError("26/abnf/hello-padding", "padding that is not zero", at + 2)


CURVE_PARSERS: dict[bytes, Callable[[bytes, int], Any]] = {
    kind.NAME: kind.parse for kind in (CurveHello, CurveWelcome, CurveInitiate, CurveReady, CurveMessage)
}
