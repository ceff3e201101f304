"""Chores around the suite: `zconform`, or `python -m harness.cli`.

`coverage` shows which clause has which cases; `--write` puts it into specs/coverage.txt; `--check` says
with its exit status whether that file is true. `peers [NAME...]` builds the peers' images, all or those of
these names or globs. `new-peer NAME --language L` makes a skeleton to fill in, `smoke PEER` tries an adapter
before it is judged, `explore PEER` mixes legal and illegal steps at random. `trace FILE` judges a capture.
What reads the results of runs is in `harness.cli_results` and `harness.cli_report`.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib.util
import secrets
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from harness import cli_report, cli_results
from harness.capture.command import add_trace
from harness.case import ATTRIBUTE, Case
from harness.clauses import SPECS, Ledger
from harness.deadlines import Deadlines
from harness.explore import Wishes, explore
from harness.launch.launcher import RUNTIMES, Launcher, LaunchError
from harness.manifest import FILE_NAME, Manifest, ManifestError, load_manifests
from harness.newpeer import NewPeerError, languages, new_peer
from harness.report.coverage import render_coverage
from harness.smoke import smoke

CASES = SPECS.parent / "conformance"
COVERAGE = SPECS / "coverage.txt"
PEERS = SPECS.parent / "peers"


def collect_cases(folder: Path = CASES) -> list[Case]:
    """Every case below a folder, by id; the files are loaded as pytest would load them."""
    found: dict[str, Case] = {}
    for path in sorted(folder.rglob("test_*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for value in vars(module).values():
            made = getattr(value, ATTRIBUTE, None)
            if isinstance(made, Case):
                found[made.id] = made
    return [found[case_id] for case_id in sorted(found)]


def coverage(write: bool, check: bool) -> int:
    """Show, write or check specs/coverage.txt."""
    text = render_coverage(Ledger.load(), collect_cases())
    if write:
        COVERAGE.write_text(text, encoding="utf-8")
    elif check:
        if not COVERAGE.exists() or COVERAGE.read_text("utf-8") != text:
            print(f"{COVERAGE}: not what ledger and cases say: run `make coverage`", file=sys.stderr)
            return 1
    else:
        print(text, end="")
    return 0


def build_peers(wanted: list[str], dirs: list[Path], logs: Path) -> int:
    """Build the images of the peers that have a Dockerfile; one that fails does not stop the others."""
    try:
        found = load_manifests([PEERS, *dirs])
        engine = Launcher("container").engine()
    except (ManifestError, LaunchError) as error:
        print(error, file=sys.stderr)
        return 2
    logs.mkdir(parents=True, exist_ok=True)
    chosen = [
        manifest
        for name, manifest in found.items()
        if manifest.container is not None
        and (not wanted or any(fnmatch.fnmatchcase(name, glob) for glob in wanted))
    ]
    failed = 0
    for manifest in chosen:
        try:
            print(f"{manifest.name}: {engine.build(manifest, logs).tag}", flush=True)
        except LaunchError as error:
            failed += 1
            print(f"{manifest.name}: {error}", file=sys.stderr, flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} images are there")
    return 1 if failed or not chosen else 0


def make_peer(name: str, language: str, parent: Path) -> int:
    """Make a peer's folder and say what comes next; 2 if it cannot be made."""
    try:
        for manifest in load_manifests([PEERS]).values():
            if manifest.name == name:
                raise NewPeerError("NAME", f"{name!r} is the name in {manifest.folder / FILE_NAME} as well")
        made = new_peer(name, language, parent)
    except (ManifestError, NewPeerError) as error:
        print(f"zconform new-peer: {error}", file=sys.stderr)
        return 2
    where = "" if parent.resolve() == PEERS else f" --peers-dir {shlex.quote(str(parent))}"
    steps = [f"make -C {shlex.quote(str(made.folder))}"] if made.is_built else []
    steps += [f"zconform smoke {name}{where}", f"pytest conformance/ --peer {name}{where}"]
    print(f"{made.folder}: {', '.join(made.files)}")
    print("Fill in the library file, then peer.toml; peers/README.md leads through it. After each change:")
    print("\n".join(f"    {step}" for step in steps))
    return 0


