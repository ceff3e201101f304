"""Messages of one frame: others are neither sent nor delivered (RFC 37, Thread-safe sockets)."""

from __future__ import annotations

import pytest

from conformance.pipeline.ends import next_served
from conformance.reqrep.ends import attempt, meet, settle
from harness.case import Judge, case
from harness.exchange import PARTNER, expect_serves
from harness.peer import Outcome, Peer, RemoteSocket
from harness.pytest_fixtures import Attach, Dial
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message

RULES = {
    "CLIENT": "41/client", "SERVER": "41/server", "SCATTER": "49/scatter", "GATHER": "49/gather",
    "PEER": "51/peer", "CHANNEL": "52/channel",
}  # fmt: skip
GOALS = ["41/goals/no-multipart", "49/goals/no-multipart", "51/goals/no-multipart", "52/goals/no-multipart"]
SENDERS = [name for name in RULES if name != "GATHER"]
RECEIVERS = [name for name in RULES if name != "SCATTER"]
SEVERAL = {
    "two": (b"one", b"two"),
    "empty-first": (b"", b"two"),
    "empty-last": (b"one", b""),
    "ten": (b"x",) * 10,
}


def known(sock: RemoteSocket, raw: RawPeer, clause: str) -> list[bytes]:
    """What the application has to say in front of a message for this end, which it has met."""
    if sock.socket_type in ("SERVER", "PEER"):
        return meet(sock, raw, clause=clause)
    return []


@case(
    "draft/threadsafe/refuses-several-frames",
    clauses=[
        "37/threadsafe/no-multipart-send",
        *(f"{RULES[name]}/no-multipart-send" for name in SENDERS),
        "48/goals/no-multipart",
        *GOALS,
    ],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("parts", SEVERAL.values(), ids=SEVERAL)
@pytest.mark.parametrize("socket_type", [*SENDERS, "RADIO"])
def test_refuses_several_frames(
    peer: Peer, attach: Attach, judge: Judge, socket_type: str, parts: tuple[bytes, ...]
) -> None:
    """A message of several frames is refused; nothing of it goes out, and one of one frame does."""
    clause = f"{RULES[socket_type]}/no-multipart-send" if socket_type in RULES else "48/goals/no-multipart"
    sock = peer.open(socket_type)
    raw = attach(sock).handshake(PARTNER[socket_type])
    head = [b"group"] if socket_type == "RADIO" else known(sock, raw, clause)
    outcome = attempt(sock, *head, *parts)
    judge.that(outcome is Outcome.REFUSED, "refused", outcome.value, clause)
    expect_serves(sock, raw, clause)


@case(
    "draft/threadsafe/throws-away-several-frames",
    clauses=[
        "37/threadsafe/discard-multipart",
        *(f"{RULES[name]}/discard-multipart" for name in RECEIVERS),
        *GOALS,
    ],
    needs=["{socket_type}", "feature:heartbeat"],
)
@pytest.mark.parametrize("parts", SEVERAL.values(), ids=SEVERAL)
@pytest.mark.parametrize("socket_type", RECEIVERS)
def test_throws_away_several_frames(
    peer: Peer, dial: Dial, judge: Judge, socket_type: str, parts: tuple[bytes, ...]
) -> None:
    """Of a message of several frames no frame is delivered; its sender is served on, or cut off."""
    clause = f"{RULES[socket_type]}/discard-multipart"
    sock = peer.open(socket_type)
    endpoint = sock.bind()
    raw = dial(endpoint).handshake(PARTNER[socket_type])
    known(sock, raw, clause)
    raw.send(Message(*parts))
    if settle(raw, clause):
        judge.note("the sender is served on")
        expect_serves(sock, raw, clause)
    elif socket_type == "CHANNEL":
        judge.note("the sender is cut off")
        next_served(sock, endpoint, dial, clause)
    else:
        judge.note("the sender is cut off")
        expect_serves(sock, dial(endpoint).handshake(PARTNER[socket_type]), clause)
