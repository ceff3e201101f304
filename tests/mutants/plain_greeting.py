"""Mutants for greeting and metadata under PLAIN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import harness.zmtp.commands as commands_module
import harness.zmtp.plain as plain_module
from harness.zmtp import Connection, Greeting, HandshakeDone, RemoteProtocolError
from harness.zmtp.handshake import PlainHandshake
from peers.reference.engine import Link
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("plain/greeting/mechanism-mismatch")
def falls_back_to_null() -> None:
    """Speaks NULL with partners that want it, though it was told to speak PLAIN."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Any) -> Any:
        if self._plain is not None and isinstance(greeting, Greeting) and greeting.mechanism == "NULL":
            self._plain = None
            self.config = replace(self.config, mechanism="NULL")
        return original(self, greeting)


@mutant("plain/greeting/old-partner-is-refused")
def forgets_security_with_old_partners() -> None:
    """Steps down to ZMTP 2.0 and 1.0 under PLAIN too."""

    @patch(Connection, "_check_secure")
    def check(original: Original, self: Connection, offset: int) -> None:
        """Let everybody pass."""


@mutant("plain/greeting/serves-3-0")
def keeps_plain_for_3_1() -> None:
    """Refuses partners of ZMTP 3.0 under PLAIN."""

    @patch(PlainHandshake, "begin")
    def begin(original: Original, self: PlainHandshake, partner: Greeting) -> Any:
        if partner.version < (3, 1):
            raise RemoteProtocolError("24/abnf/plain", "PLAIN is for 3.1", 11)
        return original(self, partner)


@mutant("plain/greeting/partner-that-says-server")
def serves_servers() -> None:
    """As a server, lets in a partner that says that it is a server."""

    @patch(PlainHandshake, "begin")
    def begin(original: Original, self: PlainHandshake, partner: Greeting) -> Any:
        return original(self, replace(partner, as_server=0))


@mutant("plain/greeting/partner-that-says-client")
def leaves_clients() -> None:
    """As a client, closes on a partner that says that it is a client."""

    @patch(PlainHandshake, "begin")
    def begin(original: Original, self: PlainHandshake, partner: Greeting) -> Any:
        if self.hello is not None and not partner.as_server:
            raise RemoteProtocolError("24/flow/role-clash", "both are clients", 32)
        return original(self, partner)


@mutant("plain/metadata/socket-type-is-stated")
def keeps_its_type_to_itself() -> None:
    """Introduces itself without Socket-Type under PLAIN."""

    @patch(Connection, "_introduction")
    def introduction(original: Original, self: Connection, kind: Any) -> Any:
        return kind(None, b"me") if self._plain is not None else original(self, kind)


@mutant("plain/metadata/identity-counts")
def overlooks_identities() -> None:
    """Does not look for the partner's identity under PLAIN."""

    @patch(Link, "on_handshake_done")
    def done(original: Original, self: Link, event: HandshakeDone) -> None:
        original(self, replace(event, identity=b"") if self.options.mechanism == "PLAIN" else event)


@mutant("plain/metadata/unknown-properties-are-taken")
def wants_known_properties_only() -> None:
    """Refuses partners of PLAIN with a property that it does not know."""

    @patch(Connection, "_introduced")
    def introduced(original: Original, self: Connection, partner: Any, step: Any, offset: int) -> Any:
        known = {b"socket-type", b"identity", b"resource"}
        if self._plain is not None and {name.lower() for name, _ in partner.properties} - known:
            raise RemoteProtocolError("37/metadata/other-props", "an unknown property", offset)
        return original(self, partner, step, offset)


@mutant("plain/metadata/socket-type-is-checked")
def looks_at_passwords_only() -> None:
    """Does not check the types of those whose credentials are good."""

    @patch(Connection, "_check_partner")
    def check(original: Original, self: Connection, *args: Any) -> None:
        if self._plain is None:
            original(self, *args)


@mutant("plain/metadata/malformed-is-refused", breaks=["37/null/*"])
def takes_malformed_introductions() -> None:
    """Takes the properties of INITIATE and READY up to the first that is cut or runs over."""

    def lenient(original: Original, octets: bytes, offset: int = 0) -> Any:
        for end in range(len(octets), -1, -1):
            try:
                return original(octets[:end], offset)
            except RemoteProtocolError:
                continue
        return ()

    patch(plain_module, "parse_properties")(lenient)
    patch(commands_module, "parse_properties")(lenient)
