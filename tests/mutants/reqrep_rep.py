"""Faults of a REP socket (RFC 28)."""

from __future__ import annotations

from typing import Any

from peers.reference.base import Outcome
from peers.reference.reqrep import Rep
from peers.reference.rotation import Rotation
from tests.mutants.registry import mutant, patch


@mutant("reqrep/rep/keeps-and-restores-envelope")
def rep_loses_envelope() -> None:
    """Replies behind a bare delimiter."""

    @patch(Rep, "send_message")
    def send(original: Any, self: Rep, parts: Any) -> Any:
        self.envelope = self.envelope[-1:]
        return original(self, parts)


@mutant("reqrep/rep/keeps-and-restores-envelope")
def rep_takes_first_frame_for_envelope() -> None:
    """Takes one frame for the whole envelope, however many there are."""

    @patch(Rep, "envelope_of")
    def envelope(original: Any, self: Rep, parts: Any) -> Any:
        return parts[:1]


@mutant("reqrep/rep/leaves-data-as-it-is")
def rep_cuts_at_last_empty_frame() -> None:
    """Takes the last empty frame of a request for the delimiter."""

    @patch(Rep, "envelope_of")
    def envelope(original: Any, self: Rep, parts: Any) -> Any:
        last = max(n for n, part in enumerate(parts[:-1]) if not part)
        return parts[: last + 1]


@mutant("reqrep/rep/refuses-early-send")
def rep_accepts_early_send() -> None:
    """Takes a reply to nothing, and drops it."""

    @patch(Rep, "send_message")
    def send(original: Any, self: Rep, parts: Any) -> Any:
        return original(self, parts) if self.replying else Outcome.ACCEPTED


@mutant("reqrep/rep/refuses-send-while-request-waits")
def rep_replies_to_what_nobody_received() -> None:
    """Takes a reply as soon as a request has come, though nobody has received it, and drops it."""

    @patch(Rep, "send_message")
    def send(original: Any, self: Rep, parts: Any) -> Any:
        if not self.replying and any(pipe.incoming for pipe in self.receivers):
            return Outcome.ACCEPTED
        return original(self, parts)


@mutant("reqrep/rep/refuses-second-recv")
def rep_receives_twice() -> None:
    """Gives out the next request before the first has been answered."""

    @patch(Rep, "receive_message")
    def receive(original: Any, self: Rep) -> Any:
        self.replying = False
        return original(self)


@mutant("reqrep/rep/replies-to-asker", breaks=["28/rep/peer-gone"])
def rep_replies_to_all() -> None:
    """Sends each reply to every peer."""

    @patch(Rep, "send_message")
    def send(original: Any, self: Rep, parts: Any) -> Any:
        for pipe in self.senders:
            if self.replying and pipe is not self.asker:
                pipe.put((b"", *parts))
        return original(self, parts)


@mutant("reqrep/rep/hears-askers-by-turns")
def rep_hears_one_asker_out() -> None:
    """Takes all requests of one peer before any of the next."""

    @patch(Rep, "choose_incoming")
    def choose(original: Any, self: Rep) -> Any:
        return next((pipe for pipe in _oldest_first(self.receivers) if pipe.incoming), None)


def _oldest_first(receivers: Rotation[Any]) -> list[Any]:
    return sorted(receivers, key=lambda pipe: int(pipe.number))


@mutant("reqrep/rep/never-delivers-malformed-request")
def rep_takes_any_frames_as_request() -> None:
    """Gives a request without delimiter to the application, and one without data as an empty frame."""

    @patch(Rep, "admits")
    def admits(original: Any, self: Rep, pipe: Any, parts: Any) -> bool:
        return True

    @patch(Rep, "envelope_of")
    def envelope(original: Any, self: Rep, parts: Any) -> Any:
        return original(self, parts) if b"" in parts[:-1] else parts[:-1]


@mutant("reqrep/rep/outlives-its-asker")
def rep_gives_reply_to_next_asker() -> None:
    """Sends the reply for a peer that has gone to another one."""

    @patch(Rep, "send_message")
    def send(original: Any, self: Rep, parts: Any) -> Any:
        if self.replying and self.asker is None:
            self.asker = next((pipe for pipe in self.senders if pipe.is_connected), None)
        return original(self, parts)


@mutant("reqrep/rep/outlives-its-asker", "reqrep/rep/never-waits-to-reply")
def rep_waits_for_its_asker() -> None:
    """Waits with the reply until its asker is there and has room."""

    @patch(Rep, "send_message")
    def send(original: Any, self: Rep, parts: Any) -> Any:
        if self.replying and (self.asker is None or self.asker.is_full):
            return Outcome.WOULD_BLOCK
        return original(self, parts)
