"""Connection heartbeating (RFC 37, Connection Heartbeating)."""

from typing import TYPE_CHECKING

from harness.zmtp import Ping, Pong

from .reactor import Timer

if TYPE_CHECKING:
    from .engine import Link


class Heartbeat:
    """Sends PING, and decides when the partner of one link is dead. (The codec answers PING.)"""

    def __init__(self, link: "Link") -> None:
        self.link = link
        self._interval: Timer | None = None
        self._timeout: Timer | None = None
        self._ttl: Timer | None = None

    def start(self) -> None:
        """Begin to send PING, if so configured and the partner knows it."""
        if self.link.speaks_3_1 and self.link.options.heartbeat_interval_ms:
            self._interval = self.link.reactor.call_later(self.interval_s(), self.beat)

    def stop(self) -> None:
        """No more timers."""
        for timer in (self._interval, self._timeout, self._ttl):
            if timer is not None:
                timer.cancel()

    def interval_s(self) -> float:
        """Time between two PINGs."""
        return self.link.options.heartbeat_interval_ms / 1000

    def timeout_s(self) -> float:
        """How long after a PING some traffic must come; the interval unless configured."""
        timeout_ms = self.link.options.heartbeat_timeout_ms
        return self.interval_s() if timeout_ms < 0 else timeout_ms / 1000

    def ping(self) -> Ping:
        """The PING to send: its ttl as configured, no context."""
        return Ping(self.link.options.heartbeat_ttl_ms // 100)

    def beat(self) -> None:
        """Send one PING and wait for traffic."""
        self._interval = self.link.reactor.call_later(self.interval_s(), self.beat)
        if self._timeout is None and self.timeout_s() > 0:
            self._timeout = self.link.reactor.call_later(self.timeout_s(), self.timed_out)
        self.link.send(self.ping())

    def sign_of_life(self) -> None:
        """Any incoming octets count."""
        for timer in (self._timeout, self._ttl):
            if timer is not None:
                timer.cancel()
        self._timeout = self._ttl = None

    def on_ping(self, ping: Ping) -> None:
        """A ttl above zero: further traffic must come within that many tenths of a second."""
        if ping.ttl_ds > 0:
            self.arm_ttl(ping.ttl_ds / 10)

    def arm_ttl(self, ttl_s: float) -> None:
        """Start the wait that a PING asked for, instead of an earlier one."""
        if self._ttl is not None:
            self._ttl.cancel()
        self._ttl = self.link.reactor.call_later(ttl_s, self.ttl_ran_out)

    def on_pong(self, pong: Pong) -> None:
        """A PONG is traffic like any other."""

    def timed_out(self) -> None:
        """Nothing came after a PING: dead, unless it is we who do not read."""
        self._timeout = None
        if self.link.is_reading:
            self.link.close("heartbeat: no traffic after PING")

    def ttl_ran_out(self) -> None:
        """Nothing came within the partner's ttl: dead, unless it is we who do not read."""
        self._ttl = None
        if self.link.is_reading:
            self.link.close("heartbeat: nothing within the ttl")
