"""Mutants for the greeting: the reference peer with one fault each in what it sends or takes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from harness.zmtp import (
    Connection,
    Decoder,
    Event,
    Greeting,
    HandshakeDone,
    Message,
    RemoteProtocolError,
    State,
    Subscribe,
)
from peers.reference.base import Socket
from peers.reference.dialling import Dialer
from peers.reference.engine import Link
from tests.mutants.registry import mutant, patch, speaks_null

Original = Callable[..., Any]
ODD_FIELDS = ("37/abnf/signature", "37/abnf/as-server", "37/abnf/filler")


def greets(offset: int, octets: bytes, only: str = "") -> None:
    """Send a greeting with other octets at `offset`, with one socket type only or with all.

    Under NULL: other mechanisms have rules of their own for it.
    """

    @patch(Connection, "_own_greeting")
    def own_greeting(original: Original, self: Connection) -> bytes:
        greeting: bytes = original(self)
        if self.config.mechanism != "NULL" or only not in ("", self.config.socket_type):
            return greeting
        return greeting[:offset] + octets + greeting[offset + len(octets) :]


@mutant("zmtp/greeting/own-signature", breaks=["23/null/ready-before-receive", "37/*", "37/abnf/handshake"])
def sends_65_octets() -> None:
    """Sends a greeting that is one octet too long."""
    greets(64, b"\0")


@mutant(
    "zmtp/greeting/own-padding",
    breaks=[
        "13/content/*",
        "37/interop/*",
        "libzmq-2/durable/*",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/*",
        "libzmq-3/durable/gone",
    ],
)
def sends_padding_of_its_own() -> None:
    """Fills the padding with octets that mean nothing to anybody."""
    greets(1, b"zconform")


@mutant("zmtp/greeting/own-mechanism", "zmtp/greeting/own-mechanism-charset")
def pads_the_mechanism_with_spaces() -> None:
    """Fills the mechanism field with spaces."""
    greets(12, b"NULL".ljust(20))


@mutant("zmtp/greeting/own-filler")
def fills_with_ones() -> None:
    """Sends a filler that is not zero."""
    greets(33, b"\xff" * 31)


@mutant(
    "zmtp/greeting/speaks-unprompted",
    breaks=[
        "13/content/sub-silent",
        "15/grammar/*",
        "15/pubsub/sub-msg",
        "37/interop/*",
        "libzmq-2/durable/*",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/beyond-the-mark",
        "libzmq-3/durable/gone",
    ],
)
def sends_twelve_octets_first() -> None:
    """Sends the minor version too before it knows its partner's."""

    @patch(Connection, "start")
    def start(original: Original, self: Connection) -> None:
        self._send_greeting_to(12)


@mutant("zmtp/greeting/answers-signature")
def waits_after_the_signature() -> None:
    """Does not tell its version before it has read its partner's."""

    @patch(Connection, "_send_greeting_to")
    def send(original: Original, self: Connection, end: int) -> None:
        if end != 11 or self.version < 3:
            original(self, end)


@mutant(
    "zmtp/greeting/answers-major-version",
    breaks=[
        "13/content/sub-silent",
        "15/grammar/abnf-identity",
        "15/pubsub/sub-msg",
        "37/abnf/greeting",
        "37/interop/*",
        "libzmq-2/durable/kept-while-away",
        "libzmq-2/hwm/*",
        "libzmq-2/swap/beyond-the-mark",
        "libzmq-3/durable/gone",
    ],
)
def waits_for_the_whole_greeting() -> None:
    """Sends the rest of its greeting only after all 64 octets of its partner's."""

    @patch(Connection, "_send_greeting_to")
    def send(original: Original, self: Connection, end: int) -> None:
        original(self, 11 if end == 64 else end)

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Greeting) -> Any:
        self._out += self._greeting[self._greeting_sent :]
        return original(self, greeting)


@mutant("zmtp/greeting/reciprocates", breaks=["37/abnf/greeting", "37/sockettype/mismatch-error"])
def closes_without_its_greeting() -> None:
    """Throws away what it still has to send when it refuses a partner."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        self.close(str(error))


@mutant("zmtp/greeting/any-segmentation", breaks=["37/abnf/zmtp"])
def loses_patience_with_pieces() -> None:
    """Closes when a greeting comes in more than two pieces."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        pieces = getattr(self, "pieces", 0) + (self.codec.state is State.GREETING)
        vars(self)["pieces"] = pieces
        if pieces > 2:
            self.close("too many pieces")
        else:
            original(self, octets)


