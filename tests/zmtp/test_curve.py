"""CURVE: its commands as octets, both sides of its handshake, what does not open, and every wrong turn."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.curve import Client, KeyPair, Server, tampered
from harness.zmtp import (
    Boxed,
    Command,
    Config,
    Connection,
    CurveHello,
    CurveInitiate,
    CurveMessage,
    CurveReady,
    CurveWelcome,
    Decoder,
    Error,
    Greeting,
    GreetingReceived,
    HandshakeDone,
    Initiate,
    LocalProtocolError,
    Message,
    Ping,
    Pong,
    Ready,
    RemoteProtocolError,
    State,
    Subscribe,
    Undecodable,
    malformed,
)
from harness.zmtp.handshake import CURVE_TURNS, Turn
from tests.zmtp.pairs import Pair

KEYS, SERVERS, OTHERS = (KeyPair.of(bytes([n]) * 32) for n in (1, 2, 3))
CLIENT = Config("DEALER", b"me", mechanism="CURVE", curve=lambda: Client(KEYS, SERVERS.public))
SERVER = Config("ROUTER", mechanism="CURVE", as_server=True, curve=lambda: Server(SERVERS))
OF_CLIENT = Greeting(mechanism="CURVE").serialize()
OF_SERVER = Greeting(mechanism="CURVE", as_server=1).serialize()
METADATA = Initiate("DEALER").to_command().data
SIZES: dict[type[Boxed], int] = {
    CurveHello: 200,
    CurveWelcome: 168,
    CurveInitiate: 257,
    CurveReady: 30,
    CurveMessage: 33,
}


def least(kind: type[Boxed]) -> Boxed:
    return kind(**{name: bytes(size) for name, size in kind.SIZES.items() if name != "version"})


def fed(config: Config, *octets: bytes) -> Connection:
    connection = Connection(config)
    connection.start()
    for each in octets:
        connection.receive(each)
    return connection


def welcomed() -> tuple[Connection, Client]:
    """A server, and a client of our own that has its WELCOME."""
    client = Client(KEYS, SERVERS.public)
    server = fed(SERVER, OF_CLIENT, client.hello().serialize())
    welcome = Decoder().feed(OF_SERVER + server.take_output()[64:])[1].value
    assert isinstance(welcome, CurveWelcome)
    client.take_welcome(welcome)
    return server, client


def clause_of(connection: Connection, octets: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive(octets)
    assert connection.failed
    assert caught.value.offset is not None
    return caught.value.clause


class TestCommands:
    @pytest.mark.parametrize(("kind", "size"), SIZES.items())
    def test_sizes(self, kind: type[Boxed], size: int) -> None:
        body = least(kind).to_command().body()
        assert len(body) == size
        for wrong in (body[:-1], *([] if kind.OPEN else [body + b"\0"])):
            [received] = Decoder().feed(OF_CLIENT + malformed.long_command(wrong))[1:]
            assert isinstance(received.value, Undecodable)
            assert received.value.reason.clause == kind.rule()
        [received] = Decoder().feed(OF_CLIENT + least(kind).serialize())[1:]
        assert type(received.value) is kind

    @pytest.mark.parametrize("kind", SIZES)
    def test_fields_of_another_size_cannot_be_sent(self, kind: type[Boxed]) -> None:
        for name, size in kind.SIZES.items():
            with pytest.raises(LocalProtocolError):
                replace(least(kind), **{name: bytes(size - 1)}).serialize()

    def test_only_curve_has_them(self) -> None:
        octets = least(CurveHello).serialize()
        [received] = Decoder().feed(Greeting().serialize() + octets)[1:]
        assert type(received.value) is Command

    def test_what_hello_says_in_the_clear(self) -> None:
        for field, clause in (("version", "26/abnf/hello-version"), ("padding", "26/abnf/hello-padding")):
            octets = tampered(least(CurveHello), field).serialize()
            [received] = Decoder().feed(OF_CLIENT + octets)[1:]
            assert [fault.clause for fault in received.faults] == [clause]

    def test_a_message_in_either_frame(self) -> None:
        body = least(CurveMessage).to_command().body()
        octets = malformed.frame(0, body) + malformed.frame(4, body) + Message(b"x", body).serialize()
        received = [each.value for each in Decoder().feed(OF_CLIENT + octets)][1:]
        assert received == [least(CurveMessage), least(CurveMessage), Message(b"x", body)]


class TestHandshake:
    @pytest.mark.parametrize("octet_by_octet", [False, True], ids=["at-once", "octet-by-octet"])
    @pytest.mark.parametrize("server_dials", [False, True])
    def test_both_sides(self, octet_by_octet: bool, server_dials: bool) -> None:
        ends = (SERVER, CLIENT) if server_dials else (CLIENT, SERVER)
        pair = Pair(*ends, octet_by_octet=octet_by_octet).start()
        at_client, at_server = pair.dialer_events, pair.listener_events
        of_client, of_server = bytes(pair.dialer_sent), bytes(pair.listener_sent)
        if server_dials:
            at_client, at_server, of_client, of_server = at_server, at_client, of_server, of_client
        assert [type(event) for event in at_client] == [GreetingReceived, HandshakeDone]
        done = at_server[1]
        assert isinstance(done, HandshakeDone)
        assert (done.socket_type, done.identity) == ("DEALER", b"me")
        kinds = [[type(each.value) for each in Decoder().feed(sent)][1:] for sent in (of_client, of_server)]
        assert kinds == [[CurveHello, CurveInitiate], [CurveWelcome, CurveReady]]
        for public in (KEYS.public, KEYS.secret, b"DEALER"):
            assert public not in of_client + of_server
        pair.clear()
        pair.dialer.send(Message(b"there", b"", bytes(300)))
        pair.listener.send(Ping(0, b"x"))
        pair.settle()
        assert pair.listener_events == [Message(b"there", b"", bytes(300)), Pong(b"x")]
        assert pair.dialer_events == [Ping(0, b"x")]

    def test_subscriptions_travel_in_boxes(self) -> None:
        pair = Pair(replace(CLIENT, socket_type="SUB"), replace(SERVER, socket_type="PUB")).start().clear()
        pair.dialer.send(Subscribe(b"news"))
        pair.settle()
        assert pair.listener_events == [Subscribe(b"news")]
        assert b"news" not in pair.dialer_sent

    def test_curve_without_keys(self) -> None:
        keyless = fed(Config("REQ", mechanism="CURVE"))
        assert clause_of(keyless, OF_SERVER) == "26/overview/client-knows-server"

    def test_two_servers(self) -> None:
        assert clause_of(fed(SERVER), OF_SERVER) == "25/impl/as-server-role"

    @pytest.mark.parametrize("server", [False, True])
    def test_the_table_of_turns(self, server: bool) -> None:
        kinds: list[type[Boxed]] = list(SIZES)
        first = Turn.HELLO if server else Turn.WELCOME
        for kind in kinds:
            if (first, kind) not in CURVE_TURNS:
                connection = fed(SERVER if server else CLIENT, OF_CLIENT if server else OF_SERVER)
                assert clause_of(connection, least(kind).serialize()) == "26/overview/flow"
        assert len(CURVE_TURNS) == 4

    def test_a_partner_of_the_wrong_type(self) -> None:
        server, client = welcomed()
        initiate = client.initiate(Initiate("PUSH").to_command().data)
        assert clause_of(server, initiate.serialize()) == "37/sockettype/enforce-type"
        assert server.take_output() == Error(b"Invalid-socket-type").serialize()

    def test_error_ends_it(self) -> None:
        client = fed(CLIENT, OF_SERVER)
        assert client.receive(Error(b"no").serialize()) == [Error(b"no")]
        assert client.failed


def initiates(client: Client) -> dict[str, tuple[CurveInitiate, str]]:
    good = client.initiate(METADATA)
    return {
        "box": (tampered(good), "26/initiate/server-rejects"),
        "nonce": (tampered(good, "nonce"), "26/initiate/server-rejects"),
        "cookie": (tampered(good, "cookie"), "26/welcome/cookie-box"),
        "cookie-nonce": (tampered(good, "cookie", 0), "26/welcome/cookie-box"),
        "vouch": (client.initiate(METADATA, vouch=bytes(96)), "26/initiate/server-rejects"),
        "vouch-for-another-key": (
            client.initiate(METADATA, vouch=client.vouch(transient=OTHERS.public)),
            "26/initiate/vouch-content",
        ),
        "vouch-for-another-server": (
            client.initiate(METADATA, vouch=client.vouch(server=OTHERS.public)),
            "26/initiate/vouch-content",
        ),
        "metadata": (client.initiate(METADATA[:-1]), "37/null/abnf-value"),
        "nonce-again": (client.initiate(METADATA, nonce=(1).to_bytes(8)), "26/hello/server-drops-reuse"),
        "nonce-back": (client.initiate(METADATA, nonce=bytes(8)), "26/hello/server-checks-nonce"),
    }


@pytest.mark.parametrize("wrong", initiates(welcomed()[1]))
def test_initiates_that_are_refused(wrong: str) -> None:
    server, client = welcomed()
    initiate, clause = initiates(client)[wrong]
    assert clause_of(server, initiate.serialize()) == clause
    assert server.take_output() == b""


HELLOS: dict[str, tuple[Callable[[Client], CurveHello], str]] = {
    "box": (lambda client: tampered(client.hello()), "26/hello/server-rejects"),
    "key": (lambda client: tampered(client.hello(), "client"), "26/hello/server-rejects"),
    "no-key": (lambda client: replace(client.hello(), client=bytes(32)), "26/hello/server-rejects"),
    "signature": (lambda client: client.hello(signature=b"\1" * 64), "26/hello/signature-zeros"),
    "server": (lambda client: client.hello(server=OTHERS.public), "26/hello/server-rejects"),
    "version": (lambda client: tampered(client.hello(), "version"), "26/abnf/hello-version"),
}


@pytest.mark.parametrize("wrong", HELLOS)
def test_hellos_that_are_refused(wrong: str) -> None:
    make, clause = HELLOS[wrong]
    hello = make(Client(KEYS, SERVERS.public))
    assert clause_of(fed(SERVER, OF_CLIENT), hello.serialize()) == clause


def test_a_client_leaves_a_server_with_another_key() -> None:
    pair = Pair(CLIENT, replace(SERVER, curve=lambda: Server(OTHERS)))
    with pytest.raises(RemoteProtocolError) as caught:
        pair.start()
    assert caught.value.clause == "26/hello/server-rejects"


def in_traffic() -> tuple[Connection, Client]:
    server, client = welcomed()
    server.receive(client.initiate(METADATA).serialize())
    assert server.state is State.TRAFFIC
    server.take_output()
    return server, client


def test_messages_that_are_refused() -> None:
    good = in_traffic()[1].seal(b"\0x")
    assert len(good.to_command().body()) == 34
    for wrong, clause in (
        (lambda client: tampered(client.seal(b"\0x")), "26/message/recipient-rejects"),
        (lambda client: client.seal(b"\0x", prefix=b"CurveZMQMESSAGES"), "26/message/recipient-rejects"),
        (lambda client: client.seal(b"\0x", prefix=b"CurveZMQMESSAGE-"), "26/message/recipient-rejects"),
        (lambda client: client.seal(b"\0x", nonce=(2).to_bytes(8)), "26/hello/server-drops-reuse"),
        (lambda client: client.seal(b"\0x", nonce=(1).to_bytes(8)), "26/hello/server-checks-nonce"),
        (lambda client: client.seal(b"\x80x"), "26/message/reserved-zero"),
        (lambda client: client.seal(b"\2\4PING"), "37/heartbeat/abnf-ping-ttl"),
        (lambda client: Message(b"plain"), "26/abnf/curvezmq"),
        (lambda client: Ready("DEALER"), "26/abnf/ready"),
    ):
        server, client = in_traffic()
        assert clause_of(server, wrong(client).serialize()) == clause
        assert server.take_output() == b""


def test_a_command_inside_a_message() -> None:
    server, client = in_traffic()
    assert server.receive(client.seal(b"\1x").serialize()) == []
    assert clause_of(server, client.seal(b"\2\4PONG").serialize()) == "37/abnf/command-not-inside-message"


def test_every_short_nonce_is_new() -> None:
    server, client = in_traffic()
    nonces = [client.seal(b"\0").nonce for _ in range(300)]
    assert nonces == sorted(set(nonces))
    for earlier, later in itertools.pairwise(nonces):
        assert int.from_bytes(later) == int.from_bytes(earlier) + 1
    assert not server.failed
