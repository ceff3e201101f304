"""What one process of a run works with: ledger, manifests, warm peers, deadlines, report folder.

A run without workers has one bench; with pytest-xdist each worker has its own. Nothing here knows pytest.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.clauses import Ledger
from harness.control.client import ControlClient
from harness.deadlines import Deadlines
from harness.known import Entry, find, load_known
from harness.launch.launcher import Launcher, LaunchError, runtime_of
from harness.manifest import Manifest, load_manifests
from harness.peer import LivePeer, PeerUnavailable
from harness.selftest import self_test
from harness.wire.pcapng import write_pcapng
from harness.wire.trace import Octets, Trace

PEERS = Path(__file__).resolve().parent.parent / "peers"
LARGE_CAPTURE_OCTETS = 1 << 20
KNOWN_PATIENCE = 1 / 3


class SelectionError(ValueError):
    """A peer was asked for that does not exist or cannot run here; one line says which and why."""


@dataclass(slots=True)
class Bench:
    """`manifests` are the peers to judge; `unavailable` says why others are not here."""

    ledger: Ledger
    manifests: dict[str, Manifest]
    unavailable: dict[str, str]
    deadlines: Deadlines
    seed: int
    report: Path | None
    known: dict[str, list[Entry]] = field(default_factory=dict)
    self_tests: bool = True
    launcher: Launcher = field(default_factory=Launcher)
    _live: dict[str, LivePeer] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)
    _images: dict[str, str | None] = field(default_factory=dict)
    _runtimes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        dirs: list[Path],
        wanted: list[str],
        deadlines: Deadlines,
        seed: int,
        report: Path | None,
        launcher: Launcher | None = None,
    ) -> Bench:
        """Read ledger, manifests and known deviations.

        Raises LedgerError, ManifestError, KnownError or SelectionError, each one line.
        """
        found = load_manifests(dirs)
        launcher = launcher or Launcher("process", logs=report / "logs" if report else None)
        chosen, unavailable = choose(found, wanted, launcher)
        known = {name: load_known(manifest.folder) for name, manifest in chosen.items()}
        return cls(Ledger.load(), chosen, unavailable, deadlines, seed, report, known, launcher=launcher)

    def unclaimed(self, name: str, needs: list[str]) -> str | None:
        """The first of these capabilities that a peer does not claim, or None where it claims all.

        A case that names no version of ZMTP is one for peers that speak 3.x.
        """
        manifest = self.manifests[name]
        if not any(need.startswith("zmtp:") for need in needs) and not manifest.zmtp & {"3.0", "3.1"}:
            return "zmtp:3.0"
        return next((need for need in needs if not manifest.claims(need)), None)

    def patience(self, name: str, case_id: str, param: str) -> Deadlines:
        """The deadlines of a case. Who is known to fail it is waited for a third as long: a peer that has
        learnt it answers long before, and one that has not costs less."""
        if find(self.known.get(name, []), case_id, param) is not None:
            return Deadlines(self.deadlines.scale * KNOWN_PATIENCE)
        return self.deadlines

    def renew_after_race(self, name: str, case_id: str, param: str) -> None:
        """End a peer's process behind a case whose known fault may show later: it would hit the next case."""
        entry = find(self.known.get(name, []), case_id, param)
        if entry is not None and entry.race and name in self._live:
            self._live[name].kill()

    def live(self, name: str) -> LivePeer:
        """The warm peer of that name, self-tested at first. Raises PeerUnavailable."""
        if name in self._refused:
            raise PeerUnavailable(self._refused[name])
        if name not in self._live:
            self._stop_all()
            manifest = self.manifests[name]
            if self.self_tests:
                self._test(manifest)
            self._live[name] = LivePeer(manifest, self._start)
        return self._live[name]

    def _test(self, manifest: Manifest) -> None:
        """Raise PeerUnavailable, now and whenever it is asked again, if the adapter is not sound."""
        try:
            client = self._start(manifest)
            steps = self_test(manifest, client, self.deadlines, client.hosts)
            failed = [step for step in steps if not step.ok]
            problem = f"self-test: {failed[0].name}: {failed[0].detail}" if failed else ""
        except LaunchError as error:
            problem = str(error)
        if problem:
            self._refused[manifest.name] = f"{manifest.name}: {problem}"
            raise PeerUnavailable(self._refused[manifest.name])

    def _start(self, manifest: Manifest) -> ControlClient:
        channel = self.launcher.start(manifest)
        self._images[manifest.name] = channel.image
        return ControlClient(channel, self.deadlines, channel.hosts)

    def _stop_all(self) -> None:
        """Cases come grouped by peer: the one before is not needed any more."""
        for live in self._live.values():
            live.stop()
        self._live.clear()

    def stop(self) -> None:
        """End every peer's process."""
        self._stop_all()

    def close(self) -> None:
        """Remove what the run has made for its containers; the peers have ended."""
        self.launcher.close()

    def prepare_workers(self) -> str:
        """What a worker needs to take part in this run's containers. Raises LaunchError."""
        if any(self.runtime_of(name) == "container" for name in self.manifests):
            self.launcher.prepare()
        return self.launcher.run.encode()

    def runtime_of(self, name: str) -> str:
        """ "process" or "container"."""
        if name not in self._runtimes:
            self._runtimes[name] = runtime_of(self.manifests[name], self.launcher.runtime)
        return self._runtimes[name]

    def about(self, name: str) -> dict[str, Any]:
        """What results.json says of a peer."""
        manifest = self.manifests[name]
        live = self._live.get(name)
        hello: Mapping[str, Any] = live.hello if live else {}
        return {
            "name": name,
            "library": manifest.library,
            "version": str(hello.get("version", "")),
            "language": manifest.language,
            "runtime": self.runtime_of(name),
            "image": self._images.get(name),
        }

    def title(self, name: str) -> str:
        """A peer in one line, such as "libzmq 4.3.5 (pyzmq)"."""
        about = self.about(name)
        return f"{about['library']} {about['version']} ({name})"

    def save_trace(self, trace: Trace, title: str, keep_large: bool) -> str | None:
        """Write a capture into the report; its name there, or None where nothing is kept."""
        if self.report is None or not trace.connections():
            return None
        octets = sum(len(r.octets) for r in trace.records if isinstance(r, Octets))
        if octets > LARGE_CAPTURE_OCTETS and not keep_large:
            return None
        name = f"traces/{re.sub('[^A-Za-z0-9._-]+', '.', title).strip('.')}.pcapng"
        write_pcapng(trace, self.report / name)
        return name