@mutant("zmtp/greeting/shares-segment", breaks=["23/null/early-send", "37/*"])
def drops_what_follows_the_greeting() -> None:
    """Forgets the octets that it has read together with the end of the greeting."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        if self.state is State.GREETING:
            octets = octets[: 64 - self.decoder.total_octets]
        return original(self, octets)


@mutant("zmtp/greeting/shares-segment-with-message", breaks=["23/null/early-send"])
def drops_messages_beside_ready() -> None:
    """Loses messages that it has read together with READY, and goes on."""

    @patch(Connection, "events")
    def events(original: Original, self: Connection, octets: bytes) -> Iterator[Event]:
        done = False
        for event in original(self, octets):
            done = done or (speaks_null(self) and isinstance(event, HandshakeDone))
            if not (done and isinstance(event, Message)):
                yield event


@mutant("zmtp/greeting/waits-for-all", breaks=["37/abnf/zmtp"])
def takes_63_octets_for_a_greeting() -> None:
    """Goes on with the handshake one octet too early."""

    @patch(Decoder, "_read_greeting")
    def read(original: Original, self: Decoder, out: list[Any]) -> None:
        if len(self._head) == 63:
            self._head += b"\0"
        original(self, out)


@mutant(
    "zmtp/greeting/comes-before-traffic",
    breaks=["13/content/sub-silent", "15/pubsub/sub-msg", "37/abnf/handshake"],
)
def puts_a_subscription_ahead_of_ready() -> None:
    """Sends a subscription ahead of its READY."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Greeting) -> Any:
        if self.config.socket_type == "SUB":
            self._out += Subscribe(b"news").serialize()
        return original(self, greeting)


@mutant("zmtp/greeting/padding-is-not-significant")
def rejects_large_padding() -> None:
    """Closes when the padding is neither zero nor a size that an identity can have."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Greeting) -> Any:
        if int.from_bytes(greeting.padding, "big") > 256:
            raise RemoteProtocolError("37/abnf/padding", "padding", 1)
        return original(self, greeting)


@mutant("zmtp/greeting/mechanism-mismatch")
def compares_four_letters() -> None:
    """Takes every mechanism that begins with NULL for NULL."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Greeting) -> Any:
        begins = isinstance(greeting, Greeting) and greeting.mechanism.startswith("NULL")
        return original(self, replace(greeting, mechanism="NULL") if begins else greeting)


@mutant("zmtp/greeting/no-signature", breaks=["13/content/sub-silent", "37/interop/*"])
def overlooks_the_signature() -> None:
    """Takes any first ten octets for a signature."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        if self.decoder.total_octets == 0 and len(octets) >= 10:
            octets = b"\xff" + octets[1:9] + b"\x7f" + octets[10:]
        return original(self, octets)


@mutant("zmtp/greeting/odd-signature", "zmtp/greeting/odd-as-server", "zmtp/greeting/odd-filler")
def goes_silent_on_odd_fields() -> None:
    """Neither serves nor closes where a field of the greeting is not as it should be."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        if error.clause not in ODD_FIELDS:
            original(self, error)


@mutant("zmtp/greeting/cut-off", "zmtp/greeting/reset", breaks=["37/*"])
def serves_nobody_after_a_cut_greeting() -> None:
    """Closes every new connection once a partner has left before the handshake."""
    spoilt: set[Socket] = set()

    @patch(Socket, "link_ended")
    def ended(original: Original, self: Socket, pipe: Any, link: Link, reason: str, refused: bool) -> None:
        original(self, pipe, link, reason, refused)
        if not link.is_ready and not pipe.dialled:
            spoilt.add(self)

    @patch(Socket, "begin")
    def begin(original: Original, self: Socket, pipe: Any, sock: Any) -> None:
        if self in spoilt:
            sock.close()
        else:
            original(self, pipe, sock)


@mutant("zmtp/greeting/cut-off-by-listener")
def dials_no_more_after_a_cut_greeting() -> None:
    """Gives up on a partner that has left before the handshake."""

    @patch(Dialer, "link_ended")
    def ended(original: Original, self: Dialer, link: Link, refused: bool) -> None:
        original(self, link, refused or not link.is_ready)


@mutant("zmtp/greeting/slow-partner", breaks=["37/abnf/greeting", "37/errors/close-is-temporary"])
def serves_one_handshake_at_a_time() -> None:
    """Closes new connections while another one's handshake is under way."""

    @patch(Socket, "begin")
    def begin(original: Original, self: Socket, pipe: Any, sock: Any) -> None:
        if self.handshaking:
            sock.close()
        else:
            original(self, pipe, sock)


@mutant("zmtp/greeting/as-server-means-nothing")
def has_no_use_for_a_second_server() -> None:
    """Closes on a partner that calls itself server, under NULL, too."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Greeting) -> list[Event]:
        if self.config.mechanism == "NULL" and isinstance(greeting, Greeting) and greeting.as_server == 1:
            raise RemoteProtocolError("37/abnf/as-server", "two servers", 32)
        events: list[Event] = original(self, greeting)
        return events
