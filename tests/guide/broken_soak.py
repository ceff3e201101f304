"""Faults that show in a long run."""

from __future__ import annotations

from conformance.guide.test_soak import FILES, MEMORY, SERVED, WARM_UP, test_soak
from harness.peer import RemoteSocket
from tests.guide.mutants import broken

HOARDED_OCTETS = 200_000


@broken(test_soak, SERVED, "exchange")
def server_is_silent_after_a_while(client: RemoteSocket, server: RemoteSocket, word: bytes) -> None:
    """The fiftieth reply is another's."""
    client.send([word])
    server.recv()
    server.send([b"something else" if word == b"50" else word])
    client.expect(word, clause=SERVED)


@broken(test_soak, FILES, "exchange")
def client_leaves_sockets_open(client: RemoteSocket, server: RemoteSocket, word: bytes) -> None:
    """Behind the warm-up each second cycle leaves a listening socket behind."""
    if word.isdigit() and int(word) > WARM_UP and int(word) % 2:
        client.peer.open("PULL").bind()


@broken(test_soak, MEMORY, "exchange")
def client_hoards_messages(client: RemoteSocket, server: RemoteSocket, word: bytes) -> None:
    """Behind the warm-up the client takes messages for somebody who never comes."""
    if word.isdigit() and int(word) == WARM_UP + 1:
        hoard = client.peer.open("PUSH", send_hwm=0)
        hoard.connect("ipc:///nobody/listens/here")
        hoard.flood(500, HOARDED_OCTETS, within_s=client.peer.deadlines.delivery_s)
