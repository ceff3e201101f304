"""Every builder of illegal octets breaks the rule that it names, and no other."""

import inspect
import re
from collections.abc import Callable

import pytest

from harness.zmtp import Config, Connection, Decoder, Greeting, Ping, Ready, RemoteProtocolError, malformed
from harness.zmtp.connection import TOLERATED

HELLO = Greeting().serialize()
BODY = len(HELLO)  # where the first frame begins, after the greeting
READY = Ready("DEALER").serialize()

# Builder, its octets, and the offset of the fault (in the whole stream).
IN_GREETING = [
    ("greeting_mechanism", malformed.greeting_mechanism(b"null"), 12),
    ("greeting_mechanism", malformed.greeting_mechanism(b"NU\0L"), 12),
    ("greeting_as_server", malformed.greeting_as_server(2), 32),
    ("greeting_filler", malformed.greeting_filler(), 33),
    ("greeting_signature_last", malformed.greeting_signature_last(), 9),
]
IN_FRAMES = [
    *[("reserved_flag", malformed.reserved_flag(bit), 0) for bit in range(3, 8)],
    ("command_with_more", malformed.command_with_more(b"\x04PONG"), 0),
    ("long_command", malformed.long_command(b"\x04PONG"), 0),
    ("negative_size", malformed.negative_size(), 0),
    (
        "interrupted_message",
        malformed.interrupted_message(b"a", Ping().serialize(), b"b"),
        3,
    ),
    ("command_empty", malformed.command_empty(), 2),
    ("command_name_overrun", malformed.command_name_overrun(), 2),
    ("command_named", malformed.command_named(b"A-B"), 3),
    ("command_named", malformed.command_named(b"A" * 254 + b"\0"), 10),
    ("ready", malformed.ready(b"\x05short"), 8),
    ("property_octets", malformed.ready(malformed.property_octets(b"a", b"b", value_size=9)), 10),
    ("property_octets", malformed.ready(malformed.property_octets(b"a", b"b", name_size=9)), 8),
    ("error_reason_overrun", malformed.error_reason_overrun(), 8),
    ("ping_cut", malformed.ping_cut(), 7),
    ("ping_cut", malformed.ping_cut(b""), 7),
    ("ping_context", malformed.ping_context(bytes(17)), 9),
]
# Violations that only a strict connection sees, because each octet by itself is legal.
ONLY_STRICT = [
    ("greeting_signature_first", malformed.greeting_signature_first(), 0),
    ("greeting_signature_first", malformed.greeting_signature_first(0), 0),
    ("greeting_signature_even", malformed.greeting_signature_even(), 9),
    ("greeting_version", malformed.greeting_version(0), 10),
    ("greeting_version", malformed.greeting_version(1), 10),
    ("greeting_version", malformed.greeting_version(2), 10),
    ("ready_as_message", HELLO + malformed.ready_as_message(b"DEALER"), BODY),
    ("oversized_frame", HELLO + READY + malformed.oversized_frame(2**40), BODY + len(READY)),
]
# Octets of ZMTP 2.0 and 1.0, and the rule that each breaks.
OF_OLD_VERSIONS = [
    ("greeting_of_2_0", malformed.greeting_of_2_0(9), "15/grammar/abnf-socket-type", 11),
    ("greeting_of_2_0", malformed.greeting_of_2_0(6, identity_flags=1), "15/grammar/abnf-identity", 12),
    ("frame_of_1_0", malformed.frame_of_1_0(0, b"", 0), "13/framing/len-min-one", 0),
]
NOT_COMPLETE = [
    ("greeting_cut", malformed.greeting_cut(63)),
    ("unfinished_message", HELLO + READY + malformed.unfinished_message(b"a", b"b")),
]
# Says nothing illegal by itself; the others are made of it.
MADE_OF = {"frame"}
# Shown in test_plain.
UNDER_PLAIN = {"hello", "hello_cut", "hello_padded", "welcome_with_data", "initiate"}


def named(builder: str) -> set[str]:
    """The clauses that a builder's docstring names."""
    return set(re.findall(r"\d+/[a-z0-9-]+/[a-z0-9-]+", inspect.getdoc(getattr(malformed, builder)) or ""))


def strict(octets: bytes) -> RemoteProtocolError | None:
    connection = Connection(Config("ROUTER", lowest=3, max_octets=1 << 20))
    connection.start()
    try:
        connection.receive(octets)
    except RemoteProtocolError as error:
        assert connection.failed
        return error
    return None


