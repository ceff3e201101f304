"""Mutants for the handshake of CURVE: whom each lets in, or in which order, that it must not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nacl.bindings import crypto_secretbox_open

import harness.zmtp.commands as commands_module
from harness.curve import COOKIE, KEY_OCTETS, Client, Introduced, KeyPair, Server, Side
from harness.zmtp import Connection, CurveHello, CurveMessage, CurveWelcome, Error, Message, Ready, State
from harness.zmtp.errors import RemoteProtocolError
from harness.zmtp.frames import Frame
from harness.zmtp.greeting import Greeting
from harness.zmtp.handshake import CURVE_TURNS, CurveHandshake, Turn
from peers.reference.engine import Link
from tests.mutants.registry import mutant, patch
from tests.mutants.zmtp_null import flushes_while_shaking_hands, sends_early

Original = Callable[..., Any]
METADATA = Ready("PUSH").to_command().data
NOBODY = KeyPair.of(b"\x77" * 32)


def is_curve(link: Link) -> bool:
    """Whether a link of the reference speaks CURVE."""
    return link.options.mechanism == "CURVE"


@mutant(
    "curve/server/lets-clients-in",
    "interop/curve/opens-each-others-boxes",
    breaks=["27/arch/server-connects"],
)
def lets_no_client_of_curve_in() -> None:
    """As a server of CURVE, refuses every vouch."""

    @patch(Server, "check_vouch")
    def check(original: Original, self: Server, introduced: Introduced) -> None:
        raise RemoteProtocolError("26/initiate/vouch-content", "nobody is let in")


@mutant("curve/server/waits-for-hello", breaks=["26/abnf/welcome-box"])
def welcomes_before_a_hello_in_boxes() -> None:
    """Sends a WELCOME of CURVE right behind its greeting."""

    @patch(CurveHandshake, "begin")
    def begin(original: Original, self: CurveHandshake, partner: Greeting) -> Any:
        if self.turn is not Turn.HELLO:
            return original(self, partner)
        return CurveWelcome(bytes(16), bytes(144)).serialize()


def sends_in_the_clear_early(as_server: bool) -> None:
    """Let a PUSH with CURVE send as soon as its partner has spoken in the handshake."""

    def may(link: Link) -> bool:
        return link.socket_type == "PUSH" and is_curve(link) and link.options.curve_server is as_server

    sends_early(may)
    flushes_while_shaking_hands()


@mutant("curve/server/sends-no-message-before-ready")
def sends_before_its_own_ready_under_curve() -> None:
    """As a server of CURVE, sends queued messages before READY."""
    sends_in_the_clear_early(as_server=True)


@mutant("curve/client/sends-no-message-before-ready")
def sends_before_the_servers_ready_under_curve() -> None:
    """As a client of CURVE, sends queued messages before READY has come."""
    sends_in_the_clear_early(as_server=False)


@mutant("curve/server/handshake-in-pieces", "curve/client/handshake-in-pieces")
def wants_commands_of_curve_at_once() -> None:
    """Closes when the first segment of a command of CURVE does not bring all of it."""

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        original(self, octets)
        if is_curve(self) and self.codec.state is State.HANDSHAKE and self.codec.decoder.pending:
            self.close("a part of a command")


def looks_at(*fields: str) -> None:
    """Let a HELLO pass whose other fields in the clear are wrong."""

    @patch(commands_module, "curve_hello_faults")
    def faults(original: Original, hello: CurveHello, at: int) -> Iterator[RemoteProtocolError]:
        return (fault for fault in original(hello, at) if fault.clause.rpartition("-")[2] in fields)


@mutant("curve/server/malformed-hello-is-refused")
def takes_every_version_of_curve() -> None:
    """Does not look at the version in HELLO."""
    looks_at("padding")


@mutant("curve/server/padding-of-hello-is-zero")
def does_not_look_at_padding() -> None:
    """Takes a HELLO of CURVE with any octets as padding."""
    looks_at("version")


@mutant("curve/server/malformed-hello-is-refused", "interop/curve/other-servers-key")
def takes_hellos_for_other_servers() -> None:
    """Takes a HELLO whose box does not open."""

    @patch(Server, "take_hello")
    def take(original: Original, self: Server, hello: CurveHello) -> None:
        try:
            original(self, hello)
        except RemoteProtocolError:
            self.meet(hello.client)


@mutant("curve/server/signature-of-hello-is-zero")
def does_not_look_at_signatures() -> None:
    """Is content with a signature box that opens, whatever is in it."""

    @patch(Server, "check_signature")
    def check(original: Original, self: Server, signature: bytes) -> None:
        """Nothing is wrong."""


@mutant("curve/server/cookie-counts", "curve/server/cookie-of-another-connection")
def has_no_use_for_cookies() -> None:
    """Lets clients in whatever cookie they bring."""

    @patch(Server, "check_cookie")
    def check(original: Original, self: Server, cookie: bytes) -> None:
        """Nothing is wrong."""


@mutant("curve/server/cookie-that-has-served")
def keeps_the_key_of_its_cookies() -> None:
    """Has one key for all cookies, and goes on with the transient keys of any that it opens."""

    @patch(Server, "check_cookie")
    def check(original: Original, self: Server, cookie: bytes) -> None:
        content = crypto_secretbox_open(cookie[16:], COOKIE + cookie[:16], NOBODY.secret)
        self.transient = KeyPair.of(content[KEY_OCTETS:])
        self.meet(content[:KEY_OCTETS])

    @patch(Server, "make_cookie")
    def make(original: Original, self: Server) -> Any:
        self.cookie_key = NOBODY.secret
        return original(self)


@mutant("curve/server/malformed-initiate-is-refused")
def lets_in_whoever_initiates() -> None:
    """Takes an INITIATE whose box or vouch does not open for that of a PUSH."""

    @patch(Server, "take_initiate")
    def take(original: Original, self: Server, initiate: Any) -> Any:
        try:
            return original(self, initiate)
        except RemoteProtocolError as error:
            if error.clause != "26/initiate/server-rejects":
                raise
            return Introduced(b"", b"", self.partner, self.keys.public, METADATA)


@mutant("curve/server/vouch-for-others")
def takes_vouches_for_others() -> None:
    """Lets in a client whose vouch opens, whatever is in it."""

    @patch(Server, "check_vouch")
    def check(original: Original, self: Server, introduced: Introduced) -> None:
        """Nothing is wrong."""


def lets_pass(kind: str) -> None:
    """Let a short nonce pass that is the same as the last one, or lower."""

    @patch(Side, "count")
    def count(original: Original, self: Side, nonce: bytes) -> None:
        try:
            original(self, nonce)
        except RemoteProtocolError as error:
            if error.clause != self.rules["same" if kind == "same" else "lower"]:
                raise


@mutant(
    "curve/server/nonce-of-initiate-counts-up",
    "curve/traffic/message-again",
    "curve/traffic/nonce-of-the-handshake-again",
)
def lets_nonces_come_twice() -> None:
    """Takes a command with the short nonce of the one before."""
    lets_pass("same")


@mutant("curve/server/nonce-of-initiate-counts-up", "curve/traffic/nonce-goes-back")
def lets_nonces_go_back() -> None:
    """Takes a command with a short nonce lower than an earlier one."""
    lets_pass("lower")


@mutant(
    "curve/server/hello-comes-first",
    "curve/server/initiate-comes-second",
    "curve/client/welcome-comes-first",
    "curve/client/ready-comes-second",
)
def waits_for_the_right_command() -> None:
    """Passes over commands of CURVE that come out of their turn."""

    @patch(CurveHandshake, "take")
    def take(original: Original, self: CurveHandshake, command: Any, *args: Any) -> Any:
        if (self.turn, type(command)) not in CURVE_TURNS:
            return b"", None
        return original(self, command, *args)


@mutant("curve/client/logs-in", breaks=["26/abnf/initiate-cookie"])
def says_hello_and_no_more() -> None:
    """Leaves a WELCOME of CURVE unanswered."""

    @patch(Client, "answer")
    def answer(original: Original, self: Client, command: Any, metadata: bytes) -> Any:
        return None, original(self, command, metadata)[1]


@mutant("curve/client/waits-for-welcome", breaks=["26/abnf/initiate-cookie", "26/initiate/client-sends"])
def says_hello_twice() -> None:
    """Sends a second HELLO of CURVE right behind the first."""

    @patch(CurveHandshake, "begin")
    def begin(original: Original, self: CurveHandshake, partner: Greeting) -> Any:
        return original(self, partner) * 2


@mutant("curve/client/message-right-behind-ready")
def loses_boxes_behind_ready() -> None:
    """Throws away MESSAGEs of the segment that READY of CURVE came in."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        received = original(self, octets)
        if self._curve is not None and self.state is State.HANDSHAKE:
            return [one for one in received if not isinstance(one.value, CurveMessage | Message)]
        return received


