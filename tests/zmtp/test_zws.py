"""Two opinions of WebSocket: what wsproto sends is read, what we send is read by wsproto."""

from __future__ import annotations

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage

from harness.zmtp import Command, Decoder, Message, Ready, Received, Undecodable
from harness.zmtp.websocket import (
    BINARY,
    CONTINUATION,
    Answer,
    Closing,
    Upgrade,
    WebSocketFrame,
    WebSocketPing,
    WebSocketPong,
    accept_of,
    switching,
    upgrade,
)
from harness.zmtp.websocket import (
    TextMessage as Text,
)
from harness.zmtp.zws import NO_MECHANISM, NULL_PROTOCOL, ZwsDecoder, bodies_of, serialize

RULE = "45/handshake/rfc6455"
SIZES = [0, 1, 124, 125, 126, 65_534, 65_535, 65_536]
SIDES = {"client": True, "server": False}
SIDE = pytest.mark.parametrize("as_client", SIDES.values(), ids=SIDES)


def opened(client: WSConnection, server: WSConnection) -> tuple[bytes, bytes]:
    """The octets of both heads; both ends are open then."""
    asked = client.send(Request(host="example.com:80", target="/zws", subprotocols=[NULL_PROTOCOL]))
    server.receive_data(asked)
    assert isinstance(next(server.events()), Request)
    answered = server.send(AcceptConnection(subprotocol=NULL_PROTOCOL))
    client.receive_data(answered)
    assert isinstance(next(client.events()), AcceptConnection)
    return asked, answered


def ends(as_client: bool) -> tuple[WSConnection, WSConnection, ZwsDecoder]:
    """A sender that is open, its partner, and a decoder that has read the sender's head."""
    client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
    heads = opened(client, server)
    decoder = ZwsDecoder(masked=as_client)
    assert len(decoder.feed(heads[0 if as_client else 1])) == 1
    return (client, server, decoder) if as_client else (server, client, decoder)


def values(received: list[Received]) -> list[object]:
    assert not [fault for each in received for fault in each.faults]
    return [each.value for each in received]


def test_heads_of_wsproto_are_read() -> None:
    asked, answered = opened(WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER))
    (request,) = values(ZwsDecoder(masked=True).feed(asked))
    (answer,) = values(ZwsDecoder(masked=False).feed(answered))
    assert isinstance(request, Upgrade)
    assert isinstance(answer, Answer)
    assert (request.target, request.protocols) == ("/zws", [NULL_PROTOCOL])
    assert (answer.status, answer.protocols) == (101, [NULL_PROTOCOL])
    assert answer.value("sec-websocket-accept") == accept_of(request.value("Sec-WebSocket-Key") or "")
    assert str(request) == "GET /zws HTTP/1.1 ZWS2.0/NULL"


def test_wsproto_takes_our_heads() -> None:
    server = WSConnection(ConnectionType.SERVER)
    server.receive_data(upgrade("example.com", (NO_MECHANISM, NULL_PROTOCOL), "/path").serialize())
    request = next(server.events())
    assert isinstance(request, Request)
    assert (request.target, request.subprotocols) == ("/path", [NO_MECHANISM, NULL_PROTOCOL])
    client = WSConnection(ConnectionType.CLIENT)
    (asked,) = values(
        ZwsDecoder(masked=True).feed(
            client.send(Request(host="h", target="/", subprotocols=[NULL_PROTOCOL, NO_MECHANISM]))
        )
    )
    assert isinstance(asked, Upgrade)
    client.receive_data(switching(asked.value("Sec-WebSocket-Key") or "", NO_MECHANISM).serialize())
    accepted = next(client.events())
    assert isinstance(accepted, AcceptConnection)
    assert accepted.subprotocol == NO_MECHANISM


@SIDE
@pytest.mark.parametrize("size", SIZES)
def test_messages_of_wsproto_are_read(as_client: bool, size: int) -> None:
    sender, _, decoder = ends(as_client)
    octets = sender.send(BytesMessage(data=b"\1first")) + sender.send(BytesMessage(data=b"\0" + b"x" * size))
    begin = decoder.total_octets
    (received,) = decoder.feed(octets)
    assert received.value == Message(b"first", b"x" * size)
    assert (received.start, received.end, received.faults) == (begin, begin + len(octets), ())


