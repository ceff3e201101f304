"""The process that passes on: relays between those who dial and the target, and nothing else.

It is one of its own so that what decodes and judges never holds up what passes. Started with
`python -m harness.live.forward` by `harness.live.tap`, with a JSON object as its argument; it ends when it is
told to, or when the one that started it is gone.
"""

from __future__ import annotations

import json
import mmap
import socket
import sys
from typing import Any

from harness.wire.hub import TapHub
from harness.wire.relay import Relay

from .spool import STOP, Spool

QUESTION_MAX_OCTETS = 1 << 17


def main(argv: list[str]) -> int:
    """Pass on as `argv[0]` says: file descriptors of listener, memory and control, and the target."""
    wishes: dict[str, Any] = json.loads(argv[0])
    family, address = wishes["target"]
    target = socket.AddressFamily(family), address if isinstance(address, str) else tuple(address)
    # All of it at once: to get the pages one by one while octets pass costs as much as to pass them on.
    memory = mmap.mmap(wishes["memory"], wishes["octets"], flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
    spool = Spool(memory, wishes["patient"])
    listener, control = (socket.socket(fileno=wishes[name]) for name in ("listener", "control"))
    with listener, control:
        _serve(listener, target, spool, control)
    return 0


class _Hub(TapHub):
    def announce(self) -> None:
        """Nobody waits here."""


def _serve(
    listener: socket.socket,
    target: tuple[socket.AddressFamily, tuple[str, int] | str],
    spool: Spool,
    control: socket.socket,
) -> None:
    hub = _Hub()
    relays: list[Relay] = []

    def accepted(relay: Relay) -> None:
        relays[:] = [each for each in relays if each.open]
        relays.append(relay)
        relay.begin(spool, target, "")

    def close() -> None:
        hub.unwatch(listener)
        for relay in relays:
            relay.close()

    listener.setblocking(False)
    hub.call(lambda: hub.watch_listener(listener, accepted))
    while question := control.recv(QUESTION_MAX_OCTETS):
        hub.check()
        if question.startswith(STOP):
            spool.hurry()
            hub.call(close)
            hub.close()
        control.send(spool.answer(question))
        if question.startswith(STOP):
            return
    spool.hurry()
    hub.call(close)
    hub.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
