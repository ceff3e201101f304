"""Who binds and who connects, when, how often and where (RFC 37, Socket Semantics; Topology)."""

import socket
from collections.abc import Callable

import pytest

from conformance.pipeline.ends import leave, meet_pullers, reserved_port
from harness.case import case
from harness.exchange import expect_serves
from harness.hosts import LOOPBACK, Hosts
from harness.peer import Peer, RemoteSocket
from harness.pytest_fixtures import Dial, Listen
from harness.verdict import Mismatch
from harness.wire.rawpeer import RawPeer
from harness.zmtp import Message

pytestmark = pytest.mark.waits

Way = Callable[[RemoteSocket, Dial, Listen], RawPeer]
PARTNERS = {
    "REQ": "REP", "REP": "REQ", "DEALER": "ROUTER", "ROUTER": "DEALER", "PUB": "SUB", "SUB": "PUB",
    "XPUB": "XSUB", "XSUB": "XPUB", "PUSH": "PULL", "PULL": "PUSH", "PAIR": "PAIR",
}  # fmt: skip


def by_bind(sock: RemoteSocket, dial: Dial, listen: Listen) -> RawPeer:
    """The socket binds one more endpoint, and a raw end dials it."""
    return dial(sock.bind())


def by_connect(sock: RemoteSocket, dial: Dial, listen: Listen) -> RawPeer:
    """A raw end listens, and the socket connects to it."""
    listener = listen()
    sock.connect(listener.endpoint)
    return listener.accept()


WAYS = {
    "binds-thrice": [by_bind] * 3,
    "connects-thrice": [by_connect] * 3,
    "binds-then-connects": [by_bind, by_connect],
    "connects-then-binds": [by_connect, by_bind, by_connect, by_bind],
}
ways = pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)


def families() -> dict[str, Hosts | None]:
    """The loopback addresses of this machine by family; None: where the peer is reached in any case."""
    known: dict[str, Hosts | None] = {"IPv4": None}
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return known | {"IPv6": Hosts("::1", "::1")}
    except OSError:
        return known


def hosts_for(peer: Peer, hosts: Hosts | None) -> Hosts:
    """Where to meet the peer; a loopback of its own, as in a container, cannot be reached."""
    if hosts is not None and peer.hosts != LOOPBACK:
        pytest.skip("the peer is in a container, which shares no IPv6 address with the harness")
    return hosts or peer.hosts


FAMILIES = families()
hosts = pytest.mark.parametrize("hosts", FAMILIES.values(), ids=FAMILIES)


def refused(dial: Dial, endpoint: str, within_s: float) -> None:
    """Dial until nobody listens there any more."""
    began = None
    while True:
        try:
            raw = dial(endpoint)
        except Mismatch:
            return
        began = raw.trace.now_s() if began is None else began
        raw.close()
        if raw.trace.now_s() - began > within_s:
            raise Mismatch("nobody listens after unbind", f"still bound after {within_s:g} s")


@case("zmtp/topology/every-type-connects", clauses=["37/sockets/bind-and-connect"], needs=["{socket_type}"])
@pytest.mark.parametrize("socket_type", PARTNERS)
def test_every_type_connects(peer: Peer, listen: Listen, socket_type: str) -> None:
    """A socket of any type can be the one that connects."""
    sock = peer.open(socket_type)
    listener = listen()
    sock.connect(listener.endpoint)
    expect_serves(sock, listener.accept().handshake(PARTNERS[socket_type]), "37/sockets/bind-and-connect")


@case("zmtp/topology/every-type-binds", clauses=["37/sockets/bind-and-connect"], needs=["{socket_type}"])
@pytest.mark.parametrize("socket_type", PARTNERS)
def test_every_type_binds(peer: Peer, dial: Dial, socket_type: str) -> None:
    """A socket of any type can be the one that binds and accepts."""
    sock = peer.open(socket_type)
    raw = dial(sock.bind()).handshake(PARTNERS[socket_type])
    expect_serves(sock, raw, "37/sockets/bind-and-connect")


@case("zmtp/topology/connects-before-bind", clauses=["37/sockets/opportunistic"], needs=["{socket_type}"])
@pytest.mark.parametrize("socket_type", PARTNERS)
def test_connects_before_bind(peer: Peer, listen: Listen, socket_type: str) -> None:
    """A socket that connects where nobody listens yet is connected once somebody does."""
    sock = peer.open(socket_type)
    with reserved_port(peer) as port:
        sock.connect(f"tcp://{peer.hosts.listen}:{port}")
        peer.readable(sock, within_s=peer.deadlines.probe_s)
        raw = listen(port=port).accept(clause="37/sockets/opportunistic")
        expect_serves(sock, raw.handshake(PARTNERS[socket_type]), "37/sockets/opportunistic")


@case("zmtp/topology/missing-endpoint-holds-up-nobody", clauses=["37/sockets/opportunistic"], needs=["PULL"])
def test_missing_endpoint_holds_up_nobody(peer: Peer, listen: Listen) -> None:
    """A socket that dials several endpoints serves those that are there, and the others once they are."""
    sock, listener = peer.open("PULL"), listen()
    with reserved_port(peer) as port:
        sock.connect(f"tcp://{peer.hosts.listen}:{port}")
        sock.connect(listener.endpoint)
        there = listener.accept(clause="37/sockets/opportunistic").handshake("PUSH")
        expect_serves(sock, there, "37/sockets/opportunistic")
        late = listen(port=port).accept(clause="37/sockets/opportunistic").handshake("PUSH")
        expect_serves(sock, late, "37/sockets/opportunistic")
        expect_serves(sock, there, "37/sockets/opportunistic")


