"""Checks that hold for any trace of a correct ZMTP 3.x peer: pure functions over a recorded connection.

Each takes a trace, a connection and the end to judge ("dialer" or "listener") and yields a `Finding`
for every place where a rule does not hold. What a trace does not reach (a frame cut by the close, a
partner of ZMTP 1.0 or 2.0, WebSocket, a mechanism other than NULL for the handshake's rules) is not judged.

Sources: RFC 37, "Formal Grammar", "Framing", "NULL Mechanism", "Connection Metadata", "Connection
Heartbeating", "The Publish-Subscribe Pattern", "Thread-safe sockets", "Radio-Dish"; RFC 29, 30, 48 and 49 for
who only receives.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from harness.verdict import Mismatch, Place
from harness.zmtp import (
    Cancel,
    Error,
    Greeting,
    Introduction,
    Join,
    Leave,
    Message,
    Ping,
    Pong,
    Ready,
    Subscribe,
    Undecodable,
)
from harness.zmtp.grammar import DRAFT_SOCKET_TYPES, GROUP

from .render import describe
from .trace import VERSION_HEAD_OCTETS, Decoded, Sender, Trace, announced_major, other

RECEIVE_ONLY = {
    "PULL": "30/pull/receive-only", "SUB": "29/sub/receive-only", "DISH": "48/dish/receive-only",
    "GATHER": "49/gather/receive-only",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that did not hold: its clause, what was seen in one line, and where."""

    clause: str
    message: str
    place: Place

    def mismatch(self, expected: str) -> Mismatch:
        """The same as what a case raises."""
        return Mismatch(expected, self.message, self.clause, self.place)