@mutant("curve/client/malformed-welcome-is-refused", "curve/client/needs-the-key-of-its-server")
def is_welcome_anywhere() -> None:
    """Answers a WELCOME whose box does not open."""

    @patch(Client, "take_welcome")
    def take(original: Original, self: Client, welcome: CurveWelcome) -> None:
        try:
            original(self, welcome)
        except RemoteProtocolError:
            self.meet(NOBODY.public)
            self.cookie = bytes(3 * KEY_OCTETS)


@mutant("curve/client/malformed-ready-is-refused")
def is_ready_for_anybody() -> None:
    """Takes a READY whose box does not open for that of a PUSH."""

    @patch(Client, "take_ready")
    def take(original: Original, self: Client, ready: Any) -> Any:
        try:
            return original(self, ready)
        except RemoteProtocolError:
            return METADATA


@mutant("curve/client/malformed-welcome-is-refused", "curve/client/malformed-ready-is-refused")
def tells_the_server_what_is_wrong() -> None:
    """As a client of CURVE, sends ERROR before it leaves."""

    @patch(Connection, "_take_curve")
    def take_curve(original: Original, self: Connection, *args: Any) -> Any:
        try:
            return original(self, *args)
        except RemoteProtocolError:
            if not self.config.as_server:
                self._out += Error(b"no").serialize()
            raise


