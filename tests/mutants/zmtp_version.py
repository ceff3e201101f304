"""Mutants for versions: the reference peer with one fault each in what it announces or how it steps down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.zmtp import (
    Cancel,
    Connection,
    Greeting,
    LegacyGreeting,
    Message,
    RemoteProtocolError,
    Subscribe,
    cancellation,
    subscription,
)
from harness.zmtp.grammar import LEGACY_TYPE_OCTETS
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from peers.reference.pubsub import Xpub
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
LOWER = "37/version/cannot-downgrade-close"


def refuse_versions(wrong: Callable[[tuple[int, int]], bool]) -> None:
    """Let the peer close on partners of ZMTP 3.0 and up whose version is wrong for it."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Any) -> Any:
        if isinstance(greeting, Greeting) and wrong(greeting.version):
            raise RemoteProtocolError("37/version/accept-higher", "version", 10)
        return original(self, greeting)


def change_version_octets(major: int, minor: int) -> None:
    """Let the peer announce another version."""

    @patch(Connection, "_own_greeting")
    def own(original: Original, self: Connection) -> bytes:
        octets: bytes = original(self)
        return octets[:10] + bytes([major, minor]) + octets[12:]


def change_messages(version: int, change: Callable[[Any], bytes | None]) -> None:
    """Let the peer write other octets for what it sends to partners of that version (None: as ever)."""

    @patch(Connection, "send")
    def send(original: Original, self: Connection, value: Any) -> None:
        octets = change(value) if self.version == version else None
        if octets is None:
            original(self, value)
        else:
            self._out += octets


@mutant("zmtp/version/own-major")
def announces_major_version_4() -> None:
    """Announces ZMTP 4.1."""
    change_version_octets(4, 1)


@mutant("zmtp/version/own-minor")
def announces_minor_version_2() -> None:
    """Announces ZMTP 3.2."""
    change_version_octets(3, 2)


@mutant("zmtp/version/accepts-higher")
def refuses_higher_versions() -> None:
    """Closes on partners of versions above its own."""
    refuse_versions(lambda version: version > (3, 1))


@mutant("zmtp/version/accepts-3-1", breaks=["23/null/ready-before-receive", "37/*"])
def refuses_its_own_version() -> None:
    """Closes on partners of ZMTP 3.1."""
    refuse_versions(lambda version: version == (3, 1))


@mutant(
    "zmtp/version/serves-3-0",
    breaks=[
        "23/null/early-send",
        "24/flow/server-welcome",
        "26/welcome/server-sends",
        "37/pubsub/legacy-form-interop",
    ],
)
def refuses_version_3_0() -> None:
    """Closes on partners of ZMTP 3.0."""
    refuse_versions(lambda version: version == (3, 0))


@mutant("zmtp/version/own-protocol")
def echoes_higher_versions() -> None:
    """Announces whatever higher version its partner has announced."""

    @patch(Connection, "_pace_greeting")
    def pace(original: Original, self: Connection, octets: bytes) -> None:
        if not self._head and octets[10:12] > b"\x03\x01":
            self._greeting = self._greeting[:10] + octets[10:12] + self._greeting[12:]
        original(self, octets)


@mutant("zmtp/version/own-protocol")
def subscribes_by_message_to_higher_versions() -> None:
    """Goes back to the subscriptions of ZMTP 3.0 with a partner above 3.1."""

    @patch(Connection, "partner_speaks_subscribe")
    def speaks(original: Any, self: Connection) -> bool:
        return isinstance(self.partner, Greeting) and self.partner.version == (3, 1)


@mutant(
    "zmtp/version/serves-or-closes",
    breaks=[
        "37/interop/d10-secure-close",
        "libzmq-2/durable/*",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/beyond-the-mark",
        "libzmq-3/durable/gone",
    ],
)
def leaves_old_partners_waiting() -> None:
    """Neither serves a partner of ZMTP 2.0 or 1.0 nor closes."""

    for name in ("_step_down_to_1", "_step_down_to_2"):

        @patch(Connection, name)
        def refuse(original: Original, self: Connection, offset: int = 10) -> None:
            raise RemoteProtocolError(LOWER, "an old partner", offset)

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        if error.clause != LOWER:
            original(self, error)


@mutant("zmtp/version/serves-2-0")
def writes_1_0_frames_to_2_0() -> None:
    """Puts messages for partners of ZMTP 2.0 into the framing of ZMTP 1.0."""
    change_messages(2, lambda value: value.serialize(1) if isinstance(value, Message) else None)


@mutant("zmtp/version/serves-revision-2")
def knows_revision_1_only() -> None:
    """Closes on partners whose version octet is 2."""

    @patch(Connection, "_step_down_to_2")
    def down(original: Original, self: Connection) -> None:
        if self._head[10] == 2:
            raise RemoteProtocolError(LOWER, "revision 2", 10)
        original(self)


@mutant("zmtp/version/own-greeting-in-2-0")
def tells_the_next_socket_type() -> None:
    """Counts socket types of ZMTP 2.0 from one."""
    for name, octet in LEGACY_TYPE_OCTETS.items():
        LEGACY_TYPE_OCTETS[name] = (octet + 1) % 9


