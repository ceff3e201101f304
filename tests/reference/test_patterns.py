"""What each socket type decides, on the wire of scripted partners and against itself."""

from collections import Counter

import pytest

from harness.zmtp import Cancel, Message, Ping, Pong, Subscribe

from .conftest import Net, Peer, Refused, attached, partner

# REQ and REP


def test_req_is_lock_step(peer: Peer, net: Net) -> None:
    req = peer.open("REQ")
    raw = partner(net, req.bind(), "REP")
    with pytest.raises(Refused, match="failed"):
        req.recv()
    assert req.send(b"question") == "accepted"
    assert req.send(b"another") == "refused"
    raw.expect(Message(b"", b"question"))
    raw.send(Message(b"no delimiter"), Message(b""), Message(b"", b"answer"), Message(b"", b"late"))
    assert req.recv() == [b"answer"]
    req.send(b"next")
    raw.expect(Message(b"", b"next"))
    raw.send(Message(b"", b"next answer"))
    assert req.recv() == [b"next answer"]


def test_req_takes_its_reply_only_from_the_peer_it_asked(peer: Peer, net: Net) -> None:
    req = peer.open("REQ")
    endpoint = req.bind()
    raws = [partner(net, endpoint, "REP") for _ in range(2)]
    attached(req, 2)
    for asked, other in (raws, raws[::-1]):
        req.send(b"question")
        other.send(Message(b"", b"foreign"))
        asked.expect(Message(b"", b"question"))
        with pytest.raises(Refused, match="timeout"):
            req.recv(timeout_ms=50)
        asked.send(Message(b"", b"answer"))
        assert req.recv() == [b"answer"]


def test_req_without_peer_does_not_take_the_request(peer: Peer) -> None:
    req = peer.open("REQ")
    req.bind()
    assert req.send(b"question", timeout_ms=20) == "would-block"


def test_relaxed_and_correlated_req(peer: Peer, net: Net) -> None:
    req = peer.open("REQ", req_relaxed=True, req_correlate=True)
    raw = partner(net, req.bind(), "REP")
    heads = []
    for body in (b"one", b"two"):
        assert req.send(body) == "accepted"
        message = raw.expect(Message)
        assert isinstance(message, Message)
        assert (len(message.parts[0]), message.parts[1:]) == (4, (b"", body))
        heads.append(message.parts[:2])
    raw.send(Message(*heads[0], b"stale"), Message(*heads[1], b"fresh"))
    assert req.recv() == [b"fresh"]


def test_rep_restores_the_envelope(peer: Peer, net: Net) -> None:
    rep = peer.open("REP")
    raw = partner(net, rep.bind(), "DEALER")
    assert rep.send(b"unasked") == "refused"
    raw.send(Message(b"no", b"delimiter"), Message(b"only", b""), Message(b"a", b"b", b"", b"q", b"", b"r"))
    assert rep.recv() == [b"q", b"", b"r"]
    with pytest.raises(Refused, match="failed"):
        rep.recv()
    assert rep.send(b"answer") == "accepted"
    raw.expect(Message(b"a", b"b", b"", b"answer"))


def test_rep_drops_the_reply_to_a_departed_peer(peer: Peer, net: Net) -> None:
    rep = peer.open("REP")
    endpoint = rep.bind()
    gone = partner(net, endpoint, "REQ")
    gone.send(Message(b"", b"question"))
    assert rep.recv() == [b"question"]
    gone.sock.close()
    assert rep.send(b"answer", timeout_ms=0) == "accepted"
    raw = partner(net, endpoint, "REQ")
    raw.send(Message(b"", b"again"))
    assert rep.recv() == [b"again"]


# DEALER and ROUTER


def test_dealer_takes_turns(peer: Peer, net: Net) -> None:
    dealer = peer.open("DEALER")
    endpoint = dealer.bind()
    raws = [partner(net, endpoint, "ROUTER") for _ in range(3)]
    attached(dealer, 3)
    for n in range(9):
        dealer.send(b"%d" % n)
    got = [[raw.next() for _ in range(3)] for raw in raws]
    assert got == [[Message(b"%d" % (n + 3 * turn)) for turn in range(3)] for n in range(3)]


