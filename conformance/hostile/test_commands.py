"""Commands and octets that fit no state, size or field (RFC 37, Framing, Commands, The NULL Mechanism)."""

from __future__ import annotations

import pytest

from conformance.hostile.aftermath import NOTHING_MADE_UP, OTHERS_SERVED, Scene
from conformance.hostile.steps import GREETING, IN_TRAFFIC, STATES
from conformance.zmtp.traffic import data_of
from harness.case import Judge, case
from harness.peer import Peer
from harness.pytest_fixtures import Attach, Dial
from harness.zmtp import Error, Message, Ping, Ready, malformed
from harness.zmtp.grammar import COMMAND, LONG, MORE

SIZES = "37/framing/size-ranges"
ENORMOUS = {"two-to-the-31": 1 << 31, "two-to-the-32": 1 << 32, "two-to-the-63-less-one": (1 << 63) - 1}
IMPOSSIBLE = {"two-to-the-63": 1 << 63, "all-ones": (1 << 64) - 1}
READY = data_of(Ready("PUSH", properties=((b"X-Name", b"value"),)))
ERROR = data_of(Error(b"Late"))
CUT = {
    "ready-in-the-handshake": (GREETING, READY),
    "error-in-the-handshake": (GREETING, ERROR),
    "ping-in-the-handshake": (GREETING, data_of(Ping(0, b"cut"))),
    "ready-in-traffic": (IN_TRAFFIC, READY),
    "error-in-traffic": (IN_TRAFFIC, ERROR),
}
EXCESSIVE = {
    "1000-properties": tuple((b"X-%d" % number, b"value") for number in range(1000)),
    "1000-times-the-same": ((b"X-Same", b"value"),) * 1000,
    "100-long-names": tuple((b"X-%03d" % number + b"n" * 250, b"") for number in range(100)),
    "1-MiB-value": ((b"X-Large", bytes(1 << 20)),),
    "100-identities": tuple((b"Identity", b"name %d" % number) for number in range(100)),
}
BEHIND_AN_ERROR = {
    "ready": Ready("PUSH").serialize(),
    "error-and-ready": Error(b"Again").serialize() + Ready("PUSH").serialize(),
    "greeting-and-ready": IN_TRAFFIC,
}
FOREIGN = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: stranger\r\nAccept: */*\r\n\r\n",
    "tls": bytes.fromhex("1603010200010001fc0303") + bytes(range(256)) * 2,
    "ssh": b"SSH-2.0-stranger\r\n",
    "greeting": GREETING,
}
FLAGS = {"more": MORE, **{f"bit-{bit}": 1 << bit for bit in range(3, 8)}}


@case("hostile/commands/enormous-size", clauses=[SIZES, OTHERS_SERVED], needs=["PULL"])
@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
@pytest.mark.parametrize("size", ENORMOUS.values(), ids=ENORMOUS)
def test_enormous_size(peer: Peer, dial: Dial, before: bytes, size: int) -> None:
    """Commands that announce more than any memory holds cost at most their links, in whatever state."""
    scene = Scene(peer, dial)
    octets = before + malformed.frame(COMMAND | LONG, READY, size)
    crowd = scene.meet_many([octets] * 3)
    scene.serve_steady(SIZES)
    for raw in crowd:
        raw.close()
    scene.expect_aftermath(*crowd, clause=SIZES)


@case("hostile/commands/impossible-size", clauses=[SIZES, OTHERS_SERVED], needs=["PULL"])
@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
@pytest.mark.parametrize("size", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_size(peer: Peer, dial: Dial, before: bytes, size: int) -> None:
    """A command with a size of 2^63 or more ends the connection, in the handshake as in traffic."""
    scene = Scene(peer, dial)
    raw = scene.meet()
    raw.send(before, malformed.frame(COMMAND | LONG, READY, size))
    raw.expect_closed(clause=SIZES)
    scene.expect_aftermath(raw)


@case(
    "hostile/commands/cut-at-every-octet",
    clauses=["37/framing/commands-hidden", OTHERS_SERVED],
    needs=["PULL"],
)
@pytest.mark.parametrize(("before", "body"), CUT.values(), ids=CUT)
def test_cut_at_every_octet(peer: Peer, dial: Dial, before: bytes, body: bytes) -> None:
    """Wherever a command ends too early, it is not delivered, gives nothing away, and harms nobody."""
    scene = Scene(peer, dial)
    crowd = scene.meet_many(before + malformed.frame(COMMAND, body[:end]) for end in range(len(body)))
    scene.serve_steady("37/framing/commands-hidden")
    for raw in crowd:
        raw.half_close()
    scene.expect_aftermath(*crowd, clause="37/framing/commands-hidden")


@case(
    "hostile/commands/excessive-ready",
    clauses=["37/null/abnf-metadata", OTHERS_SERVED],
    needs=["PULL"],
)
@pytest.mark.parametrize("properties", EXCESSIVE.values(), ids=EXCESSIVE)
def test_excessive_ready(
    peer: Peer, dial: Dial, attach: Attach, judge: Judge, properties: tuple[tuple[bytes, bytes], ...]
) -> None:
    """A READY with more properties than anybody needs is taken or refused, and harms nobody."""
    scene = Scene(peer, dial, attach)
    raw = scene.meet()
    raw.send(GREETING, Ready("PUSH", properties=properties), Message(b"fence"))
    scene.settle(raw, judge, "37/null/abnf-metadata")
    scene.expect_aftermath(raw)


@case(
    "hostile/commands/nothing-mends-an-error",
    clauses=["37/errors/error-fatal", OTHERS_SERVED],
    needs=["PULL"],
)
@pytest.mark.parametrize("behind", BEHIND_AN_ERROR.values(), ids=BEHIND_AN_ERROR)
def test_nothing_mends_an_error(peer: Peer, dial: Dial, attach: Attach, behind: bytes) -> None:
    """Whatever follows an ERROR in the handshake, the connection is closed and no message is taken."""
    scene = Scene(peer, dial, attach)
    raw = scene.meet()
    raw.send(GREETING, Error(b"Refused"), behind, Message(b"never"))
    raw.expect_closed("37/errors/error-fatal")
    scene.expect_aftermath(raw, clause="37/errors/error-fatal")


@case(
    "hostile/commands/another-protocol",
    clauses=["37/abnf/connection", OTHERS_SERVED, "37/framing/reserved-zero", NOTHING_MADE_UP],
    needs=["PULL"],
)
@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
@pytest.mark.parametrize("octets", FOREIGN.values(), ids=FOREIGN)
def test_another_protocol(peer: Peer, dial: Dial, before: bytes, octets: bytes) -> None:
    """A partner that goes over to another protocol is answered in none but ZMTP, and harms nobody."""
    scene = Scene(peer, dial)
    raw = scene.meet()
    raw.send(before + octets)
    scene.serve_fresh()
    raw.close()
    scene.expect_aftermath(raw)


@case(
    "hostile/commands/ready-with-odd-flags",
    clauses=["37/framing/reserved-zero", "37/framing/command-no-more", OTHERS_SERVED],
    needs=["PULL"],
)
@pytest.mark.parametrize("flag", FLAGS.values(), ids=FLAGS)
def test_ready_with_odd_flags(peer: Peer, dial: Dial, judge: Judge, flag: int) -> None:
    """A READY with MORE or a reserved flag is taken, passed over for the next, or ends the connection."""
    scene = Scene(peer, dial)
    raw = scene.meet()
    raw.send(GREETING, malformed.frame(COMMAND | flag, READY), Ready("PUSH"), Message(b"fence"))
    scene.settle(raw, judge, "37/framing/reserved-zero")
    scene.expect_aftermath(raw)
