"""A raw peer: our scripted end of a connection. It sends what a case tells it, legal or not,
and says what came back.

Every wait has a named deadline; what does not hold is raised as a Mismatch with its place on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, overload

from harness.deadlines import DeadlineExceeded
from harness.zmtp import (
    AnyCommand,
    Cancel,
    Greeting,
    LegacyGreeting,
    Message,
    Ping,
    Pong,
    Ready,
    Received,
    Subscribe,
    cancellation,
    subscription,
)

from .link import Link, Sendable
from .render import describe
from .trace import How

__all__ = ["RawPeer", "Sendable", "as_message"]

T = TypeVar("T")


class RawPeer(Link):
    """A link with expectations. `role` is ours: "dialer" or "listener"."""

    _fences = 0
    _version = (3, 1)

    # -- expecting -------------------------------------------------------------------------------

    @overload
    def expect(
        self, wanted: type[T], *, clause: str | None = None, within: str = "reaction", **fields: Any
    ) -> T: ...
    @overload
    def expect(self, wanted: T, *, clause: str | None = None, within: str = "reaction") -> T: ...

    def expect(
        self, wanted: Any, *, clause: str | None = None, within: str = "reaction", **fields: Any
    ) -> Any:
        """The partner's very next thing is `wanted`: a type with these fields, or an equal value.

        Unasked-for PINGs are answered and passed over (any partner may send them at any time). That
        nothing but the Socket-Type is missing is blamed on its own clause.
        """
        pings = wanted is Ping or isinstance(wanted, Ping)
        others = {name: content for name, content in fields.items() if name != "socket_type"}
        received = self._expect(
            lambda value: _fits(value, wanted, others if _has_no_type(value) else fields),
            lambda: describe(wanted, fields),
            clause,
            within,
            pings=pings,
        )
        if "socket_type" in fields and _has_no_type(received.value):
            expected, actual = describe(wanted, fields), describe(received.value)
            raise self.mismatch(expected, actual, "37/metadata/socket-type-sent", received.start)
        return received.value

    def _expect(
        self,
        fits: Callable[[object], bool],
        expected: Callable[[], str],
        clause: str | None,
        within: str = "reaction",
        *,
        pings: bool = False,
    ) -> Received:
        deadline = self.deadlines.deadline(within)
        while True:
            try:
                received = self._next(deadline, "the next thing")
            except DeadlineExceeded as late:
                raise self.mismatch(expected(), f"nothing within {late.seconds:g} s", clause) from None
            if received is None:
                how = self.closed or "by us"
                raise self.mismatch(expected(), f"the connection closed ({how})", clause)
            if isinstance(received.value, Ping) and not pings:
                self.send(Pong(received.value.context[:16]))
                continue
            if not fits(received.value):
                raise self.mismatch(expected(), describe(received.value), clause, received.start)
            return received

    def expect_closed(
        self,
        clause: str | None = None,
        *,
        never: tuple[type, ...] = (Message,),
        within: str = "reaction",
    ) -> How:
        """The partner closes the connection, by FIN or RST, and sends nothing of the types `never` before."""
        expected = "the connection closed"
        deadline = self.deadlines.deadline(within)
        while True:
            try:
                received = self._next(deadline, expected)
            except DeadlineExceeded as late:
                raise self.mismatch(expected, f"still open after {late.seconds:g} s", clause) from None
            if received is None:
                if self.closed is None:
                    raise self.mismatch(expected, "closed by us before", clause)
                return self.closed
            if isinstance(received.value, never):
                raise self.mismatch(expected, describe(received.value), clause, received.start)

    def closes(self, within: str = "reaction") -> bool:
        """Whether the partner closes the connection in time; what it sends before can be read as ever."""
        with suppress(DeadlineExceeded):
            self._until(lambda: False, self.deadlines.deadline(within), "a close")
        return self.closed is not None

    def expect_octets(self, count: int, clause: str | None = None, within: str = "reaction") -> bytes:
        """The first `count` octets of the connection from the partner, once they are there."""
        try:
            deadline = self.deadlines.deadline(within)
            self._until(lambda: len(self.received) >= count, deadline, f"{count} octets")
        except DeadlineExceeded as late:
            raise self.mismatch(
                f"{count} octets", f"{len(self.received)} octets within {late.seconds:g} s", clause
            ) from None
        if len(self.received) < count:
            raise self.mismatch(f"{count} octets", f"{len(self.received)} octets, then closed", clause)
        return bytes(self.received[:count])

    def expect_message(self, *parts: bytes, clause: str | None = None) -> Message:
        """The partner's very next thing is a message of these parts."""
        return self.expect(Message(*parts), clause=clause)

    def expect_subscription(self, prefix: bytes, clause: str | None = None) -> None:
        """A subscription comes next: SUBSCRIBE, or the message 01 and prefix (RFC 37 and RFC 23)."""
        self._expect_either(Subscribe(prefix), Message(b"\x01" + prefix), clause)

    def expect_cancellation(self, prefix: bytes, clause: str | None = None) -> None:
        """A cancellation comes next: CANCEL, or the message 00 and prefix (RFC 37 and RFC 23)."""
        self._expect_either(Cancel(prefix), Message(b"\x00" + prefix), clause)

    def _expect_either(self, command: AnyCommand, message: Message, clause: str | None) -> None:
        self._expect(
            lambda value: value in (command, message),
            lambda: f"{describe(command)} or {describe(message)}",
            clause,
        )

    # -- whole steps -----------------------------------------------------------------------------

    def greet(self, greeting: Greeting | None = None) -> Greeting:
        """Send a greeting and take the partner's."""
        ours = greeting or Greeting()
        self.send(ours)
        theirs = self.expect(Greeting, clause="37/abnf/greeting")
        self._version = min(ours.version, theirs.version)
        return theirs

    def handshake(
        self,
        socket_type: str,
        identity: bytes | None = None,
        properties: tuple[tuple[bytes, bytes], ...] = (),
        greeting: Greeting | None = None,
    ) -> RawPeer:
        """The whole NULL handshake as a socket of that type; returns itself, ready for traffic.

        What the partner does wrong on the way is blamed on the handshake's own clauses.
        """
        self.greet(greeting)
        if self.role == "listener":  # the server answers: the client's READY comes first
            self.expect(Ready, clause="37/null/client-ready-first")
        self.send(Ready(socket_type, identity, properties))
        if self.role == "dialer":
            self.expect(Ready, clause="37/null/server-ready-reply")
        return self

    def legacy_handshake(self, greeting: LegacyGreeting) -> LegacyGreeting:
        """Greet as ZMTP 2.0 or 1.0 and take the partner's greeting in that version.

        From here messages go in that version's framing (RFC 15, RFC 13).
        """
        self.framing = 1 if greeting.revision is None or greeting.revision == 0 else 2
        self.send(greeting)
        if self.framing == 1:
            self.decoder.partner_major = None
            self._inbox.extend(self.decoder.feed(b""))
        return self.expect(LegacyGreeting, clause="37/version/may-downgrade")

    def request(self, *requests: Subscribe | Cancel, pieces: int | None = None) -> None:
        """Subscribe and cancel in the way of the lower of the two versions announced.

        In ZMTP 3.1 by command (RFC 37, The Publish-Subscribe Pattern), before that by message (RFC 23, 15).
        """
        by_command = self.framing == 3 and self._version >= (3, 1)
        self.send(*(each if by_command else as_message(each) for each in requests), pieces=pieces)

    def fence(self, clause: str | None = None) -> None:
        """PING and PONG: shows that nothing else was under way before (needs feature:heartbeat)."""
        self._fences += 1
        context = b"fence-%d" % self._fences
        self.send(Ping(0, context))
        answer = self.expect(Pong, clause=clause)
        if answer.context != context:
            expected, clause = describe(Pong(context)), "37/heartbeat/pong-reply"
            raise self.mismatch(expected, describe(answer), clause, self.last_start)


def as_message(request: Subscribe | Cancel) -> Message:
    """A request as ZMTP 3.0 has it (RFC 23, The Publish-Subscribe Pattern)."""
    return subscription(request.prefix) if isinstance(request, Subscribe) else cancellation(request.prefix)


def _has_no_type(value: object) -> bool:
    return isinstance(value, Ready) and value.socket_type is None


def _fits(value: object, wanted: Any, fields: dict[str, Any]) -> bool:
    if not isinstance(wanted, type):
        return bool(value == wanted)
    return isinstance(value, wanted) and all(
        getattr(value, name) == content for name, content in fields.items()
    )
