"""What must hold for any traffic and for any octets whatever (HYPOTHESIS_PROFILE: quick, ci, deep)."""

import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.zmtp import (
    AnyCommand,
    Cancel,
    Command,
    Config,
    Connection,
    Decoder,
    Error,
    Event,
    FrameParser,
    Greeting,
    LegacyGreeting,
    Message,
    Ping,
    Pong,
    Ready,
    Received,
    RemoteProtocolError,
    Subscribe,
    Undecodable,
    cancellation,
    malformed,
    subscription,
)
from harness.zmtp.grammar import LEGACY_SOCKET_TYPES, MORE, SOCKET_TYPES
from tests.zmtp.pairs import Pair, cut

# Sizes on both sides of each border of a size field, beside small ones.
BODIES = st.binary(max_size=20) | st.sampled_from([253, 254, 255, 256, 257]).map(lambda size: b"x" * size)
MESSAGES = st.lists(BODIES, min_size=1, max_size=4).map(lambda parts: Message(*parts))
NAME = st.text("ABCXYZabcxyz", min_size=1, max_size=12).map(str.encode)
KNOWN = {b"READY", b"ERROR", b"SUBSCRIBE", b"CANCEL", b"PING", b"PONG", b"JOIN", b"LEAVE"}
PROPERTIES = st.lists(
    st.tuples(st.from_regex(rb"X-[A-Za-z0-9._+-]{1,9}", fullmatch=True), BODIES), max_size=3
).map(tuple)
IDENTITIES = st.binary(max_size=255).filter(lambda octets: octets[:1] != b"\0")
READIES = st.builds(Ready, st.sampled_from(SOCKET_TYPES) | st.none(), IDENTITIES | st.none(), PROPERTIES)
IN_TRAFFIC: st.SearchStrategy[AnyCommand] = (
    st.builds(Command, NAME.filter(lambda name: name not in KNOWN), BODIES)
    | st.builds(Subscribe, BODIES)
    | st.builds(Cancel, BODIES)
    | st.builds(Ping, st.integers(0, 0xFFFF), st.binary(max_size=16))
    | st.builds(Pong, st.binary(max_size=16))
)
ERRORS = st.builds(Error, st.text("!a~Z9", max_size=255).map(str.encode))
GREETINGS = st.builds(
    Greeting,
    version=st.tuples(st.integers(3, 255), st.integers(0, 255)),
    mechanism=st.from_regex(r"[A-Z0-9._+-]{1,20}", fullmatch=True),
    padding=st.binary(min_size=8, max_size=8),
)
EIGHT = st.binary(min_size=8, max_size=8)
LEGACY = st.builds(
    LegacyGreeting, st.just(1), st.sampled_from(LEGACY_SOCKET_TYPES), IDENTITIES, EIGHT
) | st.builds(LegacyGreeting, st.none(), st.none(), IDENTITIES)
PLACES = st.lists(st.integers(0, 2000), max_size=12)
Conversation = tuple[Greeting | LegacyGreeting, list[Message | AnyCommand]]


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """One direction of a legal connection of any version."""
    greeting = draw(GREETINGS | LEGACY)
    if isinstance(greeting, LegacyGreeting):
        return greeting, list(draw(st.lists(MESSAGES, max_size=5)))
    return greeting, list(draw(st.lists(MESSAGES | READIES | IN_TRAFFIC | ERRORS, max_size=6)))


