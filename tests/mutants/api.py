"""Faults of socket options that the manual of libzmq has, and no RFC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Subscribe
from peers.reference import base, reqrep
from peers.reference.base import Outcome, Socket
from peers.reference.dialling import Dialer
from peers.reference.engine import Link
from peers.reference.options import Options
from peers.reference.pipe import Parts, Pipe
from peers.reference.pubsub import Xpub
from peers.reference.reqrep import DELIMITER, Req, Router
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


def reads_option_as(option: str, misread: Callable[[Any], Any]) -> None:
    """Let an option that is set have another value; its default stays."""

    @patch(Options, "set")
    def set_option(original: Original, self: Options, name: str, value: Any, *args: Any) -> None:
        original(self, name, misread(value) if name == option else value, *args)


# ROUTER, and probes


@mutant("api/routing/full-queue-is-told")
def mandatory_drops_what_has_no_room() -> None:
    """Drops a message for a full queue although the socket is to be told."""

    @patch(Router, "no_room")
    def no_room(original: Original, self: Router) -> Outcome:
        return Outcome.ACCEPTED


@mutant("api/routing/full-queue-is-told")
def calls_a_full_queue_no_route() -> None:
    """Says that there is no route where there is only no room."""

    @patch(Router, "no_room")
    def no_room(original: Original, self: Router) -> Outcome:
        return self.no_route()


@mutant("api/routing/silent-without-mandatory")
def always_tells_of_no_route() -> None:
    """Takes the option to be told for set, whatever its value."""
    reads_option_as("mandatory", lambda value: True)


@mutant("api/routing/handover-cuts-off-the-holder")
def keeps_the_connection_that_was_handed_over() -> None:
    """Forgets who had an identity, and leaves the connection open."""

    @patch(Router, "hands_over")
    def hands_over(original: Original, self: Router, holder: Pipe) -> bool:
        link, holder.link = holder.link, None
        handed: bool = original(self, holder)
        holder.link = link
        return handed


@mutant(
    "api/routing/handover-cuts-off-the-holder",
    "api/routing/holder-stays-without-handover",
    breaks=["28/router/duplicate-id"],
)
def reads_handover_upside_down() -> None:
    """Hands identities over where it is told not to, and the other way round."""
    reads_option_as("handover", lambda value: not value)


@mutant("api/routing/probe-comes-first", "api/routing/router-probes-router")
def never_probes() -> None:
    """Takes the option to probe and sends nothing."""

    @patch(reqrep, "probe")
    def probe(original: Original, pipe: Pipe) -> None:
        pass


@mutant("api/routing/probe-comes-first")
def probes_after_what_is_queued() -> None:
    """Sends the empty message when the first other one has gone."""
    probed: set[int] = set()

    @patch(reqrep, "probe")
    def probe(original: Original, pipe: Pipe) -> None:
        probed.add(pipe.number)

    @patch(Pipe, "put")
    def put(original: Original, self: Pipe, parts: Parts) -> None:
        original(self, parts)
        if self.number in probed:
            probed.remove(self.number)
            original(self, (b"",))


@mutant("api/routing/probe-on-return")
def probes_a_partner_once() -> None:
    """Sends no empty message on a connection that is made again."""
    probed: set[int] = set()

    @patch(reqrep, "probe")
    def probe(original: Original, pipe: Pipe) -> None:
        if pipe.number not in probed:
            probed.add(pipe.number)
            original(pipe)


@mutant("api/routing/no-probe-unasked")
def probes_when_told_not_to() -> None:
    """Takes the option to probe for set, whatever its value."""
    reads_option_as("probe-router", lambda value: True)


# REQ


@mutant("api/requests/relaxed-drops-what-waits")
def keeps_replies_to_earlier_requests() -> None:
    """Leaves a reply in the queue when the application asks again."""

    @patch(Req, "forget_stale")
    def forget(original: Original, self: Req) -> None:
        pass


@mutant("api/requests/relaxed-asks-the-next")
def asks_the_silent_one_again() -> None:
    """Sends a request that supersedes another to the same partner."""

    @patch(Req, "choose_outgoing")
    def choose(original: Original, self: Req) -> Pipe | None:
        chosen: Pipe | None = self.asked if self.awaiting else original(self)
        return chosen


@mutant("api/requests/relaxed-asks-the-next", "api/requests/late-reply-is-known", breaks=["28/req/format"])
def never_relaxes() -> None:
    """Refuses another request while a reply is due, whatever the option says."""

    @patch(Req, "may_ask")
    def may(original: Original, self: Req) -> bool:
        return not self.awaiting


@mutant("api/requests/late-reply-is-known", "api/requests/strange-replies-are-dropped")
def takes_any_id() -> None:
    """Looks at the delimiter of a reply, and not at the id in front of it."""

    @patch(Req, "is_reply")
    def is_reply(original: Original, self: Req, parts: Parts) -> bool:
        if self.options.req_correlate:
            return parts[1:2] == (DELIMITER,) and len(parts) > 2
        return bool(original(self, parts))


@mutant("api/requests/late-reply-is-known")
def numbers_no_second_try() -> None:
    """Gives a request that supersedes another the same id."""

    @patch(Req, "send_message")
    def send(original: Original, self: Req, parts: Parts) -> Outcome:
        if self.awaiting:
            self.request_id -= 1
        outcome: Outcome = original(self, parts)
        return outcome


@mutant("api/requests/id-in-front")
def puts_the_id_behind_the_delimiter() -> None:
    """Begins a request with the delimiter, and then the id."""

    @patch(Req, "request_head")
    def head(original: Original, self: Req) -> Parts:
        return tuple(reversed(original(self)))


@mutant("api/requests/id-in-front")
def shows_the_delimiter_of_a_reply() -> None:
    """Takes the id off a reply, and not the delimiter behind it."""

    @patch(Req, "receive_message")
    def receive(original: Original, self: Req) -> Parts | None:
        parts: Parts | None = original(self)
        return (DELIMITER, *parts) if parts is not None and self.options.req_correlate else parts


# CONFLATE


@mutant("api/conflate/receives-the-last")
def keeps_all_that_comes() -> None:
    """Keeps every message that came, although it is to keep one."""

    @patch(Pipe, "deliver")
    def deliver(original: Original, self: Pipe, parts: Parts) -> None:
        self.incoming.append(parts)


@mutant("api/conflate/receives-the-last")
def keeps_the_first_that_came() -> None:
    """Keeps the message that came first, and drops the others until it is taken."""

    @patch(Pipe, "deliver")
    def deliver(original: Original, self: Pipe, parts: Parts) -> None:
        if not (self.incoming and self.socket.options.conflate):
            original(self, parts)


@mutant("api/conflate/sends-the-last")
def keeps_all_that_waits() -> None:
    """Sends every message that waited, although it is to keep one."""

    @patch(Pipe, "put")
    def put(original: Original, self: Pipe, parts: Parts) -> None:
        kept = list(self.outgoing) if self.socket.options.conflate and not self.is_connected else []
        original(self, parts)
        self.outgoing.extendleft(reversed(kept))


# XPUB


@mutant("api/xpub/verbose-shows-each", breaks=["29/xpub/normalize"])
def shows_equal_ones_of_a_partner_once() -> None:
    """Shows a subscription again only if another partner asks for it."""

    @patch(Xpub, "add_subscription")
    def add(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        if prefix in pipe.subscriptions:
            pipe.subscriptions[prefix] += 1
        else:
            original(self, pipe, prefix)


@mutant("api/xpub/first-alone-without-verbose")
def shows_what_each_partner_asks_for() -> None:
    """Shows a subscription of every partner, although another one had it and the option is off."""

    @patch(Xpub, "add_subscription")
    def add(original: Original, self: Xpub, pipe: Pipe, prefix: bytes) -> None:
        repeated = prefix not in pipe.subscriptions and self.holders(prefix) > 0
        original(self, pipe, prefix)
        if repeated and not self.options.xpub_verbose:
            self.notify(Subscribe(prefix))


# Connections


@mutant("api/connecting/immediate-waits", "api/connecting/immediate-goes-where-somebody-is")
def queues_for_nobody() -> None:
    """Queues messages for connections that are not made, although it is to wait for one."""

    @patch(Socket, "is_available")
    def is_available(original: Original, self: Socket, pipe: Pipe) -> bool:
        return not pipe.is_full


@mutant("api/connecting/never-dials-again")
def dials_again_in_any_case() -> None:
    """Takes the interval that means never for a short one."""

    @patch(Dialer, "retry_later")
    def retry(original: Original, self: Dialer) -> None:
        options = self.socket.options
        options.reconnect_interval_ms = abs(options.reconnect_interval_ms)
        original(self)


@mutant("api/connecting/handshake-ends-in-time")
def waits_for_handshakes_for_ever() -> None:
    """Does nothing when the time for a handshake is over."""

    @patch(Link, "handshake_timed_out")
    def timed_out(original: Original, self: Link) -> None:
        pass


@mutant("api/connecting/handshake-ends-in-time")
def cuts_off_who_was_in_time() -> None:
    """Closes a connection when the time for its handshake is over, although it has ended."""

    @patch(Link, "on_handshake_done")
    def done(original: Original, self: Link, *args: Any) -> None:
        self._handshake_timer = None
        original(self, *args)


@mutant("api/connecting/handshake-without-limit")
def takes_no_limit_for_no_time() -> None:
    """Takes a handshake interval of 0 for the shortest one."""

    @patch(Link, "start")
    def start(original: Original, self: Link) -> None:
        self.options.handshake_interval_ms = max(1, self.options.handshake_interval_ms)
        original(self)


# LINGER


@mutant("api/linger/sends-what-waits")
def never_lingers() -> None:
    """Discards what waits when it disconnects, however long it is to linger."""

    @patch(base, "linger")
    def linger(original: Original, pipe: Pipe, dialer: Dialer | None, linger_ms: int) -> None:
        original(pipe, dialer, 0)


@mutant("api/linger/discards-what-waits")
def always_lingers() -> None:
    """Takes a linger of 0 for a minute."""
    reads_option_as("linger-ms", lambda value: value or 60_000)
