"""The constants of ZMTP: sizes, flags, character sets and the table of socket types.

Sources: RFC 37 and RFC 23, "Formal Grammar" and "The Socket-Type Property"; RFC 24,
"Implementation"; RFC 15, "Formal Grammar"; RFC 13, "Framing Layer".
"""

import re

NEWEST_VERSION = (3, 1)
SIGNATURE_OCTETS = 10
VERSION_OFFSET = 10
GREETING_OCTETS = 64
MECHANISM_OCTETS = 20
PADDING_OCTETS = 8
FILLER_OCTETS = 31

MORE = 0x01
LONG = 0x02
COMMAND = 0x04
RESERVED = 0xF8

SHORT_MAX_OCTETS = 255
LONG_MAX_OCTETS = 2**63 - 1
NAME_MAX_OCTETS = 255
VALUE_MAX_OCTETS = 2**31 - 1
IDENTITY_MAX_OCTETS = 255
PING_CONTEXT_MAX_OCTETS = 16
TTL_MAX_DS = 0xFFFF

# The grammar allows dot and plus, the prose only hyphen and underscore: the union is accepted.
MECHANISM_NAME = re.compile(r"[A-Z0-9._+-]{1,20}")
COMMAND_NAME = re.compile(rb"[A-Za-z]{1,255}")
PROPERTY_NAME = re.compile(rb"[A-Za-z0-9._+-]{1,255}")
ERROR_REASON = re.compile(rb"[\x21-\x7e]{0,255}")
CREDENTIAL = re.compile(rb"[\x21-\x7e]{0,255}")
GROUP = re.compile(rb"[^\0]{0,255}", re.DOTALL)
RESOURCE = re.compile(rb"[A-Za-z0-9$_@.&+-]+(?:/[A-Za-z0-9$_@.&+-]+)*")

# RFC 37, "The Socket-Type Property": who may talk to whom.
PARTNERS: dict[str, frozenset[str]] = {
    "REQ": frozenset({"REP", "ROUTER"}),
    "REP": frozenset({"REQ", "DEALER"}),
    "DEALER": frozenset({"REP", "DEALER", "ROUTER"}),
    "ROUTER": frozenset({"REQ", "DEALER", "ROUTER"}),
    "PUB": frozenset({"SUB", "XSUB"}),
    "XPUB": frozenset({"SUB", "XSUB"}),
    "SUB": frozenset({"PUB", "XPUB"}),
    "XSUB": frozenset({"PUB", "XPUB"}),
    "PUSH": frozenset({"PULL"}),
    "PULL": frozenset({"PUSH"}),
    "PAIR": frozenset({"PAIR"}),
    "CLIENT": frozenset({"SERVER"}),
    "SERVER": frozenset({"CLIENT"}),
    "RADIO": frozenset({"DISH"}),
    "DISH": frozenset({"RADIO"}),
    "SCATTER": frozenset({"GATHER"}),
    "GATHER": frozenset({"SCATTER"}),
    "PEER": frozenset({"PEER"}),
    "CHANNEL": frozenset({"CHANNEL"}),
}
# RFC 37, "Thread-safe sockets": what these do stands in draft RFCs of their own.
DRAFT_SOCKET_TYPES: tuple[str, ...] = (
    "CLIENT", "SERVER", "RADIO", "DISH", "SCATTER", "GATHER", "PEER", "CHANNEL",
)  # fmt: skip
SOCKET_TYPES: tuple[str, ...] = tuple(name for name in PARTNERS if name not in DRAFT_SOCKET_TYPES)

# RFC 37, "The Identity Property": the types whose identity means something to their partner.
ADDRESSED = frozenset({"REQ", "DEALER", "ROUTER"})

# RFC 15, "Formal Grammar": socket types as one octet. XPUB and XSUB speak as PUB and SUB.
LEGACY_SOCKET_TYPES: tuple[str, ...] = (
    "PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH",
)  # fmt: skip
LEGACY_TYPE_OCTETS: dict[str | None, int] = {
    **{name: octet for octet, name in enumerate(LEGACY_SOCKET_TYPES)},
    "XPUB": LEGACY_SOCKET_TYPES.index("PUB"),
    "XSUB": LEGACY_SOCKET_TYPES.index("SUB"),
}


def are_partners(one: str, other: str) -> bool:
    """Whether two socket types may talk to each other (RFC 37, The Socket-Type Property)."""
    return other in PARTNERS.get(one, frozenset())
