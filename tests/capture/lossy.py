"""A bad line between two real applications: packets get lost, overtaken and doubled, and tcpdump watches.

`python -m tests.capture.lossy CAPTURE SEED` makes two network namespaces, each with a TUN device, and passes
packets between them. In the first a libzmq PULL is bound and tcpdump runs; in the second a libzmq PUSH sends
it messages, then a socket without a library does so, too, and breaks a rule. Prints what it did to packets
as JSON. Exit status 77, with the reason on stdout, where the machine does not allow that.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from pathlib import Path

from harness.zmtp import malformed
from tests.capture.packets import HELLO_WORLD, PUSH_SAYS

MESSAGES, GOOD = 400, 300
SIZES = (1, 300, 5_000, 20_000)
HOST, PORT = "10.77.0.1", 5555
LOST, OVERTAKEN, DOUBLED = 0.03, 0.1, 0.03
MOST_S = 60
IMPOSSIBLE = 77
BROKEN = PUSH_SAYS + HELLO_WORLD * GOOD + malformed.reserved_flag(5)
_NEWNET, _SETIFF, _TUN, _NO_PI = 0x40000000, 0x400454CA, 1, 0x1000
_SYN_AT = 33
PULL = f"""
import zmq
with zmq.Context() as context, context.socket(zmq.PULL) as pull:
    pull.bind("tcp://{HOST}:{PORT}")
    print("bound", flush=True)
    mine, hellos = 0, 0
    while mine < {MESSAGES} or hellos < {GOOD}:
        message = pull.recv()
        if message == b"%d " % mine * ({SIZES}[mine % {len(SIZES)}] // 3 + 1):
            mine += 1
        hellos += message == b"hello"
"""
PUSH = f"""
import socket, zmq
with zmq.Context() as context, context.socket(zmq.PUSH) as push:
    push.connect("tcp://{HOST}:{PORT}")
    for n in range({MESSAGES}):
        push.send(b"%d " % n * ({SIZES}[n % {len(SIZES)}] // 3 + 1))
with socket.create_connection(("{HOST}", {PORT})) as sock:
    said = bytes.fromhex("{BROKEN.hex()}")
    sock.sendall(said[:{len(PUSH_SAYS)}])
    heard = b""
    while b"READY" not in heard:
        heard += sock.recv(4096)
    sock.sendall(said[{len(PUSH_SAYS)}:])
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        pass
"""


class Impossible(Exception):
    """The machine does not allow it; why."""


def namespace(host: str) -> int:
    """Go into a network namespace of one's own that has one device; its file descriptor."""
    if ctypes.CDLL(None, use_errno=True).unshare(_NEWNET):
        raise Impossible(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    try:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, _SETIFF, struct.pack("16sH", b"line", _TUN | _NO_PI))
        for command in (f"addr add {host}/24 dev line", "link set line up mtu 1500"):
            subprocess.run(["ip", *command.split()], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Impossible(f"no TUN device: {error}") from None
    return device


class Line:
    """Packets from one device to another, some of them lost, overtaken or doubled, by the seed."""

    def __init__(self, seed: int, counts: dict[str, int]) -> None:
        self._random = random.Random(seed)
        self._counts = counts
        self._late: list[tuple[int, bytes]] = []

    def take(self, packet: bytes, to: int) -> None:
        """One packet; what was held back goes behind it."""
        fate = self._random.random()
        opens = packet[0] >> 4 == 4 and packet[_SYN_AT] & 2
        if opens or fate >= LOST + OVERTAKEN + DOUBLED:
            _put(to, packet)
        elif fate < LOST:
            self._counts["lost"] += 1
        elif fate < LOST + OVERTAKEN:
            self._counts["overtaken"] += 1
            self._late.append((to, packet))
            return
        else:
            self._counts["doubled"] += 1
            _put(to, packet)
            _put(to, packet)
        self.flush()

    def flush(self) -> None:
        """Hold nothing back any longer."""
        for to, packet in self._late:
            _put(to, packet)
        self._late.clear()


def _put(to: int, packet: bytes) -> None:
    try:
        os.write(to, packet)
    except OSError:
        return  # a full device loses packets, as lines do


def main(path: Path, seed: int) -> int:
    """Make the line, let the two talk, and write the capture."""
    here = namespace(HOST)
    # Without a snap length the buffer has room for few packets, whatever their size, and loses the others.
    how = "-Z root -s 2000 -B 16384 -U --immediate-mode -i line -w"
    command = ["tcpdump", *how.split(), str(path), "tcp"]
    tcpdump = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert tcpdump.stderr is not None
    told = tcpdump.stderr.readline().decode()
    if "listening on" not in told:
        raise Impossible(f"tcpdump may not capture here: {told.strip()}")
    pull = subprocess.Popen([sys.executable, "-c", PULL], stdout=subprocess.PIPE)
    assert pull.stdout is not None
    assert pull.stdout.readline() == b"bound\n"
    there = namespace("10.77.0.2")
    push = subprocess.Popen([sys.executable, "-c", PUSH])
    counts = dict.fromkeys(("lost", "overtaken", "doubled"), 0)
    lines = {here: Line(seed, counts), there: Line(seed + 1, counts)}
    until = time.monotonic() + MOST_S
    while (push.poll() is None or pull.poll() is None) and time.monotonic() < until:
        ready = select.select([here, there], [], [], 0.01)[0]
        for device in ready:
            lines[device].take(os.read(device, 1 << 16), there if device == here else here)
        if not ready:
            for line in lines.values():
                line.flush()
    tcpdump.terminate()
    tcpdump.communicate()
    for process in (push, pull):
        if process.poll() is None:
            process.kill()
    print(json.dumps(counts | {"push": push.wait(), "pull": pull.wait()}))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
    except Impossible as error:
        print(error)
        sys.exit(IMPOSSIBLE)
