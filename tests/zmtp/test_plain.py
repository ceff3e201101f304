"""PLAIN: its commands, both sides of its handshake, and every turn that is not the partner's."""

import itertools

import pytest

from harness.zmtp import (
    AnyCommand,
    Command,
    Config,
    Connection,
    Decoder,
    Error,
    Greeting,
    GreetingReceived,
    HandshakeDone,
    Hello,
    Initiate,
    LegacyGreeting,
    LocalProtocolError,
    Message,
    Ping,
    Ready,
    RemoteProtocolError,
    State,
    Undecodable,
    Welcome,
    malformed,
)
from harness.zmtp.handshake import TURNS, PlainHandshake, Turn
from tests.zmtp.pairs import Pair
from tests.zmtp.test_malformed import named

CLIENT = Config("DEALER", b"me", mechanism="PLAIN", username=b"admin", password=b"secret")
SERVER = Config(
    "ROUTER", mechanism="PLAIN", as_server=True, accepts=lambda *given: given == (b"admin", b"secret")
)
OF_CLIENT = Greeting(mechanism="PLAIN").serialize()
OF_SERVER = Greeting(mechanism="PLAIN", as_server=1).serialize()
BODY = 64
HELLO = Hello(b"admin", b"secret").serialize()
INITIATE = Initiate("DEALER").serialize()
READY = Ready("ROUTER").serialize()
WELCOME = Welcome().serialize()
PACES = pytest.mark.parametrize("octet_by_octet", [False, True], ids=["at-once", "octet-by-octet"])


def fails(config: Config, octets: bytes) -> tuple[str, int | None, bytes]:
    """The clause and offset that a connection fails with, and what it had sent behind its greeting."""
    connection = Connection(config)
    connection.start()
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive(octets)
    assert connection.failed
    return caught.value.clause, caught.value.offset, connection.take_output()[BODY:]


class TestCommands:
    def test_octets(self) -> None:
        assert HELLO == b"\x04\x13\x05HELLO\x05admin\x06secret"
        assert WELCOME == b"\x04\x08\x07WELCOME"
        assert INITIATE == b"\x04\x1f\x08INITIATE\x0bSocket-Type\0\0\0\x06DEALER"
        assert Hello(b"u" * 255, b"p" * 255).serialize()[:10] == b"\x06" + bytes(6) + b"\x02\x06\x05"

    @pytest.mark.parametrize("octets", [b"a b", b"\0", b"\x7f", "ü".encode(), b"x" * 256])
    def test_credentials_that_cannot_be_sent(self, octets: bytes) -> None:
        for hello, clause in ((Hello(octets), "24/abnf/username"), (Hello(b"", octets), "24/abnf/password")):
            with pytest.raises(LocalProtocolError) as caught:
                hello.serialize()
            assert caught.value.clause == clause
        with pytest.raises(LocalProtocolError):
            Connection(Config("REQ", mechanism="PLAIN", username=octets))

    def test_only_plain_has_them(self) -> None:
        octets = HELLO + WELCOME + INITIATE
        plain = [each.value for each in Decoder().feed(OF_CLIENT + octets)][1:]
        assert plain == [Hello(b"admin", b"secret"), Welcome(), Initiate("DEALER")]
        for other in ("NULL", "GSSAPI"):
            received = Decoder().feed(Greeting(mechanism=other).serialize() + octets)[1:]
            assert {type(each.value) for each in received} == {Command}
            assert not any(each.faults for each in received)

    def test_ready_and_initiate_differ(self) -> None:
        assert {Ready("REQ"), Initiate("REQ")} == {Initiate("REQ"), Ready("REQ")}
        assert len({Ready("REQ"), Initiate("REQ"), Ready("REQ")}) == 2


