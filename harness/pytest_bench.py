"""The bench of this process, made from the command line's options when it is first needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bench import PEERS, Bench, SelectionError, Wishes
from harness.clauses import LedgerError
from harness.deadlines import Deadlines
from harness.expect import parse_expected, with_expected
from harness.known import INTEROP, KnownError
from harness.launch.launcher import Launcher, RunId
from harness.manifest import ManifestError
from harness.pairs import PairError, parse_shard

BENCH = pytest.StashKey[Bench]()
SUITE = PEERS.parent / "conformance"
INTEROP_CASES = SUITE / INTEROP.rstrip("/")


def bench_of(config: pytest.Config) -> Bench:
    """The bench of this process. Raises UsageError, in one line, where an option or a file is wrong."""
    if BENCH not in config.stash:
        option = config.option
        dirs = [PEERS, *(Path(folder) for folder in option.peers_dir)]
        try:
            deadlines = Deadlines(option.time_scale)
            report = Path(option.report) if option.report else None
            run = getattr(config, "workerinput", {}).get("zconform_run")
            launcher = Launcher(
                option.runtime, RunId.decode(run) if run else None, report and report / "logs"
            )
            bench = Bench.make(dirs, wishes_of(config), deadlines, option.seed, report, launcher)
            expected = parse_expected(option.expect, list(bench.manifests), bench.judged)
            bench.known = with_expected(bench.known, expected)
            bench.self_tests = not option.no_self_test
            config.stash[BENCH] = bench
        except (LedgerError, ManifestError, KnownError, SelectionError, PairError, ValueError) as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[BENCH]


def wishes_of(config: pytest.Config) -> Wishes:
    """Which peers and pairs the command line wants. Raises PairError."""
    option = config.option
    shard = parse_shard(option.shard) if option.shard is not None else None
    return Wishes(option.peer, option.pair, is_interop_named(config), shard)


def is_interop_named(config: pytest.Config) -> bool:
    """Whether the cases of interop are asked for by their folder or by their ids."""
    by_path = any(path == INTEROP_CASES or INTEROP_CASES in path.parents for path in named_paths(config))
    return by_path or any(glob.startswith(INTEROP) for glob in config.option.case)


def named_paths(config: pytest.Config) -> list[Path]:
    """The files and folders on the command line."""
    return [Path(arg.split("::")[0]).resolve() for arg in config.args]


def is_whole(config: pytest.Config, folder: Path) -> bool:
    """Whether all cases below a folder are asked for."""
    option = config.option
    if option.keyword or option.markexpr or option.case or option.clause or option.maxfail:
        return False
    if option.cast:
        return False
    return any(folder == path or path in folder.parents for path in named_paths(config))
