"""The portable options of a socket, by the names of the control protocol."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from harness.curve import KEY_OCTETS, Client, KeyPair, Server
from harness.zmtp import CurveSide
from harness.zmtp.grammar import CREDENTIAL, IDENTITY_MAX_OCTETS, TTL_MAX_DS

from .errors import Failed, Unsupported

DOMAIN_MAX_OCTETS = 255
# Options that mean something for these socket types only.
ONLY_FOR: dict[str, frozenset[str]] = {
    "mandatory": frozenset({"ROUTER"}),
    "handover": frozenset({"ROUTER"}),
    "xpub-verbose": frozenset({"XPUB"}),
    "probe-router": frozenset({"REQ", "DEALER", "ROUTER"}),
    "req-relaxed": frozenset({"REQ"}),
    "req-correlate": frozenset({"REQ"}),
    "conflate": frozenset({"PULL", "PUSH", "SUB", "PUB", "DEALER"}),
}


@dataclass(slots=True)
class Options:
    """Values as the control protocol gives them; high-water mark 0 is none, linger -1 for ever.

    Under PLAIN a client has a username or a password, a server pairs of both that it lets in.
    Under CURVE both have a secret key, and a client has the server's public one.
    """

    identity: bytes = b""
    send_hwm: int = 1000
    receive_hwm: int = 1000
    swap_octets: int = 0
    linger_ms: int = 0
    mandatory: bool = False
    handover: bool = False
    heartbeat_interval_ms: int = 0
    heartbeat_timeout_ms: int = -1
    heartbeat_ttl_ms: int = 0
    max_message_octets: int = -1
    handshake_interval_ms: int = 30_000
    conflate: bool = False
    immediate: bool = False
    reconnect_interval_ms: int = 100
    xpub_verbose: bool = False
    probe_router: bool = False
    req_relaxed: bool = False
    req_correlate: bool = False
    plain_server: bool = False
    plain_username: bytes | None = None
    plain_password: bytes | None = None
    plain_passwords: tuple[tuple[bytes, bytes], ...] = ()
    curve_server: bool = False
    curve_public_key: bytes | None = None
    curve_secret_key: bytes | None = None
    curve_server_key: bytes | None = None
    zap_domain: bytes = b""

    @property
    def mechanism(self) -> str:
        """CURVE or PLAIN where one of its options is set, else NULL."""
        if self.curve_server or self.curve_secret_key is not None or self.curve_server_key is not None:
            return "CURVE"
        client = self.plain_username is not None or self.plain_password is not None
        return "PLAIN" if self.plain_server or client else "NULL"

    def accepts(self, username: bytes, password: bytes) -> bool:
        """Whether a server of PLAIN lets in who says this, octet for octet."""
        return (username, password) in self.plain_passwords

    def curve(self) -> CurveSide:
        """Our side of a new connection under CURVE; who has no key of the server's gets nowhere."""
        secret = self.curve_secret_key
        keys = KeyPair.generate() if secret is None else KeyPair.of(secret)
        if self.curve_server:
            return Server(keys)
        return Client(keys, self.curve_server_key or KeyPair.generate().public)

    def set(self, name: str, value: Any, socket_type: str) -> None:
        """Set one option. Raises Unsupported for an unknown name, Failed for a value out of range."""
        self._check_name(name)
        if socket_type not in ONLY_FOR.get(name, {socket_type}):
            raise Failed(f"{name} means nothing for {socket_type}")
        if name in READ:
            value = READ[name](value)
        elif name == "heartbeat-ttl-ms":
            value = _number(name, value, 0, TTL_MAX_DS * 100 + 99)
        elif type(self.get(name)) is bool:
            value = _flag(name, value)
        else:
            value = _number(name, value, LEAST.get(name, 0), 2**63 - 1)
        setattr(self, name.replace("-", "_"), value)

    def get(self, name: str) -> Any:
        """One option's value. Raises Unsupported for an unknown name, Failed for the list of passwords."""
        self._check_name(name)
        if name == "plain-passwords":
            raise Failed(f"{name} is not told")
        value = getattr(self, name.replace("-", "_"))
        return b"" if value is None else value

    def _check_name(self, name: str) -> None:
        if name not in NAMES:
            raise Unsupported(f"option {name}")


NAMES = frozenset(field.name.replace("_", "-") for field in fields(Options))
LEAST = {"linger-ms": -1, "heartbeat-timeout-ms": -1, "max-message-octets": -1, "reconnect-interval-ms": -1}


def _identity(value: Any) -> bytes:
    """Up to 255 octets, not beginning with zero (RFC 37, The Identity Property)."""
    identity = bytes.fromhex(value)
    if len(identity) > IDENTITY_MAX_OCTETS:
        raise Failed(f"identity of {len(identity)} octets, at most {IDENTITY_MAX_OCTETS}")
    if identity[:1] == b"\0":
        raise Failed("an identity must not begin with a zero octet")
    return identity


def _credential(value: Any) -> bytes:
    """Up to 255 printable characters (RFC 24)."""
    credential = bytes.fromhex(value)
    if not CREDENTIAL.fullmatch(credential):
        raise Failed("a credential is up to 255 printable characters")
    return credential


def _key(value: Any) -> bytes:
    """32 octets (RFC 26)."""
    key = bytes.fromhex(value)
    if len(key) != KEY_OCTETS:
        raise Failed(f"a key of {len(key)} octets, not {KEY_OCTETS}")
    return key


def _domain(value: Any) -> bytes:
    """Up to 255 characters of ASCII (RFC 27)."""
    domain = bytes.fromhex(value)
    if len(domain) > DOMAIN_MAX_OCTETS or not domain.isascii():
        raise Failed(f"a domain is up to {DOMAIN_MAX_OCTETS} characters of ASCII")
    return domain


def _passwords(value: Any) -> tuple[tuple[bytes, bytes], ...]:
    """Pairs of username and password: any octets, since a client may send any."""
    return tuple((bytes.fromhex(username), bytes.fromhex(password)) for username, password in value)


READ: dict[str, Callable[[Any], Any]] = {
    "identity": _identity,
    "plain-username": _credential,
    "plain-password": _credential,
    "plain-passwords": _passwords,
    "curve-public-key": _key,
    "curve-secret-key": _key,
    "curve-server-key": _key,
    "zap-domain": _domain,
}


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Failed(f"{name} is true or false, not {value!r}")
    return value


def _number(name: str, value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Failed(f"{name} is a whole number from {least} to {most}, not {value!r}")
    return value
