"""A standard conversation with a socket of any type, from greeting to farewell, for checks of its trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from conformance.pubsub.probe import SUBSCRIBERS, publisher
from harness.deadlines import DeadlineExceeded
from harness.exchange import PARTNER, expect_serves
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Dial, Listen
from harness.verdict import Mismatch
from harness.wire.checks import Check
from harness.wire.rawpeer import RawPeer
from harness.wire.trace import Trace
from harness.zmtp import Error, Greeting, Message, Ping, Pong, Ready
from harness.zmtp.grammar import ADDRESSED, DRAFT_SOCKET_TYPES

NO_PARTNER = dict.fromkeys(PARTNER, "PAIR") | {"PAIR": "REQ"}
LONG_PARTS = [b"long", bytes(300), b""]
LONG_TOPIC = b"t" * 300


@dataclass
class Held:
    """A talk that was held: its trace, our ends, what broke it off, and the checks that have judged it."""

    trace: Trace
    raws: list[RawPeer]
    broken: Mismatch | None
    judged_by: set[str] = field(default_factory=set)


_HELD: dict[tuple[str, str], Held] = {}


class Conversation:
    """What a peer says with one socket type: to good partners that dial and that listen, and to a bad one.

    `raws` are our ends, each of which knows its connection and the peer's role on it.
    """

    def __init__(self, peer: Peer, dial: Dial, listen: Listen, socket_type: str) -> None:
        self.peer = peer
        self.dial = dial
        self.listen = listen
        self.socket_type = socket_type
        self.raws: list[RawPeer] = []

    def expect_holds(self, check: Check) -> None:
        """Let the check judge what the peer said; only then say if the talk broke off.

        The talk is held once for all checks: a trace can be judged as often as one likes. A check that has
        judged it already, in another repetition, gets a talk of its own.
        """
        key = (self.peer.name, self.socket_type)
        if key not in _HELD or check.name in _HELD[key].judged_by:
            _HELD[key] = Held(self.peer.trace, self.raws, self._broken_off_by())
        held = _HELD[key]
        held.judged_by.add(check.name)
        if held.trace is not self.peer.trace:
            self.peer.trace.extend(held.trace.records)
        broken = held.broken
        for raw in held.raws:
            for finding in check.run(self.peer.trace, raw.connection, raw.partner):
                rule = " ".join((check.run.__doc__ or check.name).split())
                raise finding.mismatch(rule)
        if broken is not None:
            clause = broken.clause or "37/abnf/traffic"
            raise Mismatch(broken.expected, broken.actual, clause, broken.place)

    def _broken_off_by(self) -> Mismatch | None:
        try:
            self.hold()
        except Mismatch as mismatch:
            return mismatch
        return None

    def hold(self) -> None:
        """All of it."""
        for sock, raw in self._meetings():
            if self.socket_type in SUBSCRIBERS:  # one that subscribes while it connects may say so twice
                publisher(raw, sock, PARTNER[self.socket_type])
            else:
                raw.handshake(PARTNER[self.socket_type], identity=b"partner")
            if self.socket_type not in DRAFT_SOCKET_TYPES:  # of one frame; what they say is short
                self._heartbeat(raw)
                self._say_more(sock, raw)
            expect_serves(sock, raw, clause="37/abnf/traffic")
            self._part(sock, raw)
        self._refuse()
        if self.socket_type in SUBSCRIBERS and self.peer.claims("zmtp:3.0"):
            self._meet_3_0()

    def _meetings(self) -> Iterator[tuple[RemoteSocket, RawPeer]]:
        options = self._options()
        bound = self.peer.open(self.socket_type, **options)
        yield bound, self._kept(self.dial(bound.bind()))
        connected = self.peer.open(self.socket_type, **options)
        listener = self.listen()
        connected.connect(listener.endpoint)
        yield connected, self._kept(listener.accept())

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self.socket_type in ADDRESSED and self.peer.claims("option:identity"):
            options["identity"] = b"myself".hex()
        if self._pings:
            options |= {"heartbeat_interval_ms": 20, "heartbeat_timeout_ms": 5000, "heartbeat_ttl_ms": 6000}
        return options

    @property
    def _pings(self) -> bool:
        names = ("interval", "timeout", "ttl")
        return self.socket_type == "DEALER" and all(
            self.peer.claims(f"option:heartbeat-{name}-ms") for name in names
        )

    def _kept(self, raw: RawPeer) -> RawPeer:
        self.raws.append(raw)
        return raw

    def _say_more(self, sock: RemoteSocket, raw: RawPeer) -> None:
        """What needs frames and commands in the long form."""
        if self.socket_type in ("DEALER", "PAIR", "PUSH"):
            sock.send(LONG_PARTS)
            raw.expect(Message(*LONG_PARTS), clause="37/abnf/traffic")
        if self.socket_type in SUBSCRIBERS:
            sock.subscribe(LONG_TOPIC)
            raw.expect_subscription(LONG_TOPIC, clause="37/abnf/traffic")
            sock.cancel(LONG_TOPIC)
            raw.expect_cancellation(LONG_TOPIC, clause="37/abnf/traffic")

    def _heartbeat(self, raw: RawPeer) -> None:
        if self.peer.claims("feature:heartbeat"):
            raw.fence(clause="37/heartbeat/pong-reply")
        if self._pings:
            raw.send(Pong(raw.expect(Ping, clause="37/heartbeat/abnf-ping").context))

    def _part(self, sock: RemoteSocket, raw: RawPeer) -> None:
        sock.close()
        _read_out(raw)

    def _refuse(self) -> None:
        """A partner that this type cannot talk to: ERROR, a close, or both."""
        sock = self.peer.open(self.socket_type)
        raw = self._kept(self.dial(sock.bind()))
        raw.greet()
        raw.send(Ready(NO_PARTNER[self.socket_type]))
        _read_out(raw)

    def _meet_3_0(self) -> None:
        """A partner of ZMTP 3.0, which knows no commands for subscriptions."""
        sock = self.peer.open(self.socket_type)
        raw = self._kept(self.dial(sock.bind()))
        raw.handshake(PARTNER[self.socket_type], greeting=Greeting(version=(3, 0)))
        sock.subscribe(b"topic")
        raw.expect_subscription(b"topic", clause="37/abnf/traffic")


def _read_out(raw: RawPeer) -> None:
    """Take in what still comes until the partner closes, or says ERROR."""
    try:
        while (received := raw.next()) is not None:
            if isinstance(received.value, Error):
                return
    except DeadlineExceeded:
        return
