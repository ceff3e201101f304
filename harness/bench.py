"""What one process of a run works with: ledger, manifests, warm peers, deadlines, report folder.

A run without workers has one bench; with pytest-xdist each worker has its own. Nothing here knows pytest.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.clauses import Ledger
from harness.control.client import ControlClient
from harness.deadlines import Deadlines
from harness.known import Asked, Entry, find, load_known
from harness.launch.launcher import Launcher, LaunchError, runtime_of
from harness.manifest import Manifest, load_manifests
from harness.pairs import ZMTP_3, Pair, PairError, default_pairs, hub_of, matching_pairs, shard_of
from harness.peer import LivePeer, PeerUnavailable
from harness.selftest import self_test
from harness.verdict import Mismatch
from harness.wire.hub import TapHub
from harness.wire.pcapng import write_pcapng
from harness.wire.trace import Octets, Trace

PEERS = Path(__file__).resolve().parent.parent / "peers"
LARGE_CAPTURE_OCTETS = 1 << 20
KNOWN_PATIENCE = 1 / 3


class SelectionError(ValueError):
    """A peer was asked for that does not exist or cannot run here; one line says which and why."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line wants: peers (names or globs), pairs ("A:B"), whether pairs are asked at all
    where none are named, and which part (k of n) of peers and pairs."""

    peers: Sequence[str] = ()
    pairs: Sequence[str] = ()
    interop: bool = False
    shard: tuple[int, int] | None = None


@dataclass(slots=True)
class Bench:
    """`manifests` are the peers to judge; `unavailable` says why others are not here.

    `singles` are those that are judged by themselves, `pairs` those that are judged together; `beside` is who
    plays the other roles of a scenario where single peers are named, at most one. `plain_talks`
    are the faults in those that were held: by peer, socket type and role.
    """

    ledger: Ledger
    manifests: dict[str, Manifest]
    unavailable: dict[str, str]
    deadlines: Deadlines
    seed: int
    report: Path | None
    known: dict[str, list[Entry]] = field(default_factory=dict)
    self_tests: bool = True
    launcher: Launcher = field(default_factory=Launcher)
    singles: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    plain_talks: dict[tuple[str, str, str], Mismatch | None] = field(default_factory=dict)
    _live: dict[tuple[str, int], LivePeer] = field(default_factory=dict)
    _tested: set[str] = field(default_factory=set)
    _hub: TapHub | None = None
    _refused: dict[str, str] = field(default_factory=dict)
    _images: dict[str, str | None] = field(default_factory=dict)
    _runtimes: dict[str, str] = field(default_factory=dict)
    _versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        dirs: list[Path],
        wishes: Wishes,
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
        singles, pairs, chosen, unavailable = select(found, wishes, launcher)
        beside = _beside(found, launcher) if wishes.peers and singles else {}
        chosen = {**chosen, **beside}
        known = {name: load_known(manifest.folder) for name, manifest in chosen.items()}
        made = cls(Ledger.load(), chosen, unavailable, deadlines, seed, report, known, launcher=launcher)
        made.singles, made.pairs, made.beside = singles, pairs, list(beside)
        return made

    def unclaimed(self, name: str, needs: list[str]) -> str | None:
        """The first of these capabilities that a peer does not claim, or None where it claims all.

        A case that names no version of ZMTP is one for peers that speak 3.x.
        """
        manifest = self.manifests[name]
        if not any(need.startswith("zmtp:") for need in needs) and not manifest.zmtp & ZMTP_3:
            return "zmtp:3.0"
        return next((need for need in needs if not manifest.claims(need)), None)

    @property
    def judged(self) -> list[str]:
        """Who is judged, alone or in pairs; who only stands beside them in scenarios is not."""
        named = {*self.singles, *(name for pair in self.pairs for name in pair)}
        return [name for name in self.manifests if name in named]

    def listed(self, asked: Asked) -> list[Entry]:
        """The known deviations that speak of what is asked, of these peers in their versions."""
        return find(self.known, asked, self._asked_versions(asked))

    def _asked_versions(self, asked: Asked) -> Mapping[str, str]:
        """What these peers said of their library's version, where their lists make a difference of it.

        Such a peer is started for it. One that cannot be started has none: its case will say so.
        """
        for name in asked.peers:
            if name in self._versions or not any(entry.versions for entry in self.known.get(name, ())):
                continue
            try:
                for live in self.hold(*(asked.cast.values() or asked.peers)):
                    live.client()
                    self._versions[live.manifest.name] = str(live.hello.get("version", ""))
            except PeerUnavailable:
                break
        return self._versions

    def known_clauses(self, name: str) -> set[str]:
        """The rules that a peer is known to break somewhere. A race's glob names none."""
        version = self._versions.get(name, "")
        return {entry.clause for entry in self.known.get(name, []) if entry.fits(version)}

    def patience(self, listed: list[Entry]) -> Deadlines:
        """The deadlines of a case. Who is known to fail it is waited for a third as long: a peer that has
        learnt it answers long before, and one that has not costs less. A race is most often passed."""
        if any(not entry.race for entry in listed):
            return Deadlines(self.deadlines.scale * KNOWN_PATIENCE)
        return self.deadlines

    def renew_after_race(self, listed: list[Entry]) -> None:
        """End the peers' processes behind a case whose known harm may show later: it would hit the next."""
        if any(entry.race and entry.security for entry in listed):
            for live in self._live.values():
                live.kill()

    def live(self, name: str) -> LivePeer:
        """The warm peer of that name, self-tested at first. Raises PeerUnavailable."""
        return self.hold(name)[0]

    def hold(self, *names: str, spare: int = 0) -> list[LivePeer]:
        """The warm peers of these names, and of others the `spare` that were asked last.

        One that is named twice has two processes. What was warm before stays so where it is named again, in
        whatever place. Raises PeerUnavailable.
        """
        wanted = Counter(names)
        idle = [(name, number) for name, number in self._live if number > wanted[name]]
        for key in idle[: max(0, len(idle) - spare)]:
            self._live.pop(key).stop()
        return [self._warm(name, names[: place + 1].count(name)) for place, name in enumerate(names)]

    def _warm(self, name: str, number: int) -> LivePeer:
        if name in self._refused:
            raise PeerUnavailable(self._refused[name])
        if (name, number) not in self._live:
            manifest = self.manifests[name]
            if self.self_tests and name not in self._tested:
                self._test(manifest)
                self._tested.add(name)
            self._live[name, number] = LivePeer(manifest, lambda wanted: self._start(wanted, number))
        self._live[name, number] = self._live.pop((name, number))  # asked last
        return self._live[name, number]

    @property
    def hub(self) -> TapHub:
        """The thread behind all taps, started when it is first needed."""
        if self._hub is None:
            self._hub = TapHub()
        return self._hub

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

    def _start(self, manifest: Manifest, number: int = 1) -> ControlClient:
        channel = self.launcher.start(manifest, number)
        self._images[manifest.name] = channel.image
        return ControlClient(channel, self.deadlines, channel.hosts)

    def stop(self) -> None:
        """End every peer's process, and the taps' thread."""
        self.hold()
        if self._hub is not None:
            self._hub.close()
            self._hub = None

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
        live = self._live.get((name, 1))
        hello: Mapping[str, Any] = live.hello if live else {}
        return {
            "name": name,
            "library": manifest.library,
            "version": str(hello.get("version", "")),
            "language": manifest.language,
            "runtime": self.runtime_of(name),
            "image": self._images.get(name),
        }

    def title(self, *names: str) -> str:
        """The peers in one line, such as "libzmq 4.3.5 (pyzmq)"."""
        abouts = map(self.about, names)
        return " with ".join(f"{about['library']} {about['version']} ({about['name']})" for about in abouts)

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