@SIDE
@pytest.mark.parametrize("size", SIZES)
def test_wsproto_reads_our_messages(as_client: bool, size: int) -> None:
    _, receiver, _ = ends(as_client)
    message = Message(b"a", b"x" * size)
    receiver.receive_data(serialize(message, masked=as_client))
    got, whole = [], b""
    for event in receiver.events():
        assert isinstance(event, BytesMessage)
        whole += event.data
        if event.message_finished:
            got.append(whole)
            whole = b""
    assert got == bodies_of(message) == [b"\1a", b"\0" + b"x" * size]


@SIDE
def test_what_stands_beside_messages_is_read(as_client: bool) -> None:
    sender, _, decoder = ends(as_client)
    events = [
        Ping(payload=b"ping"),
        Pong(payload=b"pong"),
        TextMessage(data="text"),
        CloseConnection(code=1000),
    ]
    received = decoder.feed(b"".join(sender.send(event) for event in events))
    ours = [WebSocketPing(b"ping"), WebSocketPong(b"pong"), Text(b"text"), Closing(1000)]
    assert [each.value for each in received] == ours
    assert [fault.clause for each in received for fault in each.faults] == ["45/impl/binary-opcode"]


def test_commands_have_a_flag_of_their_own() -> None:
    assert bodies_of(Command(b"NAME", b"data")) == [b"\x02\x04NAMEdata"]
    _, _, decoder = ends(True)
    ready = Ready("DEALER", b"me")
    assert values(decoder.feed(serialize(ready, masked=True))) == [ready]


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_cuts_do_not_matter(pieces: int) -> None:
    octets = upgrade("h", (NULL_PROTOCOL,)).serialize()
    octets += serialize(Message(b"a", b"b" * 300), masked=True) + serialize(Ready("PUB"), masked=True)
    whole, cut = ZwsDecoder(masked=True), ZwsDecoder(masked=True)
    found = [each for at in range(0, len(octets), pieces) for each in cut.feed(octets[at : at + pieces])]
    assert found == whole.feed(octets)
    assert len(found) == 3
    assert cut.pending == b""


def test_fragments_are_put_together_around_a_ping() -> None:
    _, _, decoder = ends(True)
    frames = [
        WebSocketFrame(BINARY, b"\0one ", fin=False),
        WebSocketFrame(9, b"between"),
        WebSocketFrame(CONTINUATION, b"body"),
    ]
    received = decoder.feed(b"".join(frame.serialize(masked=True) for frame in frames))
    assert values(received) == [WebSocketPing(b"between"), Message(b"one body")]


def test_what_is_not_complete_is_pending() -> None:
    _, _, decoder = ends(True)
    octets = serialize(Message(b"a", b"b"), masked=True)
    assert decoder.feed(octets[:-1]) == []
    assert [frame.body for frame in decoder.open_message] == [b"a"]
    assert decoder.pending


FAULTY = {
    "unmasked": (serialize(Message(b"a"), masked=False), RULE),
    "reserved": (
        WebSocketFrame(BINARY, b"\0a", reserved=0x40).serialize(masked=True),
        RULE,
    ),
    "continuation": (WebSocketFrame(CONTINUATION, b"\0a").serialize(masked=True), RULE),
    "flags": (WebSocketFrame(BINARY, b"\4a").serialize(masked=True), "45/framing/flags"),
    "empty": (WebSocketFrame(BINARY).serialize(masked=True), "45/framing/one-to-one"),
    "opcode": (WebSocketFrame(3, b"a").serialize(masked=True), RULE),
    "name": (WebSocketFrame(BINARY, b"\2\0").serialize(masked=True), "37/abnf/command-name"),
    "inside": (
        WebSocketFrame(BINARY, b"\1a").serialize(masked=True) + serialize(Command(b"C"), masked=True),
        "45/mech/abnf-message",
    ),
}


@pytest.mark.parametrize(("octets", "clause"), FAULTY.values(), ids=FAULTY)
def test_faults_are_told(octets: bytes, clause: str) -> None:
    _, _, decoder = ends(True)
    (received,) = decoder.feed(octets)
    assert [fault.clause for fault in received.faults] == [clause]


@pytest.mark.parametrize(
    "octets", [b"\xff\0\0\0\0\0\0\0\1\x7f\r\n\r\n", b"x" * 70_000], ids=["zmtp", "endless"]
)
def test_no_head_ends_the_reading(octets: bytes) -> None:
    decoder: Decoder = ZwsDecoder(masked=True)
    (received,) = decoder.feed(octets)
    assert isinstance(received.value, Undecodable)
    assert decoder.stopped
    assert decoder.feed(b"more") == []
