"""A second opinion: strict connections talk to libzmq on loopback, and the decoder reads along."""

import socket
from collections.abc import Callable, Iterator

import pytest
import zmq

from harness.deadlines import Deadlines
from harness.zmtp import (
    Config,
    Connection,
    Decoder,
    Event,
    HandshakeDone,
    Message,
    Received,
    State,
    Subscribe,
)
from harness.zmtp.grammar import SOCKET_TYPES, are_partners

VALID = [(ours, theirs) for ours in SOCKET_TYPES for theirs in SOCKET_TYPES if are_partners(ours, theirs)]
DEADLINES = Deadlines()
MOMENT_S = 0.01
BODIES = [b"", b"x", b"y" * 255, b"z" * 256, b"w" * 65536]


class Link:
    """Our connection over TCP to one libzmq socket; every octet goes to a decoder as well."""

    def __init__(self, sock: socket.socket, theirs: zmq.Socket[bytes], config: Config) -> None:
        self.application = theirs
        self.sock = sock
        self.connection = Connection(config)
        self.events: list[Event] = []
        self.theirs, self.ours = Decoder(), Decoder()
        self.read: list[Received] = []
        self.wrote: list[Received] = []
        self.connection.start()
        self.flush()

    def flush(self) -> None:
        octets = self.connection.take_output()
        self.wrote += self.ours.feed(octets)
        self.sock.sendall(octets)

    def send(self, value: Message | Subscribe) -> None:
        self.connection.send(value)
        self.flush()

    def receive(self) -> None:
        """What comes within a moment, if anything; libzmq does some of its work only when it is asked."""
        self.application.poll(0)
        self.sock.settimeout(MOMENT_S)
        try:
            octets = self.sock.recv(1 << 16)
        except TimeoutError:
            return
        assert octets, "libzmq closed the connection"
        self.read += self.theirs.feed(octets)
        self.events += self.connection.receive(octets)
        self.sock.settimeout(DEADLINES.delivery_s)
        self.flush()

    def next(self, kind: type | tuple[type, ...]) -> Event:
        """The next event of a type; others before it are passed over."""
        deadline = DEADLINES.deadline("reaction")
        while not any(isinstance(event, kind) for event in self.events):
            if deadline.expired:
                raise deadline.exceeded(str(kind))
            self.receive()
        while not isinstance(self.events[0], kind):
            self.events.pop(0)
        return self.events.pop(0)


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context = zmq.Context()
    yield context
    context.term()


def open_socket(context: zmq.Context[zmq.Socket[bytes]], socket_type: str) -> zmq.Socket[bytes]:
    opened = context.socket(getattr(zmq, socket_type))
    opened.linger = 0
    opened.rcvtimeo = opened.sndtimeo = int(DEADLINES.delivery_s * 1000)
    return opened


def dial(theirs: zmq.Socket[bytes]) -> socket.socket:
    """We dial, libzmq listens."""
    port = theirs.bind_to_random_port("tcp://127.0.0.1")
    return socket.create_connection(("127.0.0.1", port), DEADLINES.connect_s)


def listen(theirs: zmq.Socket[bytes]) -> socket.socket:
    """We listen, libzmq dials."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINES.connect_s)
        theirs.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        return listener.accept()[0]


def to_them(link: Link, theirs: zmq.Socket[bytes], ours_type: str, theirs_type: str) -> None:
    """A message of ours reaches their application, with the envelope that the two types need."""
    head = [b""] if theirs_type == "REP" or ours_type == "REQ" else []
    link.send(Message(*head, *BODIES))
    received = theirs.recv_multipart()
    if theirs_type == "ROUTER":
        assert received.pop(0) == b"me"
    assert received == (BODIES if theirs_type == "REP" else [*head, *BODIES])


def to_us(link: Link, theirs: zmq.Socket[bytes], theirs_type: str) -> None:
    """A message of theirs reaches us, as RFC 28 wants it on the wire."""
    theirs.send_multipart([b"me", *BODIES] if theirs_type == "ROUTER" else BODIES)
    message = link.next(Message)
    assert isinstance(message, Message)
    assert list(message.parts) == ([b"", *BODIES] if theirs_type in ("REQ", "REP") else BODIES)


def converse(link: Link, theirs: zmq.Socket[bytes], ours_type: str, theirs_type: str) -> None:
    """One exchange that suits the two types."""
    if ours_type in ("SUB", "XSUB"):
        link.send(Subscribe(b""))
        if theirs_type == "XPUB":
            assert theirs.recv() == b"\x01"
            to_us(link, theirs, theirs_type)
        else:
            publish_until_seen(link, theirs)
    elif ours_type in ("PUB", "XPUB"):
        if theirs_type == "SUB":
            theirs.setsockopt(zmq.SUBSCRIBE, b"")
            assert link.next(Subscribe) == Subscribe(b"")
        else:  # its XSUB sends what the application gave it as it is, or as a command where it repeats it
            theirs.send(b"\x01")
            assert link.next((Message, Subscribe)) in (Message(b"\x01"), Subscribe(b""))
        to_them(link, theirs, ours_type, theirs_type)
    elif ours_type == "PUSH":
        to_them(link, theirs, ours_type, theirs_type)
    elif ours_type == "PULL":
        to_us(link, theirs, theirs_type)
    elif theirs_type == "REQ":
        to_us(link, theirs, theirs_type)
        link.send(Message(b"", *BODIES))
        assert theirs.recv_multipart() == BODIES
    else:
        to_them(link, theirs, ours_type, theirs_type)
        to_us(link, theirs, theirs_type)


def publish_until_seen(link: Link, theirs: zmq.Socket[bytes]) -> None:
    """A PUB takes a subscription at a later publish: publish numbers until one arrives."""
    deadline = DEADLINES.deadline("delivery")
    published: list[Message] = []
    while not link.events:
        if deadline.expired:
            raise deadline.exceeded("a published message")
        published.append(Message(b"%d" % len(published)))
        theirs.send(published[-1].parts[0])
        link.receive()
    assert link.next(Message) in published


def shake_hands_and_converse(link: Link, theirs: zmq.Socket[bytes], ours_type: str, theirs_type: str) -> None:
    done = link.next(HandshakeDone)
    assert isinstance(done, HandshakeDone)
    assert done.socket_type == theirs_type
    assert link.connection.state is State.TRAFFIC
    converse(link, theirs, ours_type, theirs_type)
    assert [fault for received in [*link.read, *link.wrote] for fault in received.faults] == []


@pytest.mark.parametrize("reach", [dial, listen], ids=["we-dial", "we-listen"])
@pytest.mark.parametrize("lowest", [1, 2, 3])
@pytest.mark.parametrize(("ours_type", "theirs_type"), VALID, ids=str)
def test_a_valid_pair_converses(
    context: zmq.Context[zmq.Socket[bytes]],
    reach: Callable[[zmq.Socket[bytes]], socket.socket],
    lowest: int,
    ours_type: str,
    theirs_type: str,
) -> None:
    with open_socket(context, theirs_type) as theirs, reach(theirs) as sock:
        link = Link(sock, theirs, Config(ours_type, b"me", lowest=lowest))
        shake_hands_and_converse(link, theirs, ours_type, theirs_type)
    assert link.theirs.version == link.ours.version == 3
