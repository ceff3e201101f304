"""`python -m benchmarks.start [PEER ...] [--runtime R] [--times N]`: how long a peer takes to start.

From the start of its process or container to its answer to `hello`; the first start, which builds an image
that is not there yet, is not counted. By default all peers that can run here.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from harness.bench import PEERS
from harness.control.client import ControlClient, ControlError
from harness.deadlines import Deadlines
from harness.launch.launcher import RUNTIMES, Launcher, LaunchError
from harness.manifest import Manifest, load_manifests


def started_s(launcher: Launcher, manifest: Manifest) -> float:
    """Seconds until one peer has said hello; it is ended before this returns."""
    began = time.perf_counter()
    client = ControlClient(launcher.start(manifest), Deadlines())
    try:
        client.hello()
        return time.perf_counter() - began
    finally:
        client.kill()


def row(launcher: Launcher, manifest: Manifest, times: int) -> str:
    """Number of starts, median and longest in milliseconds; or why the peer cannot be started."""
    if problem := launcher.missing(manifest, asked_for=True):
        return problem
    try:
        taken_ms = [started_s(launcher, manifest) * 1e3 for _ in range(times + 1)][1:]
    except (LaunchError, ControlError) as error:
        return str(error)
    return f"{times:>6} {statistics.median(taken_ms):>10.0f} {max(taken_ms):>11.0f}"


def main() -> int:
    """Start each peer some times; print the median and the longest, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="*")
    parser.add_argument("--runtime", choices=RUNTIMES, default="auto")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    found = load_manifests([PEERS])
    wanted = options.peers or sorted(found)
    if unknown := set(wanted) - set(found):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    launcher = Launcher(options.runtime)
    print(f"{'peer':<18} {'starts':>6} {'median ms':>10} {'longest ms':>11}")
    for name in wanted:
        print(f"{name:<18} {row(launcher, found[name], options.times)}", flush=True)
    launcher.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
