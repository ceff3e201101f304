"""Waiting on several raw ends at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.deadlines import Deadlines
from harness.verdict import Mismatch
from harness.wire.endpoints import RawListener, dial
from harness.wire.rawpeer import RawPeer
from harness.wire.several import first_of
from harness.wire.trace import Trace
from harness.zmtp import Greeting, Message, Ready

Pair = tuple[RawPeer, RawPeer]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Two connections, each as (our end, the partner's end), past the handshake."""
    trace, deadlines = Trace(), Deadlines(0.1)
    listener = RawListener(trace, deadlines)
    made = []
    for _ in range(2):
        ours = dial(listener.endpoint, trace, deadlines)
        theirs = listener.accept()
        for end in (ours, theirs):
            end.send(Greeting(), Ready("DEALER"))
        for end in (ours, theirs):
            end.expect(Greeting)
            end.expect(Ready)
        made.append((ours, theirs))
    yield made
    listener.close()
    for pair in made:
        for end in pair:
            end.close()


@pytest.mark.parametrize("which", [0, 1])
def test_the_end_that_hears_something_is_first(pairs: list[Pair], which: int) -> None:
    pairs[which][1].send(Message(b"here"))
    assert first_of(pairs[0][0], pairs[1][0]) is pairs[which][0]
    pairs[which][0].expect_message(b"here")


def test_what_was_read_before_counts(pairs: list[Pair]) -> None:
    pairs[1][1].send(Message(b"one"), Message(b"two"))
    pairs[1][0].expect_message(b"one")
    assert first_of(pairs[0][0], pairs[1][0]) is pairs[1][0]


def test_a_closed_end_is_passed_over(pairs: list[Pair]) -> None:
    pairs[0][1].close()
    pairs[1][1].send(Message(b"here"))
    assert first_of(pairs[0][0], pairs[1][0]) is pairs[1][0]


def test_silence_is_a_mismatch(pairs: list[Pair]) -> None:
    with pytest.raises(Mismatch, match="nothing within"):
        first_of(pairs[0][0], pairs[1][0], clause="28/req/round-robin")


def test_all_closed_is_a_mismatch(pairs: list[Pair]) -> None:
    for _, theirs in pairs:
        theirs.close()
    with pytest.raises(Mismatch, match="all of them closed"):
        first_of(pairs[0][0], pairs[1][0])
