"""The client side of the control protocol: one peer, one request at a time.

`ControlClient` knows lines only through a `Channel`; whether a process, a
container or a thread is at the other end is not its business. What a peer
reports comes back as values; whatever is wrong with the peer itself (gone,
silent, garbage) is `PeerGone`, in one line that can be shown as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from harness.control.messages import (
    CONTROL_VERSION,
    MAX_LINE_OCTETS,
    Failure,
    MalformedAnswer,
    Request,
    parse_answer,
)
from harness.deadlines import Deadline, DeadlineExceeded, Deadlines
from harness.hosts import LOOPBACK, Hosts
from harness.memory import Memory


class Channel(Protocol):
    """A two-way stream of lines to one peer."""

    @property
    def name(self) -> str:
        """The peer's name, for messages."""

    def write_line(self, line: bytes, deadline: Deadline) -> None:
        """Write a whole line; DeadlineExceeded, or BrokenPipeError if nobody reads any more."""

    def read_line(self, deadline: Deadline, limit_octets: int) -> bytes:
        """Read one line with its newline; DeadlineExceeded if none is there in time.

        An answer without a newline is what was left at the end of output (b"" if
        nothing), or, if longer than `limit_octets`, the start of too long a line.
        """

    def close(self, deadline: Deadline) -> None:
        """End the peer's input and wait for it to exit; past the deadline: kill, DeadlineExceeded."""

    def kill(self) -> None:
        """End the peer at once and leave nothing of it behind; may be called twice."""

    def exit_status(self, deadline: Deadline) -> str | None:
        """How the peer ended ("exited with status 1"), or None if it still runs at the deadline."""

    def memory(self, *, forget: bool = False) -> Memory | None:
        """What the peer has resident, None where nobody can tell; `forget` its peak if possible."""


class ControlError(Exception):
    """Something a control operation did not bring about."""


class OperationError(ControlError):
    """The peer answered an operation with an error; `op` and `detail` are texts."""

    def __init__(self, peer: str, op: str, detail: str) -> None:
        super().__init__(f"{peer}: {op}: {self.word}: {detail}" if detail else f"{peer}: {op}: {self.word}")
        self.peer = peer
        self.op = op
        self.detail = detail

    word = "error"


class OperationUnsupported(OperationError):
    """The peer has no such operation, option or socket type."""

    word = "unsupported"


class OperationTimeout(OperationError):
    """What the operation waits for did not happen within its timeout."""

    word = "timeout"


class OperationFailed(OperationError):
    """The library refused or failed; `detail` is its own word for it."""

    word = "failed"


class PeerGone(ControlError):
    """The peer exited, ended its output, never answered, or answered garbage: one line says which.

    `ended` says that it went by itself, by its exit or the end of its output.
    """

    def __init__(self, peer: str, reason: str, *, ended: bool = False) -> None:
        super().__init__(f"{peer}: {reason}")
        self.peer = peer
        self.reason = reason
        self.ended = ended


_ERRORS: Mapping[str, type[OperationError]] = {
    "unsupported": OperationUnsupported,
    "timeout": OperationTimeout,
    "failed": OperationFailed,
}


class PendingCall:
    """A request that is on its way; `result()` waits for the answer, once."""

    def __init__(self, client: ControlClient, request: Request, deadline: Deadline) -> None:
        self._client = client
        self._request = request
        self._deadline = deadline
        self._answer: dict[str, Any] | ControlError | None = None

    @property
    def op(self) -> str:
        """The operation that was asked."""
        return self._request.op

    def arrived(self, within_s: float = 0.0) -> bool:
        """Whether the answer is there, or will not come any more; waits for it at most so long."""
        if self._answer is None:
            self._answer = self._client._glance(self._request, self._deadline, within_s)
        return self._answer is not None

    def result(self) -> dict[str, Any]:
        """The answer's fields; raises what `ControlClient.call` raises. May be asked again."""
        if self._answer is None:
            self._answer = self._client._receive(self._request, self._deadline)
        if isinstance(self._answer, ControlError):
            raise self._answer
        return self._answer