@mutant("curve/greeting/mechanism-mismatch")
def speaks_in_the_clear_where_it_is_asked_to() -> None:
    """Speaks NULL with partners that want it, though it was given keys."""

    @patch(Connection, "_take_greeting")
    def take(original: Original, self: Connection, greeting: Any) -> Any:
        if self._curve is not None and isinstance(greeting, Greeting) and greeting.mechanism == "NULL":
            self._curve = self._cover = None
            self.config = type(self.config)(self.config.socket_type)
        return original(self, greeting)


@mutant("curve/greeting/old-partner-is-refused")
def forgets_its_keys_with_old_partners() -> None:
    """Steps down to ZMTP 2.0 and 1.0 under CURVE, and speaks in the clear there."""

    @patch(Connection, "_check_secure")
    def check(original: Original, self: Connection, offset: int) -> None:
        self._curve = self._cover = None


@mutant("curve/greeting/partner-of-the-same-role")
def welcomes_other_servers() -> None:
    """As a server of CURVE, sends WELCOME to a partner that says that it is a server, too."""

    @patch(CurveHandshake, "begin")
    def begin(original: Original, self: CurveHandshake, partner: Greeting) -> Any:
        if self.turn is Turn.HELLO and partner.as_server:
            return CurveWelcome(bytes(16), bytes(144)).serialize()
        return original(self, partner)


@mutant("curve/server/error-follows-the-grammar")
def runs_the_length_of_error_into_its_name() -> None:
    """Refuses a client of CURVE with an ERROR whose length octet and first letter have become one."""

    @patch(Connection, "fail")
    def fail(original: Original, self: Connection, reason: bytes) -> None:
        original(self, reason)
        if self._curve is not None:
            self._out[:] = Frame.of(b"^RROR\x03400", command=True).serialize()


@mutant("curve/greeting/serves-3-0")
def keeps_curve_for_3_1() -> None:
    """Refuses partners of ZMTP 3.0 under CURVE."""

    @patch(CurveHandshake, "begin")
    def begin(original: Original, self: CurveHandshake, partner: Greeting) -> Any:
        if partner.version < (3, 1):
            raise RemoteProtocolError("26/abnf/curvezmq", "CURVE is for 3.1", 11)
        return original(self, partner)
