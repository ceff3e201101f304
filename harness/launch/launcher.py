"""Starting a peer from its manifest."""

from __future__ import annotations

from pathlib import Path

from harness.launch.process import LaunchError, ProcessChannel
from harness.manifest import Manifest

__all__ = ["LaunchError", "launch_process"]


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