def select(
    found: Mapping[str, Manifest], wishes: Wishes, launcher: Launcher
) -> tuple[list[str], list[Pair], dict[str, Manifest], dict[str, str]]:
    """Who is judged alone, which pairs, their manifests, and why others are not available here.

    Pairs that are named are asked alone. Raises SelectionError.
    """
    sides = [side for wish in wishes.pairs for side in wish.split(":") if side]
    try:
        named = matching_pairs(wishes.pairs, list(found))
        chosen, missing = choose(found, sides or wishes.peers, launcher, "--pair" if sides else "--peer")
        pairs = [pair for pair in named if set(pair) <= set(chosen)]
    except PairError as error:
        raise SelectionError(str(error)) from None
    if sides and not pairs:
        raise SelectionError(f"--pair: no two of these peers can run here: {_reasons(missing)}")
    if wishes.interop and not sides:
        pairs = default_pairs(found, chosen)
    pairs = shard_of(pairs, wishes.shard)
    singles = [] if sides else shard_of(list(chosen), wishes.shard)
    names = {name for pair in pairs for name in pair} | set(singles)
    return singles, pairs, {name: chosen[name] for name in chosen if name in names}, missing


def choose(
    found: Mapping[str, Manifest],
    wanted: Sequence[str],
    launcher: Launcher | None = None,
    option: str = "--peer",
) -> tuple[dict[str, Manifest], dict[str, str]]:
    """The manifests to judge, and why others are not available here.

    Without wishes all that can run are chosen. A wish (name or glob) that meets nothing, or only what
    cannot run here, raises SelectionError, which names the `option`.
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
            raise SelectionError(
                f"{option}: no peer is called {wish!r}; there are {', '.join(sorted(found))}"
            )
        missing = _missing(met, launcher, asked_for=True)
        if len(missing) == len(met):
            raise SelectionError(f"{option}: {_reasons(missing)}")
        picked |= {name: manifest for name, manifest in met.items() if name not in missing}
        unavailable |= missing
    return picked, unavailable


def _beside(found: Mapping[str, Manifest], launcher: Launcher) -> dict[str, Manifest]:
    """The peer of libzmq that stands by where others are judged, if it can run here."""
    missing = _missing(found, launcher, asked_for=False)
    hub = hub_of(found, {name: manifest for name, manifest in found.items() if name not in missing})
    return {} if hub is None else {hub: found[hub]}


def _missing(found: Mapping[str, Manifest], launcher: Launcher, asked_for: bool) -> dict[str, str]:
    reasons = {name: launcher.missing(manifest, asked_for) for name, manifest in found.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _reasons(missing: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in sorted(missing.items()))