CheckFunction = Callable[[Trace, int, Sender], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check by name: its function, the clauses that it can blame, and whether a fault is this end's own.

    It is not where what the partner said, or did not know of, could explain it.
    """

    name: str
    run: CheckFunction
    clauses: tuple[str, ...]
    own: bool = True


def run_checks(trace: Trace, connection: int, sender: Sender) -> list[Finding]:
    """What all checks find at one end of a connection, in the order of the octets."""
    return _run(ALL_CHECKS.values(), trace, connection, sender)


def run_own_checks(trace: Trace, connection: int, sender: Sender) -> list[Finding]:
    """What this end broke whatever its partner did: octets and order that no conduct of another explains."""
    return _run((check for check in ALL_CHECKS.values() if check.own), trace, connection, sender)


def _run(checks: Iterable[Check], trace: Trace, connection: int, sender: Sender) -> list[Finding]:
    if trace.is_websocket(connection):
        return []
    found = [finding for check in checks for finding in check.run(trace, connection, sender)]
    return sorted(found, key=lambda finding: finding.place.offset)


# -- the decoded view ----------------------------------------------------------------------------

_decoded: weakref.WeakKeyDictionary[Trace, dict[int, tuple[int, list[Decoded]]]]
_decoded = weakref.WeakKeyDictionary()


def _both(trace: Trace, connection: int) -> list[Decoded]:
    """Both directions decoded; kept until more goes over the connection, since every check asks for it."""
    kept = _decoded.setdefault(trace, {})
    size = len(trace.wire(connection))
    if connection not in kept or kept[connection][0] != size:
        kept[connection] = (size, trace.decoded(connection))
    return kept[connection][1]


def _own(trace: Trace, connection: int, sender: Sender) -> list[Decoded]:
    """What this end sent as ZMTP 3.x; nothing where an older version is spoken."""
    own = [each for each in _both(trace, connection) if each.sender == sender]
    return own if own and isinstance(own[0].received.value, Greeting) else []


def _finding(each: Decoded, clause: str, message: str, offset: int | None = None) -> Finding:
    at = each.received.start if offset is None else offset
    return Finding(clause, message, Place(each.connection, each.sender, at))


def _under_null(own: list[Decoded]) -> bool:
    return (
        bool(own)
        and isinstance(own[0].received.value, Greeting)
        and own[0].received.value.mechanism == "NULL"
    )


def _frames(own: list[Decoded]) -> list[Decoded]:
    """Commands and messages that could be read: what follows the greeting."""
    return [each for each in own[1:] if not isinstance(each.received.value, Undecodable)]


def _introduction(own: list[Decoded]) -> Decoded | None:
    """READY, or INITIATE of a client of PLAIN."""
    return next((each for each in own if isinstance(each.received.value, Introduction)), None)


def _socket_type(own: list[Decoded]) -> str | None:
    found = _introduction(own)
    value = found.received.value if found else None
    return value.socket_type if isinstance(value, Introduction) else None


# -- what the codec finds in one frame -----------------------------------------------------------


def _fault_check(*clauses: str) -> CheckFunction:
    """A check for rules that a greeting, frame or command breaks by itself."""

    def check(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
        for each in _own(trace, connection, sender):
            for fault in each.received.faults:
                if fault.clause in clauses:
                    last = max(each.received.start, each.received.end - 1)
                    offset = last if fault.offset is None else min(fault.offset, last)
                    yield _finding(each, fault.clause, fault.message, offset)

    return check


# -- greeting ------------------------------------------------------------------------------------


def check_signature(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """The first octet is FF, the tenth 7F."""
    head = trace.head(connection, sender)
    for offset, octet in ((0, 0xFF), (9, 0x7F)):
        if len(head) > offset and head[offset] != octet:
            message = f"signature has {head[offset]:02X} at octet {offset}, not {octet:02X}"
            yield Finding("37/abnf/signature", message, Place(connection, sender, offset))
            return


def check_version(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """The major version is 3 or more, towards a partner that shows 3 or more itself."""
    head = trace.head(connection, sender)
    partner = announced_major(trace.head(connection, other(sender)))
    signed = len(head) == VERSION_HEAD_OCTETS and head[0] == 0xFF and head[9] == 0x7F
    if signed and head[10] < 3 and partner is not None and partner >= 3:
        message = f"version {head[10]} towards a partner of version {partner}"
        yield Finding("37/abnf/version-major", message, Place(connection, sender, 10))


# -- handshake -----------------------------------------------------------------------------------


def check_handshake(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """Under NULL the first thing after the greeting is READY or ERROR."""
    own = _own(trace, connection, sender)
    frames = _frames(own)
    if _under_null(own) and frames and not isinstance(frames[0].received.value, Ready | Error):
        message = f"the handshake begins with {describe(frames[0].received.value)}"
        yield _finding(frames[0], "37/abnf/handshake", message)


def check_one_ready(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """Under NULL there is one READY, and nothing after an ERROR."""
    own = _own(trace, connection, sender)
    if not _under_null(own):
        return
    readies = [each for each in own if isinstance(each.received.value, Ready)]
    for each in readies[1:]:
        yield _finding(each, "37/null/abnf-null", f"another {describe(each.received.value)}")
    errors = [n for n, each in enumerate(own) if isinstance(each.received.value, Error)]
    for each in own[errors[0] + 1 : errors[0] + 2] if errors else []:
        yield _finding(each, "37/null/abnf-null", f"{describe(each.received.value)} after ERROR")


def check_no_early_traffic(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """Under NULL traffic begins only when READY has been sent and received."""
    if not _under_null(_own(trace, connection, sender)):
        return
    ready = False
    for each in _both(trace, connection):
        value = each.received.value
        if each.sender != sender:
            if isinstance(value, Ready):
                return
        elif isinstance(value, Ready):
            ready = True
        elif ready and not isinstance(value, Error | Undecodable):
            message = f"{describe(value)} before the partner's READY"
            yield _finding(each, "37/null/send-after-both", message)
            return


def check_socket_type_sent(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """READY, or INITIATE under PLAIN, states the Socket-Type (a SHOULD)."""
    own = _own(trace, connection, sender)
    found = _introduction(own)
    if found is not None and _socket_type(own) is None:
        message = f"{describe(type(found.received.value))} without Socket-Type"
        yield _finding(found, "37/metadata/socket-type-sent", message)


# -- traffic -------------------------------------------------------------------------------------


def check_pongs(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """Every PONG answers the oldest PING that has none yet, and echoes its context."""
    if not _own(trace, connection, sender):
        return
    asked: deque[bytes] = deque()
    for each in _both(trace, connection):
        value = each.received.value
        if each.sender != sender and isinstance(value, Ping):
            asked.append(value.context)
        elif each.sender == sender and isinstance(value, Pong):
            wanted = asked.popleft() if asked else None
            if wanted != value.context:
                why = "no PING to answer" if wanted is None else f"the PING was {describe(Ping(0, wanted))}"
                yield _finding(each, "37/heartbeat/pong-reply", f"{describe(value)}: {why}")


def check_subscribers_subscribe(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """SUBSCRIBE and CANCEL come from SUB and XSUB only."""
    own = _own(trace, connection, sender)
    socket_type = _socket_type(own)
    if socket_type in (None, "SUB", "XSUB"):
        return
    for each in own:
        if isinstance(each.received.value, Subscribe | Cancel):
            subscribe = isinstance(each.received.value, Subscribe)
            clause = "37/pubsub/subscribe-command" if subscribe else "37/pubsub/cancel-command"
            yield _finding(each, clause, f"{describe(each.received.value)} from {describe(socket_type)}")


def check_command_form(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """SUBSCRIBE and CANCEL are commands of ZMTP 3.1: a partner of 3.0 gets messages instead."""
    own = _own(trace, connection, sender)
    greetings = [each.received.value for each in _both(trace, connection) if each.sender != sender][:1]
    for greeting in greetings:
        if not isinstance(greeting, Greeting) or greeting.version >= (3, 1):
            return
        for each in own:
            if isinstance(each.received.value, Subscribe | Cancel):
                message = f"{describe(each.received.value)} to a partner of ZMTP 3.0"
                yield _finding(each, "37/pubsub/legacy-form-interop", message)


def check_receivers_send_nothing(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """Who only receives sends no message; a SUB only subscriptions: one frame that begins with 00 or 01."""
    own = _own(trace, connection, sender)
    socket_type = _socket_type(own)
    clause = RECEIVE_ONLY.get(socket_type or "")
    if clause is None:
        return
    for each in own:
        value = each.received.value
        if isinstance(value, Message) and not (socket_type == "SUB" and _is_subscription(value)):
            yield _finding(each, clause, f"{describe(value)} from {socket_type}")


def _is_subscription(message: Message) -> bool:
    return len(message.parts) == 1 and message.parts[0][:1] in (b"\0", b"\1")


def check_one_frame(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """The thread-safe types send messages of one frame; RADIO of two, of which the first is a group."""
    own = _own(trace, connection, sender)
    socket_type = _socket_type(own)
    if socket_type not in DRAFT_SOCKET_TYPES:
        return
    for each in own:
        value = each.received.value
        if not isinstance(value, Message):
            continue
        if socket_type == "RADIO":
            if len(value.parts) != 2 or not GROUP.fullmatch(value.parts[0]):
                yield _finding(each, "37/radiodish/abnf-radio-dish-message", f"{describe(value)} from RADIO")
        elif len(value.parts) != 1:
            yield _finding(each, "37/threadsafe/no-multipart-send", f"{describe(value)} from {socket_type}")


def check_dishes_join(trace: Trace, connection: int, sender: Sender) -> Iterator[Finding]:
    """JOIN and LEAVE come from DISH only."""
    own = _own(trace, connection, sender)
    socket_type = _socket_type(own)
    if socket_type in (None, "DISH"):
        return
    for each in own:
        if isinstance(each.received.value, Join | Leave):
            join = isinstance(each.received.value, Join)
            clause = "37/radiodish/join-command" if join else "37/radiodish/leave-command"
            yield _finding(each, clause, f"{describe(each.received.value)} from {describe(socket_type)}")


# -- the table -----------------------------------------------------------------------------------

_BY_FAULT: dict[str, tuple[str, ...]] = {
    "mechanism-name": ("37/abnf/mechanism", "37/auth/name-charset"),
    "as-server": ("37/abnf/as-server",),
    "as-server-under-null": ("37/null/as-server-zero",),
    "filler": ("37/abnf/filler",),
    "reserved-flags": ("37/framing/reserved-zero",),
    "command-without-more": ("37/framing/command-no-more",),
    "command-in-short-form": ("37/auth/command-short",),
    "frame-size": ("37/framing/size-ranges",),
    "command-between-frames": ("37/abnf/command-not-inside-message",),
    "command-name": ("37/abnf/command-name",),
    "command-name-letters": ("37/abnf/command-name-char",),
    "property-name-length": ("37/null/name-length",),
    "property-name-characters": ("37/null/abnf-name-char",),
    "property-whole": ("37/null/abnf-property",),
    "property-value-whole": ("37/null/abnf-value",),
    "property-value-size": ("37/null/value-range",),
    "socket-type-known": ("37/sockettype/abnf-socket-type",),
    "identity-size": ("37/identity/abnf-identity",),
    "identity-first-octet": ("37/identity/no-leading-zero",),
    "resource": ("37/resource/abnf-resource",),
    "error-whole": ("37/null/abnf-error",),
    "error-reason-visible": ("37/null/abnf-error-reason",),
    "group": ("37/radiodish/abnf-group",),
    "ping-ttl-whole": ("37/heartbeat/abnf-ping-ttl",),
    "heartbeat-context-size": ("37/heartbeat/context-max",),
}

_BY_TRACE: tuple[Check, ...] = (
    Check("signature", check_signature, ("37/abnf/signature",)),
    Check("version", check_version, ("37/abnf/version-major",)),
    Check("handshake", check_handshake, ("37/abnf/handshake",)),
    Check("one-ready", check_one_ready, ("37/null/abnf-null",)),
    Check("no-early-traffic", check_no_early_traffic, ("37/null/send-after-both",)),
    Check("socket-type-sent", check_socket_type_sent, ("37/metadata/socket-type-sent",), own=False),
    Check("pongs", check_pongs, ("37/heartbeat/pong-reply",), own=False),
    Check(
        "subscribers-subscribe",
        check_subscribers_subscribe,
        ("37/pubsub/subscribe-command", "37/pubsub/cancel-command"),
        own=False,
    ),
    Check("command-form", check_command_form, ("37/pubsub/legacy-form-interop",), own=False),
    Check(
        "receivers-send-nothing",
        check_receivers_send_nothing,
        tuple(RECEIVE_ONLY.values()),
    ),
    Check(
        "one-frame",
        check_one_frame,
        ("37/threadsafe/no-multipart-send", "37/radiodish/abnf-radio-dish-message"),
    ),
    Check(
        "dishes-join",
        check_dishes_join,
        ("37/radiodish/join-command", "37/radiodish/leave-command"),
        own=False,
    ),
)

ALL_CHECKS: dict[str, Check] = {check.name: check for check in _BY_TRACE} | {
    name: Check(name, _fault_check(*clauses), clauses) for name, clauses in _BY_FAULT.items()
}
