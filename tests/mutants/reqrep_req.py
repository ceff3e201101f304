"""Faults of a REQ socket (RFC 28)."""

from __future__ import annotations

from typing import Any

from peers.reference.base import Socket
from peers.reference.reqrep import Req
from tests.mutants.registry import mutant, patch


@mutant("reqrep/req/adds-delimiter")
def req_sends_no_delimiter() -> None:
    """Sends a request without its empty first frame."""

    @patch(Req, "request_head")
    def head(original: Any, self: Req) -> tuple[bytes, ...]:
        return ()


@mutant("reqrep/req/strips-delimiter")
def req_shows_delimiter() -> None:
    """Gives the application the delimiter too."""

    @patch(Req, "receive_message")
    def receive(original: Any, self: Req) -> Any:
        parts = original(self)
        return None if parts is None else (b"", *parts)


@mutant("reqrep/req/strips-delimiter")
def req_delivers_last_frame_only() -> None:
    """Gives the application only the last data frame of a reply."""

    @patch(Req, "receive_message")
    def receive(original: Any, self: Req) -> Any:
        parts = original(self)
        return None if parts is None else parts[-1:]


@mutant("reqrep/req/refuses-second-send")
def req_sends_twice() -> None:
    """Takes a second request while a reply is due."""

    @patch(Req, "may_ask")
    def may(original: Any, self: Req) -> bool:
        return True


@mutant("reqrep/req/refuses-send-while-reply-waits")
def req_may_ask_when_the_reply_has_come() -> None:
    """Takes another request as soon as the reply has come, though nobody has received it."""

    @patch(Req, "may_ask")
    def may(original: Any, self: Req) -> bool:
        return original(self) or any(pipe.incoming for pipe in self.receivers)


@mutant("reqrep/req/refuses-second-send")
def req_forgets_reply_when_it_refuses() -> None:
    """Refuses a second request, but does not wait for the first one's reply any more."""

    @patch(Req, "send_message")
    def send(original: Any, self: Req, parts: Any) -> Any:
        outcome = original(self, parts)
        if outcome == "refused":
            self.asked = None
        return outcome


@mutant("reqrep/req/refuses-early-recv")
def req_waits_for_unasked_reply() -> None:
    """Waits for a message where there has been no request."""

    @patch(Req, "receive_message")
    def receive(original: Any, self: Req) -> Any:
        return original(self) if self.awaiting else None


@mutant("reqrep/req/takes-reply-of-asked-peer-only")
def req_takes_any_reply() -> None:
    """Takes a reply from whichever peer is first."""

    @patch(Req, "is_expected_from")
    def expected(original: Any, self: Req, pipe: Any) -> bool:
        return self.awaiting


@mutant(
    "reqrep/req/never-delivers-malformed-reply",
    breaks=["libzmq-4/req-correlate/others-dropped", "libzmq-4/req-relaxed/late-with-ids"],
)
def req_takes_any_frames_as_reply() -> None:
    """Takes a reply whatever its frames are, and cuts off as many as the delimiter would be."""

    @patch(Req, "is_reply")
    def is_reply(original: Any, self: Req, parts: Any) -> bool:
        return True


@mutant(
    "reqrep/req/recovers-from-malformed-reply",
    breaks=["libzmq-4/req-correlate/others-dropped", "libzmq-4/req-relaxed/late-with-ids"],
)
def req_stops_at_malformed_reply() -> None:
    """Takes no reply any more once a malformed one has come."""

    @patch(Req, "is_reply")
    def is_reply(original: Any, self: Req, parts: Any) -> bool:
        if not original(self, parts):
            self.is_expected_from = lambda pipe: False  # type: ignore[method-assign]
            return False
        return True


@mutant("reqrep/req/asks-in-rotation")
def req_prefers_one_peer() -> None:
    """Asks the same peer as long as it is there."""

    @patch(Req, "choose_outgoing")
    def choose(original: Any, self: Req) -> Any:
        connected = [pipe for pipe in self.senders if pipe.is_connected]
        return min(connected, key=lambda pipe: pipe.number, default=None)


@mutant("reqrep/req/waits-without-peer")
def req_drops_request_without_peer() -> None:
    """Accepts a request for nobody, and drops it."""

    @patch(Req, "send_message")
    def send(original: Any, self: Req, parts: Any) -> Any:
        outcome = original(self, parts)
        return "accepted" if outcome == "would-block" else outcome


@mutant(
    "reqrep/req/keeps-request-until-connected",
    breaks=["28/dealer/limit", "30/push/limit", "31/pair/limit", "libzmq-4/immediate/*"],
)
def req_forgets_what_waits_for_connection() -> None:
    """Throws away, when a connection is ready, what was queued for it."""

    @patch(Req, "greet")
    def greet(original: Any, self: Req, pipe: Any) -> None:
        pipe.outgoing.clear()

    @patch(Socket, "is_available")
    def available(original: Any, self: Socket, pipe: Any) -> bool:
        return True