# Builder, its octets, the clause and the offset of the fault behind the greeting.
ILLEGAL = [
    ("hello", malformed.hello(b"admin", b"secret", username_size=200), "24/abnf/hello", 8),
    ("hello", malformed.hello(b"admin", b"secret", username_size=12), "24/abnf/hello", 21),
    ("hello", malformed.hello(b"admin", b"secret", password_size=7), "24/abnf/hello", 14),
    ("hello", malformed.hello(b"admin", b"secret", password_size=5), "24/abnf/hello", 20),
    ("hello", malformed.hello(b"admin", b"secret", more=b"\0"), "24/abnf/hello", 21),
    ("hello", malformed.hello(b"ad in", b"secret"), "24/abnf/username", 9),
    ("hello", malformed.hello(b"admin", b"\0"), "24/abnf/password", 15),
    ("hello_cut", malformed.hello_cut(), "24/abnf/hello", 8),
    ("hello_cut", malformed.hello_cut(b"\x05admin"), "24/abnf/hello", 14),
    ("hello_padded", malformed.hello_padded(b"admin", b"secret"), "37/abnf/command-name", 2),
    ("welcome_with_data", malformed.welcome_with_data(), "24/abnf/welcome", 10),
    ("initiate", malformed.initiate(b"\x05short"), "37/null/abnf-property", 11),
]
TOLERATED = ("24/abnf/username", "24/abnf/password")


@pytest.mark.parametrize(("builder", "octets", "clause", "offset"), ILLEGAL)
def test_illegal_commands(builder: str, octets: bytes, clause: str, offset: int) -> None:
    assert clause in named(builder)
    [received] = Decoder().feed(OF_CLIENT + octets)[1:]
    assert [(fault.clause, fault.offset) for fault in received.faults] == [(clause, BODY + offset)]
    assert isinstance(received.value, Undecodable) is (clause not in TOLERATED)
    config, greeting = (CLIENT, OF_SERVER) if builder == "welcome_with_data" else (SERVER, OF_CLIENT)
    if clause not in TOLERATED:
        assert fails(config, greeting + octets)[:2] == (clause, BODY + offset)


def test_other_characters_are_compared_as_they_are() -> None:
    octets = OF_CLIENT + malformed.hello(b"ad min", b"\xff\0")
    server = Connection(Config("REP", mechanism="PLAIN", as_server=True, accepts=lambda *_: True))
    server.receive(octets)
    assert server.take_output().endswith(WELCOME)
    assert fails(SERVER, octets)[0] == "24/flow/server-reject-close"