@case("zmtp/topology/hears-on-all-endpoints", clauses=["37/sockets/bind-and-connect"], needs=["PULL"])
@ways
def test_hears_on_all_endpoints(peer: Peer, dial: Dial, listen: Listen, ways: list[Way]) -> None:
    """One socket may bind and connect several times; it receives from all of these connections."""
    pull = peer.open("PULL")
    ends = [way(pull, dial, listen).handshake("PUSH") for way in ways]
    for number, raw in enumerate(ends):
        raw.send(Message(b"from", b"%d" % number))
        pull.expect(b"from", b"%d" % number)


@case("zmtp/topology/speaks-on-all-endpoints", clauses=["37/sockets/bind-and-connect"], needs=["PUSH"])
@ways
def test_speaks_on_all_endpoints(peer: Peer, dial: Dial, listen: Listen, ways: list[Way]) -> None:
    """One socket may bind and connect several times; it sends to all of these connections."""
    push = peer.open("PUSH")
    ends = [way(push, dial, listen).handshake("PULL") for way in ways]
    meet_pullers(push, ends, "37/sockets/bind-and-connect")


@case("zmtp/topology/connects-to-loopback", clauses=["37/sockets/bind-and-connect"], needs=["PAIR"])
@hosts
def test_connects_to_loopback(peer: Peer, listen: Listen, hosts: Hosts | None) -> None:
    """A socket connects to an address of either family of the internet protocol."""
    pair, listener = peer.open("PAIR"), listen(hosts_for(peer, hosts).listen)
    pair.connect(listener.endpoint)
    expect_serves(pair, listener.accept().handshake("PAIR"), "37/sockets/bind-and-connect")


@case("zmtp/topology/binds-to-loopback", clauses=["37/sockets/bind-and-connect"], needs=["PAIR"])
@hosts
def test_binds_to_loopback(peer: Peer, dial: Dial, hosts: Hosts | None) -> None:
    """A socket binds to an address of either family of the internet protocol."""
    pair = peer.open("PAIR")
    raw = dial(pair.bind(hosts_for(peer, hosts).wildcard))
    expect_serves(pair, raw.handshake("PAIR"), "37/sockets/bind-and-connect")


@case(
    "zmtp/topology/binds-again-after-unbind",
    clauses=["37/sockets/bind-and-connect"],
    needs=["PULL", "feature:unbind"],
)
def test_binds_again_after_unbind(peer: Peer, dial: Dial) -> None:
    """An endpoint that a socket has left can be bound again, and is served as before."""
    pull = peer.open("PULL")
    endpoint = pull.bind()
    expect_serves(pull, dial(endpoint).handshake("PUSH"))
    pull.unbind(endpoint)
    refused(dial, endpoint, peer.deadlines.reaction_s)
    again = pull.bind(endpoint)
    expect_serves(pull, dial(again).handshake("PUSH"), "37/sockets/bind-and-connect")


@case(
    "zmtp/topology/connects-again-after-disconnect",
    clauses=["37/sockets/bind-and-connect"],
    needs=["PULL", "feature:disconnect"],
)
def test_connects_again_after_disconnect(peer: Peer, listen: Listen) -> None:
    """A socket that disconnects closes the connection; it can connect there again."""
    pull, listener = peer.open("PULL"), listen()
    pull.connect(listener.endpoint)
    raw = listener.accept().handshake("PUSH")
    expect_serves(pull, raw)
    pull.disconnect(listener.endpoint)
    raw.expect_closed("37/sockets/bind-and-connect")
    pull.connect(listener.endpoint)
    expect_serves(pull, listener.accept().handshake("PUSH"), "37/sockets/bind-and-connect")


@case(
    "zmtp/topology/finds-endpoint-that-comes-back",
    clauses=["37/errors/close-reconnect", "37/sockets/opportunistic"],
    needs=["PULL"],
)
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_finds_endpoint_that_comes_back(peer: Peer, listen: Listen, how: str) -> None:
    """When a whole partner goes and comes back later at the same endpoint, it is dialled again."""
    pull = peer.open("PULL")
    with reserved_port(peer) as port:
        before = listen(port=port)
        pull.connect(before.endpoint)
        raw = before.accept().handshake("PUSH")
        expect_serves(pull, raw)
        before.close()
        leave(raw, how)
        peer.readable(pull, within_s=peer.deadlines.probe_s)
        after = listen(port=port).accept(clause="37/errors/close-reconnect").handshake("PUSH")
        expect_serves(pull, after, "37/errors/close-reconnect")


@case(
    "zmtp/topology/repeats-nothing-after-reconnect",
    clauses=["37/sockets/no-duplicates", "37/errors/close-reconnect"],
    needs=["{socket_type}"],
)
@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("socket_type", ["PUSH", "DEALER", "PAIR"])
def test_repeats_nothing_after_reconnect(peer: Peer, listen: Listen, socket_type: str, how: str) -> None:
    """What has arrived before a connection broke does not come again on the next one."""
    sock, listener = peer.open(socket_type), listen()
    sock.connect(listener.endpoint)
    raw = listener.accept().handshake(PARTNERS[socket_type])
    for number in range(5):
        sock.send([b"%d" % number])
        raw.expect_message(b"%d" % number)
    leave(raw, how)
    again = listener.accept(clause="37/errors/close-reconnect").handshake(PARTNERS[socket_type])
    sock.send([b"next"])
    again.expect_message(b"next")
