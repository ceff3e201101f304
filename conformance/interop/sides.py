"""Which of two peers is the server, under a mechanism that has one, and what its cases share."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.pairing import Joint, Pairing
from harness.peer import RemoteSocket

SIDES = [("first", "second"), ("second", "first")]
of_sides = pytest.mark.parametrize(("server", "client"), SIDES, ids=["first-serves", "second-serves"])


def roles(server_needs: Iterable[str], client_needs: Iterable[str]) -> list[str]:
    """What either peer must claim for the side that it is on."""
    return [
        *(f"{{server}}:{need}" for need in server_needs),
        *(f"{{client}}:{need}" for need in client_needs),
    ]


def join(pair: Pairing, server: str, serving: RemoteSocket, other: RemoteSocket) -> Joint:
    """Join a server's socket with a client's, the first peer's in the first place."""
    return pair.join(serving, other) if server == "first" else pair.join(other, serving)


def says(joint: Joint, sock: RemoteSocket, kind: type) -> bool:
    """Whether a socket has put something of a kind on the wire."""
    return any(isinstance(each.received.value, kind) for each in joint.seen_of(sock))
