"""A tap: a proxy that records every octet between a dialer and a listener, and alters none.

One background thread (a `TapHub`) serves any number of taps. A FIN is passed on as FIN and a reset
as reset; what an end cannot take is not read from the other (256 KiB a direction are held at most).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from harness.deadlines import Deadlines
from harness.zmtp import Decoder, Message

from .endpoints import BACKLOG, parse_endpoint, reserve
from .hub import TapHub
from .relay import Relay
from .trace import SENDERS, VERSION_HEAD_OCTETS, Decoded, How, Octets, Sender, Trace, announced_major, other

T = TypeVar("T")
Direction = Sender | Literal["both"]

__all__ = ["Tap", "TapHub"]


class Tap:
    """A listening endpoint in front of `target_endpoint` (tcp or ipc) that records what goes through.

    `hub` is shared by several taps, or None for a thread of its own. `host` may be IPv6. Where the
    target refuses the connection, the dialer is reset. Without a target the endpoint is shut until `open`.
    """

    def __init__(
        self,
        target_endpoint: str | None,
        trace: Trace,
        host: str = "127.0.0.1",
        *,
        hub: TapHub | None = None,
        deadlines: Deadlines | None = None,
        label: str = "",
    ) -> None:
        self.trace = trace
        self.deadlines = deadlines or Deadlines()
        self.label = label
        self._own_hub = hub is None
        self._relays: list[Relay] = []
        self._readers: dict[int, _Reader] = {}
        self._sock, self.endpoint = reserve(host)
        self._hub = hub or TapHub()
        self._is_open = False
        if target_endpoint is not None:
            self.open(target_endpoint)

    def open(self, target_endpoint: str) -> None:
        """Listen for dialers, from now on for this target."""
        self.target = parse_endpoint(target_endpoint)
        if not self._is_open:
            self._is_open = True
            self._sock.setblocking(False)
            self._sock.listen(BACKLOG)
            self._hub.call(lambda: self._hub.watch_listener(self._sock, self._accepted))

    def shut(self) -> None:
        """Refuse whoever dials, as if nobody listened, until `open`. The connections that there are stay."""
        if self._is_open:
            self._is_open = False
            self._hub.call(lambda: self._hub.unwatch(self._sock))
            host, port, *_ = self._sock.getsockname()
            self._sock.close()
            self._sock, _ = reserve(host, port)

    def _accepted(self, relay: Relay) -> None:
        relay.begin(self.trace, self.target, self.label)
        self._relays.append(relay)

    @property
    def connections(self) -> list[int]:
        """The numbers of the connections through this tap, in the order of their opening."""
        return [relay.number for relay in list(self._relays)]

    def decoded(self, connection: int) -> list[Decoded]:
        """What both ends have sent on a connection so far; only new octets are decoded again."""
        return self._readers.setdefault(connection, _Reader(self.trace, connection)).read()

    def messages(self, sender: Sender, connection: int | None = None) -> list[list[bytes]]:
        """The parts of every message that this end sent, on one connection or on all in their order."""
        return [
            list(each.received.value.parts)
            for number in (self.connections if connection is None else [connection])
            for each in self.decoded(number)
            if each.sender == sender and isinstance(each.received.value, Message)
        ]

    def wait_for(
        self, predicate: Callable[[], T], within: str = "delivery", what: str = "change on the wire"
    ) -> T:
        """Wait until `predicate()` is true, looking again whenever something went through the tap.

        Returns what it returned. Raises DeadlineExceeded.
        """
        deadline = self.deadlines.deadline(within)
        while True:
            seen = self._hub.changes
            value = predicate()
            if value:
                return value
            if deadline.expired:
                raise deadline.exceeded(what)
            self._hub.wait_change(seen, deadline.remaining_s())

    def pause(self, sender: Direction = "both", connection: int | None = None) -> None:
        """Pass on nothing more of what this end sends, and read no more of it, until `resume`."""
        self._each(connection, lambda relay: relay.pause(_senders(sender)))

    def resume(self, sender: Direction = "both", connection: int | None = None) -> None:
        """Go on after `pause`."""
        self._each(connection, lambda relay: relay.resume(_senders(sender)))

    def cut(self, connection: int | None = None, how: How = "rst") -> None:
        """Break one connection, or all: both ends see a reset or a FIN. The trace notes who did it."""
        self._each(connection, lambda relay: relay.cut(how))

    def _each(self, connection: int | None, act: Callable[[Relay], None]) -> None:
        def run() -> None:
            chosen = [relay for relay in self._relays if connection in (None, relay.number)]
            if connection is not None and not chosen:
                raise ValueError(f"no connection {connection} through {self.endpoint}")
            for relay in chosen:
                act(relay)

        self._hub.call(run)

    def close(self) -> None:
        """Listen no more and close every connection. Closing twice does nothing."""
        if self._sock.fileno() < 0:
            return

        def run() -> None:
            self._hub.unwatch(self._sock)
            for relay in self._relays:
                relay.close()

        self._hub.call(run)
        self._sock.close()
        if self._own_hub:
            self._hub.close()


class _Reader:
    """One connection of a trace that still grows, decoded piece by piece."""

    def __init__(self, trace: Trace, connection: int) -> None:
        self._trace = trace
        self._connection = connection
        self._at = 0
        self._decoders: dict[Sender, Decoder] = {}
        self._out: list[Decoded] = []

    def read(self) -> list[Decoded]:
        """Everything decoded so far. Until both versions are known it is decoded anew every time."""
        if not self._decoders:
            heads = {sender: self._trace.head(self._connection, sender) for sender in SENDERS}
            if min(len(head) for head in heads.values()) < VERSION_HEAD_OCTETS:
                return self._trace.decoded(self._connection)
            self._decoders = {each: Decoder(announced_major(heads[other(each)])) for each in SENDERS}
        records = self._trace.wire(self._connection, self._at)
        for record in records:
            if isinstance(record, Octets):
                for received in self._decoders[record.sender].feed(record.octets):
                    self._out.append(Decoded(record.at_s, self._connection, record.sender, received))
        self._at += len(records)
        return list(self._out)


def _senders(direction: Direction) -> tuple[Sender, ...]:
    return SENDERS if direction == "both" else (direction,)
