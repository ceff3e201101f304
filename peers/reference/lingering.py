"""What becomes of a pipe that its socket has parted from."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .pipe import Pipe

if TYPE_CHECKING:
    from .dialling import Dialer


def linger(pipe: Pipe, dialer: "Dialer | None", linger_ms: int) -> None:
    """Write what the network takes at once; wait for the rest at most `linger_ms` (-1: for ever)."""
    pipe.incoming.clear()
    pipe.flush()
    end = _ending(pipe, dialer)
    if linger_ms == 0 or pipe.is_drained or (dialer is None and not pipe.is_connected):
        end()
        return
    pipe.on_drained = end
    if linger_ms > 0:
        pipe.socket.reactor.call_later(linger_ms / 1000, end)


def _ending(pipe: Pipe, dialer: "Dialer | None") -> Callable[[], None]:
    def end() -> None:
        pipe.on_drained = None
        pipe.outgoing.clear()
        if dialer is not None:
            dialer.stop()
        if pipe.link is not None:
            pipe.link.close("closed here")

    return end
