"""The tap itself: the process that passes on, and what comes out of its spool."""

from __future__ import annotations

import json
import mmap
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.wire.endpoints import listen, listen_ipc, parse_endpoint
from harness.wire.pcapng import CaptureWriter

from .spool import Lost, Spooled, SpoolReader, shared_memory

LOOK_S = 0.02
END_S = 10.0
TRANSPORTS = ("tcp://", "ipc://")
Target = tuple[socket.AddressFamily, tuple[str, int] | str]


class TapError(ValueError):
    """An address that cannot be used, or a tap that ended; one line says which and why."""


class LiveTap:
    """Listens at one endpoint, passes on to another in a process of its own, and reads what passed.

    `octets` bounds what has passed and was not read yet; `patient` makes the applications wait where that is
    full, rather than losing what passes. Raises TapError.
    """

    def __init__(self, listen_at: str, pass_on_to: str, octets: int, patient: bool = False) -> None:
        target = resolved("--to", pass_on_to)
        listener, self.endpoint = _listen(listen_at)
        self._path = listen_at.removeprefix("ipc://") if listener.family == socket.AF_UNIX else ""
        with listener:
            fd = shared_memory(octets)
            self._memory = mmap.mmap(fd, os.fstat(fd).st_size)
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            handed = {"listener": listener.fileno(), "memory": fd, "control": theirs.fileno()}
            wishes = {**handed, "octets": len(self._memory), "target": target, "patient": patient}
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "harness.live.forward", json.dumps(wishes)],
                    pass_fds=list(handed.values()),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            os.close(fd)
        self._reader = SpoolReader(self._memory, self._control)

    def batches(self, is_over: Callable[[], bool]) -> Iterator[Iterator[Spooled]]:
        """What passed, a batch at a time, each to be read to its end; empty where nothing came for a while.

        Once `is_over`, all connections are closed, and one last batch comes. Raises TapError.
        """
        while not is_over():
            yield self._read(stop=False)
            select.select([self._control], [], [], LOOK_S)
        yield self._read(stop=True)

    def _read(self, stop: bool) -> Iterator[Spooled]:
        try:
            yield from self._reader.read(stop)
        except EOFError:
            raise TapError(f"what passes on has ended (status {self._process.wait(END_S)})") from None

    def __enter__(self) -> Self:
        """The tap works already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End the process: it goes when it has nobody to tell any longer."""
        self._control.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._memory.close()
        if self._path and not self._path.startswith("@"):
            Path(self._path).unlink(missing_ok=True)


class Keeper:
    """Writes what passes to a capture that `zconform trace` and Wireshark read. Raises OSError.

    A file that is there already is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._writer = CaptureWriter()
        self._lost: set[int] = set()
        self._file.writelines(self._writer.begin())

    def keep(self, batch: Iterator[Spooled]) -> Iterator[Spooled]:
        """The same batch, written as it is read."""
        for record in batch:
            if not isinstance(record, Lost):
                self._file.writelines(self._writer.blocks(record))
            yield record
        self._file.flush()

    def close(self) -> None:
        """All has passed."""
        self._file.writelines(self._writer.end())
        self._file.close()


def resolved(option: str, endpoint: str) -> Target:
    """Family and address of an endpoint of tcp or ipc, names looked up. Raises TapError."""
    try:
        if not endpoint.startswith(TRANSPORTS):
            raise ValueError(f"not a tcp or ipc endpoint: {endpoint!r}")
        family, address = parse_endpoint(endpoint)
        if isinstance(address, str):
            return family, address
        host, port = address
        if port > 65_535:
            raise ValueError(f"no port: {port}")
        found = socket.getaddrinfo("0.0.0.0" if host == "*" else host, port, type=socket.SOCK_STREAM)
        return found[0][0], (str(found[0][4][0]), port)
    except (ValueError, OSError) as error:
        raise TapError(f"{option}: {error}") from None


def _listen(endpoint: str) -> tuple[socket.socket, str]:
    _, address = resolved("--listen", endpoint)
    try:
        return (listen_ipc(address)[0], endpoint) if isinstance(address, str) else listen(*address)
    except OSError as error:
        raise TapError(f"--listen: {endpoint}: {error.strerror or error}") from None
