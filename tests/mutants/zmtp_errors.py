"""Mutants for ERROR and for connections that end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.zmtp import Connection, Error, Message, RemoteProtocolError
from harness.zmtp.state import State
from peers.reference.base import Socket
from peers.reference.dialling import Dialer
from peers.reference.engine import Link
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]


@mutant("zmtp/errors/error-ends-the-handshake", breaks=["26/abnf/curvezmq"])
def overlooks_error() -> None:
    """Ignores ERROR in the handshake."""

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if isinstance(command, Error) and self.state is State.HANDSHAKE:
            return []
        return original(self, command, offset)


@mutant("zmtp/errors/no-retry-after-error", breaks=["26/overview/no-retry"])
def dials_again_after_error() -> None:
    """Dials again after ERROR as after any other close."""

    @patch(Dialer, "link_ended")
    def link_ended(original: Original, self: Dialer, link: Link, refused: bool) -> None:
        original(self, link, False)


@mutant("zmtp/errors/malformed-error")
def stops_listening_after_a_malformed_error() -> None:
    """Serves nobody any more on a socket that got an ERROR which it cannot read."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        if error.clause == "37/null/abnf-error":
            getattr(self.owner, "socket").spoiled = True  # noqa: B009
        original(self, error)

    @patch(Socket, "accepts")
    def accepts(original: Original, self: Socket, pipe: Any) -> bool:
        return not hasattr(self, "spoiled")


@mutant("zmtp/errors/error-in-traffic-is-not-delivered")
def delivers_error() -> None:
    """Gives an ERROR in traffic to the application."""

    @patch(Connection, "_take_command")
    def take(original: Original, self: Connection, command: Any, offset: int) -> Any:
        if isinstance(command, Error) and self.state is State.TRAFFIC:
            return [Message(command.reason)]
        return original(self, command, offset)


@mutant("zmtp/errors/dials-again", breaks=["37/heartbeat/reconnect-after-hb"])
def dials_once() -> None:
    """Takes a close for the end: does not dial again."""

    @patch(Dialer, "link_ended")
    def link_ended(original: Original, self: Dialer, link: Link, refused: bool) -> None:
        self.stop()


@mutant("zmtp/errors/pauses-before-it-dials-again")
def dials_again_without_a_pause() -> None:
    """Dials again at once."""

    @patch(Dialer, "delay_s")
    def delay_s(original: Original, self: Dialer) -> float:
        return 0.0


@mutant(
    "zmtp/errors/listens-on-after-a-close",
    breaks=[
        "28/rep/peer-gone",
        "28/router/duplicate-id",
        "29/pub/*",
        "29/xpub/synthetic-once",
        "29/xsub/send-to-all",
        "30/push/destroy",
        "31/pair/peers",
        "37/abnf/*",
        "37/errors/error-fatal",
        "37/framing/*",
        "libzmq-2/durable/*",
        "libzmq-3/durable/gone",
        "libzmq-4/handover/rejected-without",
        "libzmq-4/handshake/complete-stays",
    ],
)
def takes_the_others_along() -> None:
    """Closes all connections of a socket when one of them breaks."""

    @patch(Socket, "link_ended")
    def link_ended(original: Original, self: Socket, pipe: Any, *args: Any) -> None:
        original(self, pipe, *args)
        for other in list(self.senders):
            if other.link is not None and not other.dialled:
                other.link.close("one has gone, all go")


@mutant(
    "zmtp/errors/illegal-octets-end-one-connection",
    breaks=["26/abnf/curvezmq", "26/hello/*", "26/message/*", "37/abnf/*", "37/framing/*", "37/heartbeat/*"],
)
def keeps_a_broken_connection() -> None:
    """Stays connected with a partner whose octets it cannot read."""

    @patch(Link, "reject")
    def reject(original: Original, self: Link, error: RemoteProtocolError) -> None:
        if not self.is_ready:
            original(self, error)
