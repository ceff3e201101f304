"""Conversations at random. Number and seed say all: the same two give the same one, whatever came before.

The steps follow the grammar of RFC 37 and leave it: what no correct partner sends is from
`harness.zmtp.malformed`. Nothing announces more than a small machine can bear.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from harness.zmtp import Error, Greeting, Ready, malformed
from harness.zmtp.grammar import SOCKET_TYPES

from .steps import Conversation, End, Offer, Open, Receive, Say, Silence, Step, Tell

MOST_LINKS = 3
MOST_STEPS = 30
USUAL_STEPS = 8
SIZES = (0, 0, 1, 2, 8, 30, 254, 255, 256, 257, 8192, 65_535, 65_536)
CONTEXTS = (0, 1, 4, 15, 16)
LARGE_CONTEXTS = (17, 32, 250, 300)
MISCHIEF = (0.0, 0.1, 0.4)
TTLS_DS = (0, 0, 1, 100, 656, 0xFFFF)
MOST_ANNOUNCED_OCTETS = 1 << 22
MECHANISMS = (b"NULL", b"PLAIN", b"CURVE", b"", b"null", b"NULL\0x", b"X" * 20)
VERSIONS = ((3, 0), (3, 2), (4, 0), (255, 255), (2, 0), (1, 0), (0, 0))
NAMES = (b"Socket-Type", b"Identity", b"X-Any", b"resource", b"", b"no name", b"n" * 255)
WORDS = (b"READY", b"WELCOME", b"HELLO", b"X", b"unknown", b"S" * 255, b"no name", b"\0")
Said = tuple[str, bytes]


def conversation(seed: int, number: int, types: Sequence[str]) -> Conversation:
    """The conversation of this number, from 0, with a socket of one of these types."""
    rng = Random(f"{seed}/{number}")
    socket_type = types[number % len(types)]
    mischief = rng.choice(MISCHIEF)
    steps: list[Step] = []
    far: dict[int, str] = {}
    for _ in range(min(MOST_STEPS, 2 + int(rng.expovariate(1 / USUAL_STEPS)))):
        steps.append(_step(rng, socket_type, far, mischief))
    return Conversation(socket_type, tuple(steps))


def _step(rng: Random, socket_type: str, far: dict[int, str], mischief: float) -> Step:
    """One more step; `far` says how far each open link has come, `mischief` how many are illegal."""
    link = rng.choice((1, 1, 1, 2, 2, MOST_LINKS))
    if link not in far:
        early = rng.random() < mischief
        far[link] = rng.choice(("greeting", "greeting", "nothing")) if early else "traffic"
        return Open(link, far[link])
    if rng.random() < 0.08:
        how = rng.choice(("close", "reset", "half-close"))
        if how != "half-close":
            del far[link]
        return End(link, how)
    if rng.random() < 0.25:
        return rng.choice(
            (Receive(), Receive(), Offer(_sizes(rng)), Silence(link, rng.choice((1, 2, 5)))),
        )
    if far[link] == "nothing":
        far[link] = "greeting"
        return Say(link, *_greeting(rng))
    if far[link] == "greeting":
        far[link] = "ready"
        return Say(link, *_ready(rng, socket_type))
    return _traffic(rng, link, socket_type, mischief)


def _traffic(rng: Random, link: int, socket_type: str, mischief: float) -> Step:
    if rng.random() < mischief:
        if rng.random() < 0.2:
            octets = rng.randbytes(rng.choice((1, 2, 3, 9, 20, 64)))
            return Say(link, f"octets {octets.hex()}", octets)
        illegal = rng.choice((_illegal_frame(rng), _illegal_command(rng, socket_type)))
        return Say(link, *illegal)
    if rng.random() < 0.5:
        cut = rng.choice((1, 2, 3, 9, 10, 40)) if rng.random() < 0.1 + mischief else None
        return Tell(link, _sizes(rng), cut, rng.random() < 0.1)
    return Say(link, *_command(rng))


def _sizes(rng: Random) -> tuple[int, ...]:
    return tuple(rng.choice(SIZES) for _ in range(rng.choice((1, 1, 2, 3, 4))))


def _greeting(rng: Random) -> Said:
    version, mechanism = rng.choice(VERSIONS), rng.choice(MECHANISMS)
    cut, octet = rng.randint(0, 63), rng.choice((1, 2, 0x55, 0xFF))
    padding = rng.randbytes(8)
    return rng.choice(
        (
            ("a good greeting", Greeting().serialize()),
            (f"a greeting with padding {padding.hex()}", Greeting(padding=padding).serialize()),
            (f"a greeting of version {version[0]}.{version[1]}", malformed.greeting_version(*version)),
            (f"a greeting with mechanism {mechanism!r}", malformed.greeting_mechanism(mechanism)),
            (f"a greeting with as-server {octet:02x}", malformed.greeting_as_server(octet)),
            (f"a greeting with filler {octet:02x}", malformed.greeting_filler(octet)),
            ("a greeting with another first octet", malformed.greeting_signature_first()),
            ("a greeting with another tenth octet", malformed.greeting_signature_last()),
            (f"the first {cut} octets of a greeting", malformed.greeting_cut(cut)),
        )
    )


def _ready(rng: Random, socket_type: str) -> Said:
    name, size, cut = rng.choice(NAMES), rng.choice((0, 1, 255, 256, 1000)), rng.randint(1, 20)
    other = rng.choice(SOCKET_TYPES)
    own = malformed.property_octets(b"Socket-Type", other.encode())
    extra = malformed.property_octets(name, b"v" * size)
    good = Ready(other).serialize()
    return rng.choice(
        (
            (f"READY as {other}", good),
            (f"READY as {other} with the property {name!r} of {size} octets", malformed.ready(own, extra)),
            ("READY without a type", malformed.ready()),
            (f"READY with the property {name!r} of {size} octets alone", malformed.ready(extra)),
            (f"READY as {other} with its type twice", malformed.ready(own, own)),
            (f"the first {cut} octets of READY as {other}", good[:cut]),
            (f"READY as {other} and {cut} octets of a property", malformed.ready(own, extra[:cut])),
            (
                f"READY as {other} whose value is announced as {size} octets",
                malformed.ready(malformed.property_octets(b"Socket-Type", other.encode(), value_size=size)),
            ),
            (f"READY as {other} in a message frame", malformed.ready_as_message(other.encode())),
        )
    )


def _ping(rng: Random, sizes: Sequence[int]) -> Said:
    context, ttl_ds = rng.randbytes(rng.choice(sizes)), rng.choice(TTLS_DS)
    words = f"PING with ttl {ttl_ds} and a context of {len(context)} octets"
    return words, malformed.ping_context(context, ttl_ds)


def _command(rng: Random) -> Said:
    context = rng.randbytes(rng.choice(CONTEXTS))
    prefix = rng.choice((b"", b"a", b"link", b"p" * 255, b"p" * 256))
    data = b"d" * rng.choice((0, 1, 3, 300))
    ping = _ping(rng, CONTEXTS)
    return rng.choice(
        (
            ping,
            ping,
            ping,
            (f"PONG with a context of {len(context)} octets", malformed.command_named(b"PONG", context)),
            (f"SUBSCRIBE to {len(prefix)} octets", malformed.command_named(b"SUBSCRIBE", prefix)),
            (f"CANCEL of {len(prefix)} octets", malformed.command_named(b"CANCEL", prefix)),
            (f"a command UNKNOWN with {len(data)} octets", malformed.command_named(b"UNKNOWN", data)),
        )
    )


def _illegal_command(rng: Random, socket_type: str) -> Said:
    name, data = rng.choice(WORDS), b"d" * rng.choice((0, 1, 3, 300))
    return rng.choice(
        (
            _ping(rng, LARGE_CONTEXTS),
            ("PING without a whole ttl", malformed.ping_cut(data[:1])),
            ("ERROR", Error(b"explored").serialize()),
            ("ERROR with a reason beyond its end", malformed.error_reason_overrun()),
            (f"READY as {socket_type} again", Ready(socket_type).serialize()),
            (f"a command {name[:9]!r} with {len(data)} octets", malformed.command_named(name, data)),
            ("a command of no octets", malformed.command_empty()),
            ("a command with an empty name", malformed.command_named(b"", data)),
            ("a command whose name leads beyond it", malformed.command_name_overrun()),
        )
    )


def _illegal_frame(rng: Random) -> Said:
    bit, body = rng.randint(3, 7), b"i" * rng.choice((0, 1, 8, 255))
    announced = rng.choice((1 << 16, 1 << 20, MOST_ANNOUNCED_OCTETS))
    before = malformed.unfinished_message(body, b"open")
    inside = malformed.interrupted_message(b"in", malformed.ping_context(b"between"), b"out")
    return rng.choice(
        (
            (f"a frame of {len(body)} octets with reserved bit {bit}", malformed.reserved_flag(bit, body)),
            ("a command with MORE", malformed.command_with_more(b"\4PING\0\0")),
            ("a small command in the long form", malformed.long_command(b"\4PING\0\0")),
            (f"{len(body)} octets of a frame of {announced}", malformed.oversized_frame(announced, body)),
            ("two frames with MORE", before),
            ("a message with PING inside", inside),
            ("a short frame cut after its header", malformed.frame(0, b"", 200)),
        )
    )
