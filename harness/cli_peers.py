"""What `zconform` does with peers before they are judged: peers, new-peer, smoke, explore.

Exit status: 0 nothing is wrong, 1 something is, 2 it cannot be asked.
"""

from __future__ import annotations

import fnmatch
import secrets
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from harness.bench import PEERS
from harness.console import as_json_option, peers_dir_option, refused, say, say_json
from harness.deadlines import Deadlines
from harness.explore import Wishes, explore
from harness.launch.launcher import RUNTIMES, Launcher, LaunchError, Runtime
from harness.manifest import FILE_NAME, Manifest, ManifestError, load_manifests
from harness.newpeer import NewPeerError, languages, new_peer
from harness.smoke import smoke

DIR = click.Path(path_type=Path)
Chore = Callable[..., int]


@click.command("peers", help="Build the peers' images: all, or those of these names or globs.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@peers_dir_option
@click.option("--logs", type=DIR, default=Path("reports/images"), metavar="DIR", show_default=True)
@as_json_option()
def build_peers(names: Sequence[str], peers_dirs: Sequence[Path], logs: Path, as_json: bool) -> int:
    """Build the images of the peers that have a Dockerfile; one that fails does not stop the others."""
    try:
        found = load_manifests([PEERS, *peers_dirs])
        engine = Launcher("container").engine()
    except (ManifestError, LaunchError) as error:
        return refused(error)
    logs.mkdir(parents=True, exist_ok=True)
    built: list[dict[str, str]] = []
    for manifest in found.values():
        if manifest.container is None or (names and not _named(manifest.name, names)):
            continue
        try:
            built.append({"peer": manifest.name, "image": engine.build(manifest, logs).tag})
        except LaunchError as error:
            built.append({"peer": manifest.name, "error": str(error)})
        if not as_json:
            _tell_built(built[-1])
    good = sum("image" in each for each in built)
    if as_json:
        say_json(built)
    else:
        say(f"{good} of {len(built)} images are there")
    return 0 if built and good == len(built) else 1


def _named(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def _tell_built(built: dict[str, str]) -> None:
    if "image" in built:
        say(f"{built['peer']}: {built['image']}")
    else:
        click.echo(f"{built['peer']}: {built['error']}", err=True)


@click.command("new-peer", help="Make a peer's folder with an adapter to fill in.")
@click.argument("name", metavar="NAME")
@click.option("--language", required=True, metavar="L", help=", ".join(languages()))
@click.option("--peers-dir", "parent", type=DIR, default=PEERS, metavar="DIR")
def make_peer(name: str, language: str, parent: Path) -> int:
    """Make a peer's folder and say what comes next; 2 if it cannot be made."""
    try:
        for manifest in load_manifests([PEERS]).values():
            if manifest.name == name:
                raise NewPeerError("NAME", f"{name!r} is the name in {manifest.folder / FILE_NAME} as well")
        made = new_peer(name, language, parent)
    except (ManifestError, NewPeerError) as error:
        return refused(error)
    where = "" if parent.resolve() == PEERS else f" --peers-dir {shlex.quote(str(parent))}"
    steps = [f"make -C {shlex.quote(str(made.folder))}"] if made.is_built else []
    steps += [f"zconform smoke {name}{where}", f"pytest conformance/ --peer {name}{where}"]
    say(f"{made.folder}: {', '.join(made.files)}")
    say("Fill in the library file, then peer.toml; peers/README.md leads through it. After each change:")
    say("\n".join(f"    {step}" for step in steps))
    return 0


Try = Callable[[Manifest, Launcher, Deadlines, Callable[[str], None]], int]


def peer_options(chore: Chore) -> Chore:
    """What all chores have that start a peer."""
    for option in (
        click.option("--time-scale", type=float, default=1.0, metavar="X", help="stretch every wait"),
        click.option("--runtime", type=click.Choice(RUNTIMES), default="auto", show_default=True),
        peers_dir_option,
        click.argument("peer", metavar="PEER"),
    ):
        chore = option(chore)
    return chore


@click.command("smoke", help="Try an adapter before it is judged.")
@peer_options
def try_adapter(peer: str, peers_dirs: Sequence[Path], runtime: Runtime, time_scale: float) -> int:
    """Ask an adapter for each operation once, and hold its answers against the schemas."""
    return _try(peer, peers_dirs, runtime, time_scale, lambda: smoke)


@click.command("explore", help="Mix legal and illegal steps of a peer's partners at random.")
@peer_options
@click.option("--minutes", type=float, default=1.0, metavar="M", help="begin nothing new after that")
@click.option("--seed", type=int, metavar="N", help="the same seed, the same conversations")
@click.option("--first", type=int, default=0, metavar="K", help="begin with conversation K")
@click.option("--conversations", type=int, metavar="N", help="at most so many")
@click.option("--report", type=DIR, default=Path("reports/explore"), metavar="DIR", show_default=True)
@click.option("--with-security", is_flag=True, help="show what can do harm: see SECURITY.md")
def explore_peer(
    peer: str,
    peers_dirs: Sequence[Path],
    runtime: Runtime,
    time_scale: float,
    minutes: float,
    seed: int | None,
    first: int,
    conversations: int | None,
    report: Path,
    with_security: bool,
) -> int:
    """Look for a conversation that a peer does not stand."""

    def exploration() -> Try:
        drawn = secrets.randbelow(1 << 32) if seed is None else seed
        wishes = Wishes(drawn, report, minutes, first, conversations, with_security)
        return lambda manifest, launcher, deadlines, tell: explore(
            manifest, launcher, deadlines, wishes, tell
        )

    return _try(peer, peers_dirs, runtime, time_scale, exploration)


def _try(
    name: str, peers_dirs: Sequence[Path], runtime: Runtime, time_scale: float, make: Callable[[], Try]
) -> int:
    """Try something with a peer; 0 if nothing is wrong with it, 1 if something is, 2 if it cannot be."""
    launcher = Launcher(runtime)
    try:
        found = load_manifests([PEERS, *peers_dirs])
        if name not in found:
            raise LaunchError(f"PEER: no peer is called {name!r}; there are {', '.join(found)}")
        missing = launcher.missing(found[name], asked_for=True)
        if missing is not None:
            raise LaunchError(f"{name}: {missing}")
        return 1 if make()(found[name], launcher, Deadlines(time_scale), say) else 0
    except (ManifestError, LaunchError, ValueError) as error:
        return refused(error)
    finally:
        launcher.close()
