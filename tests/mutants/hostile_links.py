"""Mutants for links that stop, leave and come in crowds, and for partners that take another's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers.reference.base import Socket
from peers.reference.engine import Link
from peers.reference.pipe import Pipe
from peers.reference.pubsub import Pub
from peers.reference.reqrep import Rep, Router
from tests.mutants.registry import mutant, patch

Original = Callable[..., Any]
MOST_UNFINISHED = 40


def socket_of(link: Link) -> Socket:
    """The socket that a link belongs to."""
    assert isinstance(link.owner, Pipe)
    return link.owner.socket


def close_all(sock: Socket, reason: str) -> None:
    """Close all links of a socket, and its endpoints."""
    stop_listening(sock)
    for pipe in sock.senders:
        if pipe.link is not None:
            pipe.link.close(reason)


def stop_listening(sock: Socket) -> None:
    """Serve nobody new any more."""
    for listener in sock.listeners:
        listener.close()
    sock.listeners.clear()


@mutant(
    "hostile/links/silent-crowd",
    "hostile/links/resets-at-every-step",
    "hostile/links/come-and-go",
    breaks=["37/framing/commands-hidden"],
)
def forgets_to_count_failed_handshakes_down() -> None:
    """Limits how many handshakes are under way, and counts down only those that succeed."""
    under_way: dict[Socket, int] = {}

    @patch(Socket, "begin")
    def begin(original: Original, self: Socket, pipe: Pipe, sock: Any) -> None:
        under_way[self] = under_way.get(self, 0) + 1
        if under_way[self] > MOST_UNFINISHED:
            sock.close()
            return
        original(self, pipe, sock)

    @patch(Socket, "attach")
    def attach(original: Original, self: Socket, pipe: Pipe) -> None:
        under_way[self] = under_way.get(self, 1) - 1
        original(self, pipe)


@mutant("hostile/links/silent-crowd")
def reads_nobody_while_many_shake_hands() -> None:
    """Leaves those that are connected unread while more than 40 handshakes are under way."""

    @patch(Pipe, "wants_more")
    def wants_more(original: Original, self: Pipe) -> bool:
        busy = len(self.socket.handshaking) > MOST_UNFINISHED
        return bool(original(self)) and not (busy and self not in self.socket.handshaking)

    @patch(Link, "on_readable")
    def on_readable(original: Original, self: Link) -> None:
        if self.is_reading:
            original(self)


@mutant("hostile/links/half-closed", breaks=["37/framing/atomic"])
def stops_listening_at_half_a_message() -> None:
    """Takes the end of a link within a message for the end of its endpoint and of all other links."""

    @patch(Link, "on_readable")
    def on_readable(original: Original, self: Link) -> None:
        original(self)
        if self.closed and self.codec.decoder.open_message:
            close_all(socket_of(self), "the endpoint has ended")


@mutant("hostile/links/octet-at-a-time", breaks=["26/initiate/client-sends", "26/welcome/server-sends"])
def has_patience_for_eighty_pieces() -> None:
    """Closes a link whose greeting and READY come in more than 80 pieces."""
    pieces: dict[Link, int] = {}

    @patch(Link, "receive")
    def receive(original: Original, self: Link, octets: bytes) -> None:
        pieces[self] = pieces.get(self, 0) + 1
        if not self.is_ready and pieces[self] > 80:
            self.close("too many pieces")
            return
        original(self, octets)


@mutant(
    "hostile/links/resets-at-every-step",
    breaks=[
        "27/arch/server-connects",
        "27/message/req-delimiter",
        "31/pair/create-on-accept",
        "37/abnf/greeting",
        "37/sockets/bind-and-connect",
    ],
)
def tires_of_resets() -> None:
    """Listens no more once thirty links have been reset."""
    resets = 0

    @patch(Socket, "link_ended")
    def link_ended(
        original: Original, self: Socket, pipe: Pipe, link: Link, reason: str, refused: bool
    ) -> None:
        nonlocal resets
        original(self, pipe, link, reason, refused)
        resets += "reset" in reason or "pipe" in reason
        if resets >= 30:
            stop_listening(self)


@mutant("hostile/links/come-and-go")
def has_room_for_two_hundred_visits() -> None:
    """Listens no more once two hundred have come to an endpoint."""
    visits: dict[object, int] = {}

    @patch(Socket, "begin")
    def begin(original: Original, self: Socket, pipe: Pipe, sock: Any) -> None:
        original(self, pipe, sock)
        for listener in self.listeners:
            visits[listener] = visits.get(listener, 0) + 1
        if any(visits[listener] > 200 for listener in self.listeners):
            stop_listening(self)


@mutant("hostile/links/hundred-at-once")
def has_turns_for_fifty() -> None:
    """Takes those that were connected first out of the rotation when there are more than fifty."""

    @patch(Socket, "add_pipe")
    def add_pipe(original: Original, self: Socket, pipe: Pipe) -> None:
        original(self, pipe)
        if len(self.receivers) > 50:
            self.receivers.remove(next(iter(self.receivers)))


@mutant("hostile/links/subscribers-that-leave", breaks=["29/pub/destroy", "libzmq-2/durable/*"])
def forgets_filters_with_the_tenth_that_leaves() -> None:
    """Forgets what the others asked for when ten subscribers have gone."""
    gone = 0

    @patch(Pub, "remove_pipe")
    def remove_pipe(original: Original, self: Pub, pipe: Pipe) -> None:
        nonlocal gone
        original(self, pipe)
        gone += 1
        if gone >= 10:
            for other in self.senders:
                other.subscriptions.clear()


@mutant("hostile/links/askers-that-leave")
def keeps_the_reply_for_the_next_asker() -> None:
    """Sends a reply whose asker has gone to one that is still there."""

    @patch(Rep, "send_message")
    def send_message(original: Original, self: Rep, parts: Any) -> Any:
        if self.replying and self.asker is None:
            self.asker = self.senders.next(lambda pipe: pipe.is_connected)
            self.envelope = self.envelope or (b"",)
        return original(self, parts)


@mutant("hostile/identity/impostors-leave", breaks=["libzmq-4/handover/rejected-without"])
def forgets_the_route_with_an_impostor() -> None:
    """Takes the name that a partner announced out of the table when it goes, whoever it belongs to."""

    @patch(Router, "remove_pipe")
    def remove_pipe(original: Original, self: Router, pipe: Pipe) -> None:
        original(self, pipe)
        self.routes.pop(self.announced(pipe), None)


@mutant("hostile/identity/names-come-and-go")
def keeps_a_hundred_names() -> None:
    """Forgets the oldest route when it has heard a hundred names, though they have gone."""
    heard: dict[Router, int] = {}

    @patch(Router, "register")
    def register(original: Original, self: Router, pipe: Pipe) -> None:
        original(self, pipe)
        heard[self] = heard.get(self, 0) + 1
        if heard[self] == 100:
            del self.routes[next(iter(self.routes))]
