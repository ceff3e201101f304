"""CURVE in captures: what each kind of key opens."""

from __future__ import annotations

import pytest

from harness.capture.judge import Judged, judge_trace
from harness.capture.opening import Keys, parse_key
from harness.curve import Client, KeyPair, Server
from harness.wire.trace import Trace
from harness.zmtp import Cover, Greeting, Message
from harness.zmtp.metadata import serialize_properties

SERVER, CLIENT, OF_SERVER, OF_CLIENT = (KeyPair.of(bytes([n]) * 32) for n in range(1, 5))


def conversation(server_type: bytes = b"PULL") -> Trace:
    """A client PUSH that says hello to a server, which may not answer, but does."""
    trace = Trace()
    number = trace.opened(("127.0.0.1", 1), ("127.0.0.1", 2))
    client, server = Client(CLIENT, SERVER.public, OF_CLIENT), Server(SERVER, OF_SERVER)
    trace.octets(number, "dialer", Greeting(mechanism="CURVE").serialize())
    trace.octets(number, "listener", Greeting(mechanism="CURVE", as_server=1).serialize())
    says = {"client": serialize_properties([(b"Socket-Type", b"PUSH")])}
    says["server"] = serialize_properties([(b"Socket-Type", server_type)])
    hello = client.begin()
    assert hello is not None
    trace.octets(number, "dialer", hello.serialize())
    welcome, _ = server.answer(hello, says["server"])
    assert welcome is not None
    trace.octets(number, "listener", welcome.serialize())
    initiate, _ = client.answer(welcome, says["client"])
    assert initiate is not None
    trace.octets(number, "dialer", initiate.serialize())
    ready, _ = server.answer(initiate, says["server"])
    assert ready is not None
    trace.octets(number, "listener", ready.serialize())
    client.answer(ready, says["client"])
    trace.octets(number, "dialer", Cover(client).seal(Message(b"hello", b"there")))
    trace.octets(number, "listener", Cover(server).seal(Message(b"a PULL says")))
    return trace


def texts(judged: Judged) -> list[str]:
    return [shown.text for shown in judged.reports[0].first]


KEYS = {
    "server's transient": Keys([OF_SERVER.secret]),
    "client's transient, server's public": Keys([OF_CLIENT.secret], [SERVER.public]),
    "client's transient, server's secret": Keys([SERVER.secret, OF_CLIENT.secret]),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_transient_key_opens_the_session(name: str) -> None:
    judged = judge_trace(conversation(), "x", KEYS[name])
    assert 'message ["hello", "there"]' in texts(judged)
    assert "READY PULL" in texts(judged)
    (report,) = judged.reports
    assert [each.clause for each in report.broken] == ["30/pull/receive-only"]
    assert report.ends["dialer"].socket_type == "PUSH"
    assert "opens this session" in report.notes[0]


@pytest.mark.parametrize(
    ("secret", "what"), [(SERVER.secret, "HELLO and WELCOME"), (bytes(31) + b"\1", "nothing")]
)
def test_permanent_keys_do_not_open_it_and_that_is_said(secret: bytes, what: str) -> None:
    judged = judge_trace(conversation(), "x", Keys([secret]))
    assert judged.reports[0].broken == []
    assert f"{what} open" in judged.reports[0].notes[0]
    assert "no capture shows" in judged.reports[0].notes[0]


def test_without_keys_the_boxes_stay_closed() -> None:
    judged = judge_trace(conversation(), "x", Keys())
    assert judged.reports[0].broken == []
    assert "MESSAGE of CURVE" in texts(judged)


def test_keys_as_text() -> None:
    # The test vector of RFC 32 stands for 8 octets; here are 32 of them.
    assert parse_key("HelloWorld" * 4) == bytes.fromhex("864FD26FB559F75B") * 4
    assert parse_key("ab" * 32) == b"\xab" * 32
