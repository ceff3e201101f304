"""One conversation under way: its process, its raw ends, and its steps, each told as it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from harness.control.client import ControlClient, OperationError, PeerGone
from harness.deadlines import Deadlines
from harness.launch.launcher import Launcher, LaunchError
from harness.manifest import Manifest
from harness.peer import LivePeer, Peer, PeerUnavailable
from harness.verdict import Mismatch
from harness.wire.endpoints import RawListener, dial
from harness.wire.rawpeer import RawPeer
from harness.wire.render import render_trace
from harness.wire.trace import Trace

from .recorder import Exchange, Recorder
from .report import Failure, Report


class Over(Exception):
    """A step did not hold, so that the rest of the conversation cannot be asked; it has been told."""


class Talk:
    """A conversation with a fresh process of the peer. Use it as a context; what it opened is closed then."""

    def __init__(self, manifest: Manifest, launcher: Launcher, deadlines: Deadlines, report: Report) -> None:
        self.deadlines = deadlines
        self.trace = Trace()
        self._report = report
        self._launcher = launcher
        self._recorder: Recorder | None = None
        self._live = LivePeer(manifest, self._start)
        self._ends = ExitStack()

    def _start(self, manifest: Manifest) -> ControlClient:
        self._recorder = Recorder(self._launcher.start(manifest))
        return ControlClient(self._recorder, self.deadlines, self._recorder.hosts)

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        self._ends.close()

    def peer(self) -> Peer:
        """The peer as a case sees it. Raises PeerUnavailable."""
        return Peer(self._live, self.trace, self.deadlines)

    def client(self) -> ControlClient:
        """The peer's client. Raises PeerUnavailable."""
        return self._live.client()

    def dial(self, endpoint: str) -> RawPeer:
        """A raw end that has dialled the peer. Raises Mismatch, or ValueError where it is no endpoint."""
        raw = dial(endpoint, self.trace, self.deadlines)
        self._ends.callback(raw.close)
        return raw

    def listen(self) -> RawListener:
        """A raw end that listens where the peer can dial."""
        listener = RawListener(self.trace, self.deadlines, self.client().hosts.listen)
        self._ends.callback(listener.close)
        return listener

    def accept(self, listener: RawListener) -> RawPeer:
        """The connection that the peer makes. Raises Mismatch."""
        raw = listener.accept()
        self._ends.callback(raw.close)
        return raw

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """A step: what is wrong in it is told, and Over raised. What is put into the list is told with it."""
        failure, notes = None, list[str]()
        try:
            yield notes
        except Mismatch as mismatch:
            wire = render_trace(self.trace, mismatch.place) if self.trace.connections() else ""
            failure = Failure(mismatch.expected, mismatch.actual, wire.splitlines())
        except OperationError as error:
            failure = Failure(f"{error.op} succeeds", f"{error.word}: {error.detail}")
        except PeerGone as gone:
            failure = Failure("an answer", gone.reason)
        except (PeerUnavailable, LaunchError) as error:
            failure = Failure("the peer starts and says hello", str(error))
        except (ValueError, OverflowError) as error:
            failure = Failure("an endpoint that can be dialled", str(error))
        if not tell(self._report, self._recorder, ": ".join([name, *notes]), failure):
            raise Over


def tell(report: Report, recorder: Recorder | None, name: str, failure: Failure | None) -> bool:
    """Report a step, which also fails where an answer in it breaks the schema; whether it held."""
    said: Sequence[Exchange] = recorder.exchanges if recorder else ()
    faulty = recorder.faulty() if recorder else ()
    if failure is None and faulty:
        said, fault = faulty, faulty[-1].fault
        assert fault is not None
        where = f"field {fault.field}" if fault.field else "the answer"
        failure = Failure("an answer as in specs/control.schema.json", f"{where}: {fault.detail}")
    if failure is None:
        report.passed(name)
        return True
    report.fail(name, failure, said, recorder.image if recorder else None)
    return False
