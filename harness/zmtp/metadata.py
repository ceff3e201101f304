"""Properties of a READY command: names of 1 to 255 octets, values of up to 2^31-1 octets.

Sources: RFC 37, "NULL Mechanism" (grammar and prose), "Connection Metadata".
"""

from collections.abc import Iterable, Iterator

from .errors import LocalProtocolError, RemoteProtocolError
from .grammar import (
    DRAFT_SOCKET_TYPES,
    IDENTITY_MAX_OCTETS,
    NAME_MAX_OCTETS,
    PROPERTY_NAME,
    RESOURCE,
    SOCKET_TYPES,
    VALUE_MAX_OCTETS,
)

Property = tuple[bytes, bytes]
_SOCKET_TYPE_VALUES = frozenset(name.encode() for name in SOCKET_TYPES + DRAFT_SOCKET_TYPES)


def serialize_properties(properties: Iterable[Property]) -> bytes:
    """The octets of a list of (name, value). Raises LocalProtocolError for an illegal name or value."""
    return b"".join(_serialize_property(name, value) for name, value in properties)


def _serialize_property(name: bytes, value: bytes) -> bytes:
    if not 1 <= len(name) <= NAME_MAX_OCTETS:
        raise LocalProtocolError("37/null/name-length", f"property name of {len(name)} octets, not 1 to 255")
    if not PROPERTY_NAME.fullmatch(name):
        raise LocalProtocolError("37/null/abnf-name-char", f"property name {name!r} has other characters")
    if len(value) > VALUE_MAX_OCTETS:
        raise LocalProtocolError("37/null/value-range", f"property value of {len(value)} octets")
    return b"%c%b%b%b" % (len(name), name, len(value).to_bytes(4, "big"), value)


def parse_properties(octets: bytes, offset: int = 0) -> tuple[Property, ...]:
    """Read a list of properties that fills `octets` exactly; names may hold any character.

    `offset` is where `octets` begins in the stream. Raises RemoteProtocolError where a length leads
    beyond the end, a name is empty, or a value is larger than 2^31-1.
    """
    properties = []
    at = 0
    while at < len(octets):
        name_end = at + 1 + octets[at]
        if octets[at] == 0:
            raise RemoteProtocolError("37/null/name-length", "property with an empty name", offset + at)
        value_at = name_end + 4
        if value_at > len(octets):
            raise RemoteProtocolError("37/null/abnf-property", "property is cut short", offset + at)
        size = int.from_bytes(octets[name_end:value_at], "big")
        if size > VALUE_MAX_OCTETS:
            raise RemoteProtocolError("37/null/value-range", f"value of {size} octets", offset + name_end)
        if value_at + size > len(octets):
            raise RemoteProtocolError(
                "37/null/abnf-value", "value leads beyond the command", offset + name_end
            )
        properties.append((octets[at + 1 : name_end], octets[value_at : value_at + size]))
        at = value_at + size
    return tuple(properties)


def property_faults(properties: Iterable[Property], offset: int = 0) -> Iterator[RemoteProtocolError]:
    """What each property breaks by its name or value; `offset` is where the first one begins.

    Source: RFC 37, "NULL Mechanism" and "Connection Metadata" (type, identity, resource).
    """
    for name, value in properties:
        if not PROPERTY_NAME.fullmatch(name):
            yield RemoteProtocolError(
                "37/null/abnf-name-char", f"property name {name!r} has other characters", offset
            )
        clause = _value_fault(name.lower(), value)
        if clause is not None:
            message = f"{name.decode('latin-1')} cannot be {value[:40]!r} ({len(value)} octets)"
            yield RemoteProtocolError(clause, message, offset + 1 + len(name) + 4)
        offset += 1 + len(name) + 4 + len(value)


def _value_fault(name: bytes, value: bytes) -> str | None:
    if name == b"socket-type" and value not in _SOCKET_TYPE_VALUES:
        return "37/sockettype/abnf-socket-type"
    if name == b"identity" and len(value) > IDENTITY_MAX_OCTETS:
        return "37/identity/abnf-identity"
    if name == b"identity" and value[:1] == b"\0":
        return "37/identity/no-leading-zero"
    if name == b"resource" and not RESOURCE.fullmatch(value):
        return "37/resource/abnf-resource"
    return None
