"""Mutants for what is said under CURVE: forms, keys, nonces, metadata, and MESSAGE either way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import harness.curve as curve_module
import harness.zmtp.cover as cover_module
from harness.curve import Client, KeyPair, Server, Side
from harness.zmtp import Connection, Cover, CurveMessage, Error, HandshakeDone, Introduction, Message, State
from harness.zmtp.errors import RemoteProtocolError
from peers.reference.engine import Link
from tests.mutants.curve_handshake import is_curve
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
ALWAYS = KeyPair.of(b"\x66" * 32)


@mutant("curve/form/hello")
def pads_hello_with_ones() -> None:
    """Sends HELLO of CURVE with a padding of ones."""

    @patch(Client, "hello")
    def hello(original: Original, self: Client) -> Any:
        return replace(original(self), padding=b"\1" * 72)


@mutant("curve/form/hello", breaks=["26/hello/signature-zeros"])
def signs_with_ones() -> None:
    """Has ones in the signature box of HELLO."""

    @patch(Client, "hello")
    def hello(original: Original, self: Client) -> Any:
        return original(self, signature=b"\1" * 64)

    @patch(Server, "check_signature")
    def check(original: Original, self: Server, signature: bytes) -> None:
        """Its own are right to it."""


@mutant("curve/form/welcome", breaks=["26/initiate/client-sends"])
def welcomes_under_another_prefix() -> None:
    """Makes the nonce of WELCOME with a prefix of its own."""
    curve_module.WELCOME = b"WELCOME="


@mutant("curve/form/initiate")
def vouches_for_its_own_server() -> None:
    """Has its own key in the vouch, where that of the server should be."""

    @patch(Client, "vouch")
    def vouch(original: Original, self: Client) -> Any:
        return original(self, server=self.keys.public)


@mutant("curve/form/cookie-comes-back")
def brings_another_cookie() -> None:
    """Sends INITIATE with the cookie's octets in the reverse order."""

    @patch(Client, "initiate")
    def initiate(original: Original, self: Client, metadata: bytes) -> Any:
        return original(self, metadata, cookie=self.cookie[::-1])


@mutant("curve/form/ready")
def is_ready_with_more_than_metadata() -> None:
    """Has an octet behind the metadata in READY's box."""

    @patch(Server, "ready")
    def ready(original: Original, self: Server, metadata: bytes) -> Any:
        return original(self, metadata + b"\0")