def test_no_builder_is_left_out() -> None:
    builders: dict[str, Callable[..., bytes]] = {
        name: value
        for name, value in vars(malformed).items()
        if inspect.isfunction(value) and value.__module__ == malformed.__name__ and not name.startswith("_")
    }
    rows = [*IN_GREETING, *IN_FRAMES, *ONLY_STRICT, *NOT_COMPLETE, *OF_OLD_VERSIONS]
    assert {row[0] for row in rows} | MADE_OF | UNDER_PLAIN == set(builders)
    assert all(named(name) for name in builders if name not in MADE_OF)


@pytest.mark.parametrize(("builder", "octets", "offset"), IN_GREETING)
def test_decoder_finds_it_in_the_greeting(builder: str, octets: bytes, offset: int) -> None:
    faults = [fault for received in Decoder().feed(octets) for fault in received.faults]
    assert {(fault.clause, fault.offset) for fault in faults} == {
        (clause, offset) for clause in named(builder)
    }
    error = strict(octets)
    assert error is not None
    assert (error.clause, error.offset) == (faults[0].clause, offset)


@pytest.mark.parametrize(("builder", "octets", "offset"), IN_FRAMES)
def test_decoder_finds_it_in_the_frames(builder: str, octets: bytes, offset: int) -> None:
    faults = [fault for received in Decoder().feed(HELLO + octets) for fault in received.faults]
    assert [fault.offset for fault in faults] == [BODY + offset]
    assert faults[0].clause in named(builder)


@pytest.mark.parametrize(("builder", "octets", "offset"), IN_FRAMES)
def test_a_strict_connection_refuses_it_in_traffic(builder: str, octets: bytes, offset: int) -> None:
    error = strict(HELLO + READY + octets)
    if named(builder) & TOLERATED:
        assert error is None
        return
    assert error is not None
    assert error.clause in named(builder)
    assert error.offset == BODY + len(READY) + offset


@pytest.mark.parametrize(("builder", "octets", "offset"), ONLY_STRICT)
def test_a_strict_connection_finds_the_rest(builder: str, octets: bytes, offset: int) -> None:
    error = strict(octets)
    assert error is not None
    assert (error.clause in named(builder), error.offset) == (True, offset)


@pytest.mark.parametrize(("builder", "octets"), NOT_COMPLETE)
def test_what_is_not_complete_is_only_that(builder: str, octets: bytes) -> None:
    decoder = Decoder()
    assert not any(received.faults for received in decoder.feed(octets))
    assert decoder.pending or decoder.open_message
    assert strict(octets) is None


def test_oversize_is_seen_before_the_body() -> None:
    decoder = Decoder(max_octets=100)
    [_, received] = decoder.feed(HELLO + malformed.oversized_frame(101))
    assert [(fault.clause, fault.offset) for fault in received.faults] == [("37/framing/size-ranges", BODY)]
    assert decoder.stopped
    assert decoder.feed(bytes(100)) == []
    assert not Decoder(max_octets=100).feed(HELLO + malformed.frame(0x02, bytes(100)))[1].faults


@pytest.mark.parametrize("version", [(3, 2), (4, 0), (255, 255)])
def test_later_versions_may_use_what_is_reserved_now(version: tuple[int, int]) -> None:
    octets = bytearray(malformed.greeting_filler())
    octets[10:12] = bytes(version)
    octets[32] = 7
    assert not Decoder().feed(bytes(octets))[0].faults
    assert strict(bytes(octets)) is None


@pytest.mark.parametrize(("builder", "octets", "clause", "offset"), OF_OLD_VERSIONS)
def test_decoder_finds_it_in_old_versions(builder: str, octets: bytes, clause: str, offset: int) -> None:
    decoder = Decoder(None if builder == "frame_of_1_0" else 1)
    faults = [fault for received in decoder.feed(octets + b"\1\0") for fault in received.faults]
    assert [(fault.clause, fault.offset) for fault in faults] == [(clause, offset)]


def test_octets_of_old_versions_can_be_legal() -> None:
    for octets, version in ((malformed.greeting_of_2_0(6), 1), (malformed.frame_of_1_0(0, b"bob"), None)):
        (received,) = Decoder(version).feed(octets)
        assert received.faults == ()
