"""What all commands share: a name, data, and for those that introduce a peer its metadata.

Sources: RFC 37, "Formal Grammar" (command), "NULL Mechanism", "Connection Metadata".
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from .errors import LocalProtocolError
from .frames import Frame
from .grammar import COMMAND_NAME, IDENTITY_MAX_OCTETS
from .metadata import Property, serialize_properties


class Typed(ABC):
    """What all commands share: they become a name and data, and octets."""

    __slots__ = ()

    @abstractmethod
    def to_command(self) -> "Command":
        """This command as name and data. Raises LocalProtocolError for a value outside the grammar."""

    def serialize(self, version: int = 3) -> bytes:
        """The octets of the command's one frame; `version` is there for symmetry with messages."""
        command = self.to_command()
        return Frame.of(command.body(), command=True).serialize(version)


@dataclass(frozen=True, slots=True)
class Command(Typed):
    """Any command: its name of 1 to 255 letters, and its data."""

    name: bytes
    data: bytes = b""

    def to_command(self) -> "Command":
        """Itself."""
        return self

    def body(self) -> bytes:
        """Name size, name, data. Raises LocalProtocolError for a name that is not letters."""
        if not COMMAND_NAME.fullmatch(self.name):
            raise LocalProtocolError(
                "37/abnf/command-name", f"command name {self.name!r} is not 1 to 255 letters"
            )
        return b"%c%b%b" % (len(self.name), self.name, self.data)


@dataclass(frozen=True, slots=True, init=False)
class Introduction(Typed):
    """A command that introduces a peer: its properties in order, as (name, value)."""

    NAME: ClassVar[bytes]
    properties: tuple[Property, ...]

    def __init__(
        self,
        socket_type: str | None = None,
        identity: bytes | None = None,
        properties: tuple[Property, ...] = (),
    ) -> None:
        head: list[Property] = []
        if socket_type is not None:
            head.append((b"Socket-Type", socket_type.encode("latin-1")))
        if identity is not None:
            head.append((b"Identity", identity))
        object.__setattr__(self, "properties", (*head, *properties))

    def get(self, name: bytes) -> bytes | None:
        """The value of the first property with this name; upper and lower case are the same."""
        return next((value for key, value in self.properties if key.lower() == name.lower()), None)

    @property
    def socket_type(self) -> str | None:
        """The Socket-Type property, one character an octet."""
        value = self.get(b"Socket-Type")
        return None if value is None else value.decode("latin-1")

    @property
    def identity(self) -> bytes | None:
        """The Identity property."""
        return self.get(b"Identity")

    def to_command(self) -> Command:
        """Name and data (RFC 37, NULL Mechanism)."""
        if len(self.identity or b"") > IDENTITY_MAX_OCTETS:
            raise LocalProtocolError("37/identity/abnf-identity", "identity of more than 255 octets")
        return Command(self.NAME, serialize_properties(self.properties))
