"""`python -m benchmarks.capture`: what judging 100 MiB of capture takes, in seconds and in memory.

Synthetic captures of one connection, in messages of 20, 1,000 and 65,536 octets. Each is judged in a process
of its own. The target is under 20 s and below 300 MiB.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from harness.zmtp import Greeting, Message, Ready

CAPTURE_OCTETS = 100 << 20
PROGRAM = (
    "import resource, sys; from harness.cli import main; main(['trace', sys.argv[1]]);"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)


def main() -> int:
    """Make the captures, judge them, print a table."""
    print(f"{'octets':>8} {'packets':>9} {'seconds':>8} {'MiB':>6}")
    for size in (20, 1_000, 65_536):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "capture.pcap"
            with path.open("wb") as file:
                packets = _write(file, size)
            began = time.perf_counter()
            command = [sys.executable, "-c", PROGRAM, str(path)]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            took = time.perf_counter() - began
            print(f"{size:>8} {packets:>9} {took:>8.1f} {int(out.split()[-1]) / 1024:>6.0f}")
    return 0


def _write(file: BinaryIO, size: int) -> int:
    """A PUSH that sends messages of that size to a PULL, which acknowledges each; the number of packets."""
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 101))
    sent, packets = [1000, 2000], 0

    def segment(who: int, octets: bytes = b"", flags: int = 16) -> None:
        nonlocal packets
        ports = (40_000, 5555) if who == 0 else (5555, 40_000)
        numbers = (sent[who] % 2**32, sent[1 - who] % 2**32)
        tcp = struct.pack("!HHIIHHHH", *ports, *numbers, 5 << 12 | flags, 65_535, 0, 0) + octets
        head = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
        )
        sent[who] += len(octets) + (flags & 2) // 2
        packets += 1
        file.write(
            struct.pack("<IIII", packets // 100_000, packets % 100_000, *[20 + len(tcp)] * 2) + head + tcp
        )

    segment(0, flags=2)
    segment(1, flags=18)
    segment(0, Greeting().serialize() + Ready("PUSH").serialize())
    segment(1, Greeting().serialize() + Ready("PULL").serialize())
    message = Message(b"x" * size).serialize()
    while file.tell() < CAPTURE_OCTETS:
        for at in range(0, len(message), 65_000):
            segment(0, message[at : at + 65_000])
        segment(1)
    return packets


if __name__ == "__main__":
    sys.exit(main())
