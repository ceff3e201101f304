"""Faults of the codec that were found in use, each with the test that shows it."""

import pytest

from harness.zmtp import (
    Config,
    Connection,
    Greeting,
    HandshakeDone,
    Message,
    Ready,
    RemoteProtocolError,
    malformed,
)


def test_events_before_illegal_octets_are_not_lost_with_them() -> None:
    connection = Connection(Config("PULL"))
    handshake = Greeting().serialize() + Ready("PUSH").serialize()
    seen: list[object] = []
    octets = handshake + Message(b"good").serialize() + malformed.reserved_flag(5)
    with pytest.raises(RemoteProtocolError):
        seen.extend(connection.events(octets))
    assert isinstance(seen[1], HandshakeDone)
    assert seen[2:] == [Message(b"good")]
    assert connection.failed
