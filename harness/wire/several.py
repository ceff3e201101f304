"""Waiting on several raw ends at once, for when the peer chooses which one it talks to."""

from __future__ import annotations

import select
from typing import TypeVar

from harness.verdict import Mismatch

from .link import Link

L = TypeVar("L", bound=Link)


def first_of(*links: L, clause: str | None = None, within: str = "reaction") -> L:
    """The first link on which the partner has sent something that was not taken yet.

    Raises Mismatch where nothing comes on any of them, or all are closed.
    """
    deadline = links[0].deadlines.deadline(within)
    while True:
        for link in links:
            if link.pending:
                return link
        still_open = {link.sock.fileno(): link for link in links if link.closed is None}
        if not still_open or deadline.expired:
            raise Mismatch(
                f"something on one of {len(links)} connections",
                f"nothing within {deadline.seconds:g} s" if still_open else "all of them closed",
                clause,
            )
        poller = select.poll()
        for descriptor in still_open:
            poller.register(descriptor, select.POLLIN)
        for descriptor, _ in poller.poll(deadline.remaining_ms()):
            still_open[descriptor].take_in()