class ControlClient:
    """Speaks the control protocol with the peer behind `channel`, one request at a time.

    `hosts` says where this peer, as it runs now, can be dialled and can dial.
    """

    def __init__(self, channel: Channel, deadlines: Deadlines, hosts: Hosts = LOOPBACK) -> None:
        self.hosts = hosts
        self._channel = channel
        self._deadlines = deadlines
        self._last_id = 0
        self._pending: PendingCall | None = None
        self._gone: PeerGone | None = None

    @property
    def name(self) -> str:
        """The peer's name, for messages."""
        return self._channel.name

    @property
    def pending(self) -> PendingCall | None:
        """The call whose answer is still outstanding, if there is one."""
        return self._pending

    @property
    def gone(self) -> PeerGone | None:
        """Why the peer can be asked nothing more, or None while it can."""
        return self._gone

    def hello(self) -> dict[str, Any]:
        """The first request; allowed `start_s`, as the process may still be starting."""
        return self._start("hello", None, {"control": CONTROL_VERSION}, "start").result()

    def call(self, op: str, *, timeout_s: float | None = None, **fields: Any) -> dict[str, Any]:
        """Ask `op` and wait for its answer, at most `timeout_s` + `answer_s`.

        `timeout_s` is the operation's own timeout and is sent as timeout_ms.
        Octets go in and come out as `bytes`. Raises OperationUnsupported,
        OperationTimeout, OperationFailed or PeerGone.
        """
        return self._start(op, timeout_s, fields, "answer").result()

    def start(self, op: str, *, timeout_s: float | None = None, **fields: Any) -> PendingCall:
        """Ask `op` and come back at once: for when the raw end must act while the peer blocks."""
        return self._start(op, timeout_s, fields, "answer")

    def ended(self) -> str:
        """How the peer went by itself; "" where it runs, as far as a short look tells, or we ended it."""
        if self._gone is not None:
            return self._gone.reason if self._gone.ended else ""
        return self._channel.exit_status(self._deadlines.deadline("probe")) or ""

    def memory(self, *, forget: bool = False) -> Memory | None:
        """What the peer has resident, None where nobody can tell; with `forget` its peak counts from here."""
        return None if self._gone is not None else self._channel.memory(forget=forget)

    def close(self) -> None:
        """End the peer's input; PeerGone unless it exits cleanly within `exit_s`.

        Nothing of it is left. A peer that still owes an answer is killed and not judged.
        """
        busy = self._gone is not None or self._pending is not None
        self._gone = self._gone or PeerGone(self.name, "closed by the harness")
        if busy:
            self._channel.kill()
            return
        deadline = self._deadlines.deadline("exit")
        try:
            self._channel.close(deadline)
        except DeadlineExceeded as error:
            raise PeerGone(self.name, f"end of input: {error.args[0]}") from None
        status = self._channel.exit_status(deadline)
        if status != "exited with status 0":
            raise PeerGone(self.name, f"end of input: {status}")

    def kill(self) -> None:
        """End the peer at once, whatever it is doing."""
        self._gone = self._gone or PeerGone(self.name, "killed by the harness")
        self._channel.kill()

    def _start(self, op: str, timeout_s: float | None, fields: dict[str, Any], wait: str) -> PendingCall:
        if self._gone is not None:
            raise self._gone
        if self._pending is not None:
            raise RuntimeError(f"{self.name}: {op} asked while {self._pending.op} is not answered yet")
        if timeout_s is not None:
            fields["timeout_ms"] = math.ceil(timeout_s * 1000)
        self._last_id += 1
        request = Request(self._last_id, op, fields)
        seconds = self._deadlines.deadline(wait).seconds + (timeout_s or 0.0)
        deadline = Deadline(wait, seconds)
        self._write(request, deadline)
        self._pending = PendingCall(self, request, deadline)
        return self._pending

    def _write(self, request: Request, deadline: Deadline) -> None:
        try:
            self._channel.write_line(request.encode(), deadline)
        except DeadlineExceeded as error:
            raise self._lost(f"{request.op}: the request was not read within {error.seconds:g} s") from None
        except OSError:
            raise self._lost(f"{request.op}: {self._ended('closed its input')}", ended=True) from None

    def _glance(
        self, request: Request, deadline: Deadline, within_s: float
    ) -> dict[str, Any] | ControlError | None:
        """The answer, or None where it is not there in time and may still come."""
        if deadline.expired:
            return self._receive(request, deadline)
        try:
            line = self._channel.read_line(Deadline("glance", within_s), MAX_LINE_OCTETS)
        except DeadlineExceeded:
            return None
        return self._understand(request, line)

    def _receive(self, request: Request, deadline: Deadline) -> dict[str, Any] | ControlError:
        try:
            line = self._channel.read_line(deadline, MAX_LINE_OCTETS)
        except DeadlineExceeded as error:
            self._pending = None
            return self._lost(f"{request.op}: never answered: {error.args[0]}")
        return self._understand(request, line)

    def _understand(self, request: Request, line: bytes) -> dict[str, Any] | ControlError:
        self._pending = None
        if not line.endswith(b"\n"):
            return self._lost(f"{request.op}: {self._cut(line)}", ended=len(line) <= MAX_LINE_OCTETS)
        try:
            answer = parse_answer(line, request)
        except MalformedAnswer as error:
            return self._lost(f"{request.op}: garbage in field {error.field}: {error.detail}")
        if isinstance(answer, Failure):
            return _ERRORS[answer.kind](self.name, request.op, answer.detail)
        return answer.fields

    def _cut(self, line: bytes) -> str:
        """What a line without its newline means."""
        if len(line) > MAX_LINE_OCTETS:
            return f"garbage: a line longer than {MAX_LINE_OCTETS} octets"
        if line:
            return f"garbage: half a line ({len(line)} octets), then {self._ended('end of output')}"
        return self._ended("end of output")

    def _ended(self, otherwise: str) -> str:
        """How the process ended if it did, else `otherwise`."""
        return self._channel.exit_status(self._deadlines.deadline("exit")) or otherwise

    def _lost(self, reason: str, *, ended: bool = False) -> PeerGone:
        """Nothing that follows could be believed: the peer is ended, and remembered as gone."""
        self._gone = PeerGone(self.name, reason, ended=ended)
        self._channel.kill()
        return self._gone
