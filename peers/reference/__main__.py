"""Serve the control protocol on standard input and output until the input ends."""

import json
import os
import sys
from collections import deque

from .adapter import Adapter
from .reactor import Reactor

STDIN, STDOUT = 0, 1
CHUNK_OCTETS = 1 << 20


class Console:
    """Requests in by lines, answers out."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.adapter = Adapter(self.reactor, self.has_ended)
        self.ended = False
        self._lines: deque[bytearray] = deque()
        self._rest = bytearray()

    def has_ended(self) -> bool:
        """Whether the input is over."""
        return self.ended

    def has_half_a_line(self) -> bool:
        """Whether there is input that no line feed ended."""
        return bool(self._rest)

    def serve(self) -> None:
        """Answer every request, then end."""
        self.reactor.watch(STDIN, self.on_readable)
        try:
            while self.wait_for_line():
                self.respond(self._lines.popleft())
        finally:
            self.adapter.close_all()

    def wait_for_line(self) -> bool:
        """Whether there is another request."""
        self.reactor.run_until(lambda: bool(self._lines) or self.ended, None)
        return bool(self._lines)

    def on_readable(self) -> None:
        """Take what is there; its end is the end."""
        octets = os.read(STDIN, CHUNK_OCTETS)
        if not octets:
            self.ended = True
            self.reactor.forget(STDIN)
            return
        self._rest += octets
        if b"\n" in octets:
            *lines, self._rest = self._rest.split(b"\n")
            self._lines.extend(line for line in lines if line.strip())

    def respond(self, line: bytearray) -> None:
        """Answer one request with one line."""
        whole = json.dumps(self.adapter.answer(json.loads(line)), separators=(",", ":")).encode() + b"\n"
        while whole:
            whole = whole[os.write(STDOUT, whole) :]


def main() -> int:
    """Run until the input ends; half a line at its end is an error."""
    console = Console()
    console.serve()
    return 1 if console.has_half_a_line() else 0


if __name__ == "__main__":
    sys.exit(main())
