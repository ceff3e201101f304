"""Two strict connections that talk to each other, and ways to cut what they say."""

from collections.abc import Iterable, Iterator

from harness.zmtp import Config, Connection, Event, Greeting, Ready

ROUNDS_MAX = 50


def whole(octets: bytes) -> Iterator[bytes]:
    yield octets


def one_by_one(octets: bytes) -> Iterator[bytes]:
    yield from (octets[at : at + 1] for at in range(len(octets)))


def cut(octets: bytes, places: Iterable[int]) -> list[bytes]:
    """The octets in pieces that end at the given places (those beyond the end do nothing)."""
    ends = sorted({min(place, len(octets)) for place in places} | {len(octets)})
    return [octets[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class Pair:
    """A dialer and a listener with everything that each was told and that each sent."""

    def __init__(self, dialer: Config, listener: Config, *, octet_by_octet: bool = False) -> None:
        self.dialer, self.listener = Connection(dialer), Connection(listener)
        self.pieces = one_by_one if octet_by_octet else whole
        self.dialer_events: list[Event] = []
        self.listener_events: list[Event] = []
        self.dialer_sent = bytearray()
        self.listener_sent = bytearray()

    def start(self) -> "Pair":
        self.dialer.start()
        self.listener.start()
        return self.settle()

    def settle(self) -> "Pair":
        """Carry octets to and fro until neither has anything to say."""
        for _ in range(ROUNDS_MAX):
            dialed, listened = self.dialer.take_output(), self.listener.take_output()
            if not dialed and not listened:
                return self
            self.dialer_sent += dialed
            self.listener_sent += listened
            for piece in self.pieces(dialed):
                self.listener_events += self.listener.receive(piece)
            for piece in self.pieces(listened):
                self.dialer_events += self.dialer.receive(piece)
        raise AssertionError("the two never stop talking")

    def clear(self) -> "Pair":
        self.dialer_events.clear()
        self.listener_events.clear()
        self.dialer_sent.clear()
        self.listener_sent.clear()
        return self


def handshaken(socket_type: str, partner: str, *, minor: int = 1) -> Connection:
    """A connection that has finished its handshake with a scripted partner."""
    connection = Connection(Config(socket_type, lowest=3))
    connection.start()
    connection.receive(Greeting((3, minor)).serialize() + Ready(partner).serialize())
    connection.take_output()
    return connection
