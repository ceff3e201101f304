"""What no reading of the RFCs allows, drawn from a conversation that was played.

A link is held to the letter as far as it kept the rules itself; behind its first illegal octet the peer may
read it as it likes, as long as it makes nothing up and mixes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.clauses import Ledger
from harness.peer import Parts, show_parts
from harness.verdict import Place
from harness.wire.render import describe
from harness.wire.trace import VERSION_HEAD_OCTETS, announced_major
from harness.zmtp import Cancel, Command, Decoder, Greeting, Message, Ping, Pong, Ready, Received, Subscribe
from harness.zmtp.grammar import are_partners

from .play import Finding, Line, Played

NOTHING_MADE_UP = "37/framing/not-altered"
WHOLE = "37/framing/atomic"
IN_ORDER = "37/sockets/ordered"
ALL_DATA = "28/rep/pass-data"
HIDDEN = "37/framing/commands-hidden"
HANDSHAKE_FIRST = "37/abnf/connection"
PONG = "37/heartbeat/pong-reply"
SUBSCRIPTION = (b"\0", b"\1")


@dataclass(slots=True)
class Heard:
    """What a link sent, read to its first illegal octet; `begun` are the frames of an unfinished message."""

    octets: bytes
    messages: list[Parts] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    begun: Parts = field(default_factory=list)
    legal: bool = True

    @property
    def is_current(self) -> bool:
        """Whether it announced ZMTP 3, or nothing yet."""
        head = self.octets[:VERSION_HEAD_OCTETS]
        return (
            head[:1] in (b"", b"\xff")
            and (len(head) < 10 or head[9] == 0x7F)
            and (len(head) < 11 or head[10] >= 3)
        )

    def may_hold(self, parts: Parts) -> bool:
        """Whether a message could be a reading of what came behind the first illegal octet."""
        if self.legal:
            return False
        if self.is_current and len(self.octets) > 10 and b"READY" not in self.octets:
            return False
        return all(part in self.octets for part in parts)


def hear(line: Line, socket_type: str) -> Heard:
    """Read what a link sent, as the socket under test may."""
    heard = Heard(line.sent)
    if not heard.is_current:
        heard.legal = False
        return heard
    decoder = Decoder()
    wanted: type | None = Greeting
    for received in decoder.feed(heard.octets):
        if not _is_legal(received, wanted, line.in_traffic, socket_type):
            heard.legal = False
            return heard
        wanted = Ready if wanted is Greeting else None
        _keep(heard, received)
    heard.begun = [frame.body for frame in decoder.open_message]
    return heard


def _is_legal(received: Received, wanted: type | None, in_traffic: bool, socket_type: str) -> bool:
    value = received.value
    if received.faults or (wanted is not None and not isinstance(value, wanted)):
        return False
    match value:
        case Greeting():
            return value.mechanism == "NULL" and not value.as_server
        case Ready():
            return wanted is Ready and are_partners(socket_type, value.socket_type or "")
        case Message() | Ping() | Pong() | Subscribe() | Cancel() | Command():
            return in_traffic
    return False


def _keep(heard: Heard, received: Received) -> None:
    value = received.value
    if isinstance(value, Message):
        heard.messages.append(list(value.parts))
    elif isinstance(value, Ping | Pong | Subscribe | Cancel | Command):
        heard.commands.append(received.frames[0].body)
        if isinstance(value, Ping):
            heard.pings.append(value.context)


def judge(played: Played, ledger: Ledger) -> list[Finding]:
    """Every rule that was broken beyond doubt, the gravest first."""
    socket_type = played.conversation.socket_type
    heard = [hear(line, socket_type) for line in played.lines]
    found = [played.broken] if played.broken is not None else []
    for line, said in zip(played.lines, heard, strict=True):
        if said.is_current:
            found += _answered(played, line, said, ledger)
    found += _delivered(played.delivered, heard, socket_type)
    return found


# What the links got


def _answered(played: Played, line: Line, said: Heard, ledger: Ledger) -> Iterator[Finding]:
    raw = line.raw
    pings = list(said.pings)
    stream = raw.trace.stream(raw.connection, raw.partner)
    for received in Decoder(announced_major(said.octets[:VERSION_HEAD_OCTETS])).feed(stream):
        place = Place(raw.connection, raw.partner, received.start)
        for fault in received.faults:
            if ledger.get(fault.clause).judged == "strict":
                yield Finding(fault.clause, "octets outside the grammar", fault.message, place)
        value = received.value
        if isinstance(value, Pong):
            if value.context in pings:
                pings.remove(value.context)
            elif said.legal or value.context not in said.octets:
                detail = f"a PONG with a context of {len(value.context)} octets on {line.name}"
                yield Finding(PONG, "a PONG with what no PING of this link had", detail, place, security=True)
        elif isinstance(value, Message) and not _was_offered(played, list(value.parts), said):
            detail = f"{describe(value)} on {line.name}"
            yield Finding(
                NOTHING_MADE_UP, "a message that the application did not send", detail, place, security=True
            )


def _was_offered(played: Played, parts: Parts, said: Heard) -> bool:
    if parts in played.offered:
        return True
    match played.conversation.socket_type:
        case "SUB" | "XSUB":
            return len(parts) == 1 and parts[0] in SUBSCRIPTION
        case "REP":
            sent = [offered for offered in played.offered if offered and parts[-len(offered) :] == offered]
            return any(all(each in said.octets for each in parts[: -len(offered)]) for offered in sent)
    return False


# What the application got


def _delivered(delivered: list[Parts], heard: list[Heard], socket_type: str) -> Iterator[Finding]:
    sent = [[_seen(parts, socket_type) for parts in said.messages] for said in heard]
    last: dict[int, int] = {}
    taken: dict[tuple[bytes, ...], int] = {}
    for parts in delivered:
        places = [(n, at) for n, one in enumerate(sent) for at, each in enumerate(one) if each == parts]
        if not places:
            if not _explained(parts, heard, socket_type):
                yield _made_up(parts, heard, socket_type)
            continue
        key = tuple(parts)
        taken[key] = taken.get(key, 0) + 1
        if any(said.may_hold(parts) for said in heard):
            continue
        if taken[key] > len(places):
            yield Finding(NOTHING_MADE_UP, "a message that comes more often than it was sent", _told(parts))
        elif len(places) == 1:
            line, at = places[0]
            if at < last.get(line, -1):
                yield Finding(IN_ORDER, "a message that comes before an earlier one", _told(parts))
            last[line] = at


def _seen(parts: Parts, socket_type: str) -> Parts | None:
    """A message as the application gets it; None where it gets none."""
    if socket_type != "REP":
        return parts
    return parts[parts.index(b"") + 1 :] if b"" in parts else None


def _explained(parts: Parts, heard: list[Heard], socket_type: str) -> bool:
    if socket_type == "XPUB" and len(parts) == 1 and parts[0][:1] in SUBSCRIPTION:
        topic = parts[0][1:]
        return any(topic in said.octets for said in heard)
    return any(said.may_hold(parts) for said in heard)


def _made_up(parts: Parts, heard: list[Heard], socket_type: str) -> Finding:
    for said in heard:
        if len(parts) == 1 and parts[0] in said.commands:
            return Finding(HIDDEN, "a command that is delivered as a message", _told(parts))
        if parts == said.begun[: len(parts)]:
            return Finding(WHOLE, "a part of a message that was never whole", _told(parts))
        if any(parts == whole[: len(parts)] or parts == whole[-len(parts) :] for whole in said.messages):
            clause = ALL_DATA if socket_type == "REP" else WHOLE
            return Finding(clause, "a part of a message", _told(parts))
    strange = _is_strange(parts, heard)
    return Finding(NOTHING_MADE_UP, "a message that no link sent", _told(parts), security=strange)


def _is_strange(parts: Parts, heard: list[Heard]) -> bool:
    """Whether it holds octets that nobody sent."""
    return not all(any(part in said.octets for said in heard) for part in parts)


def _told(parts: Parts) -> str:
    return show_parts(parts)