def test_fair_queueing(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL")
    endpoint = pull.bind()
    for n in range(3):
        raw = partner(net, endpoint, "PUSH")
        raw.send(*[Message(b"%d" % n)] * 100)
        raw.send(Message(b"last"))
    readable = peer.call("poll", sockets=[pull.number], timeout_ms=3_000)["readable"]
    assert readable == [pull.number]
    attached(pull, 3)
    first = Counter(pull.recv()[0] for _ in range(30))
    assert first == {b"0": 10, b"1": 10, b"2": 10}


def test_router_refuses_a_second_peer_of_the_same_identity(peer: Peer, net: Net) -> None:
    router = peer.open("ROUTER")
    endpoint = router.bind()
    first = partner(net, endpoint, "DEALER", b"alice")
    attached(router, 1)
    net_second = net.dial(endpoint, "DEALER", identity=b"alice")
    net_second.handshake()
    net_second.expect_closed()
    router.send(b"alice", b"hello")
    first.expect(Message(b"hello"))


def test_router_hands_an_identity_over(peer: Peer, net: Net) -> None:
    router = peer.open("ROUTER", handover=True)
    endpoint = router.bind()
    first = partner(net, endpoint, "DEALER", b"alice")
    attached(router, 1)
    second = partner(net, endpoint, "DEALER", b"alice")
    first.expect_closed()
    router.send(b"alice", b"hello")
    second.expect(Message(b"hello"))


def test_router_and_the_unroutable(peer: Peer, net: Net) -> None:
    router = peer.open("ROUTER")
    raw = partner(net, router.bind(), "REQ", b"alice")
    raw.send(Message(b"", b"hello"))
    assert router.recv() == [b"alice", b"", b"hello"]
    assert router.send(b"nobody", b"lost") == "accepted"
    router.call("set", option="mandatory", value=True)
    assert router.send(b"nobody", b"lost") == "unroutable"
    router.send(b"alice", b"", b"fence")
    raw.expect(Message(b"", b"fence"))
    raw.sock.close()
    while router.send(b"alice", b"late") != "unroutable":
        pass


def test_full_router_drops(peer: Peer, net: Net) -> None:
    router = peer.open("ROUTER", send_hwm=5)
    partner(net, router.bind(), "DEALER", b"alice")
    attached(router, 1)
    for _ in range(200):
        assert router.send(b"alice", bytes(100_000), timeout_ms=0) == "accepted"


def test_probe(peer: Peer, net: Net) -> None:
    dealer = peer.open("DEALER", probe_router=True)
    raw = partner(net, dealer.bind(), "ROUTER")
    raw.expect(Message(b""))


# PUB, XPUB, SUB and XSUB


@pytest.mark.parametrize("minor", [0, 1])
def test_subscriptions_are_counted(peer: Peer, net: Net, minor: int) -> None:
    xpub = peer.open("XPUB")
    raw = partner(net, xpub.bind(), "SUB", minor=minor)
    raw.send(Subscribe(b"a"), Subscribe(b"a"), Subscribe(b"fence"))
    assert [xpub.recv(), xpub.recv()] == [[b"\1a"], [b"\1fence"]]
    raw.send(Cancel(b"a"), Subscribe(b"fence-2"))
    assert xpub.recv() == [b"\1fence-2"]
    xpub.send(b"abc", b"second frame")
    raw.expect(Message(b"abc", b"second frame"))
    raw.send(Cancel(b"a"))
    assert xpub.recv() == [b"\0a"]
    xpub.send(b"abc")
    xpub.send(b"fence")
    raw.expect(Message(b"fence"))


def test_xpub_verbose_and_departure(peer: Peer, net: Net) -> None:
    xpub = peer.open("XPUB", xpub_verbose=True)
    endpoint = xpub.bind()
    raws = [partner(net, endpoint, "SUB") for _ in range(2)]
    for raw in raws:
        raw.send(Subscribe(b"a"))
        assert xpub.recv() == [b"\1a"]
    for raw in raws:
        raw.sock.close()
    assert xpub.recv() == [b"\0a"]
    with pytest.raises(Refused, match="timeout"):
        xpub.recv(timeout_ms=20)


def test_pub_shows_nothing(peer: Peer, net: Net) -> None:
    pub = peer.open("PUB")
    raw = partner(net, pub.bind(), "XSUB")
    raw.send(Subscribe(b""), Message(b"upstream"))
    with pytest.raises(Refused, match="failed"):
        pub.recv()
    assert peer.call("poll", sockets=[pub.number], timeout_ms=0)["readable"] == []


def test_sub_tells_every_publisher(peer: Peer, net: Net) -> None:
    sub = peer.open("SUB")
    assert sub.send(b"no") == "refused"
    endpoint = sub.bind()
    for prefix in (b"a", b"a", b"b"):
        sub.subscribe(prefix)
    new, old = partner(net, endpoint, "PUB"), partner(net, endpoint, "PUB", minor=0)
    assert [new.next() for _ in range(3)] == [Subscribe(b"a"), Subscribe(b"a"), Subscribe(b"b")]
    assert [old.next() for _ in range(3)] == [Message(b"\1a"), Message(b"\1a"), Message(b"\1b")]
    sub.cancel(b"b")
    new.expect(Cancel(b"b"))
    old.expect(Message(b"\0b"))
    sub.close()
    assert [new.next(), new.next(), new.next()] == [Cancel(b"a"), Cancel(b"a"), None]


def test_xsub_sends_upstream(peer: Peer, net: Net) -> None:
    xsub = peer.open("XSUB")
    endpoint = xsub.bind()
    raws = [partner(net, endpoint, "XPUB") for _ in range(2)]
    attached(xsub, 2)
    xsub.send(b"\1a")
    xsub.send(b"upstream", b"second")
    xsub.send(b"\0a")
    for raw in raws:
        assert [raw.next() for _ in range(3)] == [
            Subscribe(b"a"),
            Message(b"upstream", b"second"),
            Cancel(b"a"),
        ]


# PUSH, PULL and PAIR


def test_push_passes_over_a_full_peer(peer: Peer, net: Net) -> None:
    push = peer.open("PUSH", send_hwm=2)
    endpoint = push.bind()
    partner(net, endpoint, "PULL")
    attached(push, 1)
    assert push.call("flood", count=1_000, size_octets=100_000, seed=0, timeout_ms=50)["accepted"] < 1_000
    reader = partner(net, endpoint, "PULL")
    attached(push, 1)
    for n in range(5):
        assert push.send(b"%d" % n) == "accepted"
        reader.expect(Message(b"%d" % n))


def test_push_and_pull_refuse_the_other_direction(peer: Peer) -> None:
    assert peer.open("PULL").send(b"no") == "refused"
    with pytest.raises(Refused, match="failed"):
        peer.open("PUSH").recv()


def test_pair_turns_a_second_peer_away(peer: Peer, net: Net) -> None:
    pair = peer.open("PAIR")
    assert pair.send(b"nobody", timeout_ms=0) == "would-block"
    endpoint = pair.bind()
    first = partner(net, endpoint, "PAIR")
    attached(pair, 1)
    second = net.dial(endpoint, "PAIR")
    second.handshake()
    second.expect_closed()
    pair.send(b"hello")
    first.expect(Message(b"hello"))
    first.sock.close()
    while "disconnected" not in pair.events():
        pass
    third = partner(net, endpoint, "PAIR")
    pair.send(b"hello")
    third.expect(Message(b"hello"))


def test_departed_peer_takes_its_queues_along(peer: Peer, net: Net) -> None:
    pull = peer.open("PULL")
    endpoint = pull.bind()
    gone = partner(net, endpoint, "PUSH")
    gone.send(Message(b"unread"))
    gone.sock.close()
    while "disconnected" not in pull.events():
        pass
    partner(net, endpoint, "PUSH").send(Message(b"fence"))
    assert pull.recv() == [b"fence"]


def test_partner_of_zmtp_1_gets_everything_and_is_filtered_here(peer: Peer, net: Net) -> None:
    pub, sub = peer.open("PUB"), peer.open("SUB")
    old_sub = net.dial(pub.bind(), "SUB", version=(1, 0), lowest=1)
    old_sub.handshake()
    attached(pub, 1)
    pub.send(b"anything")
    old_sub.expect(Message(b"anything"))
    sub.subscribe(b"a")
    old_pub = net.dial(sub.bind(), "PUB", version=(1, 0), lowest=1)
    old_pub.handshake()
    old_pub.send(Message(b"other"), Message(b"abc"))
    assert sub.recv() == [b"abc"]


def test_full_subscriber_discards(peer: Peer, net: Net) -> None:
    sub = peer.open("SUB", receive_hwm=3)
    sub.subscribe(b"")
    raw = partner(net, sub.bind(), "PUB")
    raw.expect(Subscribe(b""))
    raw.send(*[Message(b"%d" % n) for n in range(10)], Ping(0, b"fence"))
    raw.expect(Pong(b"fence"))
    assert [sub.recv() for _ in range(3)] == [[b"0"], [b"1"], [b"2"]]
    raw.send(Message(b"next"))
    assert sub.recv() == [b"next"]
