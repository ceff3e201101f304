"""The whole of `zconform smoke`: the self-test, then three conversations, all against the schemas."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.control.client import ControlClient
from harness.deadlines import Deadlines
from harness.launch.launcher import Launcher, LaunchError, runtime_of
from harness.manifest import Manifest
from harness.pairs import ZMTP_3
from harness.selftest import each_step

from .conversations import binds, connects, refuses
from .recorder import Recorder
from .report import Failure, Report
from .talk import Over, Talk, tell
from .types import choose

# What each step of the self-test asks for, by the first word of its name.
EXPECTED = {
    "hello": 'ok with peer (the name in peer.toml), library, version, language, and control "1"',
    "unknown": "error of the kind unsupported to any operation that is not in the protocol",
    "open": "ok with socket, a number or text that was not used before; close answers ok {}",
    "bind": "ok with endpoint: the address to dial, the * replaced by the port",
    "end": "after the answer, at the end of input: everything closed, exit with status 0",
}


def smoke(manifest: Manifest, launcher: Launcher, deadlines: Deadlines, say: Callable[[str], None]) -> int:
    """Try an adapter; prints through `say`, a line at a time. How many steps failed.

    Raises LaunchError where the peer cannot be started at all.
    """
    launcher.logs = logs = Path(tempfile.mkdtemp(prefix="zconform-smoke-"))
    kept = False
    try:
        report = Report(manifest, logs / f"{manifest.name}.log", say)
        recorder = Recorder(launcher.start(manifest))
        report.title(f"{manifest.name}: as {_form(manifest, launcher)}")
        sound = _self_test(manifest, recorder, deadlines, report)
        _conversations(manifest, launcher, deadlines, report, sound)
    except LaunchError:
        kept = any(logs.glob("*.build.log"))  # the error names it
        raise
    finally:
        if not kept:
            shutil.rmtree(logs)
    report.title(_sum(report))
    return report.failed


def _sum(report: Report) -> str:
    if report.failed:
        return f"{report.failed} of {report.steps} steps failed"
    return f"{report.steps} steps, all well"


def _form(manifest: Manifest, launcher: Launcher) -> str:
    if runtime_of(manifest, launcher.runtime) == "container":
        return "a container"
    return f"a process, {' '.join(manifest.command)}"


def _self_test(manifest: Manifest, recorder: Recorder, deadlines: Deadlines, report: Report) -> bool:
    """Whether every step held."""
    report.title("self-test")
    client = ControlClient(recorder, deadlines, recorder.hosts)
    for step in each_step(manifest, client, deadlines, client.hosts):
        expected = EXPECTED[step.name.partition(" ")[0]]
        tell(report, recorder, step.name, None if step.ok else Failure(expected, step.detail))
    return report.failed == 0


def _conversations(
    manifest: Manifest, launcher: Launcher, deadlines: Deadlines, report: Report, sound: bool
) -> None:
    types = choose(manifest.sockets)
    if not sound:
        report.skipped("conversations", "not asked before the self-test is well")
        return
    if types is None:
        known = (
            "no socket type" if not manifest.sockets else "none of the socket types that smoke speaks with"
        )
        report.skipped("conversations", f"peer.toml claims {known}, so there is nothing to ask")
        return
    speaks = manifest.zmtp & ZMTP_3 and manifest.claims("mechanism:NULL")
    tcp = manifest.claims("transport:tcp")
    if speaks and tcp:
        _talk(manifest, launcher, deadlines, report, f"{types[0]} binds", lambda talk: binds(talk, types[0]))
        _talk(
            manifest,
            launcher,
            deadlines,
            report,
            f"{types[1]} connects",
            lambda talk: connects(talk, types[1]),
        )
    else:
        report.skipped("binds, connects", "asked of peers that claim ZMTP 3, NULL and tcp")
    _talk(
        manifest,
        launcher,
        deadlines,
        report,
        f"{types[0]} refuses",
        lambda talk: refuses(talk, types[0], tcp),
    )


def _talk(
    manifest: Manifest,
    launcher: Launcher,
    deadlines: Deadlines,
    report: Report,
    title: str,
    converse: Callable[[Talk], None],
) -> None:
    report.title(title)
    with Talk(manifest, launcher, deadlines, report) as talk:
        try:
            converse(talk)
        except Over:
            report.skipped("the rest of this conversation", "not asked")
