"""Values and traces as text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.verdict import Place
from harness.wire.render import describe, render_dump, render_trace
from harness.wire.trace import Trace
from harness.zmtp import (
    Cancel,
    Command,
    Decoder,
    Error,
    Greeting,
    Hello,
    Initiate,
    LegacyGreeting,
    Message,
    Ping,
    Pong,
    Ready,
    Subscribe,
    Welcome,
    malformed,
)

VALUES: dict[str, object] = {
    "greeting 3.1 NULL": Greeting(),
    "greeting 3.0 CURVE as-server 01": Greeting((3, 0), "CURVE", 1),
    'greeting 2.0 PAIR "id"': LegacyGreeting(1, "PAIR", b"id"),
    'greeting 1.0 ""': LegacyGreeting(None),
    "READY": Ready(),
    'READY DEALER "alice"': Ready("DEALER", b"alice"),
    'READY REQ "" X-a="1" 0a=00': Ready("REQ", b"", ((b"X-a", b"1"), (b"\n", b"\0"))),
    'HELLO "admin" ""': Hello(b"admin"),
    "WELCOME": Welcome(),
    'INITIATE REQ "me"': Initiate("REQ", b"me"),
    'ERROR "no"': Error(b"no"),
    'SUBSCRIBE "abc"': Subscribe(b"abc"),
    'CANCEL ""': Cancel(b""),
    'PING ttl 0.3 s "ctx"': Ping(3, b"ctx"),
    "PING": Ping(),
    'PONG "ctx"': Pong(b"ctx"),
    'JOIN "g"': Command(b"JOIN", b"g"),
    'message ["hello", 300 octets abababababababababababab..]': Message(b"hello", b"\xab" * 300),
    'message ["say \\"\\\\\\"", 00]': Message(b'say "\\"', b"\0"),
    'message ["0", "1", "2", "3", "4", "5", "6", "7", .. 9 in all]': Message(*(b"%d" % n for n in range(9))),
    '["a", "b"]': [b"a", b"b"],
    "greeting": Greeting,
    "SUBSCRIBE": Subscribe,
    "HELLO": Hello,
    "anything": object,
}


@pytest.mark.parametrize(("text", "value"), VALUES.items(), ids=VALUES)
def test_values(text: str, value: object) -> None:
    assert describe(value) == text


def test_class_with_fields() -> None:
    assert describe(Ready, {"socket_type": "REP", "identity": b"x"}) == (
        'READY with socket-type REP, identity "x"'
    )


@given(st.binary(max_size=200), st.binary(max_size=100))
def test_nothing_sent_breaks_a_line(mechanism: bytes, rest: bytes) -> None:
    stream = malformed.greeting_mechanism(mechanism) + malformed.command_named(rest) + rest
    for received in Decoder().feed(stream):
        assert re.fullmatch(r"[ -~]+", describe(received.value))
    trace = Trace()
    number = trace.opened(("h\n", 1), ("h", 2), "\x1b[0m")
    trace.octets(number, "dialer", stream)
    trace.note("two\nlines")
    for line in (render_trace(trace) + "\n" + render_dump(trace)).split("\n"):
        assert re.fullmatch(r"[ -~]+", line)


def conversation() -> Trace:
    """A DEALER and a ROUTER on one connection; the last octets are half a frame."""
    trace = Trace()
    number = trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    trace.octets(number, "dialer", Greeting().serialize())
    trace.octets(number, "listener", Greeting().serialize())
    trace.octets(number, "dialer", Ready("DEALER", b"alice").serialize())
    trace.octets(number, "listener", Ready("ROUTER").serialize())
    trace.octets(number, "dialer", Message(b"hello").serialize())
    trace.called("peer", "send", {"parts": ["6869"]}, {"outcome": "accepted"}, trace.now_s())
    trace.octets(number, "listener", Message(b"lost").serialize() + b"\x00\x09abc")
    trace.closed(number, "listener", "fin")
    return trace


def lines_of(text: str) -> list[str]:
    return [re.sub(r"\d+\.\d ms", "T", re.sub(r" {2,}", "  ", line)).strip() for line in text.split("\n")]


def test_trace_reads_as_a_conversation() -> None:
    assert lines_of(render_trace(conversation(), Place(1, "listener", 64 + 30))) == [
        "dialer  > T greeting 3.1 NULL  listener  < T greeting 3.1 NULL",
        'dialer  > T READY DEALER "alice"  listener  < T READY ROUTER',
        'dialer  > T message ["hello"]',
        'T peer: send parts=["hi"] -> outcome=accepted (T)',
        'listener  < T message ["lost"]  <-- here',
        "listener  < T unfinished octets 0009616263",
        "listener  < T closed",
    ]


def test_mark_in_the_middle_hides_what_is_later() -> None:
    text = render_trace(conversation(), Place(1, "dialer", 0), max_events=4)
    assert lines_of(text)[0] == "dialer  > T greeting 3.1 NULL  <-- here"
    assert lines_of(text)[-1] == ".. 5 later"
    assert render_trace(conversation(), max_events=2).startswith(".. 7 earlier\n")


def test_mark_where_octets_end() -> None:
    trace = conversation()
    at_close = Place(1, "listener", len(trace.stream(1, "listener")))
    assert lines_of(render_trace(trace, at_close))[-1] == "listener  < T closed  <-- here"
    at_silence = Place(1, "dialer", len(trace.stream(1, "dialer")))
    assert lines_of(render_trace(trace, at_silence))[-1] == "dialer  > T nothing more  <-- here"


def test_several_connections_are_numbered_and_resets_named() -> None:
    trace = conversation()
    trace.closed(trace.opened(("127.0.0.1", 3), ("127.0.0.1", 2)), "dialer", "rst")
    assert lines_of(render_trace(trace))[-1] == "2  dialer  > T closed by reset"


def test_octets_that_decode_to_nothing_show_as_hex() -> None:
    trace = Trace()
    number = trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    trace.octets(number, "dialer", malformed.greeting_signature_last() + b"rest")
    trace.octets(number, "listener", Greeting().serialize() + malformed.unfinished_message(b"a"))
    text = render_trace(trace)
    assert "octets that are no ZMTP (" in text
    assert "59 octets 7d0301" in text
    assert 'unfinished message ["a"]' in text


def test_dump_has_offsets() -> None:
    dump = render_dump(conversation())
    assert "connection 1: 127.0.0.1 1 to 127.0.0.1 2" in dump
    assert "    00000040  04 2e 05 52 45 41 44 59" in dump
    assert "sent octets 0 to 63" in dump
    assert "    00000000" in dump
    assert "    00000040" not in render_dump(conversation(), max_octets=64)
