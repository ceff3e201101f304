"""Mutants for the properties of READY."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness.zmtp.metadata as metadata_module
from harness.zmtp import Connection, Ready, RemoteProtocolError
from peers.reference.base import Socket
from peers.reference.reqrep import Router
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("zmtp/metadata/own-socket-type")
def says_pub_for_xpub() -> None:
    """Says PUB and SUB where it is XPUB and XSUB."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Ready:
        socket_type = self.config.socket_type
        return Ready(socket_type[1:]) if socket_type in ("XPUB", "XSUB") else original(self)


@mutant("zmtp/metadata/own-socket-type")
def says_no_socket_type() -> None:
    """Leaves Socket-Type out of READY."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Ready:
        made = original(self)
        return Ready(properties=tuple(pair for pair in made.properties if pair[0] != b"Socket-Type"))


@mutant("zmtp/metadata/nothing-reserved-is-sent")
def advertises_itself() -> None:
    """Adds a property of its own in the applications' name space."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Ready:
        return Ready(properties=(*original(self).properties, (b"X-Library", b"reference")))


@mutant("zmtp/metadata/own-identity-as-set")
def ends_identity_at_zero() -> None:
    """Takes an identity for a C string: it ends at the first zero octet."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Ready:
        made: Ready = original(self)
        return Ready(made.socket_type, (made.identity or b"").split(b"\0")[0]) if made.identity else made


@mutant("zmtp/metadata/own-identity-does-not-begin-with-zero", "zmtp/metadata/nothing-reserved-is-sent")
def announces_a_reserved_identity() -> None:
    """Gives every DEALER without an identity one that begins with zero, and announces it."""

    @patch(Connection, "_ready")
    def ready(original: Original, self: Connection) -> Ready:
        made: Ready = original(self)
        return Ready("DEALER", b"\0\0\0\0\1") if made.socket_type == "DEALER" and not made.identity else made


@mutant(
    "zmtp/metadata/names-have-no-case",
    "zmtp/metadata/socket-type-name-has-no-case",
    breaks=["26/initiate/name-case"],
)
def tells_capital_from_small_names() -> None:
    """Finds a property only where its name has the RFC's letters."""

    @patch(Ready, "get")
    def get(original: Original, self: Ready, name: bytes) -> bytes | None:
        return next((value for key, value in self.properties if key == name), None)


def _refuse_ready(is_bad: Callable[[Ready], bool]) -> None:
    @patch(Connection, "_take_ready")
    def take(original: Original, self: Connection, ready: Ready, offset: int) -> Any:
        if is_bad(ready):
            raise RemoteProtocolError("37/null/validate-ready", "not to our taste", offset)
        return original(self, ready, offset)


def _crash_on(is_bad: Callable[[Ready], bool]) -> None:
    @patch(Connection, "_take_ready")
    def take(original: Original, self: Connection, ready: Ready, offset: int) -> Any:
        if is_bad(ready):
            raise SystemExit(1)
        return original(self, ready, offset)


@mutant("zmtp/metadata/other-properties-do-no-harm", breaks=["37/null/server-ready-reply"])
def refuses_unknown_properties() -> None:
    """Refuses a READY that has more than Socket-Type, Identity and Resource."""
    known = (b"socket-type", b"identity", b"resource")
    _refuse_ready(lambda ready: any(name.lower() not in known for name, _ in ready.properties))


@mutant(
    "zmtp/metadata/order-is-free",
    breaks=["26/initiate/name-case", "28/router/prefix-id", "libzmq-4/probe-router/comes-first"],
)
def reads_identity_only_behind_the_type() -> None:
    """Overlooks Identity unless Socket-Type is the first property."""

    @patch(Ready, "identity")
    def identity(original: Any, self: Ready) -> bytes | None:
        return self.get(b"Identity") if self.properties[:1] == ((b"Socket-Type", b"DEALER"),) else None


@mutant("zmtp/metadata/duplicate-property")
def crashes_on_duplicates() -> None:
    """Exits when a property comes twice."""
    _crash_on(lambda ready: len({name.lower() for name, _ in ready.properties}) < len(ready.properties))


@mutant("zmtp/metadata/missing-socket-type", breaks=["37/framing/commands-hidden"])
def crashes_without_socket_type() -> None:
    """Exits when READY has no Socket-Type."""
    _crash_on(lambda ready: ready.socket_type is None)


@mutant("zmtp/metadata/router-takes-announced-identity", breaks=["37/interop/d10-long"])
def cuts_announced_identities() -> None:
    """Routes by the first 16 octets of an announced identity."""

    @patch(Router, "announced")
    def announced(original: Original, self: Router, pipe: Any) -> bytes:
        return bytes(original(self, pipe)[:16])


def _overlook(rule: str) -> None:
    @patch(metadata_module, "_value_fault")
    def fault(original: Original, name: bytes, value: bytes) -> str | None:
        found = original(name, value)
        return None if found == rule else found


@mutant("zmtp/metadata/identity-too-long")
def takes_long_identities() -> None:
    """Routes by identities of more than 255 octets."""
    _overlook("37/identity/abnf-identity")


@mutant("zmtp/metadata/identity-that-begins-with-zero")
def takes_reserved_identities() -> None:
    """Routes by identities that begin with zero, as if they were announced legally."""
    _overlook("37/identity/no-leading-zero")

    @patch(Router, "is_reserved")
    def is_reserved(original: Original, self: Router, identity: bytes) -> bool:
        return False


@mutant("zmtp/metadata/identity-of-others-is-ignored")
def refuses_namesakes() -> None:
    """Refuses, on sockets that are no ROUTER, a second partner with the same Identity."""

    @patch(Socket, "accepts")
    def accepts(original: Original, self: Socket, pipe: Any) -> bool:
        others = [other.partner.identity for other in self.senders if other.partner and other is not pipe]
        return not pipe.partner.identity or pipe.partner.identity not in others


@mutant("zmtp/metadata/x-properties-change-nothing")
def overlooks_the_x() -> None:
    """Takes X-Identity for Identity and X-Socket-Type for Socket-Type."""

    @patch(Ready, "get")
    def get(original: Original, self: Ready, name: bytes) -> bytes | None:
        application_s: bytes | None = original(self, b"X-" + name)
        return original(self, name) if application_s is None else application_s


@mutant("zmtp/metadata/any-resource-is-accepted")
def knows_no_resources() -> None:
    """Refuses a partner that asks for a resource."""
    _refuse_ready(lambda ready: ready.get(b"Resource") is not None)


@mutant("zmtp/metadata/worked-example")
def wants_identities_of_one_octet_at_least() -> None:
    """Closes on a partner whose Identity is empty."""

    @patch(Connection, "_take_ready")
    def take(original: Original, self: Connection, ready: Ready, offset: int) -> Any:
        if ready.identity == b"":
            raise RemoteProtocolError("37/identity/abnf-identity", "an empty identity", offset)
        return original(self, ready, offset)
