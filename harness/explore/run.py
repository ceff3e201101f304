"""The whole of `zconform explore`: who is asked, for how long, and what is told."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.clauses import Ledger
from harness.control.client import ControlClient
from harness.deadlines import Deadlines
from harness.launch.launcher import Launcher, LaunchError
from harness.manifest import Manifest
from harness.pairs import ZMTP_3
from harness.peer import LivePeer, PeerUnavailable

from .kinds import KINDS
from .report import Report
from .search import Search


@dataclass(frozen=True, slots=True)
class Wishes:
    """How long, from which seed, which conversations (from `first` on, at most `most`), and what is written.

    Raises ValueError, in one line, where that is no wish.
    """

    seed: int
    report: Path
    minutes: float = 1.0
    first: int = 0
    most: int | None = None
    with_security: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.minutes) and self.minutes > 0):
            raise ValueError(f"--minutes must be a positive number, not {self.minutes!r}")
        if self.first < 0 or (self.most is not None and self.most < 1):
            raise ValueError("--first counts from 0, --conversations from 1")

    @property
    def numbers(self) -> itertools.count[int] | range:
        """Which conversations are asked for."""
        return itertools.count(self.first) if self.most is None else range(self.first, self.first + self.most)


def explore(
    manifest: Manifest, launcher: Launcher, deadlines: Deadlines, wishes: Wishes, say: Callable[[str], None]
) -> int:
    """Explore a peer, and say what is found as soon as it is certain. How many findings there are.

    Raises LaunchError where the peer does not start, claims nothing that can be explored, or where the
    report cannot be written.
    """
    types = [kind for kind in KINDS if kind in manifest.sockets]
    speaks = manifest.zmtp & ZMTP_3 and manifest.claims("mechanism:NULL") and manifest.claims("transport:tcp")
    if not types or not speaks:
        raise LaunchError(f"{manifest.name}: peer.toml claims nothing to explore: types, ZMTP 3, NULL, tcp")
    ledger = Ledger.load()

    def start(wanted: Manifest) -> ControlClient:
        channel = launcher.start(wanted)
        return ControlClient(channel, deadlines, channel.hosts)

    began = time.monotonic()
    live = LivePeer(manifest, start)
    search = Search(live, ledger, deadlines, lambda: time.monotonic() - began >= wishes.minutes * 60)
    try:
        report = Report(manifest.name, wishes.seed, wishes.report, ledger, wishes.with_security)
        complete = False
        try:
            for found in search.run(wishes.seed, iter(wishes.numbers), types):
                for line in report.add(found):
                    say(line)
            complete = True
        finally:
            for line in report.finish(search, complete):
                say(line)
    except (PeerUnavailable, OSError) as error:
        raise LaunchError(str(error)) from None
    finally:
        live.stop()
    return len(search.found)
