"""The connection that asks its owner: what is held back, and what comes of yes and no."""

import pytest

from harness.zmtp import (
    Asked,
    AskingConnection,
    Config,
    Error,
    Greeting,
    GreetingReceived,
    HandshakeDone,
    Hello,
    Initiate,
    Message,
    Ready,
    State,
    Welcome,
)

GREETING, READY = Greeting().serialize(), Ready("PUSH").serialize()


def asked(config: Config, octets: bytes) -> AskingConnection:
    """A connection that has got these octets and waits for its owner."""
    connection = AskingConnection(config)
    connection.start()
    connection.take_output()
    connection.receive(octets)
    assert connection.waits()
    return connection


def test_null_holds_ready_back_and_what_came_behind_the_greeting() -> None:
    connection = asked(Config("PULL", lowest=3), GREETING + READY)
    assert connection.asked == Asked("NULL")
    assert connection.take_output() == b""
    assert connection.receive(Message(b"early").serialize()) == []
    events = list(connection.admit())
    assert [type(event) for event in events] == [GreetingReceived, HandshakeDone, Message]
    assert connection.take_output() == Ready("PULL").serialize()


def test_the_greeting_is_not_held_back() -> None:
    connection = AskingConnection(Config("PULL"))
    connection.start()
    connection.receive(GREETING)
    assert connection.take_output()[10:] == Greeting().serialize()[10:]


def test_plain_asks_with_the_credentials() -> None:
    server = Config("PULL", mechanism="PLAIN", as_server=True, accepts=lambda *_: True, lowest=3)
    greeting = Greeting(mechanism="PLAIN").serialize()
    connection = asked(server, greeting + Hello(b"joe", b"secret").serialize())
    assert connection.asked == Asked("PLAIN", (b"joe", b"secret"))
    assert connection.take_output() == b""
    assert list(connection.admit()) == []
    assert connection.take_output() == Welcome().serialize()
    assert [type(event) for event in connection.receive(Initiate("PUSH").serialize())] == [HandshakeDone]


@pytest.mark.parametrize(("reason", "said"), [(b"400", Error(b"400").serialize()), (None, b"")])
def test_no_is_the_end(reason: bytes | None, said: bytes) -> None:
    connection = asked(Config("PULL", lowest=3), GREETING + READY)
    connection.refuse(reason)
    assert connection.take_output() == said
    assert connection.state is State.FAILED
    assert connection.receive(Message(b"late").serialize()) == []
