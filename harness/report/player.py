"""Plays one side of a recorded conversation, and shows what comes from the other side.

Python's standard library is all that it needs, and no wait is longer than --wait seconds.
"""

from __future__ import annotations

import argparse
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass

Step = tuple[str, int, str]
Side = tuple[str, str]
Address = tuple[str, int]
READ_OCTETS = 65536


@dataclass
class Line:
    """A connection: how many octets came, and whether the other side has closed, or we have."""

    sock: socket.socket
    came: int = 0
    ended: bool = False
    closed: bool = False

    def awaited(self, octets: int) -> bool:
        """Whether it may bring what is missing to that many octets in all, or (-1) to its end."""
        return not self.ended and not self.closed and (octets < 0 or self.came < octets)


class Player:
    """Does one step after the other; `mark` is a connection and the octet where it went wrong."""

    def __init__(self, mark: tuple[int, int], wait_s: float) -> None:
        self.mark = mark
        self.wait_s = wait_s
        self.lines: dict[int, Line] = {}
        self.listeners: dict[int, socket.socket] = {}
        self.addresses: list[Address] = []

    def open(self, sides: list[Side], addresses: list[Address]) -> None:
        """Listen wherever the other side dials."""
        self.addresses = addresses
        for place, ((role, what), address) in enumerate(zip(sides, addresses, strict=True)):
            if role == "dial":
                print(f"place {place + 1}: {address[0]}:{address[1]} ({what})")
                continue
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            self.listeners[place] = socket.create_server(address, family=family)
            host, port = self.listeners[place].getsockname()[:2]
            print(f"place {place + 1}: listening at {host}:{port} ({what})")

    def play(self, steps: list[Step]) -> None:
        """Do all steps, then wait for what is still to come."""
        for what, number, value in steps:
            if what == "application":
                print(f"application {value}")
            elif what in ("dial", "accept"):
                self.connect(what, number, int(value))
            elif number in self.lines:
                self.step(what, number, value)
        self.rest()
        for number, line in self.lines.items():
            how = (
                "closed by the other side" if line.ended else "closed by us" if line.closed else "still open"
            )
            print(f"{number}: {line.came} octets came, {how}")

    def connect(self, what: str, number: int, place: int) -> None:
        """Make a connection, or wait for it."""
        try:
            if what == "dial":
                sock = socket.create_connection(self.addresses[place], self.wait_s)
            else:
                self.listeners[place].settimeout(self.wait_s)
                sock = self.listeners[place].accept()[0]
        except OSError as error:
            print(f"{number}: no connection: {error}")
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(self.wait_s)
        self.lines[number] = Line(sock)
        print(f"{number}: connected")

    def step(self, what: str, number: int, value: str) -> None:
        """Send, wait or close on one connection."""
        line = self.lines[number]
        if line.closed:
            return
        if what == "send":
            self.send(number, bytes.fromhex(value))
        elif what == "until":
            self.wait([number], int(value))
        elif what == "end":
            self.wait([number], -1)
        elif what == "fin":
            print(f"{number}: we send no more")
            try:
                line.sock.shutdown(socket.SHUT_WR)
            except OSError as error:
                print(f"{number}: {error}")
        else:
            print(f"{number}: we reset")
            line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.sock.close()
            line.closed = True

    def send(self, number: int, octets: bytes) -> None:
        """Send octets, as far as the other side takes them."""
        print(f"{number}: we send {len(octets)} octets")
        try:
            self.lines[number].sock.sendall(octets)
        except OSError as error:
            print(f"{number}: cannot send: {error}")

    def wait(self, numbers: list[int], octets: int) -> None:
        """Read until each has sent that many octets in all, or has ended; -1: until all have ended."""
        until = time.monotonic() + self.wait_s
        while True:
            awaited = {self.lines[n].sock: n for n in numbers if self.lines[n].awaited(octets)}
            left = until - time.monotonic()
            if not awaited or left <= 0:
                return
            for sock in select.select(list(awaited), [], [], left)[0]:
                self.read(awaited[sock], self.lines[awaited[sock]])

    def read(self, number: int, line: Line) -> None:
        """Read once, and show it."""
        marked = self.mark[1] if self.mark[0] == number else -1
        try:
            octets = line.sock.recv(READ_OCTETS)
            how = "closed"
        except OSError as error:
            octets, how = b"", f"reset: {error}"
        for at in range(0, len(octets), 16):
            row, offset = octets[at : at + 16], line.came + at
            text = "".join(chr(octet) if 0x20 <= octet <= 0x7E else "." for octet in row)
            here = "   <-- here" if offset <= marked < offset + len(row) else ""
            print(f"{number}: {offset:08x}  {row.hex(' '):<47}  {text}{here}")
        line.came += len(octets)
        if not octets:
            line.ended = True
            print(f"{number}: {how}" + ("   <-- here" if marked >= line.came else ""))

    def rest(self) -> None:
        """What comes behind the last step."""
        print(f"waiting {self.wait_s:g} s for more")
        self.wait(list(self.lines), -1)


def parse_address(text: str) -> Address:
    """HOST:PORT, [HOST]:PORT or tcp://HOST:PORT."""
    host, _, port = text.removeprefix("tcp://").rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"not HOST:PORT: {text!r}")
    return host.strip("[]"), int(port)


def main(sides: list[Side], steps: list[Step], mark: tuple[int, int], wait_s: float) -> int:
    """Read the command line and play."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a TextIOWrapper, as a program has it
    parser = argparse.ArgumentParser(description="The head of this file tells what it shows, and how.")
    if sides:
        words = "; ".join(f"{role}: {what}" for role, what in sides)
        parser.add_argument("place", nargs=len(sides), type=parse_address, help=words, metavar="HOST:PORT")
    parser.add_argument("--wait", type=float, default=wait_s, metavar="SECONDS", help="no wait is longer")
    given = parser.parse_args()
    player = Player(mark, given.wait)
    try:
        player.open(sides, given.place if sides else [])
    except OSError as error:
        print(f"cannot listen: {error}", file=sys.stderr)
        return 1
    player.play(steps)
    return 0
