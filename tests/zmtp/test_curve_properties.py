"""What must hold of CURVE for any keys, messages and cuts whatever (HYPOTHESIS_PROFILE)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.curve import Client, KeyPair, Server, tampered
from harness.zmtp import Config, Connection, HandshakeDone, Message, RemoteProtocolError, State
from tests.zmtp.pairs import Pair, cut
from tests.zmtp.test_properties import PLACES, PROPERTIES

SECRETS = st.binary(min_size=32, max_size=32)
MESSAGES = st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=4), max_size=5)
CLIENT, SERVER = KeyPair.of(b"\1" * 32), KeyPair.of(b"\2" * 32)


def configs(client: KeyPair, server: KeyPair, known: bytes) -> tuple[Config, Config]:
    ours = Config("DEALER", b"me", mechanism="CURVE", curve=lambda: Client(client, known))
    return ours, Config("DEALER", mechanism="CURVE", as_server=True, curve=lambda: Server(server))


@given(SECRETS, SECRETS, PROPERTIES, st.booleans())
def test_who_has_the_right_key_is_heard(
    one: bytes, other: bytes, properties: tuple[tuple[bytes, bytes], ...], octet_by_octet: bool
) -> None:
    client, server = KeyPair.of(one), KeyPair.of(other)
    ours, theirs = configs(client, server, server.public)
    pair = Pair(replace(ours, properties=properties), theirs, octet_by_octet=octet_by_octet).start()
    assert pair.dialer.state is pair.listener.state is State.TRAFFIC
    [done] = [event for event in pair.listener_events if isinstance(event, HandshakeDone)]
    assert done.properties[2:] == properties
    assert client.public not in bytes(pair.dialer_sent + pair.listener_sent)


@given(SECRETS, SECRETS)
def test_a_wrong_key_never_opens(server: bytes, other: bytes) -> None:
    keys, known = KeyPair.of(server), KeyPair.of(other).public
    if known == keys.public:
        return
    with pytest.raises(RemoteProtocolError):
        Pair(*configs(CLIENT, keys, known)).start()


@given(MESSAGES, PLACES, st.booleans())
def test_messages_come_back_however_they_are_cut(
    messages: list[list[bytes]], places: list[int], of_server: bool
) -> None:
    pair = Pair(*configs(CLIENT, SERVER, SERVER.public)).start()
    sender, receiver = (pair.listener, pair.dialer) if of_server else (pair.dialer, pair.listener)
    for parts in messages:
        sender.send(Message(*parts))
    events = [event for piece in cut(sender.take_output(), places) for event in receiver.receive(piece)]
    assert events == [Message(*parts) for parts in messages]


@given(st.binary(min_size=1, max_size=100), st.integers(0, 2**20), st.booleans())
def test_one_bit_is_enough(payload: bytes, place: int, in_nonce: bool) -> None:
    pair = Pair(*configs(CLIENT, SERVER, SERVER.public)).start()
    message = side_of(pair.dialer).seal(payload)
    field = "nonce" if in_nonce else "box"
    at = place % len(getattr(message, field))
    with pytest.raises(RemoteProtocolError):
        side_of(pair.listener).open(tampered(message, field, at, 1 << place % 8))
    assert side_of(pair.listener).open(message) == payload


def side_of(connection: Connection) -> Client | Server:
    assert connection._cover is not None
    side = connection._cover.side
    assert isinstance(side, Client | Server)
    return side
