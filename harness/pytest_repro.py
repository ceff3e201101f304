"""What goes along with a verdict, and what does not: captures, `--repro DIR`, `--with-security`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.pairs import ZMTP_3
from harness.pytest_fixtures import Asking
from harness.pytest_options import is_strict
from harness.report.model import Judgement, Result
from harness.report.reproducer import script, script_name, write_script
from harness.report.secrecy import is_security, keep_out
from harness.report.wire import WireEnd, as_stored, look
from harness.verdict import Verdict
from harness.wire.rawpeer import RawPeer
from harness.wire.trace import SENDERS, Trace


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown beside a verdict: the trace (None: it is kept out) and the script's path, if any."""

    trace: Trace | None
    script: str = ""


def prepare_scripts(config: pytest.Config) -> None:
    """Make the folder for scripts. Raises UsageError, in one line, where nothing can be written there."""
    if config.option.repro is None:
        return
    folder = Path(config.option.repro)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise pytest.UsageError(f"--repro {folder}: {error.strerror or error}") from None


def go_along(config: pytest.Config, asked: Asking, judgement: Judgement, result: Result) -> Shown:
    """Keep what belongs to a verdict: its capture and its script; or keep out what could do harm."""
    verdict, died = judgement.verdict, asked.died
    result.security = is_security(verdict, asked.case, asked.listed, died)
    if result.security and not config.option.with_security:
        keep_out(result, died)
        return Shown(None)
    name = f"{'.'.join(asked.names)}.{asked.case.id}.{asked.param}"
    if verdict.is_bad or config.option.all_captures:
        result.trace = asked.bench.save_trace(asked.trace, name, keep_large=verdict.is_bad)
        if result.trace is not None:
            ends = list(_ends(asked))
            result.wire = as_stored(ends, look(asked.trace, ends, len(asked.names) > 1))
    result.place = None if judgement.place is None else asdict(judgement.place)
    written = _write(config, asked, judgement, result)
    if written and config.option.report:
        result.script = os.path.relpath(written, config.option.report)
    return Shown(asked.trace, written)


def _ends(asked: Asking) -> Iterator[WireEnd]:
    """The ends of all connections whose octets are those of a peer of ZMTP 3.x."""
    joined = asked.pair if asked.pair is not None else asked.stage
    for joint in joined.joints if joined is not None else ():
        for connection in joint.tap.connections:
            for sender in SENDERS:
                peer = joint.ends[sender].peer
                if peer.manifest.zmtp & ZMTP_3:
                    yield WireEnd(connection, sender, peer.title)
    for end in asked.ends:
        if isinstance(end, RawPeer) and asked.bench.manifests[asked.peer_name].zmtp & ZMTP_3:
            yield WireEnd(end.connection, end.partner, asked.peer_name)


def _write(config: pytest.Config, asked: Asking, judgement: Judgement, result: Result) -> str:
    wanted = judgement.verdict in (Verdict.FAIL, Verdict.KNOWN) or (
        judgement.verdict is Verdict.NON_STRICT and is_strict(config)
    )
    if config.option.repro is None or not wanted or len(asked.names) > 1:
        return ""
    path = Path(config.option.repro) / script_name(asked.peer_name, result.id, result.param)
    title, suite = asked.bench.title(asked.peer_name), f"zconform {version('zconform')}"
    write_script(script(result, asked.bench.ledger, asked.trace, judgement.place, title, suite), path)
    return str(path)
