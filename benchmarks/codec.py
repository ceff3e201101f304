"""How fast the codec reads: ZMTP frames by Decoder and Connection, WebSocket frames by wsproto.

All three read the same number of frames with bodies of the same size, one after the other in one run, from
pieces of the same size. Run from the project's root: `python benchmarks/codec.py`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from wsproto.connection import Connection as WebSocket
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage

from harness.zmtp import Config, Connection, Decoder, Greeting, Message, Ready

SIZES_OCTETS = (16, 256, 65_536)
FRAMES = {16: 20_000, 256: 20_000, 65_536: 1_500}
PIECE_OCTETS = 65_536
REPEATS = 7

Reader = Callable[[bytes], int]
"""Takes a piece of the stream and says how many messages became complete."""


@dataclass(frozen=True)
class Contestant:
    """A name, a stream of `frames` messages of `size` octets, and a fresh reader of it."""

    name: str
    stream: Callable[[int, int], bytes]
    reader: Callable[[], Reader]


def zmtp_stream(size: int, frames: int) -> bytes:
    """Messages of one frame, in the framing of ZMTP 3.1."""
    return Message(b"x" * size).serialize() * frames


def websocket_stream(size: int, frames: int) -> bytes:
    """Binary messages of one frame, as a server sends them: without a mask, which is wsproto's best case."""
    return WebSocket(ConnectionType.SERVER).send(BytesMessage(data=b"x" * size)) * frames


def decoder_reader() -> Reader:
    """A Decoder past the greeting."""
    decoder = Decoder()
    decoder.feed(Greeting().serialize())
    return lambda octets: len(decoder.feed(octets))


def connection_reader() -> Reader:
    """A strict Connection past the handshake."""
    connection = Connection(Config("PULL"))
    connection.start()
    connection.receive(Greeting().serialize() + Ready("PUSH").serialize())
    return lambda octets: len(connection.receive(octets))


def websocket_reader() -> Reader:
    """wsproto as client, past the opening handshake."""
    websocket = WebSocket(ConnectionType.CLIENT)

    def read(octets: bytes) -> int:
        websocket.receive_data(octets)
        return sum(event.message_finished for event in websocket.events() if isinstance(event, BytesMessage))

    return read


CONTESTANTS = (
    Contestant("Decoder", zmtp_stream, decoder_reader),
    Contestant("Connection", zmtp_stream, connection_reader),
    Contestant("wsproto", websocket_stream, websocket_reader),
)


def frames_per_s(contestant: Contestant, size: int, frames: int) -> float:
    """The rate of one run over the whole stream. Raises ValueError if messages are missing."""
    stream = contestant.stream(size, frames)
    pieces = [stream[at : at + PIECE_OCTETS] for at in range(0, len(stream), PIECE_OCTETS)]
    read = contestant.reader()
    began = time.perf_counter()
    count = sum(map(read, pieces))
    took_s = time.perf_counter() - began
    if count != frames:
        raise ValueError(f"{contestant.name} read {count} messages of {frames}")
    return frames / took_s


def rates(size: int, repeats: int) -> dict[str, list[float]]:
    """The rates of each contestant; they take turns, so that a slow moment of the machine hits all."""
    found: dict[str, list[float]] = {contestant.name: [] for contestant in CONTESTANTS}
    for _ in range(repeats):
        for contestant in CONTESTANTS:
            found[contestant.name].append(frames_per_s(contestant, size, FRAMES[size]))
    return found


def main() -> None:
    """Print one line for each size and contestant: median, spread, and the ratio to wsproto."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, help=f"runs of each (default {REPEATS})")
    repeats = parser.parse_args().repeats
    print(f"{'octets':>7}  {'reader':<11} {'frames/s':>10} {'min':>10} {'max':>10} {'MB/s':>8}  to wsproto")
    for size in SIZES_OCTETS:
        found = rates(size, repeats)
        base = statistics.median(found["wsproto"])
        for name, each in found.items():
            middle = statistics.median(each)
            print(
                f"{size:>7}  {name:<11} {middle:>10,.0f} {min(each):>10,.0f} {max(each):>10,.0f} "
                f"{middle * size / 1e6:>8,.0f}  {middle / base:.2f}"
            )


if __name__ == "__main__":
    main()