def octets_of(conversation: Conversation) -> bytes:
    greeting, values = conversation
    version = 3
    if isinstance(greeting, LegacyGreeting):
        version = 1 if greeting.revision is None else 2
    return greeting.serialize() + b"".join(value.serialize(version) for value in values)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A legal direction with a few octets changed, dropped or put in."""
    octets = bytearray(octets_of(draw(conversations())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(octets)))
        octets[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(octets)


FRAMES = st.builds(
    lambda flags, body: malformed.frame(flags, body),
    st.integers(0, 255),
    st.binary(max_size=40) | st.sampled_from([b"\5READY", b"\5ERROR\1x", b"\4PING\0\0", b"\4PONG"]),
)
FRAMED = st.lists(FRAMES, max_size=8).map(lambda frames: Greeting().serialize() + b"".join(frames))
READY_FOR_FRAMES = Greeting().serialize() + Ready("REP").serialize()
STREAMS = (
    st.binary(max_size=200)
    | st.binary(max_size=100).map(lambda octets: b"\xff" + octets)
    | st.binary(max_size=100).map(lambda octets: READY_FOR_FRAMES + octets)
    | st.binary(max_size=100).map(lambda octets: b"\x01\x00" + octets)
    | FRAMED
    | mutated()
)


def facts(received: list[Received]) -> list[object]:
    """Events by what they say: errors compare by content."""
    return [
        (
            type(each.value) if isinstance(each.value, Undecodable) else each.value,
            each.start,
            each.end,
            each.frames,
            [error.args for error in each.faults],
        )
        for each in received
    ]


def decoded(
    pieces: list[bytes], partner: int | None = 3, max_octets: int | None = None
) -> tuple[Decoder, list[Received]]:
    decoder = Decoder(partner, max_octets)
    return decoder, [received for piece in pieces for received in decoder.feed(piece)]


@given(conversations(), PLACES)
def test_legal_traffic_comes_back(conversation: Conversation, places: list[int]) -> None:
    octets = octets_of(conversation)
    decoder, received = decoded(cut(octets, places))
    greeting, *rest = received
    want, values = conversation
    assert greeting.value == want
    assert [each.value for each in rest] == values
    assert not any(each.faults for each in received)
    assert (decoder.pending, decoder.open_message, decoder.stopped) == (b"", (), False)
    ends = [0, *(each.end for each in received)]
    assert [each.start for each in received] == ends[:-1]
    assert ends[-1] == len(octets)


@given(STREAMS, PLACES, st.sampled_from([3, 1, None]), st.sampled_from([None, 30]))
@example(b"\x01\x00\x00\xff" + bytes(9), [1, 2, 3, 4, 8], 3, None)
@example(malformed.greeting_signature_last(), [9, 10, 11, 12], 3, None)
def test_decoder_takes_any_octets_in_any_pieces(
    octets: bytes, places: list[int], partner: int | None, max_octets: int | None
) -> None:
    decodes_alike(octets, places, partner, max_octets)


def decodes_alike(
    octets: bytes, places: list[int], partner: int | None = None, max_octets: int | None = None
) -> None:
    """However octets are cut, they are read as the same things, each with its place."""
    at_once, received = decoded([octets], partner, max_octets)
    for pieces in (cut(octets, places), cut(octets, range(len(octets)))):
        other, others = decoded(pieces, partner, max_octets)
        assert facts(others) == facts(received)
        assert (other.stopped, other.open_message) == (at_once.stopped, at_once.open_message)
        assert other.stopped or other.pending == at_once.pending
    assert all(0 <= each.start < each.end <= len(octets) for each in received)
    assert len(received) <= len(octets)
    assert len(at_once.pending) <= len(octets)


def strict(config: Config, pieces: list[bytes]) -> tuple[list[Event], object, bytes]:
    """Events, the error if any, else what went out. Only RemoteProtocolError may come.

    How much of our greeting is out when a partner fails depends on the pace, and may.
    """
    connection = Connection(config)
    connection.start()
    events: list[Event] = []
    for piece in pieces:
        try:
            for event in connection.events(piece):
                events.append(event)
        except RemoteProtocolError as error:
            assert connection.failed
            assert connection.receive(b"more") == []
            return events, error.args, b""
    return events, None, connection.take_output()


CONFIGS = st.builds(
    Config,
    st.sampled_from(["REQ", "ROUTER", "SUB", "PAIR"]),
    st.just(b"me"),
    st.sampled_from([(3, 1), (3, 0), (2, 0), (1, 0)]),
    st.sampled_from(["NULL", "CURVE"]),
    lowest=st.sampled_from([1, 2, 3]),
    max_octets=st.sampled_from([None, 30]),
)


@given(CONFIGS, STREAMS, PLACES)
def test_a_strict_connection_takes_any_octets_in_any_pieces(
    config: Config, octets: bytes, places: list[int]
) -> None:
    goes_alike(config, octets, places)


def goes_alike(config: Config, octets: bytes, places: list[int]) -> None:
    """However octets are cut, a strict connection does the same."""
    at_once = strict(config, [octets])
    assert strict(config, cut(octets, places)) == at_once
    assert strict(config, cut(octets, range(len(octets)))) == at_once


def as_sent(value: Message | AnyCommand, version: tuple[int, int]) -> Message | AnyCommand:
    """What a value arrives as, when the lower side speaks this version."""
    if version < (3, 1) and isinstance(value, Subscribe):
        return subscription(value.prefix)
    if version < (3, 1) and isinstance(value, Cancel):
        return cancellation(value.prefix)
    return value


@given(
    st.lists(st.tuples(st.booleans(), MESSAGES | IN_TRAFFIC), max_size=8),
    st.sampled_from([(3, 1), (3, 0)]),
    st.booleans(),
)
def test_traffic_between_two_connections(
    traffic: list[tuple[bool, Message | AnyCommand]], version: tuple[int, int], octet_by_octet: bool
) -> None:
    pair = (
        Pair(Config("PAIR"), Config("PAIR", version=version), octet_by_octet=octet_by_octet).start().clear()
    )
    for from_dialer, value in traffic:
        (pair.dialer if from_dialer else pair.listener).send(value)
    pair.settle()
    for side, events in ((True, pair.listener_events), (False, pair.dialer_events)):
        sent = [value for from_dialer, value in traffic if from_dialer is side]
        asked = [value for from_dialer, value in traffic if from_dialer is not side]
        pongs = [Pong(value.context) for value in asked if isinstance(value, Ping)]
        assert events == [*(as_sent(value, version) for value in sent), *pongs]


@given(st.lists(MESSAGES, max_size=5), st.sampled_from([(2, 0), (1, 0)]), st.booleans())
def test_messages_to_old_versions(
    messages: list[Message], version: tuple[int, int], octet_by_octet: bool
) -> None:
    pair = (
        Pair(Config("PUSH"), Config("PULL", version=version), octet_by_octet=octet_by_octet).start().clear()
    )
    for message in messages:
        pair.dialer.send(message)
    assert pair.settle().listener_events == messages


@given(st.sampled_from([1, 2, 3]), MESSAGES, st.booleans(), PLACES)
def test_frames_in_each_framing(version: int, message: Message, long: bool, places: list[int]) -> None:
    octets = message.serialize(version, long=long or None)
    parser = FrameParser(version)
    frames = []
    for piece in cut(octets, places):
        parser.extend(piece)
        while (frame := parser.read()) is not None:
            frames.append(frame)
    assert tuple(frame.body for frame in frames) == message.parts
    assert [bool(frame.flags & MORE) for frame in frames] == [True] * (len(frames) - 1) + [False]
    assert b"".join(frame.serialize(version) for frame in frames) == octets


@pytest.mark.parametrize("size", [2**20, 2**31, 2**40, 2**63 - 1])
@pytest.mark.parametrize("kind", ["message", "command", "old", "older"])
def test_nothing_is_set_aside_for_what_is_only_announced(kind: str, size: int) -> None:
    octets = {
        "message": READY_FOR_FRAMES + malformed.oversized_frame(size, b"begin"),
        "command": READY_FOR_FRAMES + malformed.frame(0x06, b"begin", size),
        "old": LegacyGreeting(1, "REP").serialize() + malformed.oversized_frame(size, b"begin"),
        "older": b"\x01\x00\xff" + size.to_bytes(8, "big") + b"\x00begin",
    }[kind]
    connection, decoder = Connection(Config("REQ")), Decoder()
    connection.start()
    tracemalloc.start()
    try:
        connection.receive(octets)
        decoder.feed(octets)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024
    assert decoder.pending.endswith(b"begin")


def test_octets_of_a_stopped_reading_are_not_kept() -> None:
    decoder = Decoder()
    decoder.feed(Greeting().serialize() + malformed.negative_size())
    connection = Connection(Config("REQ", lowest=3))
    with pytest.raises(RemoteProtocolError):
        connection.receive(b"\x00")
    tracemalloc.start()
    try:
        for _ in range(100):
            decoder.feed(bytes(100_000))
            connection.receive(bytes(100_000))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 200_000


def test_frames_of_length_zero_cost_nothing() -> None:
    decoder = Decoder()
    decoder.feed(b"\x01\x00")
    received = decoder.feed(bytes(1_000_000))
    assert len(received) == 1
    assert decoder.pending == b""
