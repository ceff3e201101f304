"""RADIO and DISH (RFC 48; RFC 37, Radio-Dish).

For the application a group is a frame in front of the message.
"""

from harness.zmtp import AnyCommand, Join, Leave
from harness.zmtp.grammar import GROUP

from .base import Outcome, Socket
from .errors import Failed
from .options import Options
from .pipe import Parts, Pipe
from .reactor import Reactor


class Radio(Socket):
    """Sends to the members of a message's group."""

    type = "RADIO"
    can_receive = False

    def send_message(self, parts: Parts) -> Outcome:
        """To every member that has room; never waits."""
        if len(parts) != 2 or not GROUP.fullmatch(parts[0]):
            return Outcome.REFUSED
        for pipe in self.senders:
            if self.is_member(pipe, parts[0]) and self.is_available(pipe):
                self.put(pipe, parts)
        return Outcome.ACCEPTED

    def is_member(self, pipe: Pipe, group: bytes) -> bool:
        """Whether a dish has joined exactly this group."""
        return group in pipe.subscriptions

    def is_available(self, pipe: Pipe) -> bool:
        """Connected, and not full."""
        return pipe.is_connected and not pipe.is_full

    def take_command(self, pipe: Pipe, command: AnyCommand) -> None:
        """JOIN and LEAVE; others mean nothing."""
        if isinstance(command, Join):
            pipe.subscriptions[command.group] += 1
        elif isinstance(command, Leave):
            self.leave(pipe, command.group)

    def leave(self, pipe: Pipe, group: bytes) -> None:
        """A dish is a member no more."""
        pipe.subscriptions.pop(group, None)

    def detach(self, pipe: Pipe) -> None:
        """A dish that is gone is no member of anything, and finds nothing when it comes back."""
        pipe.subscriptions.clear()
        pipe.outgoing.clear()


class Dish(Socket):
    """Receives what is sent to the groups that it joined."""

    type = "DISH"
    can_send = False
    drops_incoming = True

    def __init__(self, reactor: Reactor, options: Options) -> None:
        super().__init__(reactor, options)
        self.groups: set[bytes] = set()

    def subscribe(self, prefix: bytes) -> None:
        """Join a group at every radio. Raises Failed where that is no group, or joined already."""
        self.check_group(prefix)
        if prefix in self.groups:
            raise Failed("the group is joined already")
        self.groups.add(prefix)
        self.tell_all(Join(prefix))

    def check_group(self, group: bytes) -> None:
        """Raise Failed where that is no group."""
        if not GROUP.fullmatch(group):
            raise Failed("a group has 0 to 255 octets, none of them zero")

    def cancel(self, prefix: bytes) -> None:
        """Leave a group. Raises Failed where it was not joined."""
        if prefix not in self.groups:
            raise Failed("the group is not joined")
        self.groups.remove(prefix)
        self.tell_all(Leave(prefix))

    def tell_all(self, command: Join | Leave) -> None:
        """To every connected radio; the others are told when they connect."""
        for pipe in self.senders:
            if pipe.is_connected:
                pipe.put_command(command)

    def greet(self, pipe: Pipe) -> None:
        """A radio that connects is told all groups."""
        for group in sorted(self.groups):
            pipe.put_command(Join(group))

    def admits(self, pipe: Pipe, parts: Parts) -> bool:
        """A group that is joined, and a body."""
        return len(parts) == 2 and parts[0] in self.groups
