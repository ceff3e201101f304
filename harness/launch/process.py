"""A peer as a process of its own: lines over its stdin and stdout, stderr into a log.

The process leads a process group, and that whole group is ended with it: on
close, on kill, and when the harness exits. Reading and writing are raw system
calls on the pipes, as a control call should cost the peer's time and no more.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from harness.deadlines import Deadline
from harness.hosts import LOOPBACK
from harness.memory import Memory, memory_of

from .lines import LineBuffer
from .log import BoundedLog

_CHUNK_OCTETS = 2**18
_REAP_S = 5.0


class LaunchError(Exception):
    """A peer's process cannot be started; one line with file, field and reason."""


class ProcessChannel:
    """The lines of one peer process; OSError from the constructor if it cannot start."""

    hosts = LOOPBACK
    image: str | None = None

    def __init__(self, name: str, command: Sequence[str], folder: Path, log_path: Path) -> None:
        self._name = name
        self._log = _LogWriter(log_path)
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log.write_fd,
                bufsize=0,
                start_new_session=True,
            )
        except OSError:
            self._log.stop()
            raise
        self._log.start()
        self._open_pipes()
        _running.add(self)

    def _open_pipes(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self._stdin, self._stdout = stdin, stdout
        self._in_fd, self._out_fd = stdin.fileno(), stdout.fileno()
        os.set_blocking(self._in_fd, False)
        os.set_blocking(self._out_fd, False)
        self._readable = select.poll()
        self._readable.register(self._out_fd, select.POLLIN)
        self._lines = LineBuffer()

    @property
    def name(self) -> str:
        """The peer's name."""
        return self._name

    @property
    def pid(self) -> int:
        """The process id, also the id of its process group."""
        return self._process.pid

    def write_line(self, line: bytes, deadline: Deadline) -> None:
        """Write `line` whole; DeadlineExceeded if the peer does not read it in time."""
        rest = memoryview(line)
        while rest:
            try:
                rest = rest[os.write(self._in_fd, rest) :]
            except BlockingIOError:
                self._wait_writable(deadline)

    def _wait_writable(self, deadline: Deadline) -> None:
        poller = select.poll()
        poller.register(self._in_fd, select.POLLOUT)
        if not poller.poll(deadline.remaining_ms()):
            raise deadline.exceeded("reading of the request")

    def read_line(self, deadline: Deadline, limit_octets: int) -> bytes:
        """Read one line; without a newline it is all that was left, or longer than the limit."""
        while True:
            line = self._lines.take_line(limit_octets)
            if line is not None:
                return line
            if not self._readable.poll(deadline.remaining_ms()):
                raise deadline.exceeded("answer")
            with contextlib.suppress(BlockingIOError):
                chunk = os.read(self._out_fd, _CHUNK_OCTETS)
                if not chunk:
                    return self._lines.take_rest()
                self._lines.add(chunk)

    def close(self, deadline: Deadline) -> None:
        """End the peer's input; DeadlineExceeded, and a kill, if it does not exit in time."""
        self._stdin.close()
        exited = self._wait(deadline)
        self.kill()
        if not exited:
            raise deadline.exceeded("exit")

    def exit_status(self, deadline: Deadline) -> str | None:
        """How the process ended, or None if it still runs at the deadline."""
        if not self._wait(deadline):
            return None
        status = self._process.returncode
        if status >= 0:
            return f"exited with status {status}"
        with contextlib.suppress(ValueError):
            return f"died of {signal.Signals(-status).name} (signal {-status})"
        return f"died of signal {-status}"

    def memory(self, *, forget: bool = False) -> Memory | None:
        """What the process and its children have resident; `forget` the peak until now."""
        return memory_of(self.pid, forget=forget)

    def _wait(self, deadline: Deadline) -> bool:
        """Wait for the exit of the process itself; False at the deadline."""
        if self._process.poll() is not None:
            return True
        try:
            fd = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):  # not Linux, or an old one
            return self._wait_by_turns(deadline)
        try:
            poller = select.poll()
            poller.register(fd, select.POLLIN)
            return bool(poller.poll(deadline.remaining_ms())) and self._process.poll() is not None
        finally:
            os.close(fd)

    def _wait_by_turns(self, deadline: Deadline) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(deadline.remaining_s())
        return self._process.returncode is not None

    def kill(self) -> None:
        """End the whole process group at once, reap it, keep its log; may be called twice."""
        if self not in _running:
            return
        _running.discard(self)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._wait(Deadline("exit", _REAP_S))
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        self._log.stop()


class _LogWriter:
    """Copies a pipe to a bounded log."""

    def __init__(self, path: Path) -> None:
        self._log = BoundedLog(path)
        self._read_fd, self.write_fd = os.pipe()
        self._stop_fds = os.pipe()
        self._stopped = False
        self._thread = threading.Thread(target=self._copy, name=f"log {path.name}", daemon=True)

    def start(self) -> None:
        """Begin, once the process holds the other end."""
        os.close(self.write_fd)
        self.write_fd = -1
        self._thread.start()

    def stop(self) -> None:
        """Copy what has been written so far, then end; may be called twice."""
        if self._stopped:
            return
        self._stopped = True
        os.write(self._stop_fds[1], b".")
        if self._thread.ident is not None:
            self._thread.join()
        for fd in (self._read_fd, *self._stop_fds, self.write_fd):
            if fd >= 0:
                os.close(fd)
        self._log.close()

    def _copy(self) -> None:
        poller = select.poll()
        for fd in (self._read_fd, self._stop_fds[0]):
            poller.register(fd, select.POLLIN)
        stopping = False
        while not stopping:
            ready = {fd for fd, _ in poller.poll()}
            stopping = self._stop_fds[0] in ready
            chunk = os.read(self._read_fd, _CHUNK_OCTETS) if self._read_fd in ready else b""
            if not chunk:
                return
            self._log.write(chunk)


_running: set[ProcessChannel] = set()


def _kill_all() -> None:
    for channel in list(_running):
        channel.kill()


atexit.register(_kill_all)
