"""Socket types that keep the same rules under different clauses, so that one body judges all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from harness.peer import Peer, RemoteSocket


@dataclass(frozen=True, slots=True)
class Kind:
    """A socket type, the partner that a raw end plays for it, and where its rules stand.

    `rules` is the head of clause ids, such as "30/push"; `queues` is how the clause is called by which input
    and output do not hold each other up.
    """

    type: str
    partner: str
    rules: str
    queues: str = "double-queue"

    def __str__(self) -> str:
        """Its name, as a case needs it."""
        return self.type

    def clause(self, name: str) -> str:
        """The id of one of its rules."""
        return f"{self.rules}/{name}"

    def open(self, peer: Peer, **options: Any) -> RemoteSocket:
        """A new socket of this type."""
        return peer.open(self.type, **options)


PUSH = Kind("PUSH", "PULL", "30/push")
PULL = Kind("PULL", "PUSH", "30/pull")
PAIR = Kind("PAIR", "PAIR", "31/pair")
# The draft types have messages of one frame.
CLIENT = Kind("CLIENT", "SERVER", "41/client", "queue")
SCATTER = Kind("SCATTER", "GATHER", "49/scatter")
GATHER = Kind("GATHER", "SCATTER", "49/gather")
CHANNEL = Kind("CHANNEL", "CHANNEL", "52/channel", "queue")
# Their applications have a routing id in front of it.
SERVER = Kind("SERVER", "CLIENT", "41/server", "queue")
PEER = Kind("PEER", "PEER", "51/peer", "queue")
# A group is there, which the wire has as a frame of its own.
DISH = Kind("DISH", "RADIO", "48/dish")


def of_kinds(*kinds: Kind) -> pytest.MarkDecorator:
    """A case for each of these types: `kind`, which the case `needs` as "{kind}"."""
    return pytest.mark.parametrize("kind", kinds, ids=str)


def clauses(name: str, *kinds: Kind) -> list[str]:
    """The clause of that name of each of these types."""
    return [kind.clause(name) for kind in kinds]


def all_clauses(kinds: Sequence[Kind], *names: str) -> list[str]:
    """The clauses of all these names of each of these types."""
    return [clause for name in names for clause in clauses(name, *kinds)]