Try = Callable[[Manifest, Launcher, Deadlines, Callable[[str], None]], int]


def try_peer(options: argparse.Namespace, make: Callable[[], Try]) -> int:
    """Try something with a peer; 0 if nothing is wrong with it, 1 if something is, 2 if it cannot be."""
    name = options.peer
    launcher = Launcher(options.runtime)
    try:
        found = load_manifests([PEERS, *options.peers_dir])
        if name not in found:
            raise LaunchError(f"PEER: no peer is called {name!r}; there are {', '.join(found)}")
        missing = launcher.missing(found[name], asked_for=True)
        if missing is not None:
            raise LaunchError(f"{name}: {missing}")
        deadlines = Deadlines(options.time_scale)
        return 1 if make()(found[name], launcher, deadlines, lambda line: print(line, flush=True)) else 0
    except (ManifestError, LaunchError, ValueError) as error:
        print(f"zconform {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        launcher.close()


def exploration(options: argparse.Namespace) -> Try:
    """`explore` as the command line wants it. Raises ValueError."""
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    wishes = Wishes(
        seed, options.report, options.minutes, options.first, options.conversations, options.with_security
    )
    return lambda manifest, launcher, deadlines, say: explore(manifest, launcher, deadlines, wishes, say)


def parser() -> argparse.ArgumentParser:
    """The command line of all chores."""
    whole = argparse.ArgumentParser(prog="zconform", description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("coverage", help="clauses and the cases that judge them")
    sub.add_argument("--write", action="store_true")
    sub.add_argument("--check", action="store_true")
    sub = commands.add_parser("peers", help="build the peers' images")
    sub.add_argument("names", nargs="*", metavar="NAME")
    sub.add_argument("--peers-dir", action="append", type=Path, default=[], metavar="DIR")
    sub.add_argument("--logs", type=Path, default=Path("reports/images"), metavar="DIR")
    sub = commands.add_parser("new-peer", help="make a peer's folder with an adapter to fill in")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument("--language", required=True, metavar="L", help=", ".join(languages()))
    sub.add_argument("--peers-dir", type=Path, default=PEERS, metavar="DIR")
    _peer_options(commands.add_parser("smoke", help="try an adapter before it is judged"))
    sub = commands.add_parser("explore", help="mix legal and illegal steps of its partners at random")
    _peer_options(sub)
    sub.add_argument("--minutes", type=float, default=1.0, metavar="M", help="begin nothing new after that")
    sub.add_argument("--seed", type=int, metavar="N", help="the same seed, the same conversations")
    sub.add_argument("--first", type=int, default=0, metavar="K", help="begin with conversation K")
    sub.add_argument("--conversations", type=int, metavar="N", help="at most so many")
    sub.add_argument("--report", type=Path, default=Path("reports/explore"), metavar="DIR")
    sub.add_argument("--with-security", action="store_true", help="show what can do harm: see SECURITY.md")
    cli_report.add_command(commands)
    add_trace(commands)
    cli_results.add_commands(commands)
    return whole


def _peer_options(sub: argparse.ArgumentParser) -> None:
    """What all chores have that start a peer."""
    sub.add_argument("peer", metavar="PEER")
    sub.add_argument("--peers-dir", action="append", type=Path, default=[], metavar="DIR")
    sub.add_argument("--runtime", choices=RUNTIMES, default="auto")
    sub.add_argument("--time-scale", type=float, default=1.0, metavar="X", help="stretch every wait")


def main(argv: list[str] | None = None) -> int:
    """Read the command line and do the chore."""
    options = parser().parse_args(argv)
    if "act" in options:
        return int(options.act(options))
    if options.command == "peers":
        return build_peers(options.names, options.peers_dir, options.logs)
    if options.command == "new-peer":
        return make_peer(options.name, options.language, options.peers_dir)
    if options.command == "smoke":
        return try_peer(options, lambda: smoke)
    if options.command == cli_report.NAME:
        return cli_report.report(options.folder, options.against, options.with_security)
    if options.command == "explore":
        return try_peer(options, lambda: exploration(options))
    return coverage(options.write, options.check)


if __name__ == "__main__":
    sys.exit(main())