class TestHandshake:
    @PACES
    @pytest.mark.parametrize("server_dials", [False, True])
    def test_both_sides(self, octet_by_octet: bool, server_dials: bool) -> None:
        ends = (SERVER, CLIENT) if server_dials else (CLIENT, SERVER)
        pair = Pair(*ends, octet_by_octet=octet_by_octet).start()
        of_client, of_server = (bytes(pair.dialer_sent), bytes(pair.listener_sent))
        at_client, at_server = pair.dialer_events, pair.listener_events
        if server_dials:
            of_client, of_server, at_client, at_server = of_server, of_client, at_server, at_client
        assert of_client[BODY:] == HELLO + Initiate("DEALER", b"me").serialize()
        assert of_server[BODY:] == WELCOME + Ready("ROUTER", b"").serialize()
        assert (of_client[32], of_server[32]) == (0, 1)
        assert [type(event) for event in at_client] == [GreetingReceived, HandshakeDone]
        done = at_server[1]
        assert isinstance(done, HandshakeDone)
        assert (done.socket_type, done.identity) == ("DEALER", b"me")
        pair.clear()
        pair.dialer.send(Message(b"there"))
        pair.listener.send(Message(b"back"))
        pair.settle()
        assert (pair.listener_events, pair.dialer_events) == ([Message(b"there")], [Message(b"back")])

    @pytest.mark.parametrize("hello", [Hello(), Hello(b"admin"), Hello(b"secret", b"admin")], ids=str)
    def test_bad_credentials_get_error_and_no_welcome(self, hello: Hello) -> None:
        clause, offset, sent = fails(SERVER, OF_CLIENT + hello.serialize() + INITIATE)
        assert (clause, offset) == ("24/flow/server-reject-close", BODY)
        assert sent == Error(b"Access-denied").serialize()

    def test_a_server_without_a_list_accepts_nobody(self) -> None:
        config = Config("ROUTER", mechanism="PLAIN", as_server=True)
        assert fails(config, OF_CLIENT + Hello().serialize())[0] == "24/flow/server-reject-close"

    @pytest.mark.parametrize("octets", [b"", b"~" * 255], ids=["empty", "longest"])
    def test_the_longest_and_the_shortest(self, octets: bytes) -> None:
        good = (octets, octets)
        config = Config("PULL", mechanism="PLAIN", as_server=True, accepts=lambda *given: given == good)
        server = Connection(config)
        server.receive(OF_CLIENT + Hello(*good).serialize())
        assert server.take_output()[BODY:] == WELCOME

    def test_nothing_is_said_before_it_is_asked_for(self) -> None:
        server, client = Connection(SERVER), Connection(CLIENT)
        server.receive(OF_CLIENT)
        client.receive(OF_SERVER)
        assert server.take_output()[BODY:] == b""
        assert client.take_output()[BODY:] == HELLO
        for connection in (server, client):
            for value in (Message(b"early"), Command(b"EARLY")):
                with pytest.raises(LocalProtocolError):
                    connection.send(value)

    def test_its_commands_have_no_place_in_traffic(self) -> None:
        server = Connection(SERVER)
        server.receive(OF_CLIENT + HELLO + INITIATE)
        commands: list[AnyCommand] = [Hello(), Welcome(), Initiate(), Ready()]
        for command in commands:
            with pytest.raises(LocalProtocolError):
                server.send(command)
        again = HELLO + READY + Message(b"on").serialize()
        assert server.receive(again) == [Hello(b"admin", b"secret"), Message(b"on")]

    def test_socket_types_are_checked(self) -> None:
        clause, offset, sent = fails(SERVER, OF_CLIENT + HELLO + Initiate("PUSH").serialize())
        assert (clause, offset) == ("37/sockettype/enforce-type", BODY + len(HELLO))
        assert sent == WELCOME + Error(b"Invalid-socket-type").serialize()
        clause, offset, sent = fails(CLIENT, OF_SERVER + WELCOME + Ready("PUSH").serialize())
        assert (clause, offset) == ("37/sockettype/enforce-type", BODY + len(WELCOME))
        assert sent == HELLO + Initiate("DEALER", b"me").serialize()  # a client has no ERROR

    def test_error_ends_it(self) -> None:
        for octets in (Error(b"400").serialize(), WELCOME + Error(b"400").serialize()):
            client = Connection(CLIENT)
            assert client.receive(OF_SERVER + octets)[1:] == [Error(b"400")]
            assert client.failed

    def test_two_of_a_kind(self) -> None:
        assert fails(SERVER, OF_SERVER)[:2] == ("24/flow/role-clash", 32)
        assert fails(CLIENT, OF_CLIENT + HELLO)[:2] == ("24/flow/order-enforced", BODY)

    def test_a_server_may_forget_to_say_so(self) -> None:
        client = Connection(CLIENT)
        client.receive(OF_CLIENT + WELCOME + READY)
        assert client.state is State.TRAFFIC

    def test_an_old_partner_cannot_be_secure(self) -> None:
        for config in (SERVER, CLIENT):
            assert fails(config, LegacyGreeting(1, "DEALER").serialize())[0] == "37/interop/d10-secure-close"

    def test_null_has_no_server(self) -> None:
        with pytest.raises(LocalProtocolError) as caught:
            Connection(Config("REQ", as_server=True))
        assert caught.value.clause == "37/null/as-server-zero"


# What is awaited, and what has to come before to await it.
BEFORE = {
    Turn.HELLO: (SERVER, OF_CLIENT),
    Turn.INITIATE: (SERVER, OF_CLIENT + HELLO),
    Turn.WELCOME: (CLIENT, OF_SERVER),
    Turn.READY: (CLIENT, OF_SERVER + WELCOME),
}
VALUES: list[Message | AnyCommand] = [
    Hello(b"admin", b"secret"), Welcome(), Initiate("DEALER"), Ready("ROUTER"), Message(b""), Ping(),
    Command(b"BOGUS"),
]  # fmt: skip


@pytest.mark.parametrize(("turn", "value"), list(itertools.product(BEFORE, VALUES)), ids=str)
def test_every_turn(turn: Turn, value: Message | AnyCommand) -> None:
    config, before = BEFORE[turn]
    octets = before + value.serialize()
    if (turn, type(value)) not in TURNS:
        assert fails(config, octets)[:2] == ("24/flow/order-enforced", len(before))
        return
    connection = Connection(config)
    connection.receive(octets)
    done = TURNS[turn, type(value)] is Turn.TRAFFIC
    assert connection.state is (State.TRAFFIC if done else State.HANDSHAKE)


def test_the_table_of_turns() -> None:
    assert {turn.value: kind.__name__.upper() for turn, kind in TURNS} == {
        turn.value: turn.value for turn in Turn if turn is not Turn.TRAFFIC
    }
    server = PlainHandshake(None, None)
    assert server.turn is Turn.HELLO
    assert PlainHandshake(Hello(), None).turn is Turn.WELCOME
