"""The greeting: the first 64 octets of ZMTP 3.x, and what older versions send instead.

Sources: RFC 37, "Formal Grammar", "Version Negotiation", "Backwards Interoperability"; RFC 15,
"Formal Grammar"; RFC 13, "Framing Layer".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .errors import LocalProtocolError, RemoteProtocolError
from .frames import Frame
from .grammar import (
    FILLER_OCTETS,
    GREETING_OCTETS,
    IDENTITY_MAX_OCTETS,
    LEGACY_SOCKET_TYPES,
    LEGACY_TYPE_OCTETS,
    MECHANISM_NAME,
    MECHANISM_OCTETS,
    NEWEST_VERSION,
    PADDING_OCTETS,
    VERSION_OFFSET,
)


@dataclass(frozen=True, slots=True)
class Greeting:
    """A ZMTP 3.x greeting as a value.

    `version` is (major, minor), `mechanism` its name without the null padding (one character an
    octet), `as_server` the octet as an integer, `padding` the 8 octets inside the signature,
    `filler` the last 31 octets.
    """

    version: tuple[int, int] = (3, 1)
    mechanism: str = "NULL"
    as_server: int = 0
    padding: bytes = bytes(PADDING_OCTETS)
    filler: bytes = bytes(FILLER_OCTETS)

    def serialize(self) -> bytes:
        """The 64 octets. Raises LocalProtocolError for a value that the grammar does not have."""
        for clause, message in self._problems():
            raise LocalProtocolError(clause, message)
        if len(self.padding) != PADDING_OCTETS:
            raise LocalProtocolError("37/abnf/padding", f"padding of {len(self.padding)} octets, not 8")
        if len(self.filler) != FILLER_OCTETS:
            raise LocalProtocolError("37/abnf/filler", f"filler of {len(self.filler)} octets, not 31")
        name = self.mechanism.encode("latin-1").ljust(MECHANISM_OCTETS, b"\0")
        major, minor = self.version
        head = b"\xff" + self.padding + bytes([0x7F, major, minor])
        return head + name + bytes([self.as_server]) + self.filler

    @classmethod
    def parse(cls, octets: bytes) -> "Greeting":
        """Read 64 octets, whatever the fields hold; `faults` says what is wrong with them.

        Raises RemoteProtocolError where there is no signature (RFC 37, Formal Grammar).
        """
        if len(octets) != GREETING_OCTETS:
            raise RemoteProtocolError("37/abnf/greeting", f"greeting of {len(octets)} octets, not 64")
        if octets[0] != 0xFF:
            raise RemoteProtocolError(
                "37/abnf/signature", f"signature begins with {octets[0]:02X}, not FF", 0
            )
        if octets[9] != 0x7F:
            raise RemoteProtocolError("37/abnf/signature", f"signature ends with {octets[9]:02X}, not 7F", 9)
        return cls(
            version=(octets[10], octets[11]),
            mechanism=octets[12:32].rstrip(b"\0").decode("latin-1"),
            as_server=octets[32],
            padding=octets[1:9],
            filler=octets[33:64],
        )

    def faults(self) -> Iterator[RemoteProtocolError]:
        """Every rule that a received greeting breaks by itself, with the octet where it does.

        What comes after the mechanism is not judged in a version that is yet to be written
        (RFC 37, Version Negotiation: higher versions are valid).
        """
        offsets = {"37/abnf/version-major": 10, "37/abnf/as-server": 32}
        known = self.version <= NEWEST_VERSION
        for clause, message in self._problems():
            if known or clause != "37/abnf/as-server":
                yield RemoteProtocolError(clause, message, offsets.get(clause, 12))
        if known and any(self.filler):
            yield RemoteProtocolError("37/abnf/filler", "filler is not all zero", 33)
        if self.version == NEWEST_VERSION and self.mechanism == "NULL" and self.as_server == 1:
            yield RemoteProtocolError("37/null/as-server-zero", "as-server is 01 with NULL", 32)

    def _problems(self) -> Iterator[tuple[str, str]]:
        if not 3 <= self.version[0] <= 255 or not 0 <= self.version[1] <= 255:
            yield "37/abnf/version-major", f"version {self.version[0]}.{self.version[1]} in a 3.x greeting"
        if not 1 <= len(self.mechanism) <= MECHANISM_OCTETS:
            yield "37/abnf/mechanism", f"mechanism name of {len(self.mechanism)} octets, not 1 to 20"
        elif not MECHANISM_NAME.fullmatch(self.mechanism):
            yield "37/auth/name-charset", f"mechanism name {self.mechanism!r} has other characters"
        if self.as_server not in (0, 1):
            yield "37/abnf/as-server", f"as-server is {self.as_server:02X}, not 00 or 01"


@dataclass(frozen=True, slots=True)
class LegacyGreeting:
    """What ZMTP 1.0 and 2.0 exchange instead: an identity, and in 2.0 a socket type.

    `revision` is the octet after the signature (1 for ZMTP 2.0; a peer of a newer version that
    downgrades shows its own major number there). It is None in ZMTP 1.0, which is an identity frame
    and nothing else, and 0 where that frame begins as a newer peer's signature does: FF, the size
    in the padding, 7F (which `padding` then does not change). `socket_type` is None in ZMTP 1.0.
    """

    revision: int | None = 1
    socket_type: str | None = None
    identity: bytes = b""
    padding: bytes = bytes(PADDING_OCTETS)

    def serialize(self) -> bytes:
        """The octets (RFC 15, Formal Grammar; RFC 13, Framing Layer). Raises LocalProtocolError."""
        if len(self.identity) > IDENTITY_MAX_OCTETS:
            raise LocalProtocolError(
                "15/grammar/abnf-identity", f"identity of {len(self.identity)} octets, not 0 to 255"
            )
        if self.revision is None:
            return Frame.of(self.identity).serialize(version=1)
        if self.revision == 0:
            return b"\xff" + identity_padding(self.identity) + b"\x7f" + self.identity
        if len(self.padding) != PADDING_OCTETS or not 1 <= self.revision <= 255:
            raise LocalProtocolError("15/grammar/abnf-greeting", "padding is 8 octets, revision 1 to 255")
        if self.socket_type not in LEGACY_TYPE_OCTETS:
            raise LocalProtocolError(
                "15/grammar/abnf-socket-type", f"socket type {self.socket_type!r} has no octet in ZMTP 2.0"
            )
        head = b"\xff" + self.padding + bytes([0x7F, self.revision, LEGACY_TYPE_OCTETS[self.socket_type]])
        return head + Frame.of(self.identity).serialize(version=2)

    def faults(self) -> Iterator[RemoteProtocolError]:
        """Every rule that a received greeting breaks by itself, with the octet where it does."""
        if self.revision == 0 and self.socket_type is not None:
            yield RemoteProtocolError("15/grammar/abnf-revision", "revision is 00", VERSION_OFFSET)
        if self.socket_type is None and len(self.identity) > IDENTITY_MAX_OCTETS:
            yield RemoteProtocolError(
                "13/connection/ident-len", f"identity of {len(self.identity)} octets, not 0 to 255", 0
            )


def identity_padding(identity: bytes) -> bytes:
    """The padding by which a ZMTP 1.0 partner reads a signature as the head of an identity frame.

    Source: RFC 37, "Detecting ZMTP 1.0 and 2.0 Peers".
    """
    return (len(identity) + 1).to_bytes(PADDING_OCTETS, "big")


def parse_legacy_socket_type(octet: int, offset: int) -> str:
    """The socket type for an octet of a ZMTP 2.0 greeting. Raises RemoteProtocolError."""
    if octet >= len(LEGACY_SOCKET_TYPES):
        raise RemoteProtocolError(
            "15/grammar/abnf-socket-type", f"socket type {octet:02X} is not 00 to 08", offset
        )
    return LEGACY_SOCKET_TYPES[octet]
