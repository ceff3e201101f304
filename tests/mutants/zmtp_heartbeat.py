"""Mutants for heartbeats: PINGs not answered or answered wrongly, timers that do not do their duty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness.zmtp.commands as commands_module
import harness.zmtp.connection as connection_module
from harness.zmtp import Connection, Event, GreetingReceived, Message, Ping, Pong
from harness.zmtp.state import State
from peers.reference.base import Socket
from peers.reference.engine import Link
from peers.reference.heartbeat import Heartbeat
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("zmtp/heartbeat/every-type-answers", breaks=["29/sub/fair-queue"])
def subscribers_do_not_answer_ping() -> None:
    """Answers PING with every socket type but SUB."""

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if isinstance(command, Ping) and self.config.socket_type == "SUB":
            return []
        return original(self, command, offset)


@mutant("zmtp/heartbeat/echoes-the-context")
def cuts_contexts() -> None:
    """Brings back no more than 15 octets of a context."""
    setattr(connection_module, "Pong", lambda context: Pong(context[:15]))  # noqa: B010


@mutant("zmtp/heartbeat/answers-each-ping")
def tires_of_answering() -> None:
    """Answers the first ten PINGs of a connection."""
    counts: dict[int, int] = {}

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if isinstance(command, Ping):
            counts[id(self)] = counts.get(id(self), 0) + 1
            if counts[id(self)] > 10:
                return []
        return original(self, command, offset)


@mutant("zmtp/heartbeat/answers-pings-that-come-together")
def answers_the_last_ping_of_a_segment() -> None:
    """Keeps one PING to answer, which the next replaces."""

    @patch(Connection, "_decode")
    def decode(original: Original, self: Connection, octets: bytes) -> Any:
        received = original(self, octets)
        pings = [one for one in received if isinstance(one.value, Ping)]
        return [one for one in received if one not in pings[:-1]]


def _parses_ping(parse: Callable[[bytes], Ping | None]) -> None:
    """Read the data of PING by `parse`, where that gives one."""
    parsers = dict(commands_module._PARSERS)
    before = parsers[b"PING"]
    parsers[b"PING"] = lambda data, at: parse(data) or before(data, at)
    setattr(commands_module, "_PARSERS", parsers)  # noqa: B010


@mutant("zmtp/heartbeat/overlong-context")
def answers_overlong_contexts_from_memory() -> None:
    """Answers a context above 16 octets with something else."""
    _parses_ping(lambda data: Ping(0, b"some other data") if len(data) > 18 else None)


@mutant("zmtp/heartbeat/ping-without-a-whole-ttl")
def answers_cut_pings_from_memory() -> None:
    """Answers a PING without a whole ttl with something that it was not sent."""
    _parses_ping(lambda data: Ping(0, b"some other data") if len(data) < 2 else None)


@mutant("zmtp/heartbeat/ping-during-the-handshake")
def falls_silent_at_an_early_ping() -> None:
    """Neither goes on nor closes when PING comes before READY."""

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if isinstance(command, Ping) and self.state is State.HANDSHAKE:
            self.decoder._stopped = True
            self.state = State.FAILED
            return []
        return original(self, command, offset)


@mutant("zmtp/heartbeat/pong-that-nobody-asked-for")
def closes_at_an_unasked_pong() -> None:
    """Closes when PONG comes though no PING has gone out."""

    @patch(Heartbeat, "on_pong")
    def on_pong(original: Original, self: Heartbeat, pong: Pong) -> None:
        if not self.link.options.heartbeat_interval_ms:
            self.link.close("PONG without PING")


@mutant("zmtp/heartbeat/closes-after-the-ttl")
def ignores_the_ttl() -> None:
    """Waits for ever after a PING with a ttl."""

    @patch(Heartbeat, "arm_ttl")
    def arm_ttl(original: Original, self: Heartbeat, ttl_s: float) -> None:
        pass


def _scales_ttl(scale: Callable[[float], float]) -> None:
    @patch(Heartbeat, "arm_ttl")
    def arm_ttl(original: Original, self: Heartbeat, ttl_s: float) -> None:
        original(self, scale(ttl_s))


@mutant("zmtp/heartbeat/closes-after-the-ttl")
def takes_the_ttl_for_hundredths() -> None:
    """Reads the ttl as hundredths of a second."""
    _scales_ttl(lambda ttl_s: ttl_s / 10)


@mutant("zmtp/heartbeat/large-ttl")
def keeps_the_ttl_in_sixteen_bits() -> None:
    """Counts the ttl in milliseconds, of which only 16 bits are kept."""
    _scales_ttl(lambda ttl_s: (round(ttl_s * 1000) & 0xFFFF) / 1000)


@mutant(
    "zmtp/heartbeat/ttl-of-zero",
    breaks=[
        "28/dealer/fair-queue",
        "28/rep/fair-queue",
        "28/router/fair-queue",
        "29/sub/deliver",
        "29/xpub/deliver",
        "30/pull/deliver",
    ],
)
def takes_a_ttl_of_zero_at_its_word() -> None:
    """Closes soon after a PING whose ttl is zero."""

    @patch(Heartbeat, "on_ping")
    def on_ping(original: Original, self: Heartbeat, ping: Ping) -> None:
        self.arm_ttl(max(ping.ttl_ds / 10, 0.05))


@mutant("zmtp/heartbeat/traffic-within-the-ttl")
def nothing_stops_the_ttl() -> None:
    """Closes when the ttl of a PING is over, whatever has come meanwhile."""

    @patch(Heartbeat, "sign_of_life")
    def sign_of_life(original: Original, self: Heartbeat) -> None:
        ttl, self._ttl = self._ttl, None
        original(self)
        self._ttl = ttl


@mutant("zmtp/heartbeat/sends-ping")
def sends_the_ttl_in_milliseconds() -> None:
    """Puts the ttl into PING as it was set, in milliseconds."""

    @patch(Heartbeat, "ping")
    def ping(original: Original, self: Heartbeat) -> Ping:
        return Ping(self.link.options.heartbeat_ttl_ms)


@mutant("zmtp/heartbeat/no-ping-before-the-handshake-is-done")
def pings_before_ready() -> None:
    """Sends its first PING right behind its own READY."""

    @patch(Link, "handle")
    def handle(original: Original, self: Link, event: Event) -> None:
        original(self, event)
        if isinstance(event, GreetingReceived) and self.options.heartbeat_interval_ms:
            self.codec._out += Ping().serialize()


@mutant("zmtp/heartbeat/closes-when-nothing-comes")
def waits_for_ever() -> None:
    """Leaves a link open on which nothing comes."""

    @patch(Heartbeat, "timed_out")
    def timed_out(original: Original, self: Heartbeat) -> None:
        pass


@mutant("zmtp/heartbeat/closes-when-nothing-comes")
def loses_patience() -> None:
    """Closes after a tenth of the timeout."""

    @patch(Heartbeat, "timeout_s")
    def timeout_s(original: Original, self: Heartbeat) -> float:
        return float(original(self)) / 10


def _counts_as_life(kind: type) -> None:
    """Let only this kind of traffic stop the wait that began with a PING."""

    @patch(Heartbeat, "sign_of_life")
    def sign_of_life(original: Original, self: Heartbeat) -> None:
        timeout, self._timeout = self._timeout, None
        original(self)
        self._timeout = timeout

    @patch(Link, "handle")
    def handle(original: Original, self: Link, event: Event) -> None:
        if isinstance(event, kind) and self.heartbeat._timeout is not None:
            self.heartbeat._timeout.cancel()
            self.heartbeat._timeout = None
        original(self, event)


@mutant("zmtp/heartbeat/any-traffic-is-life")
def wants_pong_and_nothing_else() -> None:
    """Takes no traffic but PONG for a sign of life."""
    _counts_as_life(Pong)


@mutant("zmtp/heartbeat/answered-pings-are-life")
def wants_messages() -> None:
    """Takes no traffic but messages for a sign of life."""
    _counts_as_life(Message)


@mutant("zmtp/heartbeat/reconnects-after-a-failed-heartbeat")
def gives_up_after_a_failed_heartbeat() -> None:
    """Does not dial again when a heartbeat has failed."""

    @patch(Socket, "link_ended")
    def link_ended(
        original: Original, self: Socket, pipe: Any, link: Link, reason: str, refused: bool
    ) -> None:
        original(self, pipe, link, reason, refused or reason.startswith("heartbeat"))