def choose(
    found: Mapping[str, Manifest], wanted: list[str], launcher: Launcher | None = None
) -> tuple[dict[str, Manifest], dict[str, str]]:
    """The manifests to judge, and why others are not available here.

    Without wishes all that can run are chosen. A wish (name or glob) that meets nothing, or only what
    cannot run here, raises SelectionError.
    """
    launcher = launcher or Launcher("process")
    if launcher.runtime == "container" and (problem := launcher.engine_problem()):
        raise SelectionError(f"--runtime container: {problem}")
    if not wanted:
        missing = _missing(found, launcher, asked_for=False)
        chosen = {name: manifest for name, manifest in found.items() if name not in missing}
        if not chosen:
            raise SelectionError(f"no peer can run here: {_reasons(missing) or 'there is none'}")
        return chosen, missing
    picked: dict[str, Manifest] = {}
    unavailable: dict[str, str] = {}
    for wish in wanted:
        met = {name: found[name] for name in found if fnmatch.fnmatchcase(name, wish)}
        if not met:
            raise SelectionError(f"--peer: no peer is called {wish!r}; there are {', '.join(sorted(found))}")
        missing = _missing(met, launcher, asked_for=True)
        if len(missing) == len(met):
            raise SelectionError(f"--peer: {_reasons(missing)}")
        picked |= {name: manifest for name, manifest in met.items() if name not in missing}
        unavailable |= missing
    return picked, unavailable


def _missing(found: Mapping[str, Manifest], launcher: Launcher, asked_for: bool) -> dict[str, str]:
    reasons = {name: launcher.missing(manifest, asked_for) for name, manifest in found.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _reasons(missing: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in sorted(missing.items()))
