"""`python -m benchmarks.tap`: what `zconform tap` costs two real applications, beside a direct connection.

Two libzmq in processes of their own, once connected directly and once through the tap, in turns. REQ and REP
exchange small messages one by one: the target is a median of at most 100 microseconds more. PUSH sends
messages of 64 KiB to PULL as fast as it can: the target is half of the direct rate.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import zmq

WAYS = ("direct", "tap")
SMALL_OCTETS, LARGE_OCTETS = 20, 1 << 16
BLOCK = 200
END = b"end"
T = TypeVar("T")
CONTEXT: zmq.Context[zmq.Socket[bytes]] = zmq.Context()


def main() -> int:
    """Measure both, print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="how often each way has its turn")
    parser.add_argument("--messages", type=int, default=10_000, metavar="N", help="of 64 KiB in one turn")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, libzmq {zmq.zmq_version()}")
    trips = round_trips(options.rounds)
    print(f"{'round trip':<12} {'median us':>10} {'p95 us':>8}")
    for way, blocks in trips.items():
        taken = sorted(1e6 * each for block in blocks for each in block)
        print(f"{way:<12} {statistics.median(taken):>10.0f} {taken[len(taken) * 95 // 100]:>8.0f}")
    more = [1e6 * (statistics.median(tap) - statistics.median(direct)) for direct, tap in in_turns(trips)]
    print(f"{'added':<12} {statistics.median(more):>10.0f}   in turns {min(more):.0f} to {max(more):.0f}")
    rates = throughput(options.rounds, options.messages)
    print(f"{'64 KiB':<12} {'median MB/s':>12} {'min':>8} {'max':>8}")
    for way, seen in rates.items():
        numbers = (statistics.median(seen) / 1e6, min(seen) / 1e6, max(seen) / 1e6)
        print(f"{way:<12} {numbers[0]:>12.0f} {numbers[1]:>8.0f} {numbers[2]:>8.0f}")
    ratios = [tap / direct for direct, tap in in_turns(rates)]
    ends = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{'ratio':<12} {statistics.median(ratios):>12.2f}   in turns {ends}")
    return 0


def in_turns(seen: dict[str, list[T]]) -> Iterator[tuple[T, T]]:
    """What was seen direct, and through the tap right behind it, when the machine was as busy."""
    return zip(*(seen[way] for way in WAYS), strict=True)


def round_trips(rounds: int) -> dict[str, list[list[float]]]:
    """Seconds of each round trip, by way, in blocks. The first block of each way is left out."""
    taken: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    with application(echo) as endpoint, tapped(endpoint) as through:
        socks = {}
        for way, where in zip(WAYS, (endpoint, through), strict=True):
            socks[way] = CONTEXT.socket(zmq.REQ)
            socks[way].connect(where)
        for turn in range(rounds + 1):
            for way, sock in socks.items():
                block = [_trip(sock) for _ in range(BLOCK)]
                taken[way] += [block] if turn else []
        for sock in socks.values():
            sock.close(0)
    return taken


def _trip(sock: zmq.Socket[bytes]) -> float:
    began = time.perf_counter()
    sock.send(b"x" * SMALL_OCTETS)
    sock.recv()
    return time.perf_counter() - began


def throughput(rounds: int, messages: int) -> dict[str, list[float]]:
    """Octets a second as the receiver saw them, by way; each turn has processes of its own."""
    seen: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            with application(sink) as endpoint:
                if way == "direct":
                    seen[way].append(_flood(endpoint, messages))
                    continue
                with tapped(endpoint) as through:
                    seen[way].append(_flood(through, messages))
    return seen


def _flood(endpoint: str, messages: int) -> float:
    command = [sys.executable, "-m", "benchmarks.tap", "--as", "source", endpoint, str(messages)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# -- the applications ----------------------------------------------------------------------------


def echo() -> None:
    """A REP that sends back what it gets."""
    sock = CONTEXT.socket(zmq.REP)
    _tell(sock)
    while True:
        sock.send(sock.recv())


def sink() -> None:
    """A PULL that measures from the first message to the last, and tells the rate to who asks."""
    sock, back = CONTEXT.socket(zmq.PULL), CONTEXT.socket(zmq.PUSH)
    _tell(sock)
    sock.recv()
    began, octets = time.perf_counter(), 0
    while not (message := sock.recv()).startswith(END):
        octets += len(message)
    rate = octets / (time.perf_counter() - began)
    back.connect(message[len(END) :].decode())
    back.send(str(rate).encode())
    sock.recv()


def source(endpoint: str, messages: str) -> None:
    """A PUSH that sends so many messages, and prints what rate the other end saw."""
    sock, back = CONTEXT.socket(zmq.PUSH), CONTEXT.socket(zmq.PULL)
    port = back.bind_to_random_port("tcp://127.0.0.1")
    sock.connect(endpoint)
    message = b"x" * LARGE_OCTETS
    for _ in range(int(messages) + 1):
        sock.send(message, copy=False)
    sock.send(END + f"tcp://127.0.0.1:{port}".encode())
    print(back.recv().decode())
    CONTEXT.destroy(0)


def _tell(sock: zmq.Socket[bytes]) -> None:
    print(f"tcp://127.0.0.1:{sock.bind_to_random_port('tcp://127.0.0.1')}", flush=True)


@contextmanager
def application(what: Callable[[], None]) -> Iterator[str]:
    """One of the above in a process of its own; where it is bound."""
    command = [sys.executable, "-m", "benchmarks.tap", "--as", what.__name__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextmanager
def tapped(endpoint: str) -> Iterator[str]:
    """A tap in front of an endpoint, which shows and judges all that passes; where it listens."""
    command = [sys.executable, "-m", "harness.cli", "tap", "--listen", "tcp://127.0.0.1:0", "--to", endpoint]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"listening on (\S+),", process.stderr.readline())
        assert found is not None
        yield found[1]
        process.send_signal(signal.SIGINT)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        globals()[sys.argv[2]](*sys.argv[3:])
        sys.exit(0)
    sys.exit(main())