@mutant("zmtp/version/xpub-as-pub-in-2-0")
def has_octets_for_xpub_and_xsub() -> None:
    """Tells partners of ZMTP 2.0 that it is an XPUB or XSUB."""
    LEGACY_TYPE_OCTETS.update({"XPUB": 9, "XSUB": 10})


@mutant("zmtp/version/own-identity-in-2-0")
def hides_its_identity_in_2_0() -> None:
    """Sends an empty identity to partners of ZMTP 2.0."""

    @patch(Connection, "_step_down_to_2")
    def down(original: Original, self: Connection) -> None:
        self.config = replace(self.config, identity=b"")
        original(self)


@mutant("zmtp/version/own-identity-in-1-0", breaks=["libzmq-2/durable/set-before-connecting"])
def hides_its_identity_in_1_0() -> None:
    """Leaves the identity frame that its signature began without a body."""

    @patch(Connection, "_step_down_to_1")
    def down(original: Original, self: Connection, offset: int) -> None:
        self.config = replace(self.config, identity=b"")
        original(self, offset)


@mutant(
    "zmtp/version/routes-to-2-0",
    "zmtp/version/routes-to-1-0",
    breaks=["libzmq-2/durable/*", "libzmq-2/hwm/*", "libzmq-2/swap/beyond-the-mark"],
)
def overlooks_old_identities() -> None:
    """Gives partners of ZMTP 2.0 and 1.0 a routing id of its own making."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Any) -> Any:
        old = isinstance(greeting, LegacyGreeting)
        return original(self, replace(greeting, identity=b"") if old else greeting)


@mutant("zmtp/version/subscribes-in-2-0")
def sends_no_cancellation_in_2_0() -> None:
    """Keeps cancellations from publishers of ZMTP 2.0."""
    change_messages(2, lambda value: b"" if isinstance(value, Cancel) else None)


@mutant("zmtp/version/subscribes-in-2-0")
def swaps_subscription_octets_in_2_0() -> None:
    """Sends 00 to subscribe and 01 to cancel."""

    def swap(value: Any) -> bytes | None:
        if isinstance(value, Subscribe):
            return cancellation(value.prefix).serialize(2)
        return subscription(value.prefix).serialize(2) if isinstance(value, Cancel) else None

    change_messages(2, swap)


@mutant("zmtp/version/publishes-in-2-0")
def overlooks_cancellations_in_2_0() -> None:
    """Goes on sending what a subscriber of ZMTP 2.0 has cancelled."""

    @patch(Xpub, "take_message")
    def take(original: Original, self: Xpub, pipe: Pipe, parts: tuple[bytes, ...]) -> None:
        if pipe.link is None or pipe.link.codec.version != 2 or parts[0][:1] != b"\0":
            original(self, pipe, parts)


@mutant("zmtp/version/refuses-type-in-2-0", "zmtp20/compat/illegal-partner-is-cut-off")
def takes_any_type_in_2_0() -> None:
    """Serves partners of ZMTP 2.0 whatever their socket type."""

    @patch(Connection, "_check_partner")
    def check(original: Original, self: Connection, socket_type: str | None, offset: int) -> None:
        if self.version != 2:
            original(self, socket_type, offset)


@mutant(
    "zmtp/version/serves-1-0",
    breaks=[
        "libzmq-2/durable/kept-while-away",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/beyond-the-mark",
        "libzmq-3/durable/gone",
    ],
)
def writes_2_0_frames_to_1_0() -> None:
    """Puts messages for partners of ZMTP 1.0 into the framing of ZMTP 2.0."""
    change_messages(1, lambda value: value.serialize(2) if isinstance(value, Message) else None)


@mutant("zmtp/version/long-identity-of-1-0")
def knows_short_identities_only() -> None:
    """Closes on partners of ZMTP 1.0 whose identity frame has the long form."""

    @patch(Connection, "_step_down_to_1")
    def down(original: Original, self: Connection, offset: int) -> None:
        if offset == 9:
            raise RemoteProtocolError(LOWER, "no signature", offset)
        original(self, offset)


@mutant(
    "zmtp/version/publishes-in-1-0",
    breaks=[
        "libzmq-2/durable/kept-while-away",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/beyond-the-mark",
        "libzmq-3/durable/gone",
    ],
)
def waits_for_subscriptions_of_1_0() -> None:
    """Publishes to partners of ZMTP 1.0 only what they have subscribed to."""

    @patch(Xpub, "greet")
    def greet(original: Original, self: Xpub, pipe: Pipe) -> None:
        """Nothing is asked for on the partner's behalf."""


@mutant("zmtp/version/subscriber-silent-in-1-0")
def sends_subscriptions_in_1_0() -> None:
    """Sends its subscriptions to publishers of ZMTP 1.0, too."""
    change_messages(
        1, lambda value: subscription(value.prefix).serialize(1) if isinstance(value, Subscribe) else None
    )
