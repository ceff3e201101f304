"""Starting a peer from its manifest, as a process or in a container."""

from __future__ import annotations

import atexit
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.launch.owner import RunId
from harness.launch.process import LaunchError, ProcessChannel
from harness.manifest import Manifest

if TYPE_CHECKING:
    from harness.launch.attached import ContainerChannel
    from harness.launch.container import Engine

__all__ = ["RUNTIMES", "LaunchError", "Launcher", "RunId", "Runtime", "launch_process", "runtime_of"]

Runtime = Literal["process", "container", "auto"]
RUNTIMES: tuple[Runtime, ...] = ("process", "container", "auto")
NO_SDK = "no container engine can be used: the Python package docker is not installed (zconform[containers])"


def launch_process(manifest: Manifest, log_path: Path) -> ProcessChannel:
    """Start the peer's process in its folder, its stderr going to `log_path`.

    Raises LaunchError, in one line, when it cannot be started at all; a process
    that starts and ends at once shows at the first request.
    """
    try:
        return ProcessChannel(manifest.name, manifest.command, manifest.folder, log_path)
    except OSError as error:
        command = " ".join(manifest.command)
        file = manifest.folder / "peer.toml"
        raise LaunchError(f"{file}: process.command: cannot start {command!r}: {error.strerror}") from None


def runtime_of(manifest: Manifest, runtime: Runtime) -> Literal["process", "container"]:
    """How a peer runs: as was asked for, else as a process where it can."""
    if runtime != "auto":
        return runtime
    return "process" if manifest.missing() is None or manifest.container is None else "container"


class Launcher:
    """Starts peers for one process of a run. `logs` is the report's folder of logs, or None."""

    def __init__(self, runtime: Runtime = "auto", run: RunId | None = None, logs: Path | None = None) -> None:
        self.runtime = runtime
        self.run = run or RunId.new()
        self.logs = logs
        self._engine: Engine | None = None
        self._problem: str | None = None

    def missing(self, manifest: Manifest, asked_for: bool) -> str | None:
        """Why the peer cannot run here, or None. In a container it runs only where it is asked for."""
        if runtime_of(manifest, self.runtime) == "process":
            return manifest.missing()
        if manifest.container is None:
            return "has no Dockerfile"
        if self.runtime == "container":
            return self.engine_problem()
        if not asked_for:
            return f"{manifest.missing()} (--peer {manifest.name} runs it in a container)"
        problem = self.engine_problem()
        return f"{manifest.missing()}, and {problem}" if problem else None

    def engine_problem(self) -> str | None:
        """Why there are no containers here, or None; asked of the engine once."""
        if self._engine is None and self._problem is None:
            try:
                self._engine = self._open()
                atexit.register(self.close)
            except LaunchError as error:
                self._problem = str(error)
        return self._problem

    def _open(self) -> Engine:
        try:
            from harness.launch.container import Engine
        except ImportError:
            raise LaunchError(NO_SDK) from None
        return Engine(self.run)

    def engine(self) -> Engine:
        """The connection to the container engine. Raises LaunchError where there is none."""
        problem = self.engine_problem()
        if self._engine is None:
            raise LaunchError(problem or NO_SDK)
        return self._engine

    def start(self, manifest: Manifest, number: int = 1) -> ProcessChannel | ContainerChannel:
        """Start a peer, or its second process beside the first. Raises LaunchError, in one line."""
        file = f"{manifest.name}.log" if number == 1 else f"{manifest.name}.{number}.log"
        log = self.logs / file if self.logs else Path("/dev/null")
        if runtime_of(manifest, self.runtime) == "process":
            return launch_process(manifest, log)
        return self.engine().start(manifest, log, self.logs or Path(tempfile.gettempdir()))

    def prepare(self) -> None:
        """Make what the workers of a run share, before they begin. Raises LaunchError."""
        self.engine().network()

    def close(self) -> None:
        """Leave nothing behind, once all peers have ended."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
            atexit.unregister(self.close)