def has_one_transient_pair(side: type[Side]) -> None:
    """Let one side have the same transient keys on every connection."""

    @patch(side, "__init__")
    def init(original: Original, self: Side, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.transient = ALWAYS


@mutant("curve/form/keys-of-a-client-are-new")
def has_one_pair_for_all_servers() -> None:
    """As a client, has the same transient keys on every connection."""
    has_one_transient_pair(Client)


@mutant("curve/form/keys-of-a-client-are-new")
def vouches_with_one_nonce() -> None:
    """Makes every vouch with the same nonce."""

    @patch(Client, "vouch")
    def vouch(original: Original, self: Client) -> Any:
        return original(self, nonce=bytes(16))


@mutant("curve/form/keys-of-a-server-are-new")
def has_one_pair_for_all_clients() -> None:
    """As a server, has the same transient keys on every connection."""
    has_one_transient_pair(Server)


@mutant("curve/form/keys-of-a-server-are-new")
def welcomes_with_one_nonce() -> None:
    """Makes every WELCOME with the same nonce."""

    @patch(Server, "welcome")
    def welcome(original: Original, self: Server) -> Any:
        return original(self, nonce=bytes(16))


@mutant("curve/form/short-nonces-of-a-client", "curve/form/short-nonces-of-a-server")
def counts_down() -> None:
    """Has short nonces that count down."""

    @patch(Side, "short_nonce")
    def short_nonce(original: Original, self: Side) -> bytes:
        return (2**64 - int.from_bytes(original(self), "big")).to_bytes(8, "big")


@mutant("curve/form/message", breaks=["26/abnf/curvezmq", "26/differences/payload-size"])
def sets_a_reserved_bit() -> None:
    """Marks frames that others follow by a second bit."""
    cover_module.MORE = 0x81


@mutant("curve/form/key-of-a-client-is-hidden")
def has_no_transient_keys() -> None:
    """As a client, uses its permanent keys in the place of transient ones."""

    @patch(Client, "__init__")
    def init(original: Original, self: Client, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.transient = self.keys


@mutant("curve/traffic/messages-of-many-sizes")
def cuts_large_payloads() -> None:
    """Has no more than 65,536 octets in a box."""

    @patch(Side, "seal")
    def seal(original: Original, self: Side, payload: bytes) -> Any:
        return original(self, payload[:65_536])


@mutant("curve/traffic/many-messages", "interop/curve/many-boxes", breaks=["26/abnf/message-box"])
def has_one_octet_of_a_nonce_in_its_boxes() -> None:
    """Makes a MESSAGE's box with the last octet of its short nonce, and zeros before that."""

    @patch(Side, "seal")
    def seal(original: Original, self: Side, payload: bytes) -> CurveMessage:
        nonce = self.short_nonce()
        made = original(self, payload, nonce=bytes(7) + nonce[7:])
        return CurveMessage(nonce, made.box)


@mutant("curve/traffic/many-more-messages")
def begins_again_after_two_octets() -> None:
    """Counts its short nonces in two octets."""

    @patch(Side, "short_nonce")
    def short_nonce(original: Original, self: Side) -> bytes:
        nonce: bytes = original(self)
        return bytes(6) + nonce[6:]


@mutant("curve/traffic/takes-large-short-nonces")
def counts_in_two_octets() -> None:
    """Looks at the last two octets of the partner's short nonces."""

    @patch(Side, "count")
    def count(original: Original, self: Side, nonce: bytes) -> None:
        original(self, nonce[-2:])


@mutant("curve/traffic/message-in-pieces")
def wants_boxes_at_once() -> None:
    """Closes when the first segment of a MESSAGE does not bring all of it."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if is_curve(self) and self.codec.state is State.TRAFFIC and self.codec.decoder.pending:
            self.close("a part of a box")


@mutant(
    "curve/traffic/half-a-message-is-not-delivered",
    breaks=["26/abnf/curvezmq", "26/initiate/message-after-ready"],
)
def delivers_box_by_box() -> None:
    """Delivers each frame of a message under CURVE as a message."""

    @patch(Cover, "open")
    def opened(original: Original, self: Cover, *args: Any) -> Any:
        value = original(self, *args)
        return Message(self._parts.pop()) if value is None else value


@mutant("curve/traffic/altered-message-is-refused", "curve/traffic/prefix-is-that-of-the-role")
def passes_over_what_does_not_open() -> None:
    """Goes on behind a MESSAGE that does not open."""

    @patch(Cover, "open")
    def opened(original: Original, self: Cover, *args: Any) -> Any:
        try:
            return original(self, *args)
        except RemoteProtocolError:
            return None


@mutant("curve/traffic/altered-message-is-refused")
def answers_bad_boxes_with_error() -> None:
    """Sends ERROR before it closes on a MESSAGE that does not open."""

    @patch(Connection, "_handle_covered")
    def handle(original: Original, self: Connection, *args: Any) -> Any:
        try:
            return original(self, *args)
        except RemoteProtocolError:
            self._out += Error(b"no").serialize()
            raise


@mutant("curve/traffic/prefix-is-that-of-the-role")
def knows_three_prefixes() -> None:
    """Opens a MESSAGE under any prefix that RFC 26 names."""

    @patch(Side, "unbox")
    def unbox(original: Original, self: Side, box: bytes, nonce: bytes, rule: str) -> Any:
        if nonce[:15] != b"CurveZMQMESSAGE":
            return original(self, box, nonce, rule)
        for last in b"CS-":
            try:
                return original(self, box, nonce[:15] + bytes([last]) + nonce[16:], rule)
            except RemoteProtocolError as error:
                failed = error
        raise failed


@mutant("curve/traffic/unboxed-is-not-delivered", breaks=["37/heartbeat/any-traffic"])
def takes_messages_without_a_box() -> None:
    """Delivers messages that come in the clear under CURVE."""

    @patch(Connection, "_handle_covered")
    def handle(original: Original, self: Connection, cover: Cover, received: Any) -> Any:
        if isinstance(received.value, Message):
            return [received.value]
        return original(self, cover, received)


@mutant("curve/metadata/identity-counts")
def overlooks_identities_in_boxes() -> None:
    """Does not look for the partner's identity under CURVE."""

    @patch(Link, "on_handshake_done")
    def done(original: Original, self: Link, event: HandshakeDone) -> None:
        original(self, replace(event, identity=b"") if is_curve(self) else event)


@mutant("curve/metadata/case-of-names")
def knows_one_spelling_under_curve() -> None:
    """Compares the names of properties letter by letter, under CURVE."""

    @patch(Connection, "_introduced")
    def introduced(original: Original, self: Connection, partner: Introduction, *args: Any) -> Any:
        done = original(self, partner, *args)
        spelt = any(name == b"Identity" for name, _ in partner.properties)
        return done if spelt or self._curve is None else replace(done, identity=b"")


@mutant("curve/metadata/unknown-properties-are-taken")
def wants_known_properties_in_boxes() -> None:
    """Refuses partners of CURVE with a property that it does not know."""

    @patch(Connection, "_introduced")
    def introduced(original: Original, self: Connection, partner: Any, step: Any, offset: int) -> Any:
        known = {b"socket-type", b"identity", b"resource"}
        if self._curve is not None and {name.lower() for name, _ in partner.properties} - known:
            raise RemoteProtocolError("37/metadata/other-props", "an unknown property", offset)
        return original(self, partner, step, offset)


@mutant("curve/metadata/socket-type-is-checked")
def looks_at_keys_only() -> None:
    """Does not check the types of those whose keys are good."""

    @patch(Connection, "_check_partner")
    def check(original: Original, self: Connection, *args: Any) -> None:
        if self._curve is None:
            original(self, *args)
