"""What the cases on mechanisms with a client and a server share: greetings, and how a refusal looks."""

from __future__ import annotations

from conformance.zmtp.partners import MORE_THAN_A_GREETING, framing_of
from conformance.zmtp.traffic import REFUSAL, closed_or_served, expect_reaction
from harness.case import Judge
from harness.peer import RemoteSocket
from harness.wire.link import Sendable
from harness.wire.rawpeer import RawPeer
from harness.wire.render import describe
from harness.zmtp import Error, Greeting, LegacyGreeting, Message, Ready, Undecodable, malformed

FORGED = Message(b"forged")
OLD = {"2.0": LegacyGreeting(1, "PUSH"), "1.0": LegacyGreeting(None)}


def judge_role(judge: Judge, greeting: Greeting, mechanism: str, as_server: int) -> None:
    """The peer's greeting has this mechanism, and the as-server octet of its role."""
    judge.equal(greeting.mechanism, mechanism)
    expected, actual = f"as-server {as_server:02x}", f"as-server {greeting.as_server:02x}"
    judge.that(greeting.as_server == as_server, expected, actual)


def judge_other_mechanism(judge: Judge, raw: RawPeer, field: bytes, never: tuple[type, ...]) -> None:
    """A partner whose greeting has this in the mechanism's field is cut off before anything is told."""
    raw.send(malformed.greeting_mechanism(field), Ready("PUSH"), FORGED)
    with judge.soft():
        raw.expect_closed("37/auth/mismatch-close", never=never)


def judge_old_partner(judge: Judge, raw: RawPeer, greeting: LegacyGreeting) -> None:
    """A partner of ZMTP 2.0 or 1.0, which cannot be secure, is cut off."""
    raw.framing = framing_of(greeting)
    raw.send(greeting, MORE_THAN_A_GREETING)
    with judge.soft():
        raw.expect_closed("37/interop/d10-secure-close")


def expect_refused(raw: RawPeer, clause: str | None = None) -> None:
    """The partner's very next thing is ERROR, or a close.

    Octets that are no command may come before the close: an ERROR that is not well formed is no permission.
    """
    received = expect_reaction(raw, clause)
    while received is not None and isinstance(received.value, Undecodable):
        received = expect_reaction(raw, clause)
    if received is not None and not isinstance(received.value, Error):
        raise raw.mismatch(REFUSAL, describe(received.value), clause, received.start)


def expect_not_served(
    raw: RawPeer, sock: RemoteSocket, clause: str | None = None, forged: Sendable = FORGED
) -> None:
    """Whoever introduced itself like this is refused, and FORGED, which is sent behind it, not delivered.

    `forged` is FORGED as it goes out, where that is in a box.
    """
    raw.send(forged)
    end, _ = closed_or_served(raw, sock, *FORGED.parts, clause=clause)
    if end == "served":
        raise raw.mismatch(REFUSAL, "the next message delivered", clause)
