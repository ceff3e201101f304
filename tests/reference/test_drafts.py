"""The draft types against themselves, and where the wire alone tells, against scripted partners."""

import pytest

from harness.zmtp import Join, Leave, Message

from .conftest import Net, Peer, Refused, attached, partner


def test_client_and_server_meet_by_routing_id(peer: Peer) -> None:
    server = peer.open("SERVER")
    endpoint = server.bind()
    clients = [peer.open("CLIENT") for _ in range(2)]
    ids = []
    for number, client in enumerate(clients):
        client.connect(endpoint)
        assert client.send(b"question %d" % number) == "accepted"
        routing_id, text = server.recv()
        assert text == b"question %d" % number
        ids.append(routing_id)
    assert len({*ids, bytes(4)}) == 3
    for routing_id, client in zip(ids, clients, strict=True):
        assert server.send(routing_id, b"answer") == "accepted"
        assert client.recv() == [b"answer"]
    assert server.send(bytes(4), b"nobody") == "unroutable"
    assert server.send(ids[0], b"two", b"frames") == "refused"
    assert clients[0].send(b"two", b"frames") == "refused"


def test_who_connects_a_peer_knows_whom(peer: Peer) -> None:
    one, other = peer.open("PEER"), peer.open("PEER")
    routing_id = bytes.fromhex(one.call("connect", endpoint=other.bind())["routing_id"])
    assert one.send(routing_id, b"hello") == "accepted"
    back, text = other.recv()
    assert text == b"hello"
    assert other.send(back, b"hello you") == "accepted"
    assert one.recv() == [routing_id, b"hello you"]


@pytest.mark.parametrize(("sender", "receiver"), [("SCATTER", "GATHER"), ("CHANNEL", "CHANNEL")])
def test_one_frame_goes_one_way(peer: Peer, sender: str, receiver: str) -> None:
    sending, receiving = peer.open(sender), peer.open(receiver)
    sending.connect(receiving.bind())
    assert sending.send(b"two", b"frames") == "refused"
    assert sending.send(b"one") == "accepted"
    assert receiving.recv() == [b"one"]


FRAMELESS = [("GATHER", "SCATTER"), ("CLIENT", "SERVER"), ("CHANNEL", "CHANNEL")]


@pytest.mark.parametrize(("kind", "other"), FRAMELESS)
def test_several_frames_are_thrown_away(peer: Peer, net: Net, kind: str, other: str) -> None:
    sock = peer.open(kind)
    partner(net, sock.bind(), other).send(Message(b"two", b"frames"), Message(b"one"))
    assert sock.recv() == [b"one"]


def test_radio_sends_to_exactly_the_members(peer: Peer, net: Net) -> None:
    radio = peer.open("RADIO")
    raw = partner(net, radio.bind(), "DISH")
    attached(radio, 1)
    raw.send(Join(b"group"), Join(b"left"), Leave(b"left"))
    for group in (b"grou", b"groups", b"left", b"group"):
        assert radio.send(group, b"news of " + group) == "accepted"
    raw.expect(Message(b"group", b"news of group"))
    assert radio.send(b"no\0group", b"news") == "refused"
    with pytest.raises(Refused, match="failed"):
        radio.recv()


def test_dish_joins_and_leaves(peer: Peer, net: Net) -> None:
    dish = peer.open("DISH")
    endpoint = dish.bind()
    dish.subscribe(b"early")
    raw = partner(net, endpoint, "RADIO")
    raw.expect(Join(b"early"))
    dish.cancel(b"early")
    raw.expect(Leave(b"early"))
    dish.subscribe(b"late")
    raw.expect(Join(b"late"))
    raw.send(Message(b"early", b"1"), Message(b"late", b"2"), Message(b"late"), Message(b"late", b"3"))
    assert [dish.recv(), dish.recv()] == [[b"late", b"2"], [b"late", b"3"]]
    assert dish.send(b"late", b"4") == "refused"
    for group in (b"late", b"no\0group", b"x" * 256):
        with pytest.raises(Refused, match="failed"):
            dish.subscribe(group)
