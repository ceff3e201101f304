"""What a failing case is due to: what all cases stand on is looked at first.

A peer whose octets break a rule, or that does not manage the plain talk, fails cases of every family. Each
would blame a rule of its own, though that rule has not been judged.
"""

from __future__ import annotations

import math
from contextlib import suppress

from harness.deadlines import Deadlines
from harness.exchange import PARTNER
from harness.pairs import ZMTP_3
from harness.peer import LivePeer, Peer, PeerUnavailable
from harness.plaintalk import BESIDE_READY, BINDS_AND_CONNECTS, CARRIES, SIDE_BY_SIDE, hold_plain_talk
from harness.pytest_fixtures import Asking
from harness.verdict import Mismatch
from harness.wire.checks import run_own_checks
from harness.wire.rawpeer import RawPeer
from harness.wire.trace import Trace
from harness.zmtp import Ready

IN_PLAIN_TALK = "in a plain talk of"
# The families that judge each part by rules of their own: how a peer introduces itself, what its octets look
# like, how it connects, and what becomes of messages.
INTRODUCTION = (
    "zmtp/greeting/", "zmtp/version/", "zmtp/null/", "zmtp/sockettype/",
    "zmtp10/connection/", "zmtp20/greeting/",
)  # fmt: skip
OCTETS = ("zmtp/", "zmtp10/", "zmtp20/", "plain/", "curve/", "hostile/commands/")
PATTERNS = ("reqrep/", "pubsub/", "pipeline/", "pair/", "draft/")
JUDGED_IN = {
    BINDS_AND_CONNECTS: ("zmtp/topology/",),
    SIDE_BY_SIDE: ("zmtp/topology/", *PATTERNS),
    BESIDE_READY: ("zmtp/greeting/shares-segment", "zmtp/null/message-right", "zmtp/null/early-message"),
    CARRIES: ("zmtp/framing/", "zmtp10/framing/", "zmtp20/framing/", *PATTERNS),
}


def look_for_roots(asked: Asking, error: BaseException | None) -> BaseException | None:
    """What ended the case, and the soft findings in `asked.judge`, each with what is at the root of it."""
    asked.judge.findings[:] = [_at_the_root(asked, finding) for finding in asked.judge.findings]
    return _at_the_root(asked, error) if isinstance(error, Mismatch) else error


def _at_the_root(asked: Asking, mismatch: Mismatch) -> Mismatch:
    """The mismatch, or the fault behind it: in the peer's octets up to there, or in the plain talk.

    Left as it is where the peer went down, the case itself judges that rule, it is one of a pair, or one that
    claims no ZMTP 3, which is what the octets and the talk are judged by.
    """
    if mismatch.fatal or len(asked.peers) != 1 or not _speaks_zmtp_3(asked):
        return mismatch
    root = _in_its_octets(asked, mismatch) or _in_plain_talk(asked)
    if root is None:
        return mismatch
    asked.judge.note(f"the case expected {mismatch.expected}, and got {mismatch.actual}")
    return root


def _speaks_zmtp_3(asked: Asking) -> bool:
    return bool(asked.bench.manifests[asked.peer_name].zmtp & ZMTP_3)


def _in_its_octets(asked: Asking, mismatch: Mismatch) -> Mismatch | None:
    for end in asked.ends:
        if isinstance(end, RawPeer):
            begin, behind = _span(asked, mismatch, end)
            first, last = _judged_itself(asked, mismatch, end, begin)
            for finding in run_own_checks(asked.trace, end.connection, end.partner):
                offset = finding.place.offset
                is_its_own = first <= offset < last
                if offset < behind and not is_its_own and _can_be_blamed(asked, finding.clause):
                    return finding.mismatch(mismatch.expected)
    return None


def _judged_itself(asked: Asking, mismatch: Mismatch, end: RawPeer, begin: float) -> tuple[float, float]:
    """From where to where the case itself judges the peer's octets on a connection.

    `begin` is where what the mismatch is about begins.
    """
    if not asked.case.id.startswith(OCTETS) or mismatch.clause not in (None, *asked.case.clauses):
        return math.inf, math.inf
    if asked.case.id.startswith("hostile/commands/"):
        return 0, math.inf
    if asked.case.id.startswith(INTRODUCTION):
        return 0, _end_of_introduction(asked.trace, end)
    return begin, math.inf


def _end_of_introduction(trace: Trace, end: RawPeer) -> float:
    """Where the peer's READY ends in its octets on a connection."""
    said = (one.received for one in trace.decoded(end.connection) if one.sender == end.partner)
    return next((received.end for received in said if isinstance(received.value, Ready)), math.inf)


def _span(asked: Asking, mismatch: Mismatch, end: RawPeer) -> tuple[float, float]:
    """Where what the mismatch is about begins and ends, in the octets of the peer on a connection.

    About another connection: all of this one. About none: behind all of it.
    """
    place = mismatch.place
    if place is None:
        return math.inf, math.inf
    if (place.connection, place.sender) != (end.connection, end.partner):
        return 0, math.inf
    seen = [
        one.received
        for one in asked.trace.decoded(place.connection)
        if one.sender == place.sender and one.received.start <= place.offset
    ]
    return (seen[-1].start, seen[-1].end) if seen else (0, 0)


def _in_plain_talk(asked: Asking) -> Mismatch | None:
    needs = asked.case.needed(asked.params)
    for socket_type in (one for one in PARTNER if one in needs):
        with suppress(PeerUnavailable):
            fault = _fault_in_plain_talk(asked, socket_type, _role(asked))
            clause = fault.clause or CARRIES if fault is not None else ""
            if fault is None or asked.case.id.startswith(JUDGED_IN.get(clause, INTRODUCTION)):
                continue
            if _can_be_blamed(asked, clause):
                expected = f"{fault.expected} {IN_PLAIN_TALK} {socket_type}"
                return Mismatch(expected, fault.actual, clause)
    return None


def _role(asked: Asking) -> str:
    """The peer's role, also in a case that has one only."""
    listens = any(isinstance(end, RawPeer) and end.role == "listener" for end in asked.ends)
    return str(asked.params.get("role", "peer-connects" if listens else "peer-binds"))


def _fault_in_plain_talk(asked: Asking, socket_type: str, role: str) -> Mismatch | None:
    """What goes wrong in it, None for nothing; held once for all cases. Raises PeerUnavailable.

    It counts where a fresh process shows it, too: the case may have spoilt the one that is warm.
    """
    bench, name = asked.bench, asked.peer_name
    key = (name, socket_type, role)
    if key in bench.plain_talks:
        return bench.plain_talks[key]
    warm = bench.live(name)
    if warm.client().pending is not None:
        return None
    fault = _hold(warm, socket_type, role, bench.deadlines)
    if fault is not None:
        fault = _hold(bench.hold(name, name)[1], socket_type, role, bench.deadlines)
    bench.plain_talks[key] = fault
    return fault


def _hold(live: LivePeer, socket_type: str, role: str, deadlines: Deadlines) -> Mismatch | None:
    peer = Peer(live, Trace(), deadlines)
    try:
        hold_plain_talk(peer, socket_type, role)
    except Mismatch as fault:
        return None if fault.fatal else fault
    finally:
        peer.finish()
    return None


def _can_be_blamed(asked: Asking, clause: str) -> bool:
    """Not what the case judges itself, what the peer is known for, and what is no strict rule."""
    known = asked.bench.known_clauses(asked.peer_name)
    return clause not in known.union(asked.case.clauses) and asked.bench.ledger.get(clause).judged == "strict"
