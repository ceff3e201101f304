"""Faults of durable identities, of the high-water mark of those who are away, and of the swap."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from harness.zmtp import Config
from peers.reference.durable import Durables
from peers.reference.engine import Link
from peers.reference.pipe import Parts, Pipe
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


def change_kept(change: Callable[[list[Any]], list[Any]]) -> None:
    """Let a change come over what was kept for a partner when that comes back."""

    @patch(Pipe, "resume")
    def resume(original: Original, self: Pipe, *args: Any) -> None:
        kept = change(list(self.outgoing))
        self.outgoing.clear()
        self.outgoing.extend(kept)
        original(self, *args)


@mutant(
    "legacy/durable/subscriber-finds-all",
    "legacy/durable/receiver-finds-all",
    "legacy/durable/route-leads-to-all",
    breaks=["libzmq-2/hwm/*", "libzmq-2/swap/beyond-the-mark"],
)
def forgets_whoever_leaves() -> None:
    """Keeps nothing for a partner that is away, whatever its identity."""

    @patch(Durables, "name_of")
    def name_of(original: Original, self: Durables, pipe: Pipe) -> bytes:
        return b""


@mutant("legacy/durable/subscriber-finds-all", breaks=["libzmq-2/hwm/*", "libzmq-2/swap/in-order"])
def delivers_what_was_kept_from_its_end() -> None:
    """Turns around what was kept for a partner."""
    change_kept(lambda kept: kept[::-1])


@mutant("legacy/durable/every-absence")
def keeps_through_one_absence() -> None:
    """Remembers an identity until it has come back once."""

    @patch(Durables, "keep")
    def keep(original: Original, self: Durables, pipe: Pipe) -> None:
        if not pipe.durable:
            original(self, pipe)
            return
        pipe.durable = False
        del self.kept[self.name_of(pipe)]


@mutant("legacy/durable/each-its-own")
def gives_what_was_kept_to_whoever_comes() -> None:
    """Takes the next partner with any identity for the one that is away."""

    @patch(Durables, "holder")
    def holder(original: Original, self: Durables, pipe: Pipe) -> Pipe | None:
        found = original(self, pipe)
        away = next((one for one in self.kept.values() if not one.is_connected), None)
        return found if found is not None or not self.name_of(pipe) else away


@mutant("legacy/durable/anonymous-is-forgotten")
def knows_the_nameless_again() -> None:
    """Keeps a queue for partners without an identity, too."""

    @patch(Durables, "name_of")
    def name_of(original: Original, self: Durables, pipe: Pipe) -> bytes:
        named: bytes = original(self, pipe)
        is_old = pipe.link is not None and pipe.link.version == 1 and not pipe.dialled
        return named or (b"nobody" if is_old else b"")


@mutant("legacy/durable/one-holder")
def serves_two_of_one_name() -> None:
    """Serves a second partner of an identity beside the first."""

    @patch(Durables, "holder")
    def holder(original: Original, self: Durables, pipe: Pipe) -> Pipe | None:
        found: Pipe | None = original(self, pipe)
        return None if found is not None and found.is_connected else found


@mutant(
    "legacy/durable/set-before-connecting",
    breaks=["15/grammar/abnf-identity", "37/identity/*", "37/interop/d10-continue"],
)
def keeps_the_identity_of_its_first_connection() -> None:
    """Announces on every connection what the identity was when the socket's first one began."""
    first: dict[int, bytes] = {}

    @patch(Link, "configure")
    def configure(original: Original, self: Link) -> Config:
        identity = first.setdefault(id(self.options), self.options.identity)
        config: Config = original(self)
        return dataclasses.replace(config, identity=identity)


@mutant("legacy/durable/all-or-nothing", breaks=["libzmq-2/hwm/*", "libzmq-2/swap/*"])
def keeps_every_other_message() -> None:
    """Loses half of what was kept for a partner."""
    change_kept(lambda kept: kept[::2])


@mutant("legacy/hwm/limits-what-is-kept", breaks=["30/push/limit", "libzmq-2/swap/size"])
def no_mark_for_the_absent() -> None:
    """Goes by the high-water mark only while the partner is there."""

    @patch(Pipe, "is_full")
    def is_full(original: Any, self: Pipe) -> bool:
        return self.is_connected and bool(original.fget(self))


@mutant(
    "legacy/hwm/limits-what-is-kept",
    breaks=[
        "28/dealer/no-discard",
        "30/push/*",
        "31/pair/*",
        "libzmq-2/swap/in-order",
        "libzmq-4/mandatory/full-queue",
    ],
)
def keeps_the_newest() -> None:
    """Drops the oldest message of a full queue."""
    full: Any = Pipe.is_full

    @patch(Pipe, "put")
    def put(original: Original, self: Pipe, parts: Parts) -> None:
        if full.fget(self):
            self.outgoing.popleft()
        original(self, parts)

    @patch(Pipe, "is_full")
    def is_full(original: Any, self: Pipe) -> bool:
        return False


@mutant("legacy/hwm/zero-is-no-limit")
def thousand_where_there_is_no_mark() -> None:
    """Keeps a thousand messages at most where the high-water mark is zero."""

    @patch(Pipe, "is_full")
    def is_full(original: Any, self: Pipe) -> bool:
        return bool(original.fget(self)) or len(self.outgoing) >= 1000


@mutant("legacy/swap/beyond-the-mark")
def has_no_swap() -> None:
    """Takes the option SWAP, and drops what is beyond the high-water mark."""

    @patch(Pipe, "is_swap_full")
    def is_swap_full(original: Any, self: Pipe) -> bool:
        return True


@mutant(
    "legacy/swap/beyond-the-mark",
    breaks=["libzmq-2/durable/*", "libzmq-2/hwm/zero-is-no-limit", "libzmq-3/durable/gone"],
)
def delivers_the_swap_first() -> None:
    """Sends what was swapped before what stayed in memory."""
    change_kept(lambda kept: kept[10:] + kept[:10])


@mutant("legacy/swap/size")
def swap_without_end() -> None:
    """Swaps however much there is."""

    @patch(Pipe, "is_swap_full")
    def is_swap_full(original: Any, self: Pipe) -> bool:
        return not self.socket.options.swap_octets
