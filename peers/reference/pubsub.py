"""PUB, XPUB, SUB and XSUB (RFC 29; RFC 37 and 23, Publish-Subscribe)."""

from collections import Counter, deque

from harness.zmtp import AnyCommand, Cancel, Subscribe

from .base import Outcome, Socket, message_of, subscription_of
from .options import Options
from .pipe import Parts, Pipe
from .reactor import Reactor


class Xpub(Socket):
    """Publishes to whoever has subscribed, and shows subscriptions to the application."""

    type = "XPUB"

    def __init__(self, reactor: Reactor, options: Options) -> None:
        super().__init__(reactor, options)
        self.notices: deque[Parts] = deque()

    # Publishing

    def send_message(self, parts: Parts) -> Outcome:
        """To every subscriber that it matches and that has room; never waits."""
        for pipe in self.senders:
            if self.matches(pipe, parts[0]) and self.is_available(pipe):
                self.put(pipe, parts)
        return Outcome.ACCEPTED

    def is_available(self, pipe: Pipe) -> bool:
        """Connected or durable, and not full."""
        return (pipe.is_connected or pipe.durable) and not pipe.is_full

    def matches(self, pipe: Pipe, first_frame: bytes) -> bool:
        """Whether any subscription is what the first frame starts with."""
        return any(first_frame.startswith(prefix) for prefix in pipe.subscriptions)

    # Subscriptions

    def greet(self, pipe: Pipe) -> None:
        """A partner of ZMTP 1.0 filters by itself: it gets everything."""
        if pipe.link is not None and pipe.link.version == 1 and b"" not in pipe.subscriptions:
            self.add_subscription(pipe, b"")

    def take_command(self, pipe: Pipe, command: AnyCommand) -> None:
        """SUBSCRIBE and CANCEL; others mean nothing."""
        if isinstance(command, Subscribe):
            self.add_subscription(pipe, command.prefix)
        elif isinstance(command, Cancel):
            self.remove_subscription(pipe, command.prefix)

    def take_message(self, pipe: Pipe, parts: Parts) -> None:
        """A subscription as a message, or what an XSUB sends upstream."""
        command = subscription_of(parts)
        if command is not None:
            self.take_command(pipe, command)
        else:
            super().take_message(pipe, parts)

    def add_subscription(self, pipe: Pipe, prefix: bytes) -> None:
        """Count one more; the application hears of the first (of each, if verbose)."""
        first = self.holders(prefix) == 0
        pipe.subscriptions[prefix] += 1
        if first or self.options.xpub_verbose:
            self.notify(Subscribe(prefix))

    def remove_subscription(self, pipe: Pipe, prefix: bytes) -> None:
        """Count one less; the application hears of the last."""
        if not pipe.subscriptions[prefix]:
            del pipe.subscriptions[prefix]
            return
        self.count_down(pipe, prefix)
        if self.holders(prefix) == 0:
            self.notify(Cancel(prefix))

    def count_down(self, pipe: Pipe, prefix: bytes) -> None:
        """One CANCEL undoes one SUBSCRIBE (RFC 37: additive, not idempotent)."""
        pipe.subscriptions[prefix] -= 1
        if not pipe.subscriptions[prefix]:
            del pipe.subscriptions[prefix]

    def holders(self, prefix: bytes) -> int:
        """How many peers have subscribed to exactly this."""
        return sum(prefix in pipe.subscriptions for pipe in self.senders)

    def detach(self, pipe: Pipe) -> None:
        """A subscriber that is gone has cancelled everything."""
        gone = list(pipe.subscriptions)
        pipe.subscriptions.clear()
        for prefix in gone:
            if self.holders(prefix) == 0:
                self.notify(Cancel(prefix))

    def notify(self, command: Subscribe | Cancel) -> None:
        """Queue a subscription for the application, in the message form."""
        self.notices.append(message_of(command))

    # Receiving

    @property
    def is_readable(self) -> bool:
        """Subscriptions come first."""
        return bool(self.notices) or super().is_readable

    def receive_message(self) -> Parts | None:
        """Subscriptions first, then messages."""
        return self.notices.popleft() if self.notices else super().receive_message()


class Pub(Xpub):
    """Publishes, and receives nothing."""

    type = "PUB"
    can_receive = False

    def notify(self, command: Subscribe | Cancel) -> None:
        """The application does not hear of subscriptions."""

    @property
    def is_readable(self) -> bool:
        """Never."""
        return False


class Xsub(Socket):
    """Receives what it subscribed to, and sends to all publishers."""

    type = "XSUB"
    drops_incoming = True

    def __init__(self, reactor: Reactor, options: Options) -> None:
        super().__init__(reactor, options)
        self.subscriptions: Counter[bytes] = Counter()

    # Subscriptions

    def subscribe(self, prefix: bytes) -> None:
        """One more subscription, at every publisher."""
        self.subscriptions[prefix] += 1
        self.tell_all(Subscribe(prefix))

    def cancel(self, prefix: bytes) -> None:
        """Undo one subscription; without any, nothing."""
        if not self.subscriptions[prefix]:
            del self.subscriptions[prefix]
            return
        self.subscriptions[prefix] -= 1
        if not self.subscriptions[prefix]:
            del self.subscriptions[prefix]
        self.tell_all(Cancel(prefix))

    def tell_all(self, command: Subscribe | Cancel) -> None:
        """To every connected publisher; the others are told when they connect."""
        for pipe in self.senders:
            if pipe.is_connected:
                pipe.put_command(command)

    def greet(self, pipe: Pipe) -> None:
        """A publisher that connects is told all subscriptions, each as often as it counts."""
        for prefix in self.subscriptions.elements():
            pipe.put_command(Subscribe(prefix))

    def farewell(self, pipe: Pipe) -> None:
        """Cancel everything (RFC 29, XSUB, closing a connection)."""
        if pipe.is_connected:
            for prefix in self.subscriptions.elements():
                pipe.put_command(Cancel(prefix))

    # Messages

    def send_message(self, parts: Parts) -> Outcome:
        """A subscription in the message form, or a message to all publishers that have room."""
        command = subscription_of(parts)
        if isinstance(command, Subscribe):
            self.subscribe(command.prefix)
        elif isinstance(command, Cancel):
            self.cancel(command.prefix)
        else:
            self.send_upstream(parts)
        return Outcome.ACCEPTED

    def send_upstream(self, parts: Parts) -> None:
        """To all connected publishers; dropped for those that are full."""
        for pipe in self.senders:
            if pipe.is_connected and not pipe.is_full:
                self.put(pipe, parts)

    def admits(self, pipe: Pipe, parts: Parts) -> bool:
        """Only what a subscription matches (publishers of ZMTP 1.0 send everything)."""
        return any(parts[0].startswith(prefix) for prefix in self.subscriptions)


class Sub(Xsub):
    """Receives what it subscribed to, and sends nothing."""

    type = "SUB"
    can_send = False
