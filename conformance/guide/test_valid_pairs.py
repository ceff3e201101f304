"""Which types of sockets can be connected to each other (ZeroMQ guide, chapter 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import product

from conformance.interop.line import Line, open_end
from harness.pairing import Joint
from harness.peer import OperationRefused, RemoteSocket
from harness.stage.scenario import scenario
from harness.stage.stage import Stage
from harness.verdict import Mismatch
from harness.wire.trace import SENDERS
from harness.zmtp.grammar import SOCKET_TYPES, are_partners

VALID = "guide/valid-pairs/exchange"
REFUSED = "guide/valid-pairs/others-refused"
NOTHING = "guide/valid-pairs/others-carry-nothing"
# Every peer has these two; the other types are asked of those that claim them.
LEGS = {"line": "dialer REQ -> listener REP"}
SPEAK_FIRST = ("REQ", "DEALER", "PUSH", "PAIR", "PUB", "XPUB")


@scenario("guide/basics/valid-pairs", clauses=[VALID], legs=LEGS)
def test_valid_pairs(stage: Stage) -> None:
    """The valid combinations exchange messages, whichever of the two dials."""
    for dials, listens in claimed_pairs(stage):
        if are_partners(dials, listens) and not (dials == listens == "ROUTER" and lacks_names(stage)):
            dialer = open_end(stage.actors["dialer"], dials, b"second")
            listener = open_end(stage.actors["listener"], listens, b"first")
            try:
                Line(Joiner(stage), listener, dialer).meet().exchange(b"hello")
            except Mismatch as seen:
                expected = f"{dials} exchanges messages with the {listens} that it dials: {seen.expected}"
                raise Mismatch(expected, seen.actual, VALID, fatal=seen.fatal) from None
            close(dialer, listener)


@scenario("guide/basics/other-pairs", clauses=[REFUSED, NOTHING], legs=LEGS, at_least="3.0")
def test_other_pairs(stage: Stage) -> None:
    """All other combinations are refused in the handshake, and carry nothing."""
    for dials, listens in claimed_pairs(stage):
        if not are_partners(dials, listens):
            dialer, listener = stage.open("dialer", dials), stage.open("listener", listens)
            joint = stage.leg("line", listener, dialer, wait=False).of(dialer)
            speak(dialer)
            pair = f"{dials} and the {listens} that it dials"
            seen = partial(has_ended_or_spoken, joint)
            joint.wait_for(seen, f"the connection between {pair} is refused", REFUSED)
            if said := messages(joint):
                raise Mismatch(f"no message between {pair}", f"{said}", NOTHING)
            with suppress(Mismatch):  # the other end may be slower, or leave its own half open
                joint.wait_for(partial(has_ended_twice, joint), "both have closed", within="probe")
            close(dialer, listener)


def claimed_pairs(stage: Stage) -> Iterator[tuple[str, str]]:
    """Every ordered pair of types that dialer and listener have."""
    for dials, listens in product(SOCKET_TYPES, SOCKET_TYPES):
        if stage.actors["dialer"].claims(dials) and stage.actors["listener"].claims(listens):
            yield dials, listens


def lacks_names(stage: Stage) -> bool:
    """Whether two ROUTERs could not address each other: one of them cannot have a name."""
    return not all(actor.claims("option:identity") for actor in stage.actors.values())


class Joiner:
    """Joins the two ends of a line on a stage: the first listens."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def join(
        self,
        sock_of_first: RemoteSocket,
        sock_of_second: RemoteSocket,
        alone: Callable[[RemoteSocket], None] = lambda _: None,
    ) -> Joint:
        """A leg with a tap, and both have shaken hands."""
        leg = self._stage.empty_leg("line").listen(sock_of_first)
        alone(sock_of_first)
        return leg.join(sock_of_second).of(sock_of_second)


def messages(joint: Joint) -> int:
    """How many messages went over the wire."""
    return sum(len(joint.sent_by(sock)) for sock in joint.ends.values())


def has_ended_or_spoken(joint: Joint) -> bool:
    """Whether a connection has been closed, or carries messages."""
    return joint.has_ended() or messages(joint) > 0


def has_ended_twice(joint: Joint) -> bool:
    """Whether a connection has been closed by both ends, or reset."""
    closings = [joint.tap.trace.closings(number) for number in joint.tap.connections]
    return any(len(each) == len(SENDERS) or each[0].how == "rst" for each in closings if each)


def speak(sock: RemoteSocket) -> None:
    """Say something as soon as possible, if the socket's type may speak first, whatever becomes of it."""
    if sock.socket_type in SPEAK_FIRST:
        with suppress(OperationRefused):
            sock.offer([b"hello"])


def close(*socks: RemoteSocket) -> None:
    """Close the ends."""
    for sock in socks:
        sock.close()
